"""Self-supervised learning (arXiv 2601.21856): degraded frames in, NLLR-filtered frames as targets."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..classical.nllr import ALGORITHM_VERSION
from ..degradation import degrade
from ..enhancement.scunet import CPU_TILE, GPU_TILE
from ..models import save_model
from .card import bundle_metadata, model_card
from .objectives import Restoration
from .patches import PatchGeometry, PatchSource
from .phantoms import PhantomSource
from .recipe import TrainingRecipe
from .sources import TrainingImages, read_training_images
from .targets import nllr_targets
from .task import Report, Task
from .validation import ValidationSet

PACKAGES = {"monai": "monai", "pytorch": "torch", "numpy": "numpy"}
MODEL_VERSION = "0.1.0"
TARGETS_PER_REPORT = 20
TARGETS = "targets"

Source = PatchSource | PhantomSource


class SelfSupervision(Task):
    """A network that learns from frames and what NLLR makes of them.

    Args:
        recipe: of the run.
        data: folder of ultrasound images, see `read_training_images`.
        out: folder of the run.
        targets: folder that keeps NLLR targets between runs; out/targets by default.
    """

    columns = ("psnr_ultrasound", "psnr_natural", "ssim_ultrasound", "ssim_natural")

    def __init__(self, recipe: TrainingRecipe, data: Path, out: Path, targets: Path | None = None) -> None:
        self.recipe, self._folder = recipe, targets or out / TARGETS
        self._images = read_training_images(data, recipe, (out, self._folder))
        self.notes = self._images.notes
        self._sources: list[tuple[Source, int]] = []

    @staticmethod
    def objective(recipe: TrainingRecipe) -> Restoration:
        """Mean absolute error, with that of the edges."""
        return Restoration(recipe.edge_weight)

    def prepare(self, report: Report) -> None:
        """Filter the frames that were not filtered before."""
        self._sources = _sources(self._images, self.recipe, self._folder, report)

    def validation(self) -> ValidationSet:
        """Held-out frames."""
        return ValidationSet.from_images(self._images, self.recipe, self._folder)

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Draw the inputs and the targets [B, h, w] of a step, whatever was drawn before."""
        return draw_batch(self._sources, self.recipe, step)

    @property
    def state(self) -> Mapping[str, str]:
        """The version of the filter that made the targets."""
        return {"nllr_version": ALGORITHM_VERSION}

    def note_on(self, state: Mapping[str, Any]) -> str | None:
        """Say so where a run began with other targets."""
        if state.get("nllr_version", "1") == ALGORITHM_VERSION:
            return None
        return "the run began with targets of another version of NLLR"

    def write_model(self, folder: Path, network: nn.Module, training: dict[str, Any]) -> None:
        """Write the weights with their card."""
        images = self._images
        versions = {f"{name}_version": version(package) for name, package in PACKAGES.items()}
        save_model(
            folder,
            network,
            name=self.recipe.network,
            version=MODEL_VERSION,
            card=model_card(training, images, sum(p.numel() for p in network.parameters())),
            licence=images.licence,
            inference={"cpu_tile": CPU_TILE, "gpu_tile": GPU_TILE},
            details={**bundle_metadata(self.recipe.network, images, versions), "training": training},
        )


def _sources(
    images: TrainingImages, recipe: TrainingRecipe, targets: Path, report: Report
) -> list[tuple[Source, int]]:
    """What patches are drawn from, each with the number that it adds to a batch."""

    def progress(done: int, total: int) -> None:
        if done % TARGETS_PER_REPORT == 0:
            report(f"{done} of {total} NLLR targets")

    geometry = PatchGeometry(recipe.patch, recipe.native_share, recipe.largest_angle, recipe.smallest_scale)
    filtered = nllr_targets(images.scans, targets, recipe.nllr, progress=progress)
    photographs = [image for _, image in images.natural]
    natural = round(recipe.batch * recipe.natural_share) if photographs else 0
    phantoms = round(recipe.batch * recipe.phantom_share)
    sources = [
        (
            PatchSource([image for _, image in images.scans], filtered, geometry),
            recipe.batch - natural - phantoms,
        ),
        (PatchSource(photographs, photographs, geometry), natural),
        (PhantomSource(recipe.patch), phantoms),
    ]
    return [(source, count) for source, count in sources if count]


def draw_batch(sources: list[tuple[Source, int]], recipe: TrainingRecipe, step: int) -> tuple[Tensor, Tensor]:
    """Draw the inputs [B, h, w] and targets of a step, whatever was drawn before."""
    generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
    pairs = [source.draw(count, generator) for source, count in sources]
    frames, targets = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    return degrade(frames, generator, recipe.degradation), targets
