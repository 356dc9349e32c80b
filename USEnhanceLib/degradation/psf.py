"""Blur by a point spread function: the isotropic Gaussian of arXiv 2601.21856, and an anisotropic one."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import OptionError


def blur_sigma(size: int) -> float:
    """Standard deviation in pixels of the Gaussian of odd `size`, from size = 2 ceil(3 sigma) + 1.

    The largest sigma that the size holds is taken: size 3 gives 0.33, size 17 gives 2.67.

    Raises:
        ValueError: `size` is even or below 1.
    """
    if size < 1 or size % 2 == 0:
        raise ValueError(f"the size of a point spread function is an odd number of pixels, not {size}")
    return (size - 1) / 6


def blur_size(sigma: float) -> int:
    """Size in pixels that holds a Gaussian of `sigma` pixels: 2 ceil(3 sigma) + 1 (arXiv 2601.21856)."""
    # A hair less, so that blur_size(blur_sigma(size)) is that size in spite of rounding.
    return 2 * math.ceil(3 * sigma - 1e-6) + 1


def gaussian_psf(size: int, sigma: float | None = None) -> Tensor:
    """Isotropic Gaussian point spread function, [size, size], with sum 1 (arXiv 2601.21856).

    Args:
        size: odd number of pixels.
        sigma: standard deviation in pixels, 0 or more; from the size when not given.

    Raises:
        ValueError: `size` is even or below 1.
        OptionError: `sigma` is negative or not finite.
    """
    largest = blur_sigma(size)
    sigma = largest if sigma is None else sigma
    return anisotropic_psf(size, sigma, sigma)


def anisotropic_psf(
    size: int, axial: float | Tensor, lateral: float | Tensor, angle: float | Tensor = 0.0
) -> Tensor:
    """Gaussian point spread function whose axial and lateral widths differ, with sum 1.

    An extension beyond arXiv 2601.21856. A pulsed transducer resolves differently along and across its beam
    (T. L. Szabo, "Diagnostic Ultrasound Imaging: Inside Out", chapters on beamforming): axially the full
    width at half maximum is about half the length of the pulse, n wavelengths / 2 for n cycles; laterally,
    for an aperture of width D at depth z, it is about 1.2 wavelength z / D, mostly the larger of the two.
    A Gaussian's standard deviation is that width / 2.355, here divided by the spacing of the pixels.

    Args:
        size: odd number of pixels; `blur_size` of the larger width holds three standard deviations.
        axial: standard deviation in pixels along the beam, 0 or more (usually .3 to 2); a number or [N].
        lateral: the same across the beam (usually .5 to 4).
        angle: of the beam in degrees, from straight down (rows) towards larger columns; 0 not steered.

    Returns:
        [size, size], or [N, size, size] when any parameter is a tensor of N; float32 on the CPU.

    Raises:
        ValueError: `size` is even or below 1.
        OptionError: a width is negative or not finite, or the angle is not finite.
    """
    blur_sigma(size)
    parameters = [torch.as_tensor(value, dtype=torch.float64).cpu() for value in (axial, lateral, angle)]
    axial, lateral, angle = (value[..., None, None] for value in torch.broadcast_tensors(*parameters))
    widths = torch.stack((axial, lateral))
    if not bool((widths.isfinite() & (widths >= 0)).all() and angle.isfinite().all()):
        raise OptionError("Give finite widths of the point spread function from 0 up, and a finite angle.")
    x = torch.arange(size, dtype=torch.float64) - size // 2
    y = x[:, None]
    cos, sin = torch.cos(torch.deg2rad(angle)), torch.sin(torch.deg2rad(angle))
    # A width of 0 keeps the line through the centre only: a tenth of a pixel does the same and divides.
    along = (y * cos + x * sin) / axial.clamp_min(0.1)
    across = (x * cos - y * sin) / lateral.clamp_min(0.1)
    psf = torch.exp(-(along**2 + across**2) / 2)
    # The far tails would be denormal numbers, which make a convolution up to 80 times as slow.
    psf = torch.where(psf < 1e-20, 0, psf)
    return (psf / psf.sum((-2, -1), keepdim=True)).float()


def blur(frames: Tensor, psf: Tensor) -> Tensor:
    """Convolve frames with a point spread function; edges are replicated.

    The mean of a constant frame and the energy of a point far from the edges stay when the PSF's sum is 1.

    Args:
        frames: [N, H, W], any device.
        psf: [k, k] for all frames or [N, k, k], one for each; k odd; any device.

    Returns:
        [N, H, W].

    Raises:
        ValueError: the PSF is not square and odd, or there is neither one nor N of them.
    """
    size = psf.shape[-1]
    if psf.ndim not in (2, 3) or psf.shape[-2] != size or size % 2 == 0:
        raise ValueError(f"a point spread function is square with an odd size, not {tuple(psf.shape)}")
    if psf.ndim == 3 and len(psf) != len(frames):
        raise ValueError(f"{len(frames)} frames need as many point spread functions, not {len(psf)}")
    padded = functional.pad(frames[None], (size // 2,) * 4, mode="replicate")
    # One group a frame: on a CPU that is several times faster than a batch with a kernel in common.
    kernels = psf.to(frames).expand(len(frames), size, size)[:, None]
    return functional.conv2d(padded, kernels, groups=len(frames))[0]
