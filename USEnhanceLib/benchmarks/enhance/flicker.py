"""Cine: how restless a real cine is where nothing moves, and whether its brightness pumps, before and after.

The cine of 30 frames that ships inside pydicom, an apical view of a heart (pixel by pixel as read from the
file). Every frame is enhanced by itself, blind. What stands still is decided from the input alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...frames import read_frames
from ...quality.flicker import brightness, flicker_map, static_region, temporal_deviation_map
from ..contenders import INPUT, contenders
from ..images import CINE, cine_file
from .answers import answer_all
from .intervals import Interval, interval, recorded, shown, table

__all__ = ["measure", "render"]

BLOCK = 16
SHARE, DARKEST, SCALE = 0.25, 0.05, 2.0

NOTES = """\
{frames} frames of {height} x {width} pixels, enhanced one by one. Static: the {share:.0%} of the pixels
inside the scan sector and brighter than {darkest} on average that vary least over time, relative to their
mean, after a Gaussian of {scale:g} pixels; {pixels} pixels, chosen in the input. Flicker = sqrt(mean over t
of (I(t+1) - I(t))^2 / 2), in grey levels of 255, mean over static pixels; with 95 % bootstrap intervals over
blocks of 16 x 16 pixels. Deviation = standard deviation over time. Pumping = standard deviation over time of
the mean grey level of the sector; steps = the largest change of it from one frame to the next. Following =
correlation over time of that mean with the input's."""


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
    """Measure flicker and pumping of the cine after each method.

    data: its dicom folder holds the cine; else the one inside pydicom is read.  limit: frames from the first
    on, all when None.
    Other parameters and errors as of `run`.
    """
    rows = contenders(methods)
    file = data / "dicom" / CINE
    frames = read_frames(file if file.is_file() else cine_file())
    cine = frames.pixels[: max(2, limit or len(frames.pixels))]
    sector = frames.sector if frames.sector.ndim == 2 else frames.sector.all(axis=0)
    static = static_region(cine, sector, share=SHARE, darkest=DARKEST, scale=SCALE)
    answers = answer_all(
        rows,
        list(cine),
        processes=processes,
        device=device,
        cache=Path(cache) / "answers",
        progress=progress,
    )
    before = brightness(cine, sector)
    results = {
        key: _measure_row(np.stack(enhanced), sector, static, before, seed)
        for key, enhanced in answers.items()
    }
    return {
        "rows": [[row.key, row.title, row.role] for row in rows],
        "file": CINE,
        "frames": len(cine),
        "height": cine.shape[1],
        "width": cine.shape[2],
        "share": SHARE,
        "darkest": DARKEST,
        "scale": SCALE,
        "pixels": int(static.sum()),
        "results": results,
    }


def _measure_row(
    cine: np.ndarray, sector: np.ndarray, static: np.ndarray, before: np.ndarray, seed: int
) -> dict[str, Any]:
    row, column = np.nonzero(static)
    blocks = (row // BLOCK * cine.shape[2] + column // BLOCK).tolist()
    means = brightness(cine, sector)
    return {
        "flicker": interval((255 * flicker_map(cine)[static]).tolist(), blocks, seed),
        "deviation": interval((255 * temporal_deviation_map(cine)[static]).tolist(), blocks, seed),
        "brightness": [round(float(255 * mean), 4) for mean in means],
        "pumping": round(float(255 * means.std()), 4),
        "largest_step": round(float(255 * np.abs(np.diff(means)).max()), 4),
        "following": _correlation(means, before),
    }


def _correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    spread = first.std() * second.std()
    return (
        recorded(np.mean((first - first.mean()) * (second - second.mean())) / spread, 5) if spread else None
    )


def render(record: dict[str, Any]) -> str:
    """Return the section from what `measure` returned."""
    results = record["results"]
    rows = [(key, title) for key, title, _ in record["rows"]]
    names = {"flicker": "flicker", "deviation": "deviation"}

    def find(key: str, column: str) -> Interval | None:
        return results[key][names[column]]

    lines = table("Grey levels", rows, list(names), find, 2)
    extra = {
        "flicker against the input": lambda key: (
            f"{results[key]['flicker']['mean'] / results[INPUT]['flicker']['mean'] - 1:+.0%}"
        ),
        "mean": lambda key: f"{np.mean(results[key]['brightness']):.2f}",
        "pumping": lambda key: f"{results[key]['pumping']:.3f}",
        "largest step": lambda key: f"{results[key]['largest_step']:.3f}",
        "following": lambda key: shown(results[key]["following"], 4),
    }
    lines[0] += " " + " | ".join(extra) + " |"
    lines[1] += "---|" * len(extra)
    for index, (key, _) in enumerate(rows, start=2):
        lines[index] += " " + " | ".join(figure(key) for figure in extra.values()) + " |"
    return "\n".join([NOTES.format(**record), "", *lines]) + "\n"
