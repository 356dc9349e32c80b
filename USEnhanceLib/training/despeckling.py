"""Learning to despeckle from simulated pairs, by a mean-reverting diffusion (arXiv 2602.22717)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..diffusion import Prediction, sample
from .diffusion_card import despeckling_card, despeckling_metadata
from .diffusion_recipe import DiffusionRecipe
from .noise_objective import NoiseObjective
from .objectives import Batch
from .pair_task import PairTask
from .pairs import SimulatedPairs

EVALUATIONS = 2
"""Of the network for a picture, also in validation."""

SAMPLER = "expectation"
CPU_TILE, GPU_TILE = 192, 512


class Despeckling(PairTask):
    """A diffusion between simulated frames and the tissue that they show; see `PairTask`."""

    recipe: DiffusionRecipe

    def __init__(self, recipe: DiffusionRecipe, data: Path, out: Path, targets: Path | None = None) -> None:
        super().__init__(recipe, data, out, targets)
        self._schedule = recipe.schedule()

    @staticmethod
    def objective(recipe: DiffusionRecipe) -> NoiseObjective:
        """The published loss or the plain one."""
        return NoiseObjective(recipe.schedule(), recipe.prediction, recipe.loss)

    def draw(self, step: int) -> Batch:
        """Draw clean and speckled patches [B, h, w], times [B] and noise [B, h, w] of a step."""
        speckled, clean, generator = self._draw(step)
        times = torch.randint(1, self._schedule.steps + 1, (len(clean),), generator=generator)
        return clean, speckled, times, torch.randn(clean.shape, generator=generator)

    def _restore(self, network: nn.Module, mu: Tensor) -> Tensor:
        predict = Prediction(network, self._schedule, self.recipe.prediction)
        return sample(SAMPLER, self._schedule, predict, mu, evaluations=EVALUATIONS)

    def _inference(self) -> dict[str, Any]:
        schedule = self._schedule
        return {
            "times": schedule.steps,
            "level": schedule.level,
            "remainder": schedule.remainder,
            "prediction": self.recipe.prediction,
            "sampler": SAMPLER,
            "steps": EVALUATIONS,
            "cpu_tile": CPU_TILE,
            "gpu_tile": GPU_TILE,
        }

    def _card(self, training: dict[str, Any], pairs: SimulatedPairs, parameters: int) -> str:
        return despeckling_card(training, pairs, parameters, EVALUATIONS)

    def _metadata(self, pairs: SimulatedPairs) -> dict[str, Any]:
        return despeckling_metadata(pairs)
