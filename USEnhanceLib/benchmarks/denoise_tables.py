"""From the scores of single images to the tables of the denoising benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .conditions import CONDITIONS
from .contenders import KNOWN_GAIN, Contender, contenders
from .images import DATASETS
from .statistics import Estimate, bootstrap_mean

METRICS = {"psnr": ("PSNR, dB", 2), "ssim": ("SSIM", 3)}

NOTES = """\
PSNR = 10 log10(1 / mean squared error). SSIM as of Wang et al. 2004, Gaussian window 11 x 11, sigma 1.5.
Data range 1, results clipped to [0, 1]; MONAI computes both. Cells: mean over images [95 % bootstrap
interval, whole groups of near-duplicate frames drawn together].

Noise: additive Gaussian of standard deviation sigma; Fourier noise |F^-1((1 - g) F(I) + g s z)| with s the
root mean square of |F(I)|. Median, NLM, SRAD and BM3D have parameters tuned for each data set, noise family
and level on training images (largest mean PSNR). NLM, SRAD and BM3D are given the true noise level: sigma,
or for Fourier noise the standard deviation of (degraded - (1 - g) frame), measured on each frame. Rows with
"known gain" are also told g and divide their result by 1 - g. The network is told nothing.

Differences: ours minus the best other row of the column, paired by image; the best other was chosen by its
mean on these very images, in its favour."""


def summarise(scores: Sequence[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Return data set -> condition -> rows (means with intervals) and differences, ours minus the best other.

    scores: as `score_image` returns them, with contenders in the same order for every image.
    """
    return {
        dataset.name: {
            condition.name: _summarise_column(
                [score for score in scores if score["dataset"] == dataset.name], condition.name, seed
            )
            for condition in CONDITIONS
        }
        for dataset in DATASETS
    }


def render_markdown(record: dict[str, Any]) -> str:
    """Return the tables of a record of the denoising benchmark."""
    machine = record["machine"]
    parts = ["# Denoising", "", NOTES, "", f"`{record['command']}`", ""]
    parts.append(
        f"Commit {record['commit']}, torch {machine['torch']}, {machine['processor']}, "
        f"{machine['cores']} cores, {record['wall_seconds']:.0f} s in all."
    )
    methods = record["options"]["methods"]
    for dataset in DATASETS:
        drawn = record["images"][dataset.name]
        parts += ["", f"## {dataset.title}: {len(drawn['names'])} images in {drawn['groups']} groups"]
        parts += ["", f"Compared with {dataset.target}."]
        for metric, (title, digits) in METRICS.items():
            parts += ["", *_table(record["summary"][dataset.name], methods, metric, title, digits)]
    return "\n".join(parts) + "\n"


def _summarise_column(scores: Sequence[dict[str, Any]], condition: str, seed: int) -> dict[str, Any]:
    rows = list(scores[0]["conditions"][condition])
    groups = [score["group"] for score in scores]
    column: dict[str, Any] = {
        "rows": {
            row: {
                **{
                    metric: vars(bootstrap_mean(_values(scores, condition, row, metric), groups, seed=seed))
                    for metric in METRICS
                },
                "seconds": float(np.mean(_values(scores, condition, row, "seconds"))),
            }
            for row in rows
        },
        "differences": {},
    }
    networks = [row for row in rows if not row.endswith(KNOWN_GAIN) and Contender(row).is_network]
    for network in networks:
        for told, suffix in ((False, ""), (True, f", {KNOWN_GAIN}")):
            others = [row for row in rows if row not in networks and (told or not row.endswith(KNOWN_GAIN))]
            if not others or (told and not any(row.endswith(KNOWN_GAIN) for row in others)):
                continue
            column["differences"][network + suffix] = {
                metric: _difference(scores, condition, network, others, metric, groups, seed)
                for metric in METRICS
            }
    return column


def _difference(
    scores: Sequence[dict[str, Any]],
    condition: str,
    network: str,
    others: Sequence[str],
    metric: str,
    groups: Sequence[str],
    seed: int,
) -> dict[str, Any]:
    best = max(others, key=lambda row: _values(scores, condition, row, metric).mean())
    paired = _values(scores, condition, network, metric) - _values(scores, condition, best, metric)
    return {"best_other": best, **vars(bootstrap_mean(paired, groups, seed=seed))}


def _values(scores: Sequence[dict[str, Any]], condition: str, row: str, value: str) -> np.ndarray:
    return np.array([score["conditions"][condition][row][value] for score in scores])


def _table(
    summary: dict[str, Any], methods: Sequence[str], metric: str, title: str, digits: int
) -> list[str]:
    lines = [
        "| " + " | ".join([title, *(condition.name for condition in CONDITIONS)]) + " |",
        "|---" * (len(CONDITIONS) + 1) + "|",
    ]
    for row in contenders(methods, CONDITIONS[-1].family):
        cells = []
        for condition in CONDITIONS:
            values = summary[condition.name]["rows"].get(row.key)
            cells.append(_cell(values[metric], digits) if values else "")
        lines.append("| " + " | ".join([row.title, *cells]) + " |")
    keys = dict.fromkeys(key for condition in CONDITIONS for key in summary[condition.name]["differences"])
    for key in keys:
        cells = []
        for condition in CONDITIONS:
            difference = summary[condition.name]["differences"].get(key)
            values = difference[metric] if difference else None
            cells.append(f"{_cell(values, digits, sign='+')} {values['best_other']}" if values else "")
        label = "best other of all" if key.endswith(KNOWN_GAIN) else f"best other without {KNOWN_GAIN}"
        lines.append(f"| {key.removesuffix(f', {KNOWN_GAIN}')} minus {label} | " + " | ".join(cells) + " |")
    return lines


def _cell(values: dict[str, Any], digits: int, sign: str = "") -> str:
    estimate = Estimate(values["mean"], values["low"], values["high"])
    mean, low, high = (f"{value:{sign}.{digits}f}" for value in (estimate.mean, estimate.low, estimate.high))
    return f"{mean} [{low}, {high}]"
