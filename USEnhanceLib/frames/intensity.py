"""Intensities: which stored values are black and white, and how a change of luminance is stored."""

from __future__ import annotations

import numpy as np

from . import colour

EIGHT_BIT = (0.0, 255.0)
UNIT = (0.0, 1.0)


def find_intensity_range(source: np.ndarray) -> tuple[float, float]:
    """Return the values of `source` (any shape, any real dtype) that stand for black and white.

    - integers of any width that lie within 0..255: (0, 255), so that an 8-bit image enhances alike
      whether it is stored as uint8, int16 or int64, and however dark it is;
    - floats that lie within 0..1: (0, 1), an image that is already normalised;
    - everything else (12-bit data, decibels, an arbitrary envelope): its minimum and maximum.

    A constant image outside those ranges gets (value, value + 1), so that the range is never empty.
    NaN and infinite values must have been refused before (`validation.check_pixels`).
    """
    if source.dtype == np.uint8:
        return EIGHT_BIT
    low, high = float(source.min()), float(source.max())
    conventional = UNIT if source.dtype.kind == "f" else EIGHT_BIT
    if conventional[0] <= low and high <= conventional[1]:
        return conventional
    if low == high:
        # The next float, where adding one would be lost in a huge value.
        return low, max(low + 1.0, float(np.nextafter(low, np.inf)))
    return low, high


def to_unit(frame: np.ndarray, intensity_range: tuple[float, float]) -> np.ndarray:
    """Return the luminance of one `frame`, [H, W] or [H, W, 3], as float32 [H, W] in 0..1."""
    low, high = intensity_range
    values = colour.luminance(frame) if frame.ndim == 3 else frame.astype(np.float64)
    values -= low
    values /= high - low
    return np.clip(values, 0.0, 1.0, out=values).astype(np.float32)


def add_change(
    frame: np.ndarray, change: np.ndarray, sector: np.ndarray, intensity_range: tuple[float, float]
) -> np.ndarray:
    """Return `frame` with `change` added inside `sector`, in the dtype of `frame`.

    frame: [H, W] or [H, W, 3], as stored; change: [H, W], in units of the intensity range (1 = from
    black to white); sector: bool [H, W]. Integers are rounded to the nearest; the result stays within
    the intensity range and the dtype; pixels whose change rounds to nothing keep their exact bits.
    """
    low, high = intensity_range
    stored_change = change.astype(np.float64) * (high - low)
    is_integer = frame.dtype.kind in "ui"
    if is_integer:
        stored_change = np.rint(stored_change)
    rgb = frame if frame.ndim == 3 else frame[..., None]
    stored_change = colour.limit_change(stored_change, rgb, low, high)
    changed = sector & (stored_change != 0.0)
    result = np.array(rgb)
    values = rgb[changed].astype(np.float64) + stored_change[changed][:, None]
    result[changed] = _fit(np.clip(values, low, high), frame.dtype)
    return result.reshape(frame.shape)


def _fit(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return float64 `values` as `dtype`, at its limits where they lie outside."""
    if dtype.kind == "f":
        limits = np.finfo(dtype)
        return np.clip(values, limits.min, limits.max).astype(dtype)
    limits = np.iinfo(dtype)
    # 2^63 - 1 and 2^64 - 1 are no float64: the largest float64 below must do, or the cast overflows.
    largest = (
        float(limits.max) if int(float(limits.max)) <= limits.max else np.nextafter(float(limits.max), 0.0)
    )
    return np.clip(values, float(limits.min), largest).astype(dtype)
