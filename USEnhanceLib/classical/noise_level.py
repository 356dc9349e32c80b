"""The level of noise in a frame, for filters that are not told it.

Speckle is correlated over a resolution cell, so estimators for white noise (of neighbouring differences, or
of the finest wavelets) see only a part of it. Where tissue is homogeneous, all that varies within a block is
speckle: a low quantile of the blocks' standard deviations finds those regions. Compare J. Immerkær, Fast
noise variance estimation, Computer Vision and Image Understanding 64(2), 1996, for the alternatives.
"""

from __future__ import annotations

import numpy as np

BLOCK = 8
_QUANTILE = 0.3
_FLAT = 1e-3  # standard deviation below which a block has no texture: background, or saturation
_DARK = 0.04  # mean below which black clips the speckle


def estimate_noise(frame: np.ndarray, exponent: float = 0.0) -> float:
    """Return the standard deviation of the noise of a frame [H, W] in [0, 1], 0 where it has no texture.

    exponent: of the model `frame = clean + clean^exponent * noise`: 0 for additive noise, 1 for
    multiplicative noise, whose level is then the coefficient of variation; the standard deviation of each
    block is divided by its mean to that power. Dark blocks count only where there are no others.
    """
    height, width = (max(1, length // BLOCK) for length in frame.shape)
    rows, columns = (min(BLOCK, length) for length in frame.shape)
    blocks = frame[: height * rows, : width * columns].reshape(height, rows, width, columns)
    blocks = blocks.astype(np.float64)
    mean, deviation = blocks.mean(axis=(1, 3)), blocks.std(axis=(1, 3))
    textured = deviation > _FLAT
    chosen = textured & (mean > _DARK) if (textured & (mean > _DARK)).any() else textured
    if not chosen.any():
        return 0.0
    return float(np.quantile(deviation[chosen] / mean[chosen] ** exponent, _QUANTILE))
