"""Teachers: which filter shall make the training targets, measured on speckled images of known truth.

Photographs, MRI slices and drawn phantoms stand for log-compressed echogenicity. Rayleigh speckle, white or
grainy, is put on them as it looks after log compression over 60, 45 or 30 dB. NLM and BM3D are told the true
noise and have their best parameters of a grid, found for each condition on other images; so has NLLR in one
row. In the other NLLR has the parameters of the targets and knows nothing but the frame: this is the teacher.
Every filter is tried on the frame, which is log-compressed already, and on its logarithm.
"""

from __future__ import annotations

import itertools
import math
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..classical.bm3d import filter_bm3d
from ..classical.nllr import ALGORITHM_VERSION, NLLRParameters, denoise_nllr
from ..classical.nonlocal_means import filter_nonlocal_means
from ..degradation.speckle import rayleigh_speckle
from ..errors import InputError
from ..quality.fidelity import psnr, ssim
from ..training.datasets import natural_images, read_grey
from ..training.phantoms import draw_phantom
from .images import BenchmarkImage, draw_evenly
from .pool import map_tasks
from .record import provenance, write_json, write_text
from .statistics import bootstrap_mean

DEFAULT_LIMIT = 6
TUNING_LIMIT = 1
CROP = 128
SPECKLE = 10 * math.pi / (math.sqrt(6) * math.log(10))
"""Standard deviation in dB of fully developed speckle after log compression."""

LOG_OFFSET = 0.1
SOURCES = {"photographs": "photographs", "mri": "MRI slices", "phantoms": "drawn phantoms"}
METRICS = {"psnr": ("PSNR, dB", 2), "ssim": ("SSIM", 3)}

ON_FRAME = {"log": (False,)}
ON_LOGARITHM = {"log": (True,)}
GRIDS: dict[str, tuple[dict[str, Sequence[Any]], ...]] = {
    "nlm": (
        {"noise_factor": (1.0, 1.4, 2.0), "strength": (0.3, 0.45, 0.6, 0.8, 1.1, 1.5), **ON_FRAME},
        {"noise_factor": (1.0, 1.4), "strength": (0.45, 0.6, 0.8, 1.1), **ON_LOGARITHM},
    ),
    "bm3d": (
        {"noise_factor": (0.9, 1.1, 1.4, 1.8, 2.3, 2.9), **ON_FRAME},
        {"noise_factor": (1.0, 1.6), **ON_LOGARITHM},
    ),
    "nllr": (
        {"noise_factor": (0.9, 1.0, 1.1), **ON_FRAME},
        {"noise_factor": (1.0,), **ON_LOGARITHM},
    ),
}
TEACHER = "nllr, blind"
TITLES = {
    "input": "input",
    "nlm": "NLM",
    "bm3d": "BM3D",
    "nllr": "NLLR, tuned",
    TEACHER: "NLLR, blind (the teacher)",
}

NOTES = """\
PSNR = 10 log10(1 / mean squared error); SSIM as of Wang et al. 2004, window 11 x 11, sigma 1.5; data range 1.
Cells: mean over images [95 % bootstrap interval; slices of one subject drawn together]. Conditions: dynamic
range in dB, and grain, the standard deviation in pixels of the Gaussian that smooths the complex field. NLM
and BM3D are told the true noise, 5.57 dB / dynamic range, times a factor tuned with their other parameters on
training images. Seconds: for 256 x 256 pixels on one core, by processor time."""


@dataclass(frozen=True)
class SpeckleCondition:
    """Rayleigh speckle after compression over `dynamic_range` dB; its `grain` in pixels."""

    dynamic_range: float
    grain: float

    @property
    def name(self) -> str:
        """Such as "60 dB, grain 1.2"."""
        return f"{self.dynamic_range:g} dB, " + (f"grain {self.grain:g}" if self.grain else "white")

    @property
    def noise(self) -> float:
        """Standard deviation of the noise in units of the frame."""
        return SPECKLE / self.dynamic_range

    def speckle(self, image: BenchmarkImage, seed: int) -> np.ndarray:
        """Return the speckled image; speckle depends on condition, image and seed alone."""
        key = zlib.crc32(f"{seed}/{self.name}/{image.dataset}/{image.name}".encode())
        clean = torch.from_numpy(image.pixels)[None]
        generator = torch.Generator().manual_seed(key)
        return rayleigh_speckle(clean, self.dynamic_range, generator, self.grain)[0].numpy()


CONDITIONS = tuple(SpeckleCondition(level, grain) for grain in (0.0, 1.2) for level in (60.0, 45.0, 30.0))


@dataclass(frozen=True, eq=False)
class _Task:
    image: BenchmarkImage
    condition: SpeckleCondition
    seed: int
    trials: tuple[tuple[str, Mapping[str, Any] | None], ...]


def run(
    data: Path,
    json_path: Path,
    *,
    markdown_path: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Tune on training images, score on others; write the record and, where asked, the tables.

    data: folder of natural and mri.  limit: images per source to score, drawn evenly; 6 when None. One of
    each is for tuning. Raises InputError where data are missing or a file cannot
    be written.
    """
    count = limit or DEFAULT_LIMIT
    tuning = load_truth(data, "train", TUNING_LIMIT, seed)
    held_out = load_truth(data, "val", count, seed)
    trials = tuple((method, settings) for method in GRIDS for settings in combinations(method))
    tasks = [_Task(image, condition, seed, trials) for condition in CONDITIONS for image in tuning]
    steps = len(tasks) + len(CONDITIONS) * len(held_out)
    tried = map_tasks(_score, tasks, processes, progress and (lambda done, _: progress(done, steps)))
    found = _winners(tasks, tried)
    finals = [
        _Task(image, condition, seed, (("input", None), *found[condition.name].items(), (TEACHER, {})))
        for condition in CONDITIONS
        for image in held_out
    ]
    offset = len(tasks)
    scores = map_tasks(
        _score, finals, processes, progress and (lambda done, _: progress(offset + done, steps))
    )

    record = provenance("teachers", data, limit=count, seed=seed)
    record |= {"algorithm_version": ALGORITHM_VERSION, "crop": CROP, "tuned": found}
    record["images"] = {
        split: {
            source: [image.name for image in images if image.dataset == source and image.name]
            for source in SOURCES
        }
        for split, images in (("train", tuning), ("val", held_out))
    }
    record["scores"] = [
        {"source": task.image.dataset, "name": task.image.name, "group": task.image.group}
        | {"condition": task.condition.name, "rows": dict(zip(TITLES, values, strict=True))}
        for task, values in zip(finals, scores, strict=True)
    ]
    record["summary"] = summarise(record["scores"], seed)
    write_json(Path(json_path), record)
    if markdown_path is not None:
        write_text(Path(markdown_path), render_markdown(record))
    return record


def load_truth(data: Path, split: str, limit: int, seed: int) -> list[BenchmarkImage]:
    """Return `limit` images of each source, [128, 128] or less; subjects of MRI belong to one split.

    Raises InputError where the data folder has no photographs or no MRI slices.
    """
    photographs = [(name, name, pixels) for name, pixels in natural_images(data, split)]
    files = sorted((Path(data) / "mri").glob("*/*.png"))
    subjects = sorted({_subject(file) for file in files})
    slices = [
        (f"{file.parent.name}/{file.stem}", _subject(file), file)
        for file in files
        if (subjects.index(_subject(file)) % 2 == 0) == (split == "train")
    ]
    if not slices:
        raise InputError(f"{data} has too few mri/*/*.png: give the folder described in the data README.")
    images = []
    for source, entries in (("photographs", photographs), ("mri", slices)):
        for index in draw_evenly(len(entries), limit, f"{seed}/{source}/{split}"):
            name, group, pixels = entries[index]
            frame = read_grey(pixels) if isinstance(pixels, Path) else pixels
            images.append(BenchmarkImage(source, name, group, _centre(frame)))
    for index in range(limit):
        name = f"{split}-{index}"
        generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}/{name}".encode()))
        images.append(BenchmarkImage("phantoms", name, name, draw_phantom(CROP, generator).numpy()))
    return images


def combinations(method: str) -> list[dict[str, Any]]:
    """Return all settings of a filter's grids."""
    return [
        dict(zip(grid, values, strict=True))
        for grid in GRIDS[method]
        for values in itertools.product(*grid.values())
    ]


def restore(method: str, settings: Mapping[str, Any], frame: np.ndarray, noise: float) -> np.ndarray:
    """Return the filtered frame [H, W], clipped to [0, 1].

    noise: the true standard deviation, told to NLM and BM3D. Settings: `log` filters log(I + 0.1), scaled to
    [0, 1], where the noise is what it becomes at the frame's mean; `noise_factor` multiplies the noise.
    """
    log = settings.get("log", False)
    factor = settings.get("noise_factor", 1.0)
    if method.startswith("nllr"):
        parameters = NLLRParameters(noise_factor=factor, log_offset=LOG_OFFSET if log else None)
        return denoise_nllr(torch.from_numpy(frame)[None], parameters)[0].numpy()
    span = math.log1p(1 / LOG_OFFSET)
    stack = (np.log1p(frame / LOG_OFFSET) / span if log else frame)[None]
    level = factor * noise / ((LOG_OFFSET + float(frame.mean())) * span if log else 1)
    if method == "nlm":
        strength = settings["strength"]
        stack = filter_nonlocal_means(stack, noise=level, strength=strength, search_distance=8)
    else:
        stack = filter_bm3d(stack, noise=level)
    return np.clip(np.expm1(stack[0] * span) * LOG_OFFSET if log else stack[0], 0, 1).astype(np.float32)


def summarise(scores: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """Return source ("all" too) -> condition -> row -> metric -> mean and interval, with differences.

    Differences are paired, the teacher minus NLM and minus BM3D.
    """
    summary: dict[str, Any] = {}
    for source, condition in itertools.product(("all", *SOURCES), CONDITIONS):
        chosen = [
            score
            for score in scores
            if source in ("all", score["source"]) and score["condition"] == condition.name
        ]
        groups = [score["group"] for score in chosen]
        values = {
            (row, metric): np.array([score["rows"][row][metric] for score in chosen])
            for row in TITLES
            for metric in (*METRICS, "seconds")
        }
        column: dict[str, Any] = {
            row: {
                metric: vars(bootstrap_mean(values[row, metric], groups, seed=seed))
                for metric in (*METRICS, "seconds")
            }
            for row in TITLES
        }
        for other in ("nlm", "bm3d"):
            column[f"teacher minus {other}"] = {
                metric: vars(
                    bootstrap_mean(values[TEACHER, metric] - values[other, metric], groups, seed=seed)
                )
                for metric in METRICS
            }
        summary.setdefault(source, {})[condition.name] = column
    return summary


def render_markdown(record: Mapping[str, Any]) -> str:
    """Return the tables of a record."""
    machine = record["machine"]
    parts = ["# Teachers", "", NOTES, "", f"`{record['command']}`", ""]
    parts.append(
        f"Commit {record['commit']}, NLLR version {record['algorithm_version']}, torch {machine['torch']}, "
        f"{machine['processor']}."
    )
    for source in record["summary"]:
        count = sum(len(names) for key, names in record["images"]["val"].items() if source in ("all", key))
        parts += ["", f"## {SOURCES.get(source, 'all images').capitalize()}: {count} images"]
        for metric, (title, digits) in METRICS.items():
            parts += ["", *_table(record["summary"][source], metric, title, digits)]
    seconds = record["summary"]["all"]
    parts += ["", "## Seconds and tuned parameters", "", "| method | seconds | parameters |", "|---|---|---|"]
    for row, title in TITLES.items():
        if row == "input":
            continue
        mean = np.mean([column[row]["seconds"]["mean"] for column in seconds.values()])
        settings = "; ".join(
            f"{name}: " + ", ".join(f"{key} {value}" for key, value in methods[row].items())
            for name, methods in record["tuned"].items()
            if row in methods
        )
        parts.append(f"| {title} | {mean:.2f} | {settings or 'defaults'} |")
    return "\n".join(parts) + "\n"


def _table(columns: Mapping[str, Any], metric: str, title: str, digits: int) -> list[str]:
    names = list(columns)
    lines = ["| " + " | ".join([title, *names]) + " |", "|---" * (len(names) + 1) + "|"]
    for row in columns[names[0]]:
        sign = "+" if row not in TITLES else ""
        cells = []
        for name in names:
            estimate = columns[name][row][metric]
            mean, low, high = (f"{estimate[key]:{sign}.{digits}f}" for key in ("mean", "low", "high"))
            cells.append(f"{mean} [{low}, {high}]")
        lines.append("| " + " | ".join([TITLES.get(row, row), *cells]) + " |")
    return lines


def _score(task: _Task) -> list[dict[str, float]]:
    speckled = task.condition.speckle(task.image, task.seed)
    truth = task.image.pixels[None]
    scores = []
    for method, settings in task.trials:
        started = time.process_time()
        result = (
            speckled if settings is None else restore(method, settings, speckled, task.condition.noise)
        )[None]
        seconds = (time.process_time() - started) * 256**2 / speckled.size
        scores.append(
            {
                "psnr": round(float(psnr(result, truth)[0]), 4),
                "ssim": round(float(ssim(result, truth)[0]), 5),
                "seconds": round(seconds, 3),
            }
        )
    return scores


def _winners(tasks: Sequence[_Task], results: Sequence[list[dict[str, float]]]) -> dict[str, dict[str, Any]]:
    """Return condition -> method -> the settings of the largest mean PSNR."""
    winners: dict[str, dict[str, Any]] = {}
    for condition in CONDITIONS:
        table = np.array(
            [
                [score["psnr"] for score in result]
                for task, result in zip(tasks, results, strict=True)
                if task.condition == condition
            ]
        ).mean(axis=0)
        best: dict[str, tuple[float, Any]] = {}
        for (method, settings), value in zip(tasks[0].trials, table, strict=True):
            if method not in best or value > best[method][0]:
                best[method] = (float(value), dict(settings or {}))
        winners[condition.name] = {method: settings for method, (_, settings) in best.items()}
    return winners


def _subject(file: Path) -> str:
    return f"{file.parent.name}/{file.stem.partition('_')[0]}"


def _centre(frame: np.ndarray) -> np.ndarray:
    rows, columns = (max(0, (length - CROP) // 2) for length in frame.shape)
    return np.ascontiguousarray(frame[rows : rows + CROP, columns : columns + CROP], dtype=np.float32)
