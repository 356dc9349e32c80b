"""Learning to restore simulated frames in one evaluation: the yardstick for the diffusion."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ..enhancement.scunet import CPU_TILE, GPU_TILE
from .objectives import Batch, SquaredError
from .pair_card import restoration_card, restoration_metadata
from .pair_task import PairTask
from .paired_recipe import PairedRecipe
from .pairs import SimulatedPairs


class PairedRestoration(PairTask):
    """A network from simulated frames to the tissue that they show; see `PairTask`."""

    recipe: PairedRecipe

    @staticmethod
    def objective(_recipe: PairedRecipe) -> SquaredError:
        """The squared error, see there for why."""
        return SquaredError()

    def draw(self, step: int) -> Batch:
        """Draw speckled and clean patches [B, h, w] of a step."""
        speckled, clean, _ = self._draw(step)
        return speckled, clean

    def _restore(self, network: nn.Module, mu: Tensor) -> Tensor:
        return network(mu)

    def _inference(self) -> dict[str, Any]:
        return {"cpu_tile": CPU_TILE, "gpu_tile": GPU_TILE}

    def _card(self, training: dict[str, Any], pairs: SimulatedPairs, parameters: int) -> str:
        return restoration_card(training, pairs, parameters)

    def _metadata(self, pairs: SimulatedPairs) -> dict[str, Any]:
        return restoration_metadata(self.recipe.network, pairs)
