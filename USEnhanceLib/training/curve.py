"""The curve of a run: loss, scores and times by step, in a CSV file that survives a kill."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

CURVE = "curve.csv"
COLUMNS = (
    "step",
    "loss",
    "psnr_ultrasound",
    "psnr_natural",
    "ssim_ultrasound",
    "ssim_natural",
    "seconds",
    "cpu_seconds",
)


def add_to_curve(folder: Path, row: Mapping[str, float]) -> None:
    """Append a row; columns that it lacks stay empty."""
    file = folder / CURVE
    with file.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        if file.stat().st_size == 0:
            writer.writeheader()
        writer.writerow(row)


def cut_curve(folder: Path, step: int) -> None:
    """Drop what a killed run wrote between its last checkpoint, at `step`, and its end: it is done again."""
    file = folder / CURVE
    if not file.is_file():
        return
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    header = ",".join(COLUMNS) + "\n"
    kept = [line for line in lines[1:] if line.endswith("\n") and int(line.split(",")[0]) <= step]
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text("".join((header, *kept)), encoding="utf-8")
    unfinished.replace(file)
