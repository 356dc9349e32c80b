"""The domain in which speckle multiplies: what is done to a frame before and after a filter made for it.

B-mode is the logarithm of the envelope over D decibels, scaled to [0, 1], so speckle adds to its pixels.
Filters made for multiplicative speckle (Lee, Frost, Kuan, SRAD) take the exponential instead: the envelope
to the power of 20 / (D ln 10), in which speckle multiplies whatever D is. Its coefficient of variation is to
first order the standard deviation of the frame's own noise, so no dynamic range needs to be known, and the
mean of the logarithm hardly moves, as it would in the envelope itself (by 2.5 dB).
"""

from __future__ import annotations

import numpy as np

_DARKEST = 1 / 255  # keeps 1/I finite where a frame that is not log-compressed is black


def to_envelope(frame: np.ndarray, compressed: bool) -> np.ndarray:
    """Return a positive image of a frame in [0, 1]: its exponential where it is log-compressed."""
    return np.exp(frame) if compressed else frame + np.float32(_DARKEST)


def from_envelope(intensity: np.ndarray, compressed: bool) -> np.ndarray:
    """Return the frame of a positive image: the inverse of `to_envelope`."""
    return np.log(intensity) if compressed else intensity - np.float32(_DARKEST)
