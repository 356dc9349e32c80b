"""BM3D: block matching and collaborative filtering in a 3-D transform domain.

Source: K. Dabov, A. Foi, V. Katkovnik, K. Egiazarian, Image denoising by sparse 3-D transform-domain
collaborative filtering, IEEE Transactions on Image Processing 16(8), 2007; implementation of the authors'
group: Y. Mäkinen, L. Azzari, A. Foi, Collaborative filtering of correlated noise, ibid. 29, 2020. Their
package `bm3d` is licensed for non-commercial use only, so USEnhance neither ships nor installs it.
"""

from __future__ import annotations

import numpy as np

from .noise_level import estimate_noise
from .packages import import_for

_SMALLEST = 16  # the package refuses frames smaller than its blocks, 8 pixels, and ends the process on 8 x 8


def filter_bm3d(frames: np.ndarray, *, noise: float | None = None) -> np.ndarray:
    """Return frames filtered by both stages of BM3D (hard threshold, then Wiener), frame by frame.

    frames: float32 [N, H, W] in [0, 1].  noise: standard deviation of the noise, in the frames' unit; None
    estimates it from each frame. Raises DependencyError where the package `bm3d` is not installed.
    """
    package = import_for("bm3d", "bm3d")
    profile = package.BM3DProfile()
    profile.num_threads = 1  # more threads add up in a random order, so no two runs agree to the last bit

    def filter_frame(frame: np.ndarray) -> np.ndarray:
        level = estimate_noise(frame) if noise is None else noise
        height, width = frame.shape
        padded = np.pad(frame, [(0, max(0, _SMALLEST - length)) for length in frame.shape], mode="symmetric")
        return package.bm3d(padded, sigma_psd=max(level, 1e-6), profile=profile)[:height, :width]

    return np.stack([filter_frame(frame) for frame in frames])
