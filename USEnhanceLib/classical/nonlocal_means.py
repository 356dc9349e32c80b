"""Non-local means.

Source: A. Buades, B. Coll, J.-M. Morel, A non-local algorithm for image denoising, CVPR 2005; the noise
level enters the patch distance as in their "Non-Local Means Denoising", Image Processing On Line 1, 2011.
The implementation is scikit-image's.
"""

from __future__ import annotations

import numpy as np


def filter_nonlocal_means(
    frames: np.ndarray,
    *,
    noise: float = 0.1,
    strength: float = 0.8,
    patch_size: int = 5,
    search_distance: int = 6,
    fast: bool = True,
) -> np.ndarray:
    """Return frames whose pixels are averages over pixels with similar surroundings, frame by frame.

    frames: float32 [N, H, W] in [0, 1].  noise: standard deviation of the noise, in the frames' unit.
    strength: cut-off of the weights in units of `noise`.  patch_size: side of the compared patches and
    search_distance: radius of the search, both in pixels.  fast: equal weights inside a patch (integral
    images, about ten times faster) instead of a Gaussian window.
    """
    from skimage.restoration import denoise_nl_means

    return np.stack(
        [
            denoise_nl_means(
                frame,
                patch_size=patch_size,
                patch_distance=search_distance,
                h=max(strength * noise, 1e-6),
                sigma=noise,
                fast_mode=fast,
            )
            for frame in frames
        ]
    )
