"""Lee and Kuan: the minimum mean square error from the mean and variance of a window.

Sources: J.-S. Lee, Digital image enhancement and noise filtering by use of local statistics; D. T. Kuan,
A. A. Sawchuk, T. C. Strand, P. Chavel, Adaptive noise smoothing filter for images with signal-dependent
noise; IEEE Transactions on Pattern Analysis and Machine Intelligence 2(2), 1980, and 7(2), 1985.

Both model a pixel as z = x v with speckle v of mean 1 and coefficient of variation q, and return
mean + w (z - mean) with the variance of x, (var z - mean^2 q^2) / (1 + q^2). Kuan's weight is exact for this
model, var x / var z; Lee's comes from a linear one, var x / (var x + mean^2 q^2).
"""

from __future__ import annotations

import numpy as np

from .envelope import from_envelope, to_envelope
from .noise_level import estimate_noise


def filter_lee(
    frames: np.ndarray,
    *,
    size: int = 7,
    speckle_scale: float | None = None,
    compressed: bool = True,
) -> np.ndarray:
    """Return frames after Lee's filter, frame by frame.

    frames: float32 [N, H, W] in [0, 1].  size: side of the window, pixels.  speckle_scale: coefficient of
    variation of fully developed speckle; None estimates it from each frame.  compressed: the frames are
    log-compressed, as B-mode is, so their exponential is filtered (see `envelope`); False filters the pixel
    values themselves, as of an envelope.
    """
    return np.stack([_filter_frame(frame, size, speckle_scale, compressed, _lee_weight) for frame in frames])


def filter_kuan(
    frames: np.ndarray,
    *,
    size: int = 7,
    speckle_scale: float | None = None,
    compressed: bool = True,
) -> np.ndarray:
    """Return frames after Kuan's filter, frame by frame; parameters as of `filter_lee`."""
    return np.stack([_filter_frame(frame, size, speckle_scale, compressed, _kuan_weight) for frame in frames])


def window_statistics(image: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance [H, W], float64, over a square window around each pixel of an image [H, W]."""
    from scipy.ndimage import uniform_filter

    image = image.astype(np.float64)
    mean = uniform_filter(image, size, mode="reflect")
    centre = image.mean()  # centred, or the difference of two large numbers would leave rounding for variance
    squares = uniform_filter((image - centre) ** 2, size, mode="reflect")
    return mean, np.maximum(squares - (mean - centre) ** 2, 0)


def _filter_frame(
    frame: np.ndarray, size: int, speckle_scale: float | None, compressed: bool, weight_of: object
) -> np.ndarray:
    intensity = to_envelope(frame, compressed)
    scale = estimate_noise(intensity, exponent=1) if speckle_scale is None else speckle_scale
    if scale == 0:
        return frame
    mean, variance = window_statistics(intensity, size)
    speckle = mean**2 * scale**2
    signal = np.maximum(variance - speckle, 0) / (1 + scale**2)
    return from_envelope(mean + weight_of(signal, variance, speckle) * (intensity - mean), compressed)


def _lee_weight(signal: np.ndarray, _: np.ndarray, speckle: np.ndarray) -> np.ndarray:
    return signal / (signal + speckle)


def _kuan_weight(signal: np.ndarray, variance: np.ndarray, _: np.ndarray) -> np.ndarray:
    return signal / np.maximum(variance, np.finfo(np.float64).tiny)
