"""Whether the uncertainty map tells where the enhanced frame is wrong, and how wrong.

Crops of validation frames (PSFHS, HC18) are degraded and enhanced; the error is the distance to NLLR of the
undegraded frame. The spread over flips and turns is set against that of an ensemble, each as it is and after
a calibration fitted to crops of training frames under the same conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..enhancement.calibration import FLOOR, SCALE
from ..errors import OptionError
from ..models import find_model
from ..quality import calibration
from ..quality.calibration import Calibration, fit_calibration
from .images import DATASETS
from .record import name_of_method, provenance, write_json, write_text
from .spread import CONDITIONS, FLIPS, Sample, draw_samples
from .statistics import bootstrap_mean

DEFAULT_LIMIT = 8
DEFAULT_SIZE = 128

METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "pearson": calibration.pearson,
    "spearman": calibration.spearman,
    "caught": calibration.caught_error,
    "ause": calibration.ause,
    "coverage": calibration.coverage,
    "ence": calibration.calibration_error,
}
"""Figures of a map, by their name in records."""

AS_IT_IS = "as it is"
FITTED = "calibrated"
SHIPPED = "as the model brings it"

FORMULAS = """\
u is the map, e the absolute error against NLLR of the undegraded frame, over the pixels of one crop under one
condition. Pearson, Spearman: correlation of u and e, and of their ranks. Caught: share of the summed error in
the 10 % of pixels with the largest u. AUSE: area between the sparsification curves of u and of e itself (mean
error of the pixels that remain over that of all, against the share left out), 0 for a perfect ranking.
Coverage: share of pixels with e <= 2 u, 95.4 % where errors are normal. ENCE: mean over 20 bins of equally
many pixels sorted by u of |U - E| / U, root mean squares of u and e in the bin; over all crops and conditions
at once. Others: mean over crops and conditions with 95 % bootstrap interval over groups of images.
Calibrated: a spread + b, with a and b fitted to crops of training frames; rankings within a crop stay.
"""


def run(
    data: Path,
    json_path: Path,
    *,
    markdown_path: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    methods: Sequence[str] | None = None,
    ensemble: Sequence[str] | None = None,
    size: int | None = None,
    processes: int | None = None,
    device: str = "cpu",
    cache: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure; write the record and, where asked, the table.

    limit: validation crops per data set, 8 when None; half as many training crops are used to calibrate.
    methods: networks, by name or folder; "scunet" when None.  ensemble: folders of the models that form an
    ensemble with each of the methods.  size: edge of the crops, 128 pixels when None.  cache: folder that
    keeps targets, beside the record when None. Raises OptionError where two models of an ensemble are the
    same; otherwise as the benchmark enhance.
    """
    chosen, members = list(methods or ["scunet"]), list(ensemble or [])
    for method in chosen:
        _check_members(method, members)
    count, edge = limit or DEFAULT_LIMIT, size or DEFAULT_SIZE
    shared = {
        "size": edge,
        "seed": seed,
        "processes": processes,
        "device": device,
        "cache": Path(cache or Path(json_path).parent / "cache"),
    }
    record = provenance(
        "uncertainty", data, limit=count, size=edge, seed=seed, methods=chosen, ensemble=members or None
    )
    record["networks"] = {}
    for number, method in enumerate(chosen):
        done = _share(progress, 2 * number, 2 * len(chosen))
        fitting = draw_samples(
            data, "train", method, members, limit=max(1, count // 2), progress=done, **shared
        )
        done = _share(progress, 2 * number + 1, 2 * len(chosen))
        testing = draw_samples(data, "val", method, members, limit=count, progress=done, **shared)
        record["networks"][name_of_method(method)] = _measure(method, fitting, testing, seed)
    write_json(Path(json_path), record)
    if markdown_path is not None:
        write_text(Path(markdown_path), render_markdown(record))
    return record


def fit(samples: Iterable[Sample], kind: str) -> Calibration:
    """Fit the calibration of a kind of spread to all pixels of the samples."""
    chosen = list(samples)
    return fit_calibration(
        np.concatenate([sample.spreads[kind].ravel() for sample in chosen]),
        np.concatenate([sample.error.ravel() for sample in chosen]),
    )


def _check_members(method: str, members: Sequence[str]) -> None:
    """Refuse weights that take part twice: they would agree with themselves."""
    seen: dict[str, str] = {}
    for name in (method, *members):
        weights = find_model(name).sha256
        if weights in seen:
            raise OptionError(f"{name} has the weights of {seen[weights]}: give models that differ.")
        seen[weights] = name


def _share(
    progress: Callable[[int, int], None] | None, part: int, parts: int
) -> Callable[[int, int], None] | None:
    """Report the work of one of several parts as work on the whole, counted as if all were of one size."""
    if progress is None:
        return None
    return lambda done, total: progress(part * total + done, parts * total)


def _measure(method: str, fitting: list[Sample], testing: list[Sample], seed: int) -> dict[str, Any]:
    model = find_model(method)
    rows: dict[str, dict[str, Any]] = {}
    for kind in testing[0].spreads:
        fitted = fit(fitting, kind)
        ways = {AS_IT_IS: Calibration(), FITTED: fitted}
        if kind == FLIPS and SCALE in model.inference:
            ways[SHIPPED] = Calibration(model.inference[SCALE], model.inference.get(FLOOR, 0.0))
        for way, calibrate in ways.items():
            rows[f"{kind}, {way}"] = {
                "scale": round(calibrate.scale, 4),
                "floor": round(calibrate.floor, 6),
                **_figures(testing, kind, calibrate, seed),
            }
    return {
        "version": model.version,
        "sha256": model.sha256,
        "fitted_on": sorted({sample.image.name for sample in fitting}),
        "measured_on": sorted({sample.image.name for sample in testing}),
        "mean_error": {
            condition: round(float(np.mean([s.error.mean() for s in testing if s.condition == condition])), 5)
            for condition in CONDITIONS
        },
        "rows": rows,
    }


def _figures(samples: list[Sample], kind: str, calibrate: Calibration, seed: int) -> dict[str, Any]:
    maps = [calibrate(sample.spreads[kind]) for sample in samples]
    errors = [sample.error for sample in samples]
    singles = {
        metric: [METRICS[metric](map_, error) for map_, error in zip(maps, errors, strict=True)]
        for metric in METRICS
        if metric != "ence"
    }
    groups = [f"{sample.image.dataset}/{sample.image.group}" for sample in samples]
    everywhere = (np.concatenate([values.ravel() for values in frames]) for frames in (maps, errors))
    pooled = METRICS["ence"](*everywhere)
    by_part: dict[str, dict[str, float]] = {}
    parts = {name: lambda s, name=name: s.condition == name for name in CONDITIONS}
    parts |= {entry.name: lambda s, name=entry.name: s.image.dataset == name for entry in DATASETS}
    for part, belongs in parts.items():
        chosen = [index for index, sample in enumerate(samples) if belongs(sample)]
        if chosen:
            by_part[part] = {
                metric: round(float(np.mean([values[index] for index in chosen])), 4)
                for metric, values in singles.items()
            }
    means = {}
    for metric, values in singles.items():
        estimate = bootstrap_mean(values, groups, seed=seed)
        means[metric] = [round(number, 4) for number in (estimate.mean, estimate.low, estimate.high)]
    return {
        "means": means,
        "ence": round(pooled, 4) if np.isfinite(pooled) else None,
        "by_part": by_part,
        "singles": {metric: [round(value, 4) for value in values] for metric, values in singles.items()},
    }


def render_markdown(record: dict[str, Any]) -> str:
    """Return the tables of a record."""
    machine = record["machine"]
    lines = ["# Uncertainty", "", f"`{record['command']}`", "", FORMULAS]
    lines.append(
        f"Commit {record['commit']}, torch {machine['torch']}, {machine['processor']}. Crops of "
        f"{record['options']['size']} x {record['options']['size']} pixels, {record['options']['limit']} "
        f"each of PSFHS and HC18, under {len(CONDITIONS)} conditions."
    )
    for network, facts in record["networks"].items():
        lines += ["", f"## {network} {facts['version']}", ""]
        lines += [
            "| map | a, b | Pearson | Spearman | caught | AUSE | coverage, % | ENCE |",
            "|---" * 8 + "|",
        ]
        for name, row in facts["rows"].items():
            means = row["means"]
            cells = [name, f"{row['scale']:.2f}, {row['floor']:.4f}"]
            cells += [_interval(means[metric]) for metric in ("pearson", "spearman", "caught", "ause")]
            cells += [_interval([100 * number for number in means["coverage"]], 1)]
            cells += ["infinite" if row["ence"] is None else f"{row['ence']:.2f}"]
            lines.append("| " + " | ".join(cells) + " |")
        lines += ["", "By condition and data set:", ""]
        names = [name for name in facts["rows"] if AS_IT_IS not in name]
        header = [
            "",
            "mean error",
            *(f"{name}: {what}" for name in names for what in ("Spearman", "coverage, %")),
        ]
        lines += ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
        for part in facts["rows"][names[0]]["by_part"]:
            error = facts["mean_error"].get(part)
            cells = [part, "" if error is None else f"{error:.4f}"]
            for name in names:
                figures = facts["rows"][name]["by_part"][part]
                cells += [f"{figures['spearman']:.2f}", f"{100 * figures['coverage']:.1f}"]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _interval(numbers: Sequence[float], digits: int = 2) -> str:
    mean, low, high = (f"{number:.{digits}f}" for number in numbers)
    return f"{mean} ({low} to {high})"
