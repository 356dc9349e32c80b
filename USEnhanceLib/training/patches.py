"""Random patches of frames and of their targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn import functional

DARKEST_MEAN = 0.03
"""Patches whose target is darker on average hold little but background; a few others are tried instead."""

TRIALS = 4
HALF = 0.7
"""Below this scale patches are taken from the frame at half size, against aliasing."""


@dataclass(frozen=True)
class PatchGeometry:
    """How patches are cut out: edge in pixels, share taken as they are, range of rotation and scale."""

    patch: int = 64
    native_share: float = 0.5
    largest_angle: float = 15.0
    smallest_scale: float = 0.5


class PatchSource:
    """Draws pairs of patches from images and their targets.

    Args:
        images: each [H, W] in [0, 1]; sizes may differ, but not be below the patch.
        targets: for each image, its target of the same size.
        geometry: how patches are cut out.
    """

    def __init__(
        self,
        images: Sequence[NDArray[np.float32]],
        targets: Sequence[NDArray[np.float32]],
        geometry: PatchGeometry,
    ) -> None:
        pairs = [
            torch.from_numpy(np.stack((image, target)).astype(np.float32))
            for image, target in zip(images, targets, strict=True)
        ]
        self._pairs = [_at_least(pair, geometry.patch) for pair in pairs]
        self._halves = [functional.avg_pool2d(pair[None], 2)[0] for pair in self._pairs]
        self._geometry = geometry

    def draw(self, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return patches [count, h, w] in [0, 1] and their targets."""
        pairs = torch.stack([self._draw_one(generator) for _ in range(count)])
        return pairs[:, 0].contiguous(), pairs[:, 1].contiguous()

    def _draw_one(self, generator: Generator) -> Tensor:
        for _ in range(TRIALS):
            index = int(torch.randint(len(self._pairs), (1,), generator=generator))
            native = float(torch.rand(1, generator=generator)) < self._geometry.native_share
            pair = self._cut(index, generator) if native else self._resample(index, generator)
            if float(pair[1].mean()) >= DARKEST_MEAN:
                break
        turns, mirrored = (
            torch.randint(4, (1,), generator=generator),
            torch.randint(2, (1,), generator=generator),
        )
        pair = torch.rot90(pair, int(turns), (1, 2))
        return pair.flip(2) if mirrored else pair

    def _cut(self, index: int, generator: Generator) -> Tensor:
        pair, size = self._pairs[index], self._geometry.patch
        top = int(torch.randint(pair.shape[1] - size + 1, (1,), generator=generator))
        left = int(torch.randint(pair.shape[2] - size + 1, (1,), generator=generator))
        return pair[:, top : top + size, left : left + size]

    def _resample(self, index: int, generator: Generator) -> Tensor:
        size = self._geometry.patch
        angle, place_y, place_x, zoom = torch.rand(4, generator=generator).tolist()
        angle = math.radians((2 * angle - 1) * self._geometry.largest_angle)
        scale = self._geometry.smallest_scale**zoom
        pair = self._pairs[index]
        if scale < HALF:
            pair, scale = self._halves[index], 2 * scale
        height, width = pair.shape[1:]
        reach = size / scale / 2
        centre_y = _within(place_y, reach, height)
        centre_x = _within(place_x, reach, width)
        step = (torch.arange(size) - (size - 1) / 2) / scale
        y = centre_y + step[:, None] * math.cos(angle) + step[None] * math.sin(angle)
        x = centre_x - step[:, None] * math.sin(angle) + step[None] * math.cos(angle)
        grid = torch.stack((2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1), -1)
        out = functional.grid_sample(
            pair[None], grid[None], mode="bicubic", padding_mode="reflection", align_corners=True
        )
        return out[0].clamp(0, 1)


def _within(place: float, reach: float, length: int) -> float:
    low, high = reach, length - 1 - reach
    return (length - 1) / 2 if high <= low else low + place * (high - low)


def _at_least(pair: Tensor, size: int) -> Tensor:
    below, right = max(0, size - pair.shape[1]), max(0, size - pair.shape[2])
    return functional.pad(pair[None], (0, right, 0, below), mode="replicate")[0]
