"""NLLR under the interface of the filters: numpy frames in and out. The method is in `nllr`."""

from __future__ import annotations

import numpy as np

from .packages import import_for


def filter_nllr(frames: np.ndarray) -> np.ndarray:
    """Return frames after non-local low-rank filtering of speckle, whose level it estimates itself.

    frames: float32 [N, H, W] in [0, 1].
    """
    torch = import_for("nllr", "torch")
    from .nllr import denoise_nllr

    return denoise_nllr(torch.from_numpy(np.ascontiguousarray(frames))).numpy()
