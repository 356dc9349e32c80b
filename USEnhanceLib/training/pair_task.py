"""What all learning from simulated pairs has in common."""

from __future__ import annotations

from abc import abstractmethod
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from ..errors import OptionError
from ..models import save_model
from .diffusion_recipe import DiffusionRecipe
from .pair_patches import PairPatches
from .pair_validation import PairValidation
from .paired_recipe import PairedRecipe
from .pairs import SimulatedPairs, read_pairs
from .task import Report, Task

MODEL_VERSION = "0.1.0"
PACKAGES = {"monai": "monai", "pytorch": "torch", "numpy": "numpy"}


class PairTask(Task):
    """A network that learns from simulated frames and the tissue that they show.

    Args:
        recipe: of the run.
        data: folder of one or more data sets of `usenhance simulate`.
        targets: refused.

    Raises:
        InputError: there are no pairs, or none of the recipe's probes.
        OptionError: targets are given, or patches are larger than the frames.
    """

    columns = ("psnr_simulated", "ssim_simulated")

    def __init__(
        self,
        recipe: DiffusionRecipe | PairedRecipe,
        data: Path,
        _out: Path,
        targets: Path | None = None,
    ) -> None:
        if targets is not None:
            raise OptionError("Simulated pairs have no targets to keep: leave --targets out.")
        self.recipe = recipe
        self._pairs = read_pairs(data, recipe.probes, recipe.validation_pairs)
        self.notes = self._pairs.notes
        smallest = min(min(pair.shape[1:]) for pair in self._pairs.learned)
        if recipe.patch > smallest:
            raise OptionError(
                f"The pairs in {data} are of {smallest} pixels and the recipe's patch of {recipe.patch}: "
                "choose a smaller patch."
            )
        self._source = PairPatches(self._pairs.learned, recipe.patch, recipe.variation)

    def prepare(self, report: Report) -> None:
        """Nothing is left to do but to say what there is."""
        report(f"{len(self._pairs.learned)} pairs to learn from, {len(self._pairs.held_out)} held out")

    def _draw(self, step: int) -> tuple[Tensor, Tensor, Generator]:
        """Speckled and clean patches [B, h, w] of a step, the same for all networks, and what drew them."""
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + step)
        return *self._source.draw(self.recipe.batch, generator), generator

    def validation(self) -> PairValidation | None:
        """Held-out pairs, if there are any."""
        held_out = self._pairs.held_out
        return PairValidation(held_out, self._restore) if held_out else None

    def write_model(self, folder: Path, network: nn.Module, training: dict[str, Any]) -> None:
        """Write the weights with their card."""
        versions = {f"{name}_version": version(package) for name, package in PACKAGES.items()}
        parameters = sum(p.numel() for p in network.parameters())
        save_model(
            folder,
            network,
            name=self.recipe.network,
            version=MODEL_VERSION,
            card=self._card(training, self._pairs, parameters),
            licence=self._pairs.licence,
            inference=self._inference(),
            details={**self._metadata(self._pairs), **versions, "training": training},
        )

    @abstractmethod
    def _restore(self, network: nn.Module, mu: Tensor) -> Tensor:
        """Use the network, see `pair_validation.Restore`."""

    @abstractmethod
    def _inference(self) -> dict[str, Any]:
        """Settings of configs/inference.json."""

    @abstractmethod
    def _card(self, training: dict[str, Any], pairs: SimulatedPairs, parameters: int) -> str:
        """Text of the model card."""

    @abstractmethod
    def _metadata(self, pairs: SimulatedPairs) -> dict[str, Any]:
        """Entries of configs/metadata.json besides those of the run."""
