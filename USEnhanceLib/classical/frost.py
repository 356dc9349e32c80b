"""Frost's filter: averages over neighbours that count less with distance, and the less the rougher it is.

Source: V. S. Frost, J. A. Stiles, K. S. Shanmugan, J. C. Holtzman, A model for radar images and its
application to adaptive digital filtering of multiplicative noise, IEEE Transactions on Pattern Analysis and
Machine Intelligence 4(2), 1982. A neighbour at distance d weighs exp(-k C^2 d), C being the coefficient of
variation of the window. Here C is divided by that of speckle, so that k means the same at every level of
noise and compression.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from .envelope import from_envelope, to_envelope
from .local_statistics import window_statistics
from .noise_level import estimate_noise


def filter_frost(
    frames: np.ndarray,
    *,
    size: int = 7,
    damping: float = 0.3,
    speckle_scale: float | None = None,
    compressed: bool = True,
) -> np.ndarray:
    """Return frames after Frost's filter, frame by frame.

    frames: float32 [N, H, W] in [0, 1].  size: side of the window, pixels.  damping: k, decay of the weights
    per pixel where the window holds nothing but speckle; 0 takes the mean.  speckle_scale: coefficient of
    variation of fully developed speckle; None estimates it from each frame.  compressed: the frames are
    log-compressed, as B-mode is, so their exponential is filtered (see `envelope`); False filters the pixel
    values themselves, as of an envelope.
    """
    return np.stack([_filter_frame(frame, size, damping, speckle_scale, compressed) for frame in frames])


def _filter_frame(
    frame: np.ndarray, size: int, damping: float, speckle_scale: float | None, compressed: bool
) -> np.ndarray:
    intensity = to_envelope(frame, compressed)
    scale = estimate_noise(intensity, exponent=1) if speckle_scale is None else speckle_scale
    if scale == 0:
        return frame
    mean, variance = window_statistics(intensity, size)
    decay = (damping * variance / (mean * scale) ** 2).astype(np.float32)
    radius = size // 2
    padded = np.pad(intensity, radius, mode="symmetric")
    height, width = frame.shape
    total, weights = np.zeros_like(intensity), np.zeros_like(intensity)
    for distance, offsets in _rings(radius):
        weight = np.exp(-decay * np.float32(distance))
        weights += len(offsets) * weight
        total += weight * sum(padded[row : row + height, column : column + width] for row, column in offsets)
    return from_envelope(total / weights, compressed)


def _rings(radius: int) -> list[tuple[float, list[tuple[int, int]]]]:
    """Return the pixels of a window, counted from its corner, that lie equally far from its centre."""
    rings: dict[float, list[tuple[int, int]]] = {}
    for row, column in product(range(2 * radius + 1), repeat=2):
        rings.setdefault(math.hypot(row - radius, column - radius), []).append((row, column))
    return sorted(rings.items())
