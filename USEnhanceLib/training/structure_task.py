"""Learning to outline fetal head and pubic symphysis from labelled frames."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from ..errors import InputError, OptionError
from ..models import save_model
from .overlap_objective import OverlapAndEntropy
from .structure_bundle import bundle_inference
from .structure_card import structure_card, structure_licence, structure_metadata
from .structure_data import BOTH, HEAD_ALONE, OutlinedFrame, group_weights, outlined_frames
from .structure_recipe import StructureRecipe
from .structure_validation import StructureValidation
from .task import Report, Task

MODEL_VERSION = "0.1.0"
PACKAGES = {"monai": "monai", "pytorch": "torch", "numpy": "numpy"}
BUNDLE_PACKAGES = {"safetensors": "0.4.3", "pytorch-ignite": "0.5", "scikit-image": "0.22", "pillow": "10.2"}
"""What MONAI's own commands need to run the bundle, and from which version on."""


class Structures(Task):
    """A network that learns from frames and their labels; views of them are drawn for each step.

    Args:
        recipe: of the run.
        data: folder with psfhs (and hc18, for `head_share`), each as `outlined_frames` reads it, or itself
            such a folder, whose frames have both structures.
        targets: refused.

    Raises:
        InputError: there are no frames to learn from.
        OptionError: targets are given.
    """

    columns = ("dice_ps", "dice_fh")

    def __init__(self, recipe: StructureRecipe, data: Path, _out: Path, targets: Path | None = None) -> None:
        if targets is not None:
            raise OptionError("Outlines have no targets to keep: leave --targets out.")
        self.recipe = recipe
        published = (data / BOTH / "split.csv").is_file()
        folder = data / BOTH if published else data
        self._frames = outlined_frames(folder, "train")
        self._held_out = outlined_frames(folder, "val", recipe.validation_frames or None)
        self._heads: list[OutlinedFrame] = []
        if recipe.head_share and (data / HEAD_ALONE / "split.csv").is_file():
            self._heads = outlined_frames(data / HEAD_ALONE, "train")
        elif recipe.head_share:
            self.notes = (f"no {HEAD_ALONE} in {data}: frames with both structures take its share",)
        self._published = published
        if not any((frame.labels == 1).any() for frame in self._frames):
            raise InputError(f"{folder} has no frame with a pubic symphysis (label 1): add some.")
        self._weights = torch.from_numpy(group_weights(self._frames))
        self._views, self._looks = recipe.views, recipe.looks

    @staticmethod
    def objective(recipe: StructureRecipe) -> OverlapAndEntropy:
        """Dice and cross entropy."""
        return OverlapAndEntropy(recipe.smoothing)

    def prepare(self, report: Report) -> None:
        """Nothing is left to do but to say what there is."""
        groups = len({frame.group for frame in self._frames})
        report(
            f"{len(self._frames)} frames of {groups} groups to learn from, {len(self._heads)} of heads, "
            f"{len(self._held_out)} held out"
        )

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Draw views and their labels [B, h, w] of a step."""
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + step)
        drawn = [self._draw_view(generator) for _ in range(self.recipe.batch)]
        views, labels = zip(*drawn, strict=True)
        return torch.stack(views), torch.stack(labels)

    def _draw_view(self, generator: Generator) -> tuple[Tensor, Tensor]:
        frame = self._draw_frame(generator)
        view, labels = self._views.draw(frame.pixels, frame.labels, generator)
        return self._looks.draw(view, generator), labels

    def _draw_frame(self, generator: Generator) -> OutlinedFrame:
        if self._heads and float(torch.rand((), generator=generator)) < self.recipe.head_share:
            return self._heads[int(torch.randint(len(self._heads), (), generator=generator))]
        return self._frames[int(torch.multinomial(self._weights, 1, generator=generator))]

    def validation(self) -> StructureValidation:
        """The held-out frames."""
        return StructureValidation(self._held_out)

    def write_model(self, folder: Path, network: nn.Module, training: dict[str, Any]) -> None:
        """Write the weights with their card."""
        versions = {f"{name}_version": version(package) for name, package in PACKAGES.items()}
        counts = {"frames": len(self._frames), "groups": len({frame.group for frame in self._frames})}
        counts |= {"heads alone": len(self._heads), "held out": len(self._held_out)}
        parameters = sum(p.numel() for p in network.parameters())
        save_model(
            folder,
            network,
            name=self.recipe.network,
            version=MODEL_VERSION,
            card=structure_card(training, counts, parameters),
            licence=structure_licence(self._published, bool(self._heads)),
            task="segmentation",
            inference=bundle_inference(network.options),
            details={
                **structure_metadata(self._published, bool(self._heads)),
                **versions,
                "required_packages_version": BUNDLE_PACKAGES,
                "eval_metrics": training["validation"],
                "training": training,
            },
        )
