"""Spreads and errors of restored crops, from which uncertainty maps are calibrated and measured.

A crop of a frame is degraded, restored, and compared with NLLR of the undegraded frame. Its spread is the
standard deviation over the eight flips and quarter turns of one network, or over several networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..enhancement.calibration import FLOOR, SCALE
from ..enhancement.scunet import SCUNetEnhancer
from ..models import ModelDescription, find_model
from .conditions import FOURIER, GAUSSIAN, SPECKLE, Condition
from .crops import load_crops
from .images import NATURAL, BenchmarkImage
from .pool import map_tasks

FLIPS = "flips and turns"
ENSEMBLE = "ensemble"

CONDITIONS: dict[str, Condition | None] = {
    "undegraded": None,
    "blur 9": Condition(GAUSSIAN, 0.0, 9),
    **{
        condition.name: condition
        for condition in (
            *(Condition(GAUSSIAN, level) for level in (0.10, 0.20)),
            *(Condition(FOURIER, level) for level in (0.10, 0.20)),
            *(Condition(SPECKLE, level) for level in (60, 25)),
        )
    },
}
"""What is done to a crop before it is restored, by name."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A crop under a condition: float32 [H, W] each, in the unit of the frame.

    error: of the restored crop, absolute.  spreads: by their kind, `FLIPS` and `ENSEMBLE`, not calibrated.
    """

    image: BenchmarkImage
    condition: str
    error: np.ndarray
    spreads: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class _Task:
    image: BenchmarkImage
    target: np.ndarray
    condition: str
    method: str
    members: tuple[str, ...]
    seed: int
    device: str


def draw_samples(
    data: Path,
    split: str,
    method: str,
    members: Sequence[str] = (),
    *,
    limit: int,
    size: int,
    seed: int,
    processes: int | None,
    device: str,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> list[Sample]:
    """Return samples of ultrasound crops under all conditions.

    split: "train" or "val".  method: a shipped model or the folder of one; its error is measured.  members:
    folders of the other models of the ensemble; none leaves the ensemble out.  limit: crops of each data
    set.  size: their edge in pixels.  cache: keeps the targets.
    """
    images, targets = load_crops(data, split, limit, size, seed, cache, processes)
    tasks = [
        _Task(image, target, condition, str(method), tuple(map(str, members)), seed, device)
        for image, target in zip(images, targets, strict=True)
        if image.dataset != NATURAL
        for condition in CONDITIONS
    ]
    return map_tasks(_restore, tasks, processes, progress)


def _restore(task: _Task) -> Sample:
    condition = CONDITIONS[task.condition]
    pixels = task.image.pixels
    if condition is not None:
        pixels = condition.degrade(pixels, task.image.name, task.seed).pixels
    result = _enhancer(task.method, task.device)(pixels[None], uncertainty=True)
    restored = result.frames[0]
    spreads = {FLIPS: result.uncertainty[0]}
    if task.members:
        answers = [restored]
        answers += [_enhancer(member, task.device)(pixels[None]).frames[0] for member in task.members]
        spreads[ENSEMBLE] = np.std(answers, axis=0)
    return Sample(task.image, task.condition, np.abs(restored - task.target), spreads)


@lru_cache(maxsize=8)
def _enhancer(method: str, device: str) -> SCUNetEnhancer:
    return SCUNetEnhancer(uncalibrated(find_model(method)), device)


def uncalibrated(model: ModelDescription) -> ModelDescription:
    """Return the description without a calibration, so that the enhancer gives the plain spread."""
    kept = {name: value for name, value in model.inference.items() if name not in (SCALE, FLOOR)}
    return replace(model, inference=kept)
