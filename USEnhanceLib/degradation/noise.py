"""The two noise families of arXiv 2601.21856: additive Gaussian, and noise in the Fourier domain."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Generator, Tensor

from ..errors import OptionError


def _column(level: float | Tensor, frames: Tensor) -> Tensor:
    return torch.as_tensor(level, dtype=frames.dtype, device=frames.device).reshape(-1, 1, 1)


def gaussian_noise(frames: Tensor, sigma: float | Tensor, generator: Generator | None = None) -> Tensor:
    """Add white Gaussian noise and clip to [0, 1].

    Args:
        frames: [N, H, W] in [0, 1].
        sigma: standard deviation in the same unit, one for all or [N].
        generator: source of randomness; torch's global one when not given.
    """
    noise = torch.randn(frames.shape, generator=generator, device=frames.device, dtype=frames.dtype)
    return (frames + _column(sigma, frames) * noise).clamp_(0, 1)


def fourier_noise(
    frames: Tensor,
    g: float | Tensor,
    generator: Generator | None = None,
    scale: Literal["rms", "max"] = "rms",
) -> Tensor:
    """Mix the spectrum with complex white noise and take the magnitude, clipped to [0, 1].

    |F^-1((1 - g) F(I) + g s z)| with z circular complex normal of unit variance.

    Args:
        frames: [N, H, W] in [0, 1].
        g: share of noise in [0, 1], one for all or [N].
        generator: source of randomness; torch's global one when not given.
        scale: what s is. "rms" is the root mean square of |F(I)|: the effect depends neither on the
            size nor on the mean of the frame. "max" is the form printed in the paper, the largest
            magnitude, which is the DC term: it drowns the frame from g of about .02 on.

    Raises:
        OptionError: unknown `scale`.
    """
    spectrum = torch.fft.fft2(frames)
    magnitude = spectrum.abs()
    if scale == "rms":
        s = magnitude.square().mean((-2, -1), keepdim=True).sqrt()
    elif scale == "max":
        s = magnitude.amax((-2, -1), keepdim=True)
    else:
        raise OptionError(f"Unknown scale {scale!r} of the Fourier noise: use 'rms' or 'max'.")
    z = torch.randn(frames.shape, generator=generator, device=frames.device, dtype=spectrum.dtype)
    g = _column(g, frames)
    return torch.fft.ifft2((1 - g) * spectrum + g * s * z).abs().clamp_(0, 1)
