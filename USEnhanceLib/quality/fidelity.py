"""How close frames are to a reference: PSNR and SSIM, one value per frame, of windows computed by MONAI.

PSNR = 10 log10(1 / mean((x - r)^2)) in dB, for a data range of 1.
SSIM = mean of (2 m_x m_r + c1)(2 s_xr + c2) / ((m_x^2 + m_r^2 + c1)(s_x^2 + s_r^2 + c2)), with means m and
(co)variances s under a Gaussian window of 11 x 11 pixels and sigma 1.5 that lies fully inside the frame,
c1 = 0.01^2, c2 = 0.03^2. Source: Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, Image quality
assessment: from error visibility to structural similarity, IEEE Transactions on Image Processing 13(4), 2004.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    import torch

SSIM_WINDOW = 11
SSIM_SIGMA = 1.5


def psnr(frames: np.ndarray, reference: np.ndarray, region: np.ndarray | None = None) -> np.ndarray:
    """Return the peak signal-to-noise ratio of each frame in dB, float64 [N]; infinite for equal frames.

    frames, reference: float [N, H, W] in [0, 1] of the same shape.  region: bool [H, W], the pixels that
    count, such as those of the scan sector; all when None. Raises InputError otherwise.
    """
    from monai.metrics import PSNRMetric

    if region is not None:
        # A metric of pixels one by one does not mind how they lie.
        frames, reference = (
            np.asarray(part)[:, None, _checked(region, part)] for part in (frames, reference)
        )
    return _per_frame(PSNRMetric(max_val=1.0, reduction="none"), frames, reference)


def ssim(frames: np.ndarray, reference: np.ndarray, region: np.ndarray | None = None) -> np.ndarray:
    """Return the structural similarity of each frame, float64 [N], 1 for equal frames.

    frames, reference: float [N, H, W] in [0, 1] of the same shape, at least 11 x 11 pixels.  region: bool
    [H, W], the pixels whose windows count; all when None. Raises InputError otherwise.
    """
    from monai.metrics.regression import SSIMMetric, compute_ssim_and_cs

    if min(np.shape(frames)[-2:], default=0) < SSIM_WINDOW:
        raise InputError(
            f"SSIM needs frames of at least {SSIM_WINDOW} x {SSIM_WINDOW} pixels, not {np.shape(frames)}: "
            "choose larger frames."
        )
    if region is not None:
        half = SSIM_WINDOW // 2
        inner = _checked(region, frames)[half:-half, half:-half]
        similar, _ = compute_ssim_and_cs(
            _channelled(frames),
            _channelled(reference, np.shape(frames)),
            spatial_dims=2,
            kernel_size=(SSIM_WINDOW,) * 2,
            kernel_sigma=(SSIM_SIGMA,) * 2,
            data_range=1.0,
        )
        return similar[:, 0].double().numpy()[:, _counted(inner)].mean(axis=1)
    metric = SSIMMetric(
        spatial_dims=2, data_range=1.0, win_size=SSIM_WINDOW, kernel_sigma=SSIM_SIGMA, reduction="none"
    )
    return _per_frame(metric, frames, reference)


def _checked(region: np.ndarray, frames: np.ndarray) -> np.ndarray:
    if np.shape(region) != np.shape(frames)[1:]:
        raise InputError(f"A region of {np.shape(region)} pixels does not fit frames of {np.shape(frames)}.")
    return _counted(np.asarray(region, dtype=bool))


def _counted(region: np.ndarray) -> np.ndarray:
    if not region.any():
        raise InputError("The region holds no pixel to compare: choose a larger one.")
    return region


def _per_frame(metric: object, frames: np.ndarray, reference: np.ndarray) -> np.ndarray:
    values = metric(_channelled(frames), _channelled(reference, np.shape(frames)))  # type: ignore[operator]
    return values.reshape(len(frames)).double().numpy()


def _channelled(frames: np.ndarray, shape: tuple[int, ...] | None = None) -> torch.Tensor:
    import torch

    array = np.ascontiguousarray(frames, dtype=np.float32)
    if array.ndim != 3 or not array.size or (shape is not None and array.shape != shape):
        raise InputError(
            f"PSNR and SSIM compare frames of one shape [N, H, W], not {shape or array.shape} with "
            f"{array.shape}: choose frames of equal size."
        )
    return torch.from_numpy(array)[:, None]
