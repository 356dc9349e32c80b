"""Table 2, resolution: width, overshoot, gradients and contrast on drawn and on real phantoms.

Drawn phantoms (`drawn_phantoms`) are blurred by a known Gaussian, clean and with a little noise; the wires of
a real scan (`real_phantoms`) are measured along lines that were chosen by eye. Everyone works blind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...quality.resolution import (
    edge_fwhm,
    fwhm,
    gradient_strength,
    line_profile,
    michelson_contrast,
    overshoot,
    undershoot,
)
from ..contenders import INPUT, contenders
from .answers import answer_all
from .drawn_phantoms import CONDITIONS, REALISATIONS, Blurring, Phantom, draw_phantoms
from .intervals import interval, recorded
from .real_phantoms import WIRES_FILE, WIRES_VIEWS, read_crop, wire_lines
from .resolution_tables import KINDS, render

__all__ = ["measure", "render"]

METRICS = ("fwhm", "overshoot", "grad_max", "contrast")
UNBLURRED = Blurring(0.0, 0.0)
WIRE_WIDTH = 5
"""Parallel lines, in pixels of the file, that a wire's profile is averaged over."""


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
) -> dict[str, Any]:
    """Measure drawn phantoms and real wires before and after each method.

    limit: realisations of the drawn points, 2 when None and at most.  Other parameters and errors as of
    `run`.
    """
    rows = contenders(methods)
    phantoms = draw_phantoms(seed, min(limit or REALISATIONS, REALISATIONS))
    degraded = [condition.degrade(phantom, seed) for condition in CONDITIONS for phantom in phantoms]
    wires = [read_crop(data, WIRES_FILE, crop, scale) for scale, crop in WIRES_VIEWS]
    answers = answer_all(
        rows,
        [*degraded, *wires],
        processes=processes,
        device=device,
        cache=Path(cache) / "answers",
        progress=progress,
    )
    drawn: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for index, condition in enumerate(CONDITIONS):
        part = slice(index * len(phantoms), (index + 1) * len(phantoms))
        drawn[condition.name] = {
            key: measure_drawn(phantoms, frames[part]) for key, frames in answers.items()
        }
    truth = measure_drawn(phantoms, [UNBLURRED.degrade(phantom, seed) for phantom in phantoms])
    real = {
        f"{scale}": {
            key: _measure_wires(frames[len(degraded) + index], scale, crop) for key, frames in answers.items()
        }
        for index, (scale, crop) in enumerate(WIRES_VIEWS)
    }
    return {
        "rows": [[row.key, row.title, row.role] for row in rows],
        "phantoms": [phantom.name for phantom in phantoms],
        "truth": truth,
        "drawn": drawn,
        "real": real,
        "drawn_summary": {name: _summarise_drawn(column, seed) for name, column in drawn.items()},
        "truth_summary": _summarise_drawn({INPUT: truth}, seed)[INPUT],
        "real_summary": {scale: _summarise_real(column, seed) for scale, column in real.items()},
    }


def measure_drawn(
    phantoms: Sequence[Phantom], frames: Sequence[np.ndarray], *, with_faint: bool = True
) -> list[dict[str, Any]]:
    """For each phantom: kind -> metric of the mean profile of its targets, and GradMean of the frame.

    with_faint: whether the targets of faint phantoms are measured too.
    """
    figures = []
    for phantom, frame in zip(phantoms, frames, strict=True):
        entry: dict[str, Any] = {"grad_mean": round(gradient_strength(frame)[1], 6)}
        for kind in KINDS:
            lines = [line for line in phantom.measurements if line.kind == kind]
            if lines and (with_faint or not phantom.faint):
                # Noise would widen or narrow single profiles at random, and drown the weakest points.
                profile = np.mean(
                    [line_profile(frame, line.start, line.end, line.width) for line in lines], axis=0
                )
                entry[kind] = _rounded(measure_profile(profile, kind))
        figures.append(entry)
    return figures


def measure_profile(profile: np.ndarray, kind: str) -> dict[str, float]:
    """Return the figures of a profile across a bright point or line, or across an edge.

    The overshoot of a point or line is the dip beside it, as a share of its height.
    """
    edge = kind == "edge"
    return {
        "fwhm": edge_fwhm(profile) if edge else fwhm(profile),
        "overshoot": overshoot(profile) if edge else undershoot(profile),
        "grad_max": gradient_strength(profile)[0],
        "contrast": michelson_contrast(np.maximum(profile, 0)),
    }


def _rounded(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: recorded(value) for name, value in figures.items()}


def _measure_wires(frame: np.ndarray, scale: int, crop: tuple[int, int, int, int]) -> list[dict[str, Any]]:
    figures = []
    for direction, start, end in wire_lines(crop, scale):
        profile = line_profile(frame, start, end, max(1, WIRE_WIDTH // scale))
        single = measure_profile(profile, "point")
        single["fwhm"] *= scale
        single["grad_max"] /= scale
        figures.append({"direction": direction, **_rounded(single)})
    return figures


def _summarise_drawn(column: dict[str, list[dict[str, Any]]], seed: int) -> dict[str, dict[str, Any]]:
    """Key -> "point fwhm" and so on -> interval over phantoms; "narrowing" is paired with the input."""
    summary: dict[str, dict[str, Any]] = {}
    for key, entries in column.items():
        figures: dict[str, Any] = {
            "grad_mean": interval([entry["grad_mean"] for entry in entries], seed=seed)
        }
        for kind in KINDS:
            chosen = [entry[kind] for entry in entries if kind in entry]
            for metric in METRICS:
                figures[f"{kind} {metric}"] = interval([one[metric] for one in chosen], seed=seed)
            figures[f"{kind} worst overshoot"] = max((one["overshoot"] or 0.0 for one in chosen), default=0.0)
            pairs = [
                (one[kind]["fwhm"], before[kind]["fwhm"])
                for one, before in zip(entries, column[INPUT], strict=True)
                if kind in one
            ]
            figures[f"{kind} change"] = interval([_change(*pair) for pair in pairs], seed=seed)
        summary[key] = figures
    return summary


def _summarise_real(column: dict[str, list[dict[str, Any]]], seed: int) -> dict[str, dict[str, Any]]:
    summary: dict[str, dict[str, Any]] = {}
    for key, entries in column.items():
        figures: dict[str, Any] = {}
        for direction in dict.fromkeys(entry["direction"] for entry in entries):
            pairs = [
                (one, before)
                for one, before in zip(entries, column[INPUT], strict=True)
                if one["direction"] == direction
            ]
            for metric in METRICS:
                figures[f"{direction} {metric}"] = interval([one[metric] for one, _ in pairs], seed=seed)
            figures[f"{direction} change"] = interval(
                [_change(one["fwhm"], before["fwhm"]) for one, before in pairs], seed=seed
            )
        summary[key] = figures
    return summary


def _change(after: float | None, before: float | None) -> float | None:
    return None if after is None or not before else after / before - 1
