"""Median filter.

Source: J. W. Tukey, Exploratory Data Analysis, Addison-Wesley 1977; for ultrasound: T. Loupas,
W. N. McDicken, P. L. Allan, An adaptive weighted median filter for speckle suppression in medical
ultrasonic images, IEEE Transactions on Circuits and Systems 36(1), 1989 (here with equal weights).
"""

from __future__ import annotations

import numpy as np


def filter_median(frames: np.ndarray, *, size: int = 5) -> np.ndarray:
    """Return frames whose pixels are the median of a square window, computed frame by frame.

    frames: float32 [N, H, W] in [0, 1].  size: side of the window in pixels.
    """
    from scipy.ndimage import median_filter

    return median_filter(frames, size=(1, size, size), mode="reflect")
