"""Non-local means.

Source: A. Buades, B. Coll, J.-M. Morel, A non-local algorithm for image denoising, CVPR 2005; the noise
level enters the patch distance as in their "Non-Local Means Denoising", Image Processing On Line 1, 2011.
The implementation is scikit-image's.
"""

from __future__ import annotations

import numpy as np

from .noise_level import estimate_noise
from .packages import import_for


def filter_nonlocal_means(
    frames: np.ndarray,
    *,
    noise: float | None = None,
    strength: float = 0.8,
    patch_size: int = 5,
    search_distance: int = 6,
    fast: bool = True,
) -> np.ndarray:
    """Return frames whose pixels are averages over pixels with similar surroundings, frame by frame.

    frames: float32 [N, H, W] in [0, 1].  noise: standard deviation of the noise, in the frames' unit; None
    estimates it from each frame.  strength: cut-off of the weights in units of `noise`.  patch_size: side of
    the compared patches and search_distance: radius of the search, both in pixels.  fast: equal weights
    inside a patch (integral images, about ten times faster) instead of a Gaussian window.
    """
    denoise_nl_means = import_for("nlm", "skimage.restoration").denoise_nl_means

    def filter_frame(frame: np.ndarray) -> np.ndarray:
        level = estimate_noise(frame) if noise is None else noise
        filtered = denoise_nl_means(
            frame,
            patch_size=patch_size,
            patch_distance=search_distance,
            h=max(strength * level, 1e-6),
            sigma=level,
            fast_mode=fast,
        )
        return filtered.reshape(frame.shape)  # it drops axes of length 1

    return np.stack([filter_frame(frame) for frame in frames])
