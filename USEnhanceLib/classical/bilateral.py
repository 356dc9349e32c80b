"""Bilateral filter.

Source: C. Tomasi, R. Manduchi, Bilateral filtering for gray and color images, ICCV 1998. The implementation
is SimpleITK's, which Slicer brings.
"""

from __future__ import annotations

import numpy as np

from .noise_level import estimate_noise
from .packages import import_for


def filter_bilateral(
    frames: np.ndarray, *, noise: float | None = None, strength: float = 3.0, distance: float = 2.0
) -> np.ndarray:
    """Return frames whose pixels are averages over near pixels of like brightness, frame by frame.

    frames: float32 [N, H, W] in [0, 1].  noise: standard deviation of the noise, in the frames' unit; None
    estimates it from each frame.  strength: standard deviation of the weights over brightness, in units of
    noise.  distance: standard deviation of the weights over distance, pixels.
    """
    return np.stack([_filter_frame(frame, noise, strength, distance) for frame in frames])


def _filter_frame(frame: np.ndarray, noise: float | None, strength: float, distance: float) -> np.ndarray:
    itk = import_for("bilateral", "SimpleITK")
    level = strength * (estimate_noise(frame) if noise is None else noise)
    if level == 0 or frame.min() == frame.max():
        return frame
    image = itk.GetImageFromArray(frame)
    return itk.GetArrayFromImage(itk.Bilateral(image, domainSigma=distance, rangeSigma=level))
