"""Patches of simulated pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from .display_variation import DisplayVariation


class PairPatches:
    """Draws patches of speckled frames and of the clean ones.

    Args:
        pairs: each [2, H, W] in [0, 1]: speckled and clean.
        patch: edge in pixels, not above that of the smallest frame.
        variation: of the display; none by default.
    """

    def __init__(
        self,
        pairs: Sequence[NDArray[np.float32]],
        patch: int,
        variation: DisplayVariation | None = None,
    ) -> None:
        self._pairs = [torch.from_numpy(pair) for pair in pairs]
        self._patch = patch
        self._variation = variation if variation is not None and variation.varies else None

    def draw(self, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return speckled and clean patches [count, h, w].

        They are mirrored, but not turned: speckle is short along the beam and wide across it.
        """
        drawn = []
        for _ in range(count):
            index = int(torch.randint(len(self._pairs), (1,), generator=generator))
            pair = self._pairs[index]
            variation = self._variation
            edge = self._patch if variation is None else variation.draw_edge(self._patch, generator)
            top, left = (
                int(torch.randint(size - edge + 1, (1,), generator=generator)) for size in pair.shape[1:]
            )
            cut = pair[:, top : top + edge, left : left + edge]
            if variation is not None:
                cut = variation.show(cut, self._patch, generator)
            drawn.append(cut.flip(2) if int(torch.randint(2, (1,), generator=generator)) else cut)
        patches = torch.stack(drawn)
        return patches[:, 0].contiguous(), patches[:, 1].contiguous()
