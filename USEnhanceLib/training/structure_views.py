"""How else a scanner and a probe could have shown a frame and its outlines."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn import functional

COARSE = 5
"""Knots along an edge of the smooth field that bends a frame."""


@dataclass(frozen=True)
class StructureViews:
    """Draws views: where a frame lies on a square, by turns, scales, sector angle and bending.

    Attributes:
        edge: of the square, pixels.
        angle: largest rotation, degrees.
        scale: smallest and largest magnification (depth); 1 shows the longer side of the frame in full.
        aspect: largest ratio of horizontal to vertical magnification, and its inverse.
        shear: largest.
        sector: largest change of the width from the top of the frame to its bottom, as a wider or narrower
            sector angle makes it; a share of the width.
        shift: largest translation, share of the edge.
        bend: standard deviation of the smooth displacement, share of the edge.
        flip: chance of a mirror image, as of a probe that is held the other way round.
    """

    edge: int = 256
    angle: float = 25.0
    scale: tuple[float, ...] = (0.6, 1.35)
    aspect: float = 1.35
    shear: float = 0.15
    sector: float = 0.3
    shift: float = 0.12
    bend: float = 0.012
    flip: float = 0.5

    def draw(
        self, pixels: NDArray[np.uint8], labels: NDArray[np.uint8], generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return a view [edge, edge] in [0, 1] of pixels [H, W], and its labels; 0 outside of the frame."""
        where = self._grid(pixels.shape, generator)[None]
        frame = torch.from_numpy(pixels)[None, None].float() / 255
        view = functional.grid_sample(frame, where, mode="bilinear", align_corners=False)[0, 0]
        outlines = torch.from_numpy(labels)[None, None].float()
        seen = functional.grid_sample(outlines, where, mode="nearest", align_corners=False)[0, 0]
        return view, seen

    def _grid(self, shape: tuple[int, ...], generator: Generator) -> Tensor:
        """Where in the frame (-1 to 1) each pixel of the view comes from, [edge, edge, 2]."""

        def between(low: float, high: float) -> float:
            return low + (high - low) * float(torch.rand((), generator=generator))

        line = (torch.arange(self.edge) + 0.5) * 2 / self.edge - 1
        y, x = torch.meshgrid(line, line, indexing="ij")
        x, y = x - 2 * between(-self.shift, self.shift), y - 2 * between(-self.shift, self.shift)
        angle = math.radians(between(-self.angle, self.angle))
        x, y = math.cos(angle) * x - math.sin(angle) * y, math.sin(angle) * x + math.cos(angle) * y
        scale = math.exp(between(*(math.log(end) for end in self.scale)))
        aspect = math.exp(between(-1, 1) * math.log(self.aspect) / 2)
        x, y = x / (scale * aspect), y * aspect / scale
        x = x + between(-self.shear, self.shear) * y
        x = x * (1 + between(-self.sector, self.sector) * y.clamp(-1, 1))
        field = torch.randn((1, 2, COARSE, COARSE), generator=generator) * (2 * self.bend)
        bent = functional.interpolate(field, size=(self.edge, self.edge), mode="bicubic", align_corners=True)[
            0
        ]
        x, y = x + bent[0], y + bent[1]
        if between(0, 1) < self.flip:
            x = -x
        # A frame fills the square with its longer side and lies in its middle.
        height, width = shape
        longer = max(height, width)
        return torch.stack((x * longer / width, y * longer / height), -1)
