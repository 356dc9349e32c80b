"""Denoising: PSNR and SSIM under Gaussian and Fourier noise on images that no network was trained on.

Frames of PSFHS and HC18 (val splits) are degraded and compared with NLLR of the undegraded frame, natural
images with the original. Every method sees the same noise. Filters are at their best: parameters tuned per
data set and noise level on training images (`tuning`), the true noise level given. Intervals are 95 %
bootstrap intervals over images, whole groups of near-duplicates drawn together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..quality.fidelity import psnr, ssim
from .conditions import CONDITIONS
from .contenders import DEFAULT_METHODS, describe_networks, restore_all
from .denoise_tables import render_markdown, summarise
from .images import DATASETS, BenchmarkImage, load_images, targets_of
from .pool import map_tasks
from .record import provenance, write_json, write_text
from .tuned_parameters import TUNED

DEFAULT_LIMIT = 32


@dataclass(frozen=True, eq=False)
class _Task:
    image: BenchmarkImage
    target: np.ndarray
    methods: tuple[str, ...]
    seed: int
    device: str


def run(
    data: Path,
    json_path: Path,
    *,
    markdown_path: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    methods: Sequence[str] | None = None,
    processes: int | None = None,
    device: str = "cpu",
    cache: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Score all methods on all data sets and conditions; write the record and, where asked, the tables.

    data: folder of psfhs, hc18 and natural.  limit: images per data set, drawn evenly; 32 when None.
    methods: of "noisy", the classical filters, and networks (a name or a model's folder); all of
    `DEFAULT_METHODS` when None.  processes: one per core when None.  device: of the networks.  cache: folder
    of the NLLR targets, beside the record when None. Raises OptionError for an unknown method, InputError
    where data are missing or a file cannot be written.
    """
    started = time.perf_counter()
    chosen = tuple(dict.fromkeys(methods or DEFAULT_METHODS))
    networks = describe_networks(chosen, device)
    images = [
        image
        for dataset in DATASETS
        for image in load_images(data, dataset.name, "val", limit or DEFAULT_LIMIT, seed)
    ]
    targets = targets_of(images, Path(cache or Path(json_path).parent / "targets"), processes)
    tasks = [
        _Task(image, target, chosen, seed, device) for image, target in zip(images, targets, strict=True)
    ]
    scores = map_tasks(score_image, tasks, processes, progress)

    record = provenance("denoise", data, limit=limit or DEFAULT_LIMIT, seed=seed, methods=list(chosen))
    record["networks"] = networks
    record["parameters"] = TUNED
    record["images"] = {
        dataset.name: {
            "split": "val",
            "target": dataset.target,
            "names": [image.name for image in images if image.dataset == dataset.name],
            "groups": len({image.group for image in images if image.dataset == dataset.name}),
        }
        for dataset in DATASETS
    }
    record["summary"] = summarise(scores, seed)
    record["scores"] = scores
    record["wall_seconds"] = round(time.perf_counter() - started, 1)
    write_json(Path(json_path), record)
    if markdown_path is not None:
        write_text(Path(markdown_path), render_markdown(record))
    return record


def score_image(task: _Task) -> dict[str, Any]:
    """Return the scores of one image: condition -> contender -> PSNR, SSIM and seconds."""
    image = task.image
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for condition in CONDITIONS:
        degraded = condition.degrade(image.pixels, image.name, task.seed)
        answers = restore_all(task.methods, degraded, image.dataset, condition, task.device)
        scores[condition.name] = {
            answer.contender.key: {
                "seconds": round(answer.seconds, 4),
                **_compare(answer.pixels, task.target),
            }
            for answer in answers
        }
    return {"dataset": image.dataset, "name": image.name, "group": image.group, "conditions": scores}


def _compare(restored: np.ndarray, target: np.ndarray) -> dict[str, float]:
    return {
        "psnr": round(float(psnr(restored[None], target[None])[0]), 4),
        "ssim": round(float(ssim(restored[None], target[None])[0]), 5),
    }
