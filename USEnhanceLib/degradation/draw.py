"""What every operator shares: its level for each frame, and its draws from a generator of any device."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from ..errors import OptionError


def levels(
    value: float | Tensor, frames: Tensor, name: str, low: float = 0.0, high: float = math.inf
) -> Tensor:
    """A parameter that is one for all frames or one for each, as [1 or N, 1, 1] beside the frames.

    Args:
        value: a number, or a tensor of 1 or N numbers on any device.
        frames: [N, H, W].
        name: of the parameter, for messages.
        low, high: the finite range that it may lie in, both ends included.

    Raises:
        OptionError: another count than 1 or N, or a value out of range.
    """
    level = torch.as_tensor(value, dtype=frames.dtype).reshape(-1, 1, 1)
    if len(level) not in (1, len(frames)):
        wanted = f"one for all or one for each of {len(frames)} frames"
        raise OptionError(f"Give {wanted} as {name}, not {len(level)}.")
    # Compared on the level's own device, which is mostly the CPU: nothing waits for a GPU.
    if not bool((level.isfinite() & (level >= low) & (level <= high)).all()):
        bounds = f"from {low:g} up" if math.isinf(high) else f"between {low:g} and {high:g}"
        raise OptionError(f"Give a finite {name} {bounds}.")
    return level.to(frames.device)


def standard_normal(frames: Tensor, generator: Generator | None, *, circular: bool = False) -> Tensor:
    """White normal noise of mean 0 and variance 1, of the frames' shape and on their device.

    It is drawn on the generator's device and then moved, so that a CPU generator gives the same noise
    whatever device the frames are on.

    Args:
        frames: [N, H, W], any device.
        generator: source of randomness; torch's global one of the frames' device when not given.
        circular: complex noise, real and imaginary part of variance 1/2 each.
    """
    device = frames.device if generator is None else generator.device
    dtype = frames.dtype.to_complex() if circular else frames.dtype
    return torch.randn(frames.shape, generator=generator, device=device, dtype=dtype).to(frames.device)
