"""Figures with 95 % bootstrap intervals over images, and the Markdown tables that they stand in."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence

from ..statistics import bootstrap_mean

Interval = dict[str, float]
"""mean, low and high of a figure, and `count`, the number of images that it comes from."""


def interval(
    values: Sequence[float | None], groups: Sequence[Hashable] | None = None, seed: int = 0
) -> Interval | None:
    """Return mean and interval of the figures that are finite; None where there is none.

    values: one per image; None or NaN where it could not be measured.  groups: which images belong together.
    """
    kept = [index for index, value in enumerate(values) if value is not None and math.isfinite(value)]
    if not kept:
        return None
    labels = None if groups is None else [groups[index] for index in kept]
    estimate = bootstrap_mean([values[index] for index in kept], labels, seed=seed)
    return {**vars(estimate), "count": len(kept)}


def recorded(value: float, digits: int = 6) -> float | None:
    """Return a figure as records hold it: rounded, None for what JSON does not know."""
    return round(float(value), digits) if math.isfinite(value) else None


def shown(value: float | None, digits: int) -> str:
    """Return a recorded figure as tables show it."""
    return "-" if value is None else f"{value:.{digits}f}"


def table(
    corner: str,
    rows: Sequence[tuple[str, str]],
    columns: Sequence[str],
    figure: Callable[[str, str], Interval | None],
    digits: int,
    *,
    factor: float = 1.0,
    sign: str = "",
) -> list[str]:
    """Return the lines of a Markdown table of intervals.

    rows: (key, title) of each.  figure: (key, column) -> interval, None for an empty cell.  factor: what
    figures are multiplied by, such as 100 for per cent.  sign: "+" to show it.
    """
    lines = ["| " + " | ".join([corner, *columns]) + " |", "|---" * (len(columns) + 1) + "|"]
    for key, title in rows:
        cells = [cell(figure(key, column), digits, factor=factor, sign=sign) for column in columns]
        lines.append("| " + " | ".join([title, *cells]) + " |")
    return lines


def cell(value: Interval | None, digits: int, *, factor: float = 1.0, sign: str = "") -> str:
    """Return "mean [low, high]", or nothing where there is no figure."""
    if value is None:
        return ""
    mean, low, high = (f"{factor * value[part]:{sign}.{digits}f}" for part in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]"
