"""How else a scanner could have shown a frame: other gain, other brightness, other magnification."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

NONE, NOTHING = (1.0, 1.0), (0.0, 0.0)


@dataclass(frozen=True)
class DisplayVariation:
    """Draws displays of a pair, the same for both frames.

    Attributes:
        gain: lowest and highest factor of grey values, the share of its dynamic range that a frame is shown
            over.
        offset: lowest and highest addend, in grey values.
        zoom: lowest and highest magnification, from 1 on.
    """

    gain: tuple[float, ...] = NONE
    offset: tuple[float, ...] = NOTHING
    zoom: tuple[float, ...] = NONE

    def out_of_range(self) -> list[str]:
        """Names of the entries that are no range, or none that makes sense."""
        valid = {
            "gain": (0.0, 10.0),
            "offset": (-1.0, 1.0),
            "zoom": (1.0, 8.0),
        }
        return [
            name
            for name, (least, most) in valid.items()
            if not (len(own := getattr(self, name)) == 2 and least <= own[0] <= own[1] <= most)
        ]

    @property
    def varies(self) -> bool:
        """Whether any display differs from the frame itself."""
        return (self.gain, self.offset, self.zoom) != (NONE, NOTHING, NONE)

    def draw_edge(self, edge: int, generator: Generator) -> int:
        """Return the edge of the square that is shown magnified on a square of an edge, pixels."""
        return max(1, round(edge / _between(self.zoom, generator)))

    def show(self, pair: Tensor, edge: int, generator: Generator) -> Tensor:
        """Return a square [2, e, e] in [0, 1] as it is displayed, [2, edge, edge].

        Where both frames are black nothing is shown, as outside of a sector.
        """
        if pair.shape[-1] != edge:
            pair = functional.interpolate(pair[None], size=(edge, edge), mode="bilinear")[0]
        gain, offset = (_between(ends, generator) for ends in (self.gain, self.offset))
        return (gain * pair + offset).clamp(0, 1) * (pair.amax(0) > 0)


def _between(ends: tuple[float, ...], generator: Generator) -> float:
    low, high = ends
    return low + (high - low) * float(torch.rand((), generator=generator))
