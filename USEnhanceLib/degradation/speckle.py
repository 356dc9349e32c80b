"""Two models of speckle: a factor on the shown intensity, and a Rayleigh envelope before log compression."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from .draw import levels, standard_normal

_MEAN_LEVEL = -10 * 0.5772156649015329 / math.log(10)
"""Mean of 20 log10 R in dB for E[R^2] = 1: R^2 is exponential and the mean of its natural logarithm is
minus Euler's constant. The standard deviation is 10 pi / (sqrt(6) ln 10) = 5.57 dB."""


def multiplicative_speckle(
    frames: Tensor, sigma: float | Tensor, generator: Generator | None = None
) -> Tensor:
    """Multiply with white normal noise of mean 1: clip(I (1 + sigma n)) to [0, 1].

    The simplest model, common in the literature on despeckling (J. S. Lee, "Digital image enhancement and
    noise filtering by use of local statistics", IEEE PAMI 2, 1980). Black stays black, and a saturated
    pixel can only darken.

    Args:
        frames: [N, H, W] in [0, 1], any device.
        sigma: standard deviation of the factor, 0 or more; one for all or [N].
        generator: source of randomness, on the CPU or the frames' device; torch's global one when not given.

    Returns:
        [N, H, W] in [0, 1].

    Raises:
        OptionError: `sigma` is negative, not finite or of another count than 1 or N.
    """
    sigma = levels(sigma, frames, "sigma")
    return (frames * (1 + sigma * standard_normal(frames, generator))).clamp_(0, 1)


def rayleigh_speckle(
    frames: Tensor,
    dynamic_range: float | Tensor,
    generator: Generator | None = None,
    grain: float | Tensor = 0.0,
) -> Tensor:
    """Fully developed speckle as it looks after log compression: I + (20 log10 R - mean) / dynamic range.

    R = |E| is the envelope of a circular complex normal field of unit power: Rayleigh, with a ratio of mean
    to standard deviation of 1.91 (C. B. Burckhardt, "Speckle in ultrasound B-mode scans", IEEE Trans. Sonics
    Ultrason. 25, 1978; J. W. Goodman, "Speckle Phenomena in Optics", ch. 3). A factor on the echo is a sum
    after log compression; the mean of 20 log10 R, -2.51 dB, is taken off, so the mean level stays (but
    for what is clipped) and its standard deviation of 5.57 dB is 5.57 / dynamic_range of the frame's unit.

    Args:
        frames: [N, H, W] in [0, 1], log-compressed B-mode over `dynamic_range`; any device.
        dynamic_range: dB that 0 to 1 stands for, usually 40 to 70, at least 1; one for all or [N]. The
            smaller, the stronger the speckle.
        generator: source of randomness, on the CPU or the frames' device; torch's global one when not given.
        grain: standard deviation in pixels of the Gaussian that smooths the field, 0 (white) or more; one for
            all or [N]. The correlation of R^2 at a lag of d pixels is then exp(-d^2 / (2 grain^2)). The field
            is periodic over the frame.

    Returns:
        [N, H, W] in [0, 1].

    Raises:
        OptionError: a parameter is out of range or of another count than 1 or N.
    """
    dynamic_range = levels(dynamic_range, frames, "dynamic range in dB", low=1.0)
    grain = levels(grain, frames, "grain")
    field = standard_normal(frames, generator, circular=True)
    if bool(grain.any()):
        field = _smooth(field, grain)
    level = 10 * torch.log10(field.real.square() + field.imag.square())
    return (frames + (level - _MEAN_LEVEL) / dynamic_range).clamp_(0, 1)


def _smooth(field: Tensor, sigma: Tensor) -> Tensor:
    """Smooth complex white noise [N, H, W] by Gaussians of sigma [1 or N, 1, 1] and keep its mean power."""
    height, width = field.shape[-2:]
    y = torch.fft.fftfreq(height, device=field.device, dtype=sigma.dtype)[:, None]
    x = torch.fft.fftfreq(width, device=field.device, dtype=sigma.dtype)
    transfer = torch.exp(-2 * (math.pi * sigma) ** 2 * (y**2 + x**2))
    transfer = transfer / transfer.square().mean((-2, -1), keepdim=True).sqrt()
    return torch.fft.ifft2(transfer * torch.fft.fft2(field))
