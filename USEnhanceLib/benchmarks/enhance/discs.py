"""Discs of known contrast put into speckle, and discs that nobody put there.

Frames are taken as log-compressed over `DYNAMIC_RANGE` = 60 dB, as the phantom scans state and as is usual
where a file does not say: a factor of c dB on the echo is an addition of c / 60 to grey values in [0, 1],
speckle and all. Discs are brighter or darker than what surrounds them.

Response at a place p, the answer of a matched filter for a disc of radius r on unknown ground:
    T(p) = mean of the pixels nearer than r - MARGIN
           - mean of the pixels between r + MARGIN and r + MARGIN + RING away.
Contrast kept = (T of the enhanced frame with the disc - T of the enhanced frame without)
              / (T of the frame with the disc - T of the frame without), at the disc's centre.
Seen: a disc whose numerator exceeds `THRESHOLD`, half of the weakest contrast put in, with the right sign.
False disc: a place inside the scan sector, the strongest within r, where enhancing a frame without discs made
    T larger in magnitude by more than `THRESHOLD`, and T itself exceeds it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch

from ...degradation.speckle import rayleigh_speckle
from ...frames.sector import find_sector
from ..images import BenchmarkImage

DYNAMIC_RANGE = 60.0
CONTRASTS = (3, 6, 10)
SIGNS = (1, -1)
RADIUS = 10.0
SEARCHED = (5.0, 10.0)
MARGIN, RING = 1.5, 6.0
THRESHOLD = CONTRASTS[0] / DYNAMIC_RANGE / 2

SIDE = 128
LEVEL = 0.45
GRAIN = 1.5
SIMULATED = 3
SPECKLED = "simulated speckle"


@dataclass(frozen=True, eq=False)
class Ground:
    """Speckle that discs are put into: float32 [H, W] in [0, 1], and the disc's centre (row, column)."""

    kind: str
    name: str
    pixels: np.ndarray
    centre: tuple[int, int]

    def with_disc(self, decibels: float) -> np.ndarray:
        """Return the frame with a disc of this contrast, clipped to [0, 1]; its rim is one pixel soft."""
        row, column = np.ogrid[: self.pixels.shape[0], : self.pixels.shape[1]]
        distance = np.hypot(row - self.centre[0], column - self.centre[1])
        share = np.clip(RADIUS + 0.5 - distance, 0, 1)
        return np.clip(self.pixels + decibels / DYNAMIC_RANGE * share, 0, 1).astype(np.float32)


def simulated_grounds(seed: int, count: int = SIMULATED) -> list[Ground]:
    """Return homogeneous fully developed speckle, log-compressed over 60 dB, grain 1.5 pixels."""
    grounds = []
    for index in range(count):
        name = f"speckle {index}"
        generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}/{name}".encode()))
        even = torch.full((1, SIDE, SIDE), LEVEL)
        pixels = rayleigh_speckle(even, DYNAMIC_RANGE, generator, grain=GRAIN)[0].numpy()
        grounds.append(Ground(SPECKLED, name, pixels, (SIDE // 2, SIDE // 2)))
    return grounds


def real_ground(image: BenchmarkImage) -> Ground:
    """Return the part of a real frame, at most 128 x 128, around its most even speckle.

    Even: the lowest standard deviation, after a Gaussian of 2 pixels, in a square that holds disc and ring,
    lies inside the scan sector and has a mean between .2 and .7.
    """
    from scipy.ndimage import gaussian_filter, uniform_filter

    reach = int(RADIUS + MARGIN + RING)
    frame = image.pixels.astype(float)
    smooth = gaussian_filter(frame, 2)
    mean = uniform_filter(smooth, 2 * reach + 1)
    spread = uniform_filter(smooth**2, 2 * reach + 1) - mean**2
    inside = uniform_filter(find_sector(image.pixels).astype(float), 2 * reach + 1) > 1 - 1e-6
    fit = inside & (mean > 0.2) & (mean < 0.7)
    fit[:reach] = fit[-reach:] = False
    fit[:, :reach] = fit[:, -reach:] = False
    if not fit.any():
        fit[reach:-reach, reach:-reach] = True
    score = np.where(fit, spread, np.inf)
    row, column = (int(place) for place in np.unravel_index(np.argmin(score), score.shape))
    top, left = (
        max(0, min(place - SIDE // 2, length - SIDE))
        for place, length in zip((row, column), frame.shape, strict=True)
    )
    pixels = np.ascontiguousarray(image.pixels[top : top + SIDE, left : left + SIDE])
    return Ground(image.dataset, image.name, pixels, (row - top, column - left))


def response(frame: np.ndarray, radius: float) -> np.ndarray:
    """Return the matched filter's answer T at each pixel, float64 [H, W]; edges are reflected."""
    from scipy.signal import fftconvolve

    reach = int(np.ceil(radius + MARGIN + RING))
    row, column = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    distance = np.hypot(row, column)
    disc = distance < radius - MARGIN
    ring = (distance > radius + MARGIN) & (distance < radius + MARGIN + RING)
    kernel = disc / disc.sum() - ring / ring.sum()
    padded = np.pad(np.asarray(frame, dtype=float), reach, mode="reflect")
    return fftconvolve(padded, kernel, mode="valid")


def contrast_kept(
    ground: Ground, with_disc: np.ndarray, enhanced: np.ndarray, enhanced_with: np.ndarray
) -> tuple[float, bool]:
    """Return the share of a disc's contrast that is left, and whether the disc is seen."""
    put_in = response(with_disc, RADIUS) - response(ground.pixels, RADIUS)
    left = response(enhanced_with, RADIUS) - response(enhanced, RADIUS)
    before, after = put_in[ground.centre], left[ground.centre]
    return float(after / before), bool(np.sign(before) * after > THRESHOLD)


def false_discs(frame: np.ndarray, enhanced: np.ndarray, radius: float, sector: np.ndarray) -> int:
    """Return how many discs of a radius appeared inside the scan sector, bool [H, W]."""
    from scipy.ndimage import binary_erosion, maximum_filter

    before, after = response(frame, radius), response(enhanced, radius)
    growth = np.sign(after) * (after - before)
    reach = int(np.ceil(radius + MARGIN + RING))
    fits = binary_erosion(sector, iterations=reach, border_value=0)
    strongest = growth == maximum_filter(growth, 2 * int(radius) + 1)
    return int((fits & strongest & (growth > THRESHOLD) & (np.abs(after) > THRESHOLD)).sum())
