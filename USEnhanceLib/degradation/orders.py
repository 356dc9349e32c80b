"""The two orders in which arXiv 2601.21856 combines blur and noise, clipped to [0, 1] after every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from torch import Generator, Tensor

from .psf import blur

AddNoise: TypeAlias = Callable[[Tensor, "float | Tensor", "Generator | None"], Tensor]
"""Called with frames, level and generator: a noise or a speckle of this package."""


def blur_then_noise(
    frames: Tensor,
    psf: Tensor,
    add_noise: AddNoise,
    level: float | Tensor,
    generator: Generator | None = None,
) -> Tensor:
    """Noise of the receiver: it comes after the blur and stays as sharp as the pixels.

    Args:
        frames: [N, H, W] in [0, 1], any device.
        psf: point spread function with sum 1, [k, k] or [N, k, k].
        add_noise: one of this package's noises or speckles.
        level: what `add_noise` takes second (sigma, g or the dynamic range); one for all or [N].
        generator: source of randomness, on the CPU or the frames' device; torch's global one when not given.

    Returns:
        [N, H, W] in [0, 1].
    """
    return add_noise(blur(frames, psf).clamp_(0, 1), level, generator)


def noise_then_blur(
    frames: Tensor,
    psf: Tensor,
    add_noise: AddNoise,
    level: float | Tensor,
    generator: Generator | None = None,
) -> Tensor:
    """Noise of the medium or of an earlier stage: the blur smooths it too.

    Parameters and result are those of `blur_then_noise`.
    """
    return blur(add_noise(frames, level, generator), psf).clamp_(0, 1)
