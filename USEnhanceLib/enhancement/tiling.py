"""Cutting a large frame into overlapping tiles, and joining the results without seams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OVERLAP = 32
"""Pixels that neighbouring tiles share; results are cross-faded over them."""

STEP = 64
"""Edges of tiles are rounded up to a multiple of this, the multiple that SCUNet pads to."""


@dataclass(frozen=True)
class Tile:
    """The pixels of a frame that belong to a tile."""

    rows: slice
    columns: slice


def split(shape: tuple[int, int], largest: int) -> list[Tile]:
    """Cover a frame of `shape` with tiles whose edges are at most `largest` pixels.

    The tiles of a frame have one size, as small as covers it; a frame that fits is one tile. The order is
    row by row.
    """
    return [
        Tile(rows, columns) for rows in _cover(shape[0], largest) for columns in _cover(shape[1], largest)
    ]


def _cover(length: int, largest: int) -> Iterator[slice]:
    if length <= largest:
        yield slice(0, length)
        return
    count = -(-(length - OVERLAP) // (largest - OVERLAP))
    edge = -(-(length + (count - 1) * OVERLAP) // count)
    edge = min(-(-edge // STEP) * STEP, largest)
    for i in range(count):
        start = round(i * (length - edge) / (count - 1))
        yield slice(start, start + edge)


class Mosaic:
    """Collects enhanced tiles of one frame and cross-fades them where they overlap."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._sum = np.zeros(shape, dtype=np.float32)
        self._weight = np.zeros(shape, dtype=np.float32)

    def add(self, tile: Tile, pixels: NDArray[np.float32]) -> None:
        """Add the result [h, w] of a tile."""
        weight = np.outer(self._ramp(tile.rows, self._shape[0]), self._ramp(tile.columns, self._shape[1]))
        self._sum[tile.rows, tile.columns] += weight * pixels
        self._weight[tile.rows, tile.columns] += weight

    def frame(self) -> NDArray[np.float32]:
        """The whole frame [H, W]; every pixel must have been covered."""
        return self._sum / self._weight

    @staticmethod
    def _ramp(part: slice, length: int) -> NDArray[np.float32]:
        """Weights that fall towards those ends of a tile that lie within the frame."""
        count = part.stop - part.start
        rising = (np.arange(count, dtype=np.float32) + 1) / (OVERLAP + 1)
        weight = np.ones(count, dtype=np.float32)
        if part.start > 0:
            weight = np.minimum(weight, rising)
        if part.stop < length:
            weight = np.minimum(weight, rising[::-1])
        return weight
