"""Wavelet thresholding with the threshold of BayesShrink.

Source: S. G. Chang, B. Yu, M. Vetterli, Adaptive wavelet thresholding for image denoising and compression,
IEEE Transactions on Image Processing 9(9), 2000; averaged over shifts as by R. R. Coifman, D. L. Donoho,
Translation-invariant de-noising, 1995. The implementation is scikit-image's. Log-compressed frames need no
transform: their speckle is additive.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from .noise_level import estimate_noise
from .packages import import_for

_WAVELET = "sym4"


def filter_wavelet(
    frames: np.ndarray, *, noise: float | None = None, levels: int | None = None, shifts: int = 3
) -> np.ndarray:
    """Return frames whose wavelet coefficients (sym4) were shrunk softly, frame by frame.

    frames: float32 [N, H, W] in [0, 1].  noise: standard deviation of the noise, in the frames' unit; None
    estimates it from each frame.  levels: number of scales; None takes three less than would fit.  shifts:
    largest shift along either axis of the frames that are averaged; 0 takes the frame alone. Frames smaller
    than two wavelets (14 pixels) come back as they are.
    """
    return np.stack([_filter_frame(frame, noise, levels, shifts) for frame in frames])


def _filter_frame(frame: np.ndarray, noise: float | None, levels: int | None, shifts: int) -> np.ndarray:
    restoration = import_for("wavelet", "skimage.restoration")
    deepest = import_for("wavelet", "pywt").dwt_max_level(min(frame.shape), _WAVELET)
    level = estimate_noise(frame) if noise is None else noise
    if deepest == 0 or level == 0 or frame.min() == frame.max():
        return frame
    settings = {
        "sigma": level,
        "wavelet": _WAVELET,
        "mode": "soft",
        "wavelet_levels": None if levels is None else min(levels, deepest),
        "method": "BayesShrink",
        "rescale_sigma": False,
    }
    total = np.zeros(frame.shape, np.float64)
    for shift in product(range(shifts + 1), repeat=2):
        moved = restoration.denoise_wavelet(np.roll(frame, shift, (0, 1)), **settings)
        total += np.roll(moved, (-shift[0], -shift[1]), (0, 1))
    return total / (shifts + 1) ** 2
