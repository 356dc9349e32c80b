"""The two noise families of arXiv 2601.21856: additive Gaussian, and noise in the Fourier domain."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Generator, Tensor

from ..errors import OptionError
from .draw import levels, standard_normal


def gaussian_noise(frames: Tensor, sigma: float | Tensor, generator: Generator | None = None) -> Tensor:
    """Add white Gaussian noise: clip(I + sigma n) to [0, 1] (arXiv 2601.21856, the spatial family).

    Args:
        frames: [N, H, W] in [0, 1], any device.
        sigma: standard deviation in the same unit, 0 or more (.05 to .20 in the paper's training); one for
            all or [N].
        generator: source of randomness, on the CPU or the frames' device; torch's global one when not given.

    Returns:
        [N, H, W] in [0, 1].

    Raises:
        OptionError: `sigma` is negative, not finite or of another count than 1 or N.
    """
    sigma = levels(sigma, frames, "sigma")
    return (frames + sigma * standard_normal(frames, generator)).clamp_(0, 1)


def fourier_noise(
    frames: Tensor,
    g: float | Tensor,
    generator: Generator | None = None,
    scale: Literal["rms", "max"] = "rms",
) -> Tensor:
    """Mix the spectrum with complex white noise and take the magnitude, clipped to [0, 1].

    |F^-1((1 - g) F(I) + g s z)| with z circular complex normal of unit variance (arXiv 2601.21856, the
    Fourier family).

    With the "rms" scale the noise in the frame is white and complex, of standard deviation g rms(I), so
    only the frame's own brightness counts: where little is clipped, the PSNR is about
    -20 log10(g rms(I)) - 1.8 dB. A frame of rms .64 has 36, 22 and 16 dB at g = .02, .1 and .2. With "max"
    the noise is sqrt(H W) mean(I) / rms(I) times as strong: a 64x64 frame of that brightness is left with
    10 dB at g = .02 and a larger one with less.

    Args:
        frames: [N, H, W] in [0, 1], any device.
        g: share of noise in [0, 1] (0 to .2 in the paper's training); one for all or [N].
        generator: source of randomness, on the CPU or the frames' device; torch's global one when not given.
        scale: what s is. "rms" is the root mean square of |F(I)|: the effect does not depend on the size of
            the frame. "max" is the form printed in the paper, the largest magnitude, which is the DC term:
            it drowns the frame from g of about .02 on.

    Returns:
        [N, H, W] in [0, 1].

    Raises:
        OptionError: unknown `scale`, or `g` is out of range or of another count than 1 or N.
    """
    g = levels(g, frames, "share g of noise", high=1)
    spectrum = torch.fft.fft2(frames)
    magnitude = spectrum.abs()
    if scale == "rms":
        s = magnitude.square().mean((-2, -1), keepdim=True).sqrt()
    elif scale == "max":
        s = magnitude.amax((-2, -1), keepdim=True)
    else:
        raise OptionError(f"Unknown scale {scale!r} of the Fourier noise: use 'rms' or 'max'.")
    z = standard_normal(frames, generator, circular=True)
    return torch.fft.ifft2((1 - g) * spectrum + g * s * z).abs().clamp_(0, 1)
