"""From the scores of single images to means, intervals and differences of the table under noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..conditions import CONDITIONS, FOURIER, GAUSSIAN, HEAVY, SPECKLE
from ..contenders import CLASSICAL, INPUT, LEARNED, OURS, TOLD_GAIN, Contender
from ..statistics import bootstrap_mean

METRICS = ("psnr", "ssim")

ALL = "all"
RIVALS: dict[str, tuple[str, ...]] = {
    ALL: (INPUT, CLASSICAL, LEARNED),
    CLASSICAL: (CLASSICAL,),
    LEARNED: (LEARNED,),
    TOLD_GAIN: (INPUT, CLASSICAL),
}
"""What ours is compared with -> the roles of its rows; `TOLD_GAIN` takes those with the gain undone."""

GOALS: tuple[tuple[str, str, dict[str, float], str, float], ...] = (
    ("heavy Gaussian noise, best other network", LEARNED, {GAUSSIAN: HEAVY[GAUSSIAN]}, "psnr", 1.0),
    ("heavy Gaussian noise, best other network", LEARNED, {GAUSSIAN: HEAVY[GAUSSIAN]}, "ssim", 0.05),
    ("severe speckle, best other network", LEARNED, {SPECKLE: HEAVY[SPECKLE]}, "psnr", 2.0),
    ("severe speckle, best other network", LEARNED, {SPECKLE: HEAVY[SPECKLE]}, "ssim", 0.05),
    ("heavy end of every family, best filter", CLASSICAL, HEAVY, "psnr", 2.0),
    ("heavy Fourier noise, best filter told the gain", TOLD_GAIN, {FOURIER: HEAVY[FOURIER]}, "psnr", 2.0),
)
"""Where, against what, in which families, in which metric, and the least difference wanted of ours."""

Scores = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]
"""Condition -> row -> metric -> figures of the images."""


def summarise(
    scores: Mapping[str, Scores], groups: Mapping[str, Sequence[str]], rows: Sequence[Contender], seed: int
) -> dict[str, Any]:
    """Return "ours", "cells" and "goals".

    cells: data set -> condition -> "rows" (row -> metric -> mean, low, high) and "differences" (rival ->
    metric -> best, mean, low, high: ours minus the best of `RIVALS`, paired by image).  ours: the first
    network of our architecture, None where there is none; others of it are no rivals.  groups: of the images
    of each data set; whole groups are drawn for the intervals.
    """
    ours = next((row.key for row in rows if row.role == OURS), None)
    cells = {
        dataset: {
            condition: {
                "rows": {
                    row: {
                        metric: vars(bootstrap_mean(figures[metric], groups[dataset], seed=seed))
                        for metric in METRICS
                    }
                    for row, figures in column.items()
                },
                "differences": _differences(column, rows, ours, groups[dataset], seed) if ours else {},
            }
            for condition, column in columns.items()
        }
        for dataset, columns in scores.items()
    }
    return {"ours": ours, "cells": cells, "goals": judge(cells) if ours else []}


def judge(cells: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what became of each goal: its cells, how many reach it, and how many do so with certainty.

    A cell reaches a goal where the mean difference does, and surely where its interval's lower end does.
    """
    verdicts = []
    for where, rival, families, metric, wanted in GOALS:
        heavy = {entry.name for entry in CONDITIONS if entry.family in families and entry.is_heavy}
        found = [
            {"dataset": dataset, "condition": name, **cell["differences"][rival][metric]}
            for dataset, columns in cells.items()
            for name, cell in columns.items()
            if name in heavy and rival in cell["differences"]
        ]
        if found:
            verdicts.append(
                {
                    "where": where,
                    "metric": metric,
                    "wanted": wanted,
                    "cells": len(found),
                    "reached": sum(cell["mean"] >= wanted for cell in found),
                    "surely": sum(cell["low"] >= wanted for cell in found),
                    "mean": float(np.mean([cell["mean"] for cell in found])),
                    "least": min(found, key=lambda cell: cell["mean"]),
                }
            )
    return verdicts


def _differences(
    column: Mapping[str, Mapping[str, Sequence[float]]],
    rows: Sequence[Contender],
    ours: str,
    groups: Sequence[str],
    seed: int,
) -> dict[str, dict[str, Any]]:
    differences = {}
    for rival, roles in RIVALS.items():
        keys = [row.key for row in rows if row.role in roles]
        if rival == TOLD_GAIN:
            keys = [f"{key}, {TOLD_GAIN}" for key in keys]
        keys = [key for key in keys if key in column]
        if keys:
            differences[rival] = {
                metric: _difference(column, ours, keys, metric, groups, seed) for metric in METRICS
            }
    return differences


def _difference(
    column: Mapping[str, Mapping[str, Sequence[float]]],
    ours: str,
    rivals: Sequence[str],
    metric: str,
    groups: Sequence[str],
    seed: int,
) -> dict[str, Any]:
    best = max(rivals, key=lambda row: np.mean(column[row][metric]))
    paired = np.subtract(column[ours][metric], column[best][metric])
    return {"best": best, **vars(bootstrap_mean(paired, groups, seed=seed))}
