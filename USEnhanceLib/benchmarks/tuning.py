"""Search of the classical filters' parameters on training images: they enter the tables at their best.

For each data set, noise family, level and filter, the largest mean PSNR over a few crops without blur wins.
The search climbs over the grid of `GRIDS` to better neighbours, diagonals included, until there is none; it
begins in the middle for the mildest level of a family, and at the winner of the level before for the next.
Fourier noise is scored after division by the true gain.

The winners are written as `tuned_parameters.json` beside the record: copy it into this folder.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..quality.fidelity import psnr
from .conditions import LEVELS, Condition, Degraded
from .contenders import TUNED_FILE, filter_told, tuned_key, undo_gain
from .crops import load_crops
from .images import DATASETS, BenchmarkImage
from .pool import map_tasks
from .record import provenance, write_json, write_text

DEFAULT_LIMIT = 3
DEFAULT_SIZE = 80

# noise_factor and speckle_factor multiply the true noise. Both exceed 1 where the target, NLLR, is smoother
# than the undegraded frame: the frame's own speckle is to go with the noise.
_FACTORS = (0.5, 0.7, 0.9, 1.1, 1.4, 1.8, 2.4, 3.2, 4.5, 6.0, 8.5, 12.0, 17.0)
_STRENGTHS = (0.2, 0.3, 0.4, 0.6, 0.8, 1.1, 1.5, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0)
GRIDS: dict[str, dict[str, Sequence[Any]]] = {
    "median": {"size": (1, 3, 5, 7, 9, 11)},
    "lee": {"size": (3, 5, 7, 9, 11), "speckle_factor": _FACTORS},
    "frost": {
        "size": (3, 5, 7, 9, 11),
        "damping": (0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.8, 1.3, 2.0, 3.2, 5.0),
        "speckle_factor": (1.0,),
    },
    "kuan": {"size": (3, 5, 7, 9, 11), "speckle_factor": _FACTORS},
    "srad": {"speckle_factor": _FACTORS, "iterations": (3, 5, 10, 25, 50, 100, 200), "time_step": (0.2,)},
    "nlm": {
        "noise_factor": (1.0, 1.4),
        "strength": _STRENGTHS,
        "patch_size": (5,),
        "search_distance": (6,),
        "fast": (False,),
    },
    "obnlm": {"noise_factor": (1.0,), "strength": _STRENGTHS, "exponent": (0.0, 0.5)},
    "bilateral": {
        "noise_factor": (1.0,),
        "strength": (0.7, 1.0, 1.5, 2.2, 3.2, 4.5, 6.5, 10.0, 15.0, 22.0),
        "distance": (0.5, 0.7, 1.0, 1.5, 2.2, 3.2, 4.5),
    },
    "wavelet": {"noise_factor": _FACTORS, "levels": (1, 2, 3), "shifts": (3,)},
    "bm3d": {"noise_factor": _FACTORS},
    "nllr": {},  # estimates the noise itself
}

Place = tuple[int, ...]
"""Where in a grid: an index for each of its parameters."""


@dataclass(frozen=True, eq=False)
class _Task:
    dataset: str
    family: str
    method: str
    images: tuple[BenchmarkImage, ...]
    targets: tuple[np.ndarray, ...]
    seed: int
    cache: Path


def run(
    data: Path,
    json_path: Path,
    *,
    markdown_path: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    size: int | None = None,
    processes: int | None = None,
    cache: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Search; write the record, the table where asked, and `tuned_parameters.json` beside the record.

    limit: training images per data set, drawn evenly; 3 when None.  size: edge of the crops, 80 pixels when
    None.  cache: folder that keeps targets and answers, beside the record when None. Errors as of the
    benchmark enhance.
    """
    count, size = limit or DEFAULT_LIMIT, size or DEFAULT_SIZE
    kept = Path(cache or Path(json_path).parent / "cache")
    images, targets = load_crops(data, "train", count, size, seed, kept, processes)
    tasks = []
    for dataset, family, method in itertools.product(DATASETS, LEVELS, GRIDS):
        chosen = [index for index, image in enumerate(images) if image.dataset == dataset.name]
        pairs = tuple(images[index] for index in chosen), tuple(targets[index] for index in chosen)
        tasks.append(_Task(dataset.name, family, method, *pairs, seed, kept / "answers"))
    results = map_tasks(_climb_levels, tasks, processes, progress)

    trials: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for task, result in zip(tasks, results, strict=True):
        for key, tried in result.items():
            trials.setdefault(key, {})[task.method] = tried
    tuned = {
        key: {method: best_of(tried)["settings"] for method, tried in methods.items()}
        for key, methods in trials.items()
    }
    record = provenance("tune", data, limit=count, size=size, seed=seed)
    record |= {"images": [image.name for image in images], "trials": trials, "tuned": tuned}
    write_json(Path(json_path), record)
    write_text(Path(json_path).with_name(TUNED_FILE.name), render_tuned(tuned))
    if markdown_path is not None:
        write_text(Path(markdown_path), _render_markdown(trials))
    return record


def settings_at(method: str, place: Place) -> dict[str, Any]:
    """Return a filter's settings at a place of its grid."""
    grid = GRIDS[method].items()
    return {name: values[index] for (name, values), index in zip(grid, place, strict=True)}


def climb(start: Place, lengths: Sequence[int], score: Callable[[Place], float]) -> dict[Place, float]:
    """Return all places that were tried, with their scores, on the way from `start` to a local maximum.

    lengths: numbers of values along the axes of the grid; a place is better than all its neighbours, those
    at a corner included, where the way ends.
    """
    tried = {start: score(start)}
    here, best = None, start
    while best != here:
        here = best
        for step in itertools.product((-1, 0, 1), repeat=len(lengths)):
            place = tuple(index + move for index, move in zip(here, step, strict=True))
            inside = all(0 <= index < length for index, length in zip(place, lengths, strict=True))
            if inside and place not in tried:
                tried[place] = score(place)
        best = max(tried, key=tried.__getitem__)
    return tried


def best_of(tried: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the trial with the largest PSNR."""
    return max(tried, key=lambda entry: entry["psnr"])


def render_tuned(tuned: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of `tuned_parameters.json`, one line for each filter."""
    parts = []
    for key, methods in tuned.items():
        lines = [f"  {json.dumps(method)}: {json.dumps(settings)}" for method, settings in methods.items()]
        parts.append(f" {json.dumps(key)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _climb_levels(task: _Task) -> dict[str, list[dict[str, Any]]]:
    """Return tuned key -> trials for every level of a family."""
    lengths = [len(values) for values in GRIDS[task.method].values()]
    start = tuple(length // 2 for length in lengths)
    trials = {}
    for level in LEVELS[task.family]:
        condition = Condition(task.family, level)
        degraded = [condition.degrade(image.pixels, image.name, task.seed) for image in task.images]
        tried = climb(start, lengths, lambda place, degraded=degraded: _score(task, degraded, place))
        start = max(tried, key=tried.__getitem__)
        trials[tuned_key(task.dataset, condition)] = [
            {"settings": settings_at(task.method, place), "psnr": round(score, 3)}
            for place, score in tried.items()
        ]
    return trials


def _score(task: _Task, degraded: Sequence[Degraded], place: Place) -> float:
    """Return the mean PSNR over the images with the true gain undone."""
    settings = settings_at(task.method, place)
    scores = []
    for frame, target in zip(degraded, task.targets, strict=True):
        answer = filter_told(task.method, settings, frame, task.cache)
        scores.append(psnr(undo_gain(answer, frame)[None], target[None])[0])
    return float(np.mean(scores))


def _render_markdown(trials: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> str:
    lines = ["# Tuned parameters of the classical filters", ""]
    lines += ["| where | filter | best settings | PSNR, dB |", "|---|---|---|---|"]
    for key, methods in trials.items():
        for method, tried in methods.items():
            best = best_of(tried)
            settings = ", ".join(f"{name} {value}" for name, value in best["settings"].items())
            lines.append(f"| {key} | {method} | {settings} | {best['psnr']:.2f} |")
    return "\n".join(lines) + "\n"
