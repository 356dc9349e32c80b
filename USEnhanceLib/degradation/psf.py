"""Blur by a point spread function (arXiv 2601.21856: an isotropic Gaussian)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def blur_sigma(size: int) -> float:
    """Standard deviation in pixels of the Gaussian of odd `size`, from size = 2 ceil(3 sigma) + 1.

    The largest sigma that the size holds is taken: size 3 gives 0.33, size 17 gives 2.67.

    Raises:
        ValueError: `size` is even or below 1.
    """
    if size < 1 or size % 2 == 0:
        raise ValueError(f"the size of a point spread function is an odd number of pixels, not {size}")
    return (size - 1) / 6


def gaussian_psf(size: int, sigma: float | None = None) -> Tensor:
    """Isotropic Gaussian point spread function, [size, size], with sum 1.

    Args:
        size: odd number of pixels.
        sigma: standard deviation in pixels; from the size when not given.
    """
    sigma = blur_sigma(size) if sigma is None else sigma
    if size == 1 or sigma == 0:
        psf = torch.zeros(size, size)
        psf[size // 2, size // 2] = 1
        return psf
    x = torch.arange(size) - size // 2
    profile = torch.exp(-(x**2) / (2 * sigma**2))
    psf = profile[:, None] * profile[None]
    return psf / psf.sum()


def blur(frames: Tensor, psf: Tensor) -> Tensor:
    """Convolve frames [N, H, W] with one PSF [k, k] or one for each, [N, k, k]; edges are replicated."""
    size = psf.shape[-1]
    padded = functional.pad(frames[:, None], (size // 2,) * 4, mode="replicate")
    if psf.ndim == 2:
        return functional.conv2d(padded, psf.to(frames)[None, None])[:, 0]
    kernels = psf.to(frames)[:, None]
    return functional.conv2d(padded.transpose(0, 1), kernels, groups=len(frames))[0]
