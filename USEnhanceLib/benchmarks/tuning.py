"""Search of the classical filters' parameters on training images: they enter the tables at their best.

Every combination of `GRIDS` is tried on the central 192 x 192 pixels of a few training images, for each data
set, noise family and level; the largest mean PSNR wins. For Fourier noise there are two winners: of the
result as it is, and of the result divided by the true gain.

The winners are written as the module `tuned_parameters.py` beside the record: copy it into this folder.
"""

from __future__ import annotations

import itertools
import pprint
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..quality.fidelity import psnr
from .conditions import CONDITIONS, FOURIER, Condition, Degraded
from .contenders import filter_with_oracle, tuned_key, undo_gain
from .images import DATASETS, BenchmarkImage, load_images, targets_of
from .pool import map_tasks
from .record import provenance, write_json, write_text

DEFAULT_LIMIT = 4
CROP = 192

# noise_factor and speckle_factor multiply the true noise. Both exceed 1 where the target, NLLR, is smoother
# than the undegraded frame: the frame's own speckle is to go with the noise.
GRIDS: dict[str, dict[str, Sequence[Any]]] = {
    "median": {"size": (3, 5, 7, 9)},
    "nlm": {
        "noise_factor": (1.0, 1.4),
        "strength": (0.4, 0.6, 0.8, 1.1, 1.5, 2.0, 2.8, 4.0, 5.6),
        "patch_size": (5,),
        "search_distance": (6,),
        "fast": (False,),
    },
    "srad": {
        "speckle_factor": (0.7, 1.0, 1.5, 2.2, 3.2, 4.5, 6.5, 9.0, 13.0),
        "iterations": (3, 5, 10, 25, 50, 100, 200),
        "time_step": (0.2,),
    },
    "bm3d": {"noise_factor": (0.7, 0.9, 1.1, 1.4, 1.8, 2.4, 3.2, 4.5, 6.0, 8.5, 12.0, 17.0)},
}

_HEADER = '''"""Parameters of the classical filters in the denoising tables, found by `tuning`.

"<data set>, <condition>[, known gain]" -> filter -> parameters.
"""

from __future__ import annotations

from typing import Any

'''


@dataclass(frozen=True, eq=False)
class _Task:
    image: BenchmarkImage
    target: np.ndarray
    condition: Condition
    method: str
    seed: int


def run(
    data: Path,
    json_path: Path,
    *,
    markdown_path: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    processes: int | None = None,
    cache: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Try all combinations; write the record, the table where asked, and `tuned_parameters.py` beside it.

    limit: training images per data set, drawn evenly; 4 when None. Other parameters and errors as of the
    denoising benchmark.
    """
    images = [
        image
        for dataset in DATASETS
        for image in load_images(data, dataset.name, "train", limit or DEFAULT_LIMIT, seed)
    ]
    targets = targets_of(images, Path(cache or Path(json_path).parent / "targets"), processes)
    tasks = [
        _Task(_crop(image), _centre(target), condition, method, seed)
        for image, target in zip(images, targets, strict=True)
        for condition in CONDITIONS
        for method in GRIDS
    ]
    results = map_tasks(_try_combinations, tasks, processes, progress)
    trials = _average(tasks, results)
    tuned = _winners(trials)

    record = provenance("tune", data, limit=limit or DEFAULT_LIMIT, seed=seed)
    record |= {"crop": CROP, "images": [image.name for image in images], "trials": trials, "tuned": tuned}
    write_json(Path(json_path), record)
    write_text(Path(json_path).with_name("tuned_parameters.py"), render_module(tuned))
    if markdown_path is not None:
        write_text(Path(markdown_path), _render_markdown(trials))
    return record


def render_module(tuned: Mapping[str, Any]) -> str:
    """Return the text of the module `tuned_parameters`."""
    table = pprint.pformat(dict(tuned), width=100, sort_dicts=False)
    return f"{_HEADER}TUNED: dict[str, dict[str, dict[str, Any]]] = {table}\n"


def combinations(method: str) -> list[dict[str, Any]]:
    """Return all settings of a filter's grid."""
    grid = GRIDS[method]
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def _try_combinations(task: _Task) -> list[tuple[float, float]]:
    """Return PSNR as it is and with the true gain undone, for every combination."""
    degraded = task.condition.degrade(task.image.pixels, task.image.name, task.seed)
    return [
        _score(filter_with_oracle(task.method, settings, degraded), degraded, task.target)
        for settings in combinations(task.method)
    ]


def _score(restored: np.ndarray, degraded: Degraded, target: np.ndarray) -> tuple[float, float]:
    both = np.stack([restored, undo_gain(restored, degraded)])
    plain, corrected = psnr(both, np.stack([target, target]))
    return float(plain), float(corrected)


def _average(
    tasks: Sequence[_Task], results: Sequence[list[tuple[float, float]]]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return key -> filter -> settings with their mean PSNR over the images of a data set."""
    collected: dict[tuple[str, str], list[list[float]]] = {}
    for task, result in zip(tasks, results, strict=True):
        for knows_gain in (False, True):
            if knows_gain and task.condition.family != FOURIER:
                continue
            key = tuned_key(task.image.dataset, task.condition, knows_gain)
            collected.setdefault((key, task.method), []).append([pair[knows_gain] for pair in result])
    trials: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for (key, method), scores in collected.items():
        trials.setdefault(key, {})[method] = [
            {"settings": settings, "psnr": round(float(mean), 3)}
            for settings, mean in zip(combinations(method), np.mean(scores, axis=0), strict=True)
        ]
    return trials


def _winners(trials: dict[str, dict[str, list[dict[str, Any]]]]) -> dict[str, dict[str, dict[str, Any]]]:
    return {
        key: {
            method: max(entries, key=lambda entry: entry["psnr"])["settings"]
            for method, entries in methods.items()
        }
        for key, methods in trials.items()
    }


def _render_markdown(trials: dict[str, dict[str, list[dict[str, Any]]]]) -> str:
    lines = [
        "# Tuned parameters of the classical filters",
        "",
        "| where | filter | best settings | PSNR, dB |",
    ]
    lines.append("|---|---|---|---|")
    for key, methods in trials.items():
        for method, entries in methods.items():
            best = max(entries, key=lambda entry: entry["psnr"])
            settings = ", ".join(f"{name} {value}" for name, value in best["settings"].items())
            lines.append(f"| {key} | {method} | {settings} | {best['psnr']:.2f} |")
    return "\n".join(lines) + "\n"


def _crop(image: BenchmarkImage) -> BenchmarkImage:
    return BenchmarkImage(image.dataset, image.name, image.group, _centre(image.pixels))


def _centre(frame: np.ndarray) -> np.ndarray:
    rows, columns = (max(0, (length - CROP) // 2) for length in frame.shape)
    return np.ascontiguousarray(frame[rows : rows + CROP, columns : columns + CROP])
