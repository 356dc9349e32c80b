"""The curve of a run: loss, scores and times by step, in a CSV file that survives a kill."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

CURVE = "curve.csv"


def _header(columns: Sequence[str]) -> list[str]:
    return ["step", "loss", *columns, "seconds", "cpu_seconds"]


def add_to_curve(folder: Path, row: Mapping[str, float], columns: Sequence[str]) -> None:
    """Append a row; columns that it lacks stay empty. `columns` are those between the loss and the times."""
    file = folder / CURVE
    with file.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, _header(columns), lineterminator="\n")
        if file.stat().st_size == 0:
            writer.writeheader()
        writer.writerow(row)


def cut_curve(folder: Path, step: int, columns: Sequence[str]) -> None:
    """Drop what a killed run wrote between its last checkpoint, at `step`, and its end: it is done again."""
    file = folder / CURVE
    if not file.is_file():
        return
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    header = ",".join(_header(columns)) + "\n"
    kept = [line for line in lines[1:] if line.endswith("\n") and int(line.split(",")[0]) <= step]
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text("".join((header, *kept)), encoding="utf-8")
    unfinished.replace(file)
