"""Learning to despeckle from simulated pairs, by a mean-reverting diffusion (arXiv 2602.22717)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from ..diffusion import Prediction, Schedule, sample
from ..errors import OptionError
from ..models import save_model
from ..quality.fidelity import psnr, ssim
from .diffusion_card import despeckling_card, despeckling_metadata
from .diffusion_recipe import DiffusionRecipe
from .noise_objective import NoiseObjective
from .objectives import Batch
from .pairs import read_pairs
from .sheet import Panel
from .task import Report, Task

MODEL_VERSION = "0.1.0"
PACKAGES = {"monai": "monai", "pytorch": "torch", "numpy": "numpy"}
EVALUATIONS = 5
"""Of the network for a picture, also in validation."""

SAMPLER = "mean"
CPU_TILE, GPU_TILE = 192, 512


class Despeckling(Task):
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

    def __init__(self, recipe: DiffusionRecipe, data: Path, _out: Path, targets: Path | None = None) -> None:
        if targets is not None:
            raise OptionError(f"{recipe.network} has no targets to keep: leave --targets out.")
        self.recipe = recipe
        self._schedule = recipe.schedule()
        self._pairs = read_pairs(data, recipe.probes, recipe.validation_pairs)
        self.notes = self._pairs.notes
        smallest = min(min(pair.shape[1:]) for pair in self._pairs.learned)
        if recipe.patch > smallest:
            raise OptionError(
                f"The pairs in {data} are of {smallest} pixels and the recipe's patch of {recipe.patch}: "
                "choose a smaller patch."
            )
        self._source = PairPatches(self._pairs.learned, recipe.patch)

    @staticmethod
    def objective(recipe: DiffusionRecipe) -> NoiseObjective:
        """The published loss or the plain one."""
        return NoiseObjective(recipe.schedule(), recipe.prediction, recipe.loss)

    def prepare(self, report: Report) -> None:
        """Nothing is left to do but to say what there is."""
        report(f"{len(self._pairs.learned)} pairs to learn from, {len(self._pairs.held_out)} held out")

    def draw(self, step: int) -> Batch:
        """Draw clean and speckled patches [B, h, w], times [B] and noise [B, h, w] of a step."""
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + step)
        speckled, clean = self._source.draw(self.recipe.batch, generator)
        times = torch.randint(1, self._schedule.steps + 1, (len(clean),), generator=generator)
        return clean, speckled, times, torch.randn(clean.shape, generator=generator)

    def validation(self) -> PairValidation | None:
        """Held-out pairs, if there are any."""
        held_out = self._pairs.held_out
        return PairValidation(held_out, self._schedule, self.recipe.prediction) if held_out else None

    def write_model(self, folder: Path, network: nn.Module, training: dict[str, Any]) -> None:
        """Write the weights with their card."""
        versions = {f"{name}_version": version(package) for name, package in PACKAGES.items()}
        recipe, schedule = self.recipe, self._schedule
        save_model(
            folder,
            network,
            name=recipe.network,
            version=MODEL_VERSION,
            card=despeckling_card(
                training, self._pairs, sum(p.numel() for p in network.parameters()), EVALUATIONS
            ),
            licence=self._pairs.licence,
            inference={
                "times": schedule.steps,
                "level": schedule.level,
                "remainder": schedule.remainder,
                "prediction": recipe.prediction,
                "sampler": SAMPLER,
                "steps": EVALUATIONS,
                "cpu_tile": CPU_TILE,
                "gpu_tile": GPU_TILE,
            },
            details={**despeckling_metadata(self._pairs, versions), "training": training},
        )


class PairPatches:
    """Draws patches of speckled frames and of the clean ones.

    Args:
        pairs: each [2, H, W] in [0, 1]: speckled and clean.
        patch: edge in pixels, not above that of the smallest frame.
    """

    def __init__(self, pairs: Sequence[NDArray[np.float32]], patch: int) -> None:
        self._pairs = [torch.from_numpy(pair) for pair in pairs]
        self._patch = patch

    def draw(self, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return speckled and clean patches [count, h, w].

        They are mirrored, but not turned: speckle is short along the beam and wide across it.
        """
        drawn = []
        for _ in range(count):
            index = int(torch.randint(len(self._pairs), (1,), generator=generator))
            pair = self._pairs[index]
            top, left = (
                int(torch.randint(size - self._patch + 1, (1,), generator=generator))
                for size in pair.shape[1:]
            )
            cut = pair[:, top : top + self._patch, left : left + self._patch]
            drawn.append(cut.flip(2) if int(torch.randint(2, (1,), generator=generator)) else cut)
        patches = torch.stack(drawn)
        return patches[:, 0].contiguous(), patches[:, 1].contiguous()


@dataclass(frozen=True, eq=False)
class PairValidation:
    """Held-out pairs, despeckled as users will.

    Attributes:
        pairs: name and [2, H, W] of each.
        schedule, prediction: of the recipe.
    """

    pairs: Sequence[tuple[str, NDArray[np.float32]]]
    schedule: Schedule
    prediction: str

    def score(self, network: nn.Module) -> dict[str, float]:
        """Mean PSNR in dB and SSIM over the pairs."""
        scores = [
            [float(metric(found[None], pair[1][None])[0]) for metric in (psnr, ssim)]
            for (_, pair), found in zip(self.pairs, self._restored(network), strict=True)
        ]
        mean_psnr, mean_ssim = np.mean(scores, axis=0)
        return {"psnr_simulated": float(mean_psnr), "ssim_simulated": float(mean_ssim)}

    def panels(self, network: nn.Module) -> list[Panel]:
        """One row for the first pair of each probe."""
        first = dict(reversed(self.pairs))
        chosen = PairValidation(list(first.items())[::-1], self.schedule, self.prediction)
        rows = []
        for (name, pair), found in zip(chosen.pairs, chosen._restored(network), strict=True):
            gain = " to ".join(f"{psnr(x[None], pair[1][None])[0]:.1f}" for x in (pair[0], found))
            rows.append(Panel(f"{name}: {gain} dB", (pair[0], found, pair[1])))
        return rows

    def _restored(self, network: nn.Module) -> list[NDArray[np.float32]]:
        device = next(network.parameters()).device
        predict = Prediction(network, self.schedule, self.prediction)
        restored = []
        with torch.inference_mode():
            for _, pair in self.pairs:
                mu = torch.from_numpy(pair[0])[None, None].to(device)
                found = sample(SAMPLER, self.schedule, predict, mu, evaluations=EVALUATIONS)
                restored.append(found[0, 0].clamp(0, 1).cpu().numpy())
        return restored
