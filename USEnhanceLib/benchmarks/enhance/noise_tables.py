"""The Markdown of the table under noise: how ours does on top, then all figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..conditions import BLUR_SIZES, CONDITIONS, FOURIER, GAUSSIAN, GRAIN, LEVELS, SPECKLE, Condition
from ..contenders import LEARNED, TOLD_GAIN
from ..images import DATASETS
from .noise_summary import ALL, METRICS

NAMES = {"psnr": "PSNR", "ssim": "SSIM"}
UNITS = {"psnr": " dB", "ssim": ""}
DIGITS = {"psnr": 2, "ssim": 3}
FAMILIES = {
    GAUSSIAN: "Gaussian noise, sigma",
    FOURIER: "Fourier noise, g",
    SPECKLE: "Rayleigh speckle, dynamic range in dB",
}

NOTES = f"""\
PSNR = 10 log10(1 / mean squared error). SSIM as of Wang et al. 2004, Gaussian window 11 x 11, sigma 1.5.
Data range 1, results clipped to [0, 1]; MONAI computes both. Intervals: 95 % bootstrap over images, whole
groups of near-duplicate frames drawn together; those of SSIM are in the record.

Degradation: blur by a Gaussian PSF of k x k pixels, sigma (k - 1) / 6, then noise. Gaussian: additive, of
standard deviation sigma. Fourier: |F^-1((1 - g) F(I) + g s z)|, s the root mean square of |F(I)|, z complex
normal. Speckle: I + (20 log10 R - mean) / dynamic range, R a Rayleigh envelope whose field is correlated by a
Gaussian of {GRAIN:g} pixel: the smaller the dynamic range, the stronger.

Classical filters are at their best: told the true noise level (sigma; 5.57 dB / dynamic range; for Fourier
noise the deviation of degraded - (1 - g) blurred frame, measured on each frame), with parameters tuned for
largest mean PSNR on training images of each data set, noise family and level, without blur (`usenhance bench
tune`). NLLR estimates the noise itself, and networks are told nothing. Fourier noise also dims a frame by
1 - g: "best filter told the gain" is the best filter (or the input) after division by 1 - g, for which the
filters were tuned."""


def render(record: dict[str, Any]) -> str:
    """Return the section of what `measure` returned."""
    parts = [NOTES, "", f"Crops of {record['size']} x {record['size']} pixels, seed {record['seed']}."]
    if record["summary"]["ours"]:
        parts += ["", *_verdicts(record)]
    for dataset in DATASETS:
        drawn = record["images"][dataset.name]
        count, groups = len(drawn["names"]), len(set(drawn["groups"]))
        parts += ["", f"### {dataset.title}: {count} images in {groups} groups"]
        parts += ["", f"Compared with {dataset.target}. Cells: PSNR in dB [interval] / SSIM, best in bold."]
        for family, title in FAMILIES.items():
            for size in BLUR_SIZES:
                columns = [Condition(family, level, size) for level in LEVELS[family]]
                parts += ["", *_table(record, dataset.name, columns, title, size)]
    return "\n".join(parts)


def _verdicts(record: dict[str, Any]) -> Iterator[str]:
    summary = record["summary"]
    ours, cells = summary["ours"], summary["cells"]
    yield f"**How {ours} does.** First means a larger mean than every other row that is not told the gain."
    yield ""
    yield "| data set | noise | " + " | ".join(f"first in {NAMES[metric]}" for metric in METRICS) + " |"
    yield "|---|---|---|---|"
    total = dict.fromkeys(METRICS, 0)
    for dataset in DATASETS:
        for family in LEVELS:
            found = [
                cells[dataset.name][entry.name]["differences"][ALL]
                for entry in CONDITIONS
                if entry.family == family
            ]
            first = {metric: sum(cell[metric]["mean"] > 0 for cell in found) for metric in METRICS}
            total = {metric: total[metric] + first[metric] for metric in METRICS}
            counts = " | ".join(f"{first[metric]} of {len(found)}" for metric in METRICS)
            yield f"| {dataset.title} | {family} | {counts} |"
    everywhere = len(DATASETS) * len(CONDITIONS)
    yield "| all | all | " + " | ".join(f"{total[metric]} of {everywhere}" for metric in METRICS) + " |"
    told = [
        cell["differences"][TOLD_GAIN]
        for columns in cells.values()
        for cell in columns.values()
        if TOLD_GAIN in cell["differences"]
    ]
    first = {metric: sum(cell[metric]["mean"] > 0 for cell in told) for metric in METRICS}
    counts = ", ".join(f"in {NAMES[metric]} in {first[metric]} of {len(told)}" for metric in METRICS)
    yield ""
    yield f"Under Fourier noise, ahead of every filter that is told the gain: {counts} cells."
    for metric in METRICS:
        behind = [
            f"- {dataset.name}, {name}: {_difference(cell['differences'][ALL][metric], metric)}"
            for dataset in DATASETS
            for name, cell in cells[dataset.name].items()
            if cell["differences"][ALL][metric]["mean"] <= 0
        ]
        if behind:
            yield ""
            yield f"Not first in {NAMES[metric]} (ours minus the best other, paired by image):"
            yield ""
            yield from behind
    yield ""
    yield from _goals(summary["goals"])


def _goals(verdicts: list[dict[str, Any]]) -> Iterator[str]:
    yield "Goals, ours minus the best other of the kind, paired by image (the best other is the one with the"
    yield "largest mean on these very images; surely: the interval's lower end reaches the goal too):"
    yield ""
    yield "| where, against | goal | cells that reach it | surely | mean of cells | least |"
    yield "|---|---|---|---|---|---|"
    for verdict in verdicts:
        metric, least = verdict["metric"], verdict["least"]
        digits = DIGITS[metric]
        yield (
            f"| {verdict['where']} | {NAMES[metric]} +{verdict['wanted']:.{digits}f}{UNITS[metric]} "
            f"| {verdict['reached']} of {verdict['cells']} | {verdict['surely']} "
            f"| {verdict['mean']:+.{digits}f} "
            f"| {_difference(least, metric)}, {least['dataset']}, {least['condition']} |"
        )


def _table(
    record: dict[str, Any], dataset: str, columns: list[Condition], title: str, size: int
) -> Iterator[str]:
    cells = [record["summary"]["cells"][dataset][column.name] for column in columns]
    blur = "no blur" if size == 1 else f"blur k = {size}"
    yield f"| {title}; {blur} | " + " | ".join(_level(column) for column in columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    plain = [row["key"] for row in record["rows"]]
    best = [
        {metric: max(cell["rows"][key][metric]["mean"] for key in plain) for metric in METRICS}
        for cell in cells
    ]
    for row in record["rows"]:
        texts = [_cell(cell["rows"][row["key"]], top) for cell, top in zip(cells, best, strict=True)]
        yield f"| {row['title']} | " + " | ".join(texts) + " |"
    if columns[0].family == FOURIER:
        told = [_best_told(cell) for cell in cells]
        yield "| best filter told the gain | " + " | ".join(told) + " |"
    for rival, label in ((ALL, "best other"), (LEARNED, "best other network")):
        if all(rival in cell["differences"] for cell in cells) and (
            rival == ALL or any(row["role"] == LEARNED for row in record["rows"])
        ):
            texts = [
                " / ".join(_difference(cell["differences"][rival][metric], metric) for metric in METRICS)
                for cell in cells
            ]
            yield f"| {record['summary']['ours']} minus {label} | " + " | ".join(texts) + " |"


def _best_told(cell: dict[str, Any]) -> str:
    told = {key: figures for key, figures in cell["rows"].items() if key.endswith(TOLD_GAIN)}
    key = max(told, key=lambda key: told[key]["psnr"]["mean"])
    return f"{_cell(told[key], {})} {key.removesuffix(f', {TOLD_GAIN}')}"


def _cell(figures: dict[str, Any], best: dict[str, float]) -> str:
    texts = {}
    for metric in METRICS:
        text = f"{figures[metric]['mean']:.{DIGITS[metric]}f}"
        texts[metric] = f"**{text}**" if figures[metric]["mean"] == best.get(metric) else text
    return f"{texts['psnr']} [{figures['psnr']['low']:.1f}, {figures['psnr']['high']:.1f}] / {texts['ssim']}"


def _difference(values: dict[str, Any], metric: str) -> str:
    mean, low, high = (f"{values[name]:+.{DIGITS[metric]}f}" for name in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}] {values['best']}"


def _level(condition: Condition) -> str:
    return f"{condition.level:.0f}" if condition.family == SPECKLE else f"{condition.level:.2f}"
