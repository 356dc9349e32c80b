"""The size at which frames are outlined: anatomy is recognised from the whole frame, not from its pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

WORKING_EDGE = 256
"""Pixels of the longer side, that of the frames of PSFHS."""


def at_working_size(frames: Tensor, edge: int = WORKING_EDGE) -> Tensor:
    """Resample frames [N, H, W] so that their longer side has `edge` pixels; the aspect ratio stays.

    Bilinear, with the frequencies removed that the coarser grid cannot carry.
    """
    height, width = frames.shape[-2:]
    longer = max(height, width)
    size = tuple(max(1, round(length * edge / longer)) for length in (height, width))
    return resampled(frames[:, None], size)[:, 0]


def resampled(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample images [N, C, H, W] to another height and width."""
    from torch.nn import functional

    if tuple(images.shape[-2:]) == size:
        return images
    return functional.interpolate(images, size=size, mode="bilinear", antialias=True)
