"""BM3D: block matching and collaborative filtering in a 3-D transform domain.

Source: K. Dabov, A. Foi, V. Katkovnik, K. Egiazarian, Image denoising by sparse 3-D transform-domain
collaborative filtering, IEEE Transactions on Image Processing 16(8), 2007; implementation of the authors'
group: Y. Mäkinen, L. Azzari, A. Foi, Collaborative filtering of correlated noise, ibid. 29, 2020. Their
package `bm3d` is licensed for non-commercial use only, so it is needed for the benchmarks alone.
"""

from __future__ import annotations

import numpy as np

from ..errors import DependencyError


def filter_bm3d(frames: np.ndarray, *, noise: float = 0.1) -> np.ndarray:
    """Return frames filtered by both stages of BM3D (hard threshold, then Wiener), frame by frame.

    frames: float32 [N, H, W] in [0, 1].  noise: standard deviation of the noise, in the frames' unit.
    Raises DependencyError where the package `bm3d` is not installed.
    """
    try:
        from bm3d import BM3DProfile, bm3d
    except ImportError as error:
        raise DependencyError(
            "The filter bm3d needs the package of that name (non-commercial licence): run 'pip install bm3d'."
        ) from error
    profile = BM3DProfile()
    profile.num_threads = 1  # more threads add up in a random order, so no two runs agree to the last bit
    return np.stack([bm3d(frame, sigma_psd=max(noise, 1e-6), profile=profile) for frame in frames])
