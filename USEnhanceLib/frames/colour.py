"""Luminance of colour frames, and changes of luminance that keep the colour.

Luminance is the Y of ITU-R BT.601, the one that DICOM's YBR_FULL uses (PS3.3, C.7.6.3.1.2):
Y = 0.299 R + 0.587 G + 0.114 B. Adding one number to R, G and B alike changes Y by that number and
leaves Cb and Cr as they were.
"""

from __future__ import annotations

import numpy as np

RED_WEIGHT = 0.299
BLUE_WEIGHT = 0.114


def luminance(rgb: np.ndarray) -> np.ndarray:
    """Return Y of `rgb` [..., 3] as float64 [...], in the unit of `rgb`.

    Written as differences from green, so that a grey pixel (R = G = B) has exactly its own value.
    """
    red, green, blue = (rgb[..., channel].astype(np.float64) for channel in range(3))
    return green + RED_WEIGHT * (red - green) + BLUE_WEIGHT * (blue - green)


def limit_change(change: np.ndarray, rgb: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return `change` [...] limited so that no channel of `rgb` [..., 3] + change leaves low..high."""
    return np.clip(
        change, low - rgb.min(axis=-1).astype(np.float64), high - rgb.max(axis=-1).astype(np.float64)
    )
