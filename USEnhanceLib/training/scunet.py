"""Self-supervised training of SCUNet (arXiv 2601.21856): degraded frames in, NLLR-filtered frames as targets.

The random numbers of a step depend on the seed and on the number of the step alone, so that a run which was
killed and resumed goes the same way as one that was not.
"""

from __future__ import annotations

import csv
import math
import platform
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from ..degradation import degrade
from ..enhancement.scunet import CPU_TILE, GPU_TILE
from ..errors import InputError, OptionError, USEnhanceError
from ..models import find_model, load_network, save_model
from ..networks import SCUNet
from .card import bundle_metadata, scunet_card, scunet_licence
from .checkpoint import load_checkpoint, save_checkpoint
from .datasets import hc18_images, natural_images, psfhs_images
from .patches import PatchGeometry, PatchSource
from .phantoms import PhantomSource
from .recipe import SCUNetRecipe
from .targets import nllr_targets
from .validation import ValidationSet

CURVE = "curve.csv"
RECIPE = "recipe.json"
MODEL = "model"
PACKAGES = {"monai": "monai", "pytorch": "torch", "numpy": "numpy"}
REPORT_EVERY = 50
MODEL_VERSION = "0.1.0"

Report = Callable[[str], None]
Source = PatchSource | PhantomSource


def _say_nothing(_line: str) -> None:
    pass


def train_scunet(
    data: Path,
    out: Path,
    *,
    recipe: SCUNetRecipe | None = None,
    resume: bool = False,
    start: str | Path | None = None,
    targets: Path | None = None,
    report: Report = _say_nothing,
) -> Path:
    """Train and write a model folder that `load_enhancer` takes.

    Args:
        data: folder with psfhs/, hc18/ and natural/.
        out: folder of the run; gets recipe.json, curve.csv, checkpoint.pt and model/.
        recipe: all settings; on resuming it must be left out, the run's own is read.
        resume: go on from the checkpoint in `out`.
        start: begin with the weights of this model, a shipped one or a folder, instead of random ones.
        targets: folder that keeps NLLR targets between runs; out/targets by default.
        report: gets a line per validation and every `REPORT_EVERY` steps.

    Raises:
        InputError: `out` holds a run already and `resume` is false, or data are missing.
        ModelError, OptionError: `start` is no model, or of another size than the recipe's.
        USEnhanceError: the loss is no longer finite.
    """
    out = Path(out)
    state = load_checkpoint(out) if resume else None
    if not resume and (out / RECIPE).exists():
        raise InputError(f"{out} holds a run already: give --resume, or another folder.")
    if resume and recipe is None and (out / RECIPE).is_file():
        recipe = SCUNetRecipe.load(out / RECIPE)
    recipe = recipe or SCUNetRecipe()

    report("Reading images and NLLR targets")
    sources = _sources(Path(data), recipe, targets or out / "targets")
    validation = ValidationSet.from_data(Path(data), recipe, targets or out / "targets")
    out.mkdir(parents=True, exist_ok=True)
    recipe.save(out / RECIPE)
    run = _Run(recipe, out, state, start)
    run.train(sources, validation, report)
    return run.write_model(validation)


def _sources(data: Path, recipe: SCUNetRecipe, targets: Path) -> list[tuple[Source, int]]:
    """What patches are drawn from, each with the number that it adds to a batch."""
    geometry = PatchGeometry(recipe.patch, recipe.native_share, recipe.largest_angle, recipe.smallest_scale)
    scans = psfhs_images(data, "train", recipe.psfhs_frames) + hc18_images(data, "train", recipe.hc18_frames)
    photographs = [image for _, image in natural_images(data, "train")]
    filtered = nllr_targets(scans, targets, recipe.nllr)
    natural, phantoms = (
        round(recipe.batch * share) for share in (recipe.natural_share, recipe.phantom_share)
    )
    sources = [
        (PatchSource([image for _, image in scans], filtered, geometry), recipe.batch - natural - phantoms),
        (PatchSource(photographs, photographs, geometry), natural),
        (PhantomSource(recipe.patch), phantoms),
    ]
    return [(source, count) for source, count in sources if count]


class _Run:
    """Network, optimiser and running mean of a run, from the start or from a checkpoint."""

    def __init__(
        self, recipe: SCUNetRecipe, out: Path, state: dict[str, Any] | None, start: str | Path | None
    ) -> None:
        self.recipe, self.out = recipe, out
        torch.manual_seed(recipe.seed)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        network = SCUNet(recipe.dim, recipe.config, recipe.head_dim)
        self.origin = {}
        if start is not None and state is None:
            model = find_model(start)
            if dict(model.options) != network.options:
                raise OptionError(
                    f"{start} is a network of another size than the recipe's: change the recipe."
                )
            network.load_state_dict(load_network(model).state_dict())
            self.origin = {"name": model.name, "version": model.version, "sha256": model.sha256}
        self.network = network.to(self.device, memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.average = deepcopy(self.network).requires_grad_(False).eval()
        self.step, self.seconds, self.loss_sum = 0, 0.0, 0.0
        if state is not None:
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.seconds, self.loss_sum = state["step"], state["seconds"], state["loss_sum"]
            self.origin = state["origin"]
        self._forget_rows_after_checkpoint()

    def train(self, sources: list[tuple[Source, int]], validation: ValidationSet, report: Report) -> None:
        recipe = self.recipe
        began = time.perf_counter() - self.seconds
        while self.step < recipe.steps:
            generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + self.step)
            pairs = [source.draw(count, generator) for source, count in sources]
            frames, targets = (torch.cat(parts) for parts in zip(*pairs, strict=True))
            loss = self._update(degrade(frames, generator, recipe.degradation), targets)
            self.step += 1
            self.loss_sum += loss
            self.seconds = time.perf_counter() - began
            if self.step % REPORT_EVERY == 0:
                mean = self.loss_sum / REPORT_EVERY
                self._log({"step": self.step, "loss": mean, "seconds": round(self.seconds, 1)})
                report(f"step {self.step}/{recipe.steps}, loss {mean:.5f}, {self.seconds:.0f} s")
                self.loss_sum = 0.0
            if self.step % recipe.validate_every == 0:
                scores = validation.score(self.average)
                self._log({"step": self.step, **scores, "seconds": round(self.seconds, 1)})
                report(f"step {self.step}: " + ", ".join(f"{k} {v:.3f}" for k, v in scores.items()))
            if self.step % recipe.save_every == 0 or self.step == recipe.steps:
                self._save()

    def _update(self, inputs: Tensor, targets: Tensor) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        inputs = inputs[:, None].to(self.device, memory_format=torch.channels_last)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            loss = (self.network(inputs)[:, 0].float() - targets.to(self.device)).abs().mean()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise USEnhanceError(
                f"The loss is {value} at step {self.step}: start again with a smaller learning rate."
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.optimizer.step()
        decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, current in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(current, 1 - decay)
        return value

    def _learning_rate(self) -> float:
        recipe = self.recipe
        if self.step < recipe.warmup:
            return recipe.learning_rate * (self.step + 1) / recipe.warmup
        done = (self.step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
        return recipe.learning_rate * (0.005 + 0.995 * (1 + math.cos(math.pi * done)) / 2)

    def _forget_rows_after_checkpoint(self) -> None:
        """Drop what a killed run wrote between its last checkpoint and its end: it is done again."""
        file = self.out / CURVE
        if file.is_file():
            header, *rows = file.read_text().splitlines(keepends=True)
            kept = [row for row in rows if row.endswith("\n") and int(row.split(",")[0]) <= self.step]
            file.write_text("".join((header, *kept)))

    def _log(self, row: dict[str, float]) -> None:
        columns = [
            "step",
            "loss",
            "psnr_ultrasound",
            "psnr_natural",
            "ssim_ultrasound",
            "ssim_natural",
            "seconds",
        ]
        file = self.out / CURVE
        with file.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, columns, lineterminator="\n")
            if file.stat().st_size == 0:
                writer.writeheader()
            writer.writerow(row)

    def _save(self) -> None:
        save_checkpoint(
            self.out,
            {
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "seconds": self.seconds,
                "loss_sum": self.loss_sum,
                "origin": self.origin,
            },
        )

    def write_model(self, validation: ValidationSet) -> Path:
        machine = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
        if self.device == "cuda":
            machine = f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
        details = {
            "schema": "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/"
            "0.8.1/meta_schema_20240725.json",
            **bundle_metadata({f"{name}_version": version(package) for name, package in PACKAGES.items()}),
            "training": {
                "recipe": asdict(self.recipe),
                "steps": self.step,
                "start": self.origin,
                "hours": round(self.seconds / 3600, 2),
                "machine": machine,
                "validation": {key: round(value, 4) for key, value in validation.score(self.average).items()},
            },
        }
        card = scunet_card(details["training"], sum(p.numel() for p in self.average.parameters()))
        folder = self.out / MODEL
        save_model(
            folder,
            self.average,
            name="scunet",
            version=MODEL_VERSION,
            card=card,
            licence=scunet_licence(),
            inference={"cpu_tile": CPU_TILE, "gpu_tile": GPU_TILE},
            details=details,
        )
        return folder
