"""From the level of echoes to what is shown."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

MEAN_LEVEL = -10 * 0.5772156649015329 / math.log(10)
"""Mean of 20 log10 of the envelope of fully developed speckle of mean power 1, dB."""

HEADROOM = 8.0
"""What tissue of echogenicity 1 is darker than white, dB: the bright half of its speckle is not cut off."""

DARKEST = -200.0
"""Stands for no echo at all, dB."""


def compress(level: NDArray[np.float32], dynamic_range: float) -> NDArray[np.float32]:
    """Return what is shown of levels in dB, [0, 1]: 0 dB, tissue of echogenicity 1, is `HEADROOM` below 1."""
    return np.clip(1 + (level - HEADROOM) / dynamic_range, 0, 1).astype(np.float32)


def level_of_tissue(echogenicity: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the level of tissue without speckle, dB, from its echogenicity in [0, 1]."""
    return (10 * np.log10(np.maximum(echogenicity, 10 ** (DARKEST / 10)))).astype(np.float32)


def level_of_samples(samples: NDArray[np.complex64], power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the level of complex samples, dB, whose mean is that of the tissue.

    Args:
        samples: of the frame, [A, L].
        power: mean power that they have from tissue of echogenicity 1, dB, [A, L].

    The mean of speckle in dB is less than the dB of its mean power, and that is added.
    """
    envelope = np.maximum(np.abs(samples), np.float32(1e-35))
    return (20 * np.log10(envelope) - power - MEAN_LEVEL).astype(np.float32)
