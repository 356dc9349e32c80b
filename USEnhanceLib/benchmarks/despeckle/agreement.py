"""How far the fast engine agrees with SIMUS, and what a pair costs with each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ...simulation.grid import image_grid
from ...simulation.pair import simulate_pair
from ...simulation.phantoms import disc, homogeneous
from ...simulation.probes import PROBES
from ...simulation.setting import draw_setting
from ...simulation.statistics import engines_agree

TIMED = {"fast": 10, "simus": 1}
"""Pairs that are timed after a first one. The fast engine comes first: both share point spread functions."""

COLUMNS = (
    *("probe", "SNR, SIMUS", "SNR, fast", "axial width, difference", "lateral width, difference"),
    *("histogram", "SIMUS, s a pair", "fast, first pair", "fast, s a pair"),
)

NOTES = """\
Homogeneous tissue, 128 x 128 pixels, each probe as it is usually used. SNR: mean over standard deviation of
the envelope before compression, 1.91 for fully developed speckle. Widths: full widths at half maximum of its
autocovariance, samples along and across the beams. Histogram: total variation between the histograms of the
levels, 0 alike, 1 apart. First pair: with the point spread functions, which later pairs of a setting share.
Wall seconds with {threads} thread(s).
"""


def measure(
    *, seed: int, progress: Callable[[int, int], None] | None = None, frames: int = 2
) -> dict[str, Any]:
    """Compare the engines for every probe.

    frames: homogeneous ones, of each engine.
    """
    import torch

    probes = {}
    for done, probe in enumerate(PROBES, start=1):
        setting = draw_setting(probe, np.random.default_rng(seed))
        tissue = disc(image_grid(setting), -20.0)
        seconds = {}
        for engine, count in TIMED.items():
            begin = time.perf_counter()
            simulate_pair(tissue, setting, engine)
            first = time.perf_counter() - begin
            begin = time.perf_counter()
            for number in range(count):
                simulate_pair(homogeneous(setting.size), replace(setting, seed=number), engine)
            each = (time.perf_counter() - begin) / count
            seconds[engine] = {"first": round(first, 3), "each": round(each, 4)}
        found = engines_agree(setting, frames)
        probes[probe.name] = {
            "simus": {name: round(value, 4) for name, value in asdict(found.exact).items()},
            "fast": {name: round(value, 4) for name, value in asdict(found.fast).items()},
            "differences": {name: round(value, 4) for name, value in found.differences().items()},
            "histogram": round(found.histogram, 4),
            "seconds": seconds,
        }
        if progress is not None:
            progress(done, len(PROBES))
    return {"threads": torch.get_num_threads(), "probes": probes}


def render(record: dict[str, Any]) -> str:
    """Return the section of what `measure` returned."""
    lines = [NOTES.format(**record)]
    lines += [
        "| " + " | ".join(COLUMNS) + " |",
        "|---" * len(COLUMNS) + "|",
    ]
    for probe, found in record["probes"].items():
        differences, seconds = found["differences"], found["seconds"]
        cells = [probe, f"{found['simus']['snr']:.3f}", f"{found['fast']['snr']:.3f}"]
        cells += [f"{100 * differences[name]:+.1f} %" for name in ("axial", "lateral")]
        cells += [f"{found['histogram']:.3f}", f"{seconds['simus']['each']:.2f}"]
        cells += [f"{seconds['fast']['first']:.2f}", f"{seconds['fast']['each']:.4f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
