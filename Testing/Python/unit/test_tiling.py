"""Tiles cover every pixel once faded, and a mosaic of unchanged tiles is the frame itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from USEnhanceLib.enhancement.tiling import OVERLAP, Mosaic, split


@pytest.mark.parametrize(
    "shape", [(1, 1), (7, 3), (256, 256), (320, 320), (321, 320), (768, 1024), (2000, 100)]
)
def test_unchanged_tiles_join_to_the_frame(shape: tuple[int, int]) -> None:
    frame = np.random.default_rng(0).random(shape, dtype=np.float32)
    mosaic = Mosaic(shape)
    for tile in split(shape, 320):
        piece = frame[tile.rows, tile.columns]
        assert max(piece.shape) <= 320
        mosaic.add(tile, piece)
    np.testing.assert_allclose(mosaic.frame(), frame, atol=1e-6)


def test_neighbouring_tiles_overlap_and_fade() -> None:
    tiles = split((64, 1024), 320)
    for left, right in itertools.pairwise(tiles):
        assert left.columns.stop - right.columns.start >= OVERLAP
    mosaic = Mosaic((64, 1024))
    for level, tile in enumerate(tiles):
        mosaic.add(tile, np.full((64, tile.columns.stop - tile.columns.start), level, dtype=np.float32))
    steps = np.abs(np.diff(mosaic.frame(), axis=1))
    assert steps.max() < 2 / OVERLAP
