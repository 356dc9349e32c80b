"""How sharp frames are: width, overshoot and contrast along lines, and strength of gradients.

Lengths are in samples of the profile, so in pixels where a profile has one sample per pixel. Profiles are
interpolated by a quintic spline, so widths and levels do not hang on where a peak lies between samples.

FWHM = distance of the two places beside the peak where the profile crosses base + (peak - base) / 2; a
       Gaussian of standard deviation s has 2 sqrt(2 ln 2) s = 2.355 s, which a spline through samples at
       distance 1 gives within 1 % from s = 0.8 on.
FWHM of an edge = that of its derivative, the line spread function: for a step blurred by the same Gaussian
       it is 2.355 s too.
Overshoot = largest excursion beyond the edge's plateaus / distance of the plateaus, 0 when there is none.
Undershoot of a peak = (base - min) / (peak - base): the dark rim of a sharpened point or line.
Contrast = (max - min) / (max + min), after A. A. Michelson, Studies in Optics, 1927.
GradMax, GradMean = maximum and mean of |grad I| = sqrt(Ix^2 + Iy^2), central differences, per pixel. They
       are named but not spelt out in arXiv 2601.21856; this is our reading.
Sources: IEC 61391-1:2006 (width of line targets in pulse-echo scanners); ISO 12233:2023 (edge method).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from scipy.interpolate import BSpline

FINE = 20
"""Interpolated samples per sample of a profile."""

ROUNDING = 1e-9
"""A lower peak, in grey values, is a flat profile."""

SHORTEST = 8
"""Samples that a profile needs for a baseline or plateaus at both ends."""


def line_profile(
    frame: np.ndarray, start: Sequence[float], end: Sequence[float], width: int = 1
) -> np.ndarray:
    """Return the grey values along a line, float64 [L], one sample per pixel from start to end.

    frame: float [H, W].  start, end: (row, column) in pixels, 0 being the centre of the first pixel.
    width: number of parallel lines at distance 1 that are averaged. Values between pixels come from a quintic
    spline. Raises InputError where a line leaves the frame or is shorter than a pixel.
    """
    from scipy.ndimage import map_coordinates, spline_filter

    first, last = np.asarray(start, float), np.asarray(end, float)
    length = float(np.hypot(*(last - first)))
    if np.ndim(frame) != 2 or length < 1 or width < 1:
        raise InputError("A profile needs a frame [H, W], a line of a pixel or more and a width from 1.")
    along = (last - first) / length
    across = np.array([-along[1], along[0]])
    steps = np.arange(int(np.floor(length + 1e-9)) + 1)
    offsets = np.arange(width) - (width - 1) / 2
    points = first[:, None, None] + along[:, None, None] * steps + across[:, None, None] * offsets[:, None]
    limits = np.array(np.shape(frame))[:, None, None] - 1
    if (points < -1e-9).any() or (points > limits + 1e-9).any():
        raise InputError(f"The line from {tuple(start)} to {tuple(end)} leaves the frame: choose another.")
    spline = spline_filter(np.asarray(frame, dtype=float), order=5, mode="mirror")
    return map_coordinates(spline, points, order=5, mode="mirror", prefilter=False).mean(axis=0)


def fwhm(profile: np.ndarray, base: float | None = None) -> float:
    """Return the full width at half maximum of the highest peak, in samples.

    profile: float [L], a bright peak; negate it for a dark one.  base: level from which the height is
    counted; the median of the first and the last quarter when None. NaN where the peak does not rise above
    the base, or the profile does not fall to the half on both sides.
    """
    values = _checked(profile)
    if base is None:
        base = float(np.median(_ends(values)))
    return _width(_spline(values)(_fine_places(values)), base)


def edge_fwhm(profile: np.ndarray) -> float:
    """Return the width of an edge, rising or falling: the FWHM of its line spread function, in samples.

    profile: float [L] with a plateau at both ends. NaN for a flat profile.
    """
    values = _checked(profile)
    spread = _spline(values).derivative()(_fine_places(values))
    return _width(spread if values[-1] > values[0] else -spread, 0.0)


def overshoot(profile: np.ndarray) -> float:
    """Return how far an edge swings beyond its plateaus, as a share of the step.

    profile: float [L]; its plateaus are the medians of the first and the last quarter. The larger of over-
    and undershoot is returned; NaN where the plateaus are equal.
    """
    values = _checked(profile)
    quarter = len(values) // 4
    low, high = sorted((float(np.median(values[:quarter])), float(np.median(values[-quarter:]))))
    if high == low:
        return float("nan")
    return max(0.0, float(values.max()) - high, low - float(values.min())) / (high - low)


def undershoot(profile: np.ndarray) -> float:
    """Return how far a profile dips below the base beside its highest peak, as a share of the peak's height.

    profile: float [L], a bright peak on the base that `fwhm` takes by default. NaN without a peak.
    """
    values = _checked(profile)
    base = float(np.median(_ends(values)))
    height = float(values.max()) - base
    return max(0.0, base - float(values.min())) / height if height > ROUNDING else float("nan")


def michelson_contrast(values: np.ndarray) -> float:
    """Return (max - min) / (max + min) of non-negative grey values of any shape; NaN where all are 0."""
    low, high = float(np.min(values)), float(np.max(values))
    return (high - low) / (high + low) if high + low > 0 else float("nan")


def gradient_strength(frame: np.ndarray, region: np.ndarray | None = None) -> tuple[float, float]:
    """Return (GradMax, GradMean) of a frame [H, W] or a profile [L], in grey values per pixel.

    region: bool of the same shape, the pixels that count; all when None. Raises InputError for another shape
    or an empty region.
    """
    values = np.asarray(frame, dtype=float)
    if region is not None and (np.shape(region) != values.shape or not np.any(region)):
        raise InputError("The region of a gradient must have the frame's shape and hold a pixel.")
    slopes = np.gradient(values)
    magnitude = np.sqrt(sum(slope**2 for slope in slopes)) if values.ndim > 1 else np.abs(slopes)
    chosen = magnitude if region is None else magnitude[region]
    return float(chosen.max()), float(chosen.mean())


def _checked(profile: np.ndarray) -> np.ndarray:
    values = np.asarray(profile, dtype=float)
    if values.ndim != 1 or len(values) < SHORTEST or not np.isfinite(values).all():
        raise InputError(f"A profile needs {SHORTEST} or more finite samples in one dimension.")
    return values


def _ends(values: np.ndarray) -> np.ndarray:
    quarter = len(values) // 4
    return np.concatenate([values[:quarter], values[-quarter:]])


def _fine_places(values: np.ndarray) -> np.ndarray:
    return np.arange((len(values) - 1) * FINE + 1) / FINE


def _spline(values: np.ndarray) -> BSpline:
    from scipy.interpolate import make_interp_spline

    return make_interp_spline(np.arange(len(values)), values, k=5)


def _width(fine: np.ndarray, base: float) -> float:
    """The FWHM of a peak given at distances of 1 / FINE."""
    peak = int(np.argmax(fine))
    if fine[peak] - base < ROUNDING:
        return float("nan")
    above = fine - (base + fine[peak]) / 2
    left = np.flatnonzero(above[:peak] <= 0)
    right = np.flatnonzero(above[peak:] <= 0)
    if not len(left) or not len(right):
        return float("nan")
    rises, falls = left[-1], peak + right[0] - 1
    return float((_crossing(above, falls) - _crossing(above, rises)) / FINE)


def _crossing(above: np.ndarray, index: int) -> float:
    """The place between index and index + 1 where the line through both values is 0."""
    return index + above[index] / (above[index] - above[index + 1])
