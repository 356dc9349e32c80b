"""Sizes that a network with halvings or windows takes: padding by replication."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def pad_to_multiple(frames: Tensor, multiple: int) -> Tensor:
    """Replicate the last row and column of [B, C, H, W] until H and W are multiples of `multiple`."""
    below, right = (-size % multiple for size in frames.shape[-2:])
    if not below and not right:
        return frames
    return functional.pad(frames, (0, right, 0, below), mode="replicate")
