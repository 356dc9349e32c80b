"""Table 1: PSNR and SSIM under noise, speckle and blur, on images that no network was trained on.

Frames of PSFHS and HC18 (val splits) are degraded and compared with NLLR of the undegraded frame, natural
images with the original. Scored are crops in native resolution, around the middle of the scan sector, as the
paper scores frames of 128 x 128 pixels; every method sees the crop alone. Every method sees the same noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...quality.fidelity import psnr, ssim
from ..conditions import CONDITIONS, Condition
from ..contenders import TOLD_GAIN, Contender, contenders, counts_twice, restore, tuned_table, undo_gain
from ..crops import load_crops
from ..images import DATASETS, BenchmarkImage
from ..pool import map_tasks
from .noise_summary import summarise
from .noise_tables import render

__all__ = ["measure", "render"]

DEFAULT_LIMIT = 8
DEFAULT_SIZE = 128

Scores = dict[str, dict[str, float]]
"""Row -> metric -> figure, of one image under one condition."""


@dataclass(frozen=True, eq=False)
class _Task:
    image: BenchmarkImage
    target: np.ndarray
    condition: Condition
    rows: tuple[Contender, ...]
    seed: int
    device: str
    cache: Path


def measure(
    data: Path,
    methods: Sequence[str] | None,
    *,
    limit: int | None = None,
    seed: int = 0,
    processes: int | None = None,
    device: str = "cpu",
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
    size: int | None = None,
) -> dict[str, Any]:
    """Score all methods on all data sets and conditions.

    limit: images per data set, drawn evenly; 8 when None.  size: edge of the crops, 128 pixels when None.
    cache: folder that keeps targets and answers. Other parameters and errors as of `run`.
    """
    rows = tuple(contenders(methods))
    count, size = limit or DEFAULT_LIMIT, size or DEFAULT_SIZE
    images, targets = load_crops(data, "val", count, size, seed, cache, processes)
    tasks = [
        _Task(image, target, condition, rows, seed, device, cache / "answers")
        for image, target in zip(images, targets, strict=True)
        for condition in CONDITIONS
    ]
    results = map_tasks(score_image, tasks, processes, progress)
    scores: dict[str, dict[str, dict[str, dict[str, list[float]]]]] = {}
    for task, result in zip(tasks, results, strict=True):
        column = scores.setdefault(task.image.dataset, {}).setdefault(task.condition.name, {})
        for row, figures in result.items():
            for metric, figure in figures.items():
                column.setdefault(row, {}).setdefault(metric, []).append(figure)
    drawn = {
        dataset.name: {
            "split": "val",
            "target": dataset.target,
            "names": [image.name for image in images if image.dataset == dataset.name],
            "groups": [image.group for image in images if image.dataset == dataset.name],
        }
        for dataset in DATASETS
    }
    return {
        "limit": count,
        "size": size,
        "seed": seed,
        "rows": [{"key": row.key, "role": row.role, "title": row.title} for row in rows],
        "images": drawn,
        "parameters": tuned_table(),
        "summary": summarise(scores, {name: facts["groups"] for name, facts in drawn.items()}, rows, seed),
        "scores": scores,
    }


def score_image(task: _Task) -> Scores:
    """Return the scores of all rows on one image under one condition."""
    condition = task.condition
    degraded = condition.degrade(task.image.pixels, task.image.name, task.seed)
    answers: dict[str, np.ndarray] = {}
    for row in task.rows:
        answer = restore(row, degraded, task.image.dataset, condition, task.device, task.cache)
        answers[row.key] = answer
        if counts_twice(row, condition):
            answers[f"{row.key}, {TOLD_GAIN}"] = undo_gain(answer, degraded)
    stack = np.stack(list(answers.values()))
    target = np.broadcast_to(task.target, stack.shape)
    return {
        row: {"psnr": round(float(decibels), 3), "ssim": round(float(similarity), 4)}
        for row, decibels, similarity in zip(answers, psnr(stack, target), ssim(stack, target), strict=True)
    }
