"""Table 2: whether the spread over the members tells where a despeckled frame is wrong, and by how much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...quality import calibration
from ..enhance.intervals import cell, interval
from .spread import BLOCK, Sample, draw_samples
from .test_sets import OTHER_DISPLAY, OTHERS_SET, REFERENCE_SET, TestPair, shifted, simulated

SPREAD, SHOWN = "standard deviation over the members", "as shown, calibrated"
WAYS = {SPREAD: "spread", SHOWN: "shown"}
METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "pearson": calibration.pearson,
    "spearman": calibration.spearman,
    "caught": calibration.caught_error,
    "coverage": calibration.coverage,
    "ause": calibration.ause,
}
TITLES = {
    "pearson": "Pearson",
    "spearman": "Spearman",
    "caught": "error in the top 10 %",
    "coverage": "coverage",
    "ause": "AUSE",
}
WHOLE = "all probes"

NOTES = """\
u is the map, e the absolute error against the clean frame, over the pixels of a frame inside the sector; mean
[95 % bootstrap interval over subjects]. Error in the top 10 %: share of the summed error in the tenth of the
pixels with the largest u. Coverage: share of pixels with e <= 2 u, 95.4 % where errors are normal. AUSE: area
between the sparsification curves of u and of e itself, 0 for a perfect ranking. Were every error normal with
exactly the deviation u, Pearson would be `sqrt(2/pi) c / sqrt(1 + c^2 - 2/pi)` with c the coefficient of
variation of u: "ceiling" has it for the map as shown. Blocks: Pearson of the means over {block} x {block}
pixels. Other displays: the same frames with a gain of {gain[0]} to {gain[1]}, an offset of {offset[0]} to
{offset[1]} and a magnification of {zoom[0]:g} to {zoom[1]:g}; smaller: shrunk, so that their speckle is
finer. Both are unlike anything in training. Outside: share of the frames that the model takes for shifted.
"""


def measure(
    data: Path,
    method: str,
    *,
    folder: Path,
    limit: int | None,
    seed: int,
    processes: int | None,
    device: str,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure the ensemble's map on every probe and on shifted frames; errors as of `run`.

    method: the ensemble, by name or folder.  folder: of the simulated sets.  limit: pairs of each probe.
    """
    pairs = [
        pair
        for chosen in (REFERENCE_SET, OTHERS_SET)
        for pair in simulated(data, chosen, folder, limit=limit, processes=processes, progress=progress)
    ]
    groups: dict[str, list[TestPair]] = {}
    for pair in pairs:
        groups.setdefault(pair.probe, []).append(pair)
    probes = list(groups)
    groups |= shifted(pairs)
    shown = [pair for group in groups.values() for pair in group]
    samples = iter(draw_samples(shown, method, processes=processes, device=device, progress=progress))
    drawn = {name: [next(samples) for _ in group] for name, group in groups.items()}
    usual = [sample for probe in probes for sample in drawn[probe]]
    parts = {WHOLE: usual, **drawn}
    return {"parts": {name: _figures(group, seed) for name, group in parts.items()}}


def _figures(samples: Sequence[Sample], seed: int) -> dict[str, Any]:
    subjects = [sample.subject for sample in samples]
    found: dict[str, Any] = {
        "count": len(samples),
        "outside": round(float(np.mean([bool(sample.unusual) for sample in samples])), 4),
        "mean_error": round(float(np.mean([sample.error.mean() for sample in samples])), 5),
        "blocks": interval([calibration.pearson(*sample.coarse) for sample in samples], subjects, seed),
        "ceiling": round(float(np.mean([ceiling(sample.shown) for sample in samples])), 4),
        "maps": {},
    }
    errors = [sample.error for sample in samples]
    for way, part in WAYS.items():
        maps = [getattr(sample, part) for sample in samples]
        found["maps"][way] = {
            name: interval(list(map(metric, maps, errors)), subjects, seed)
            for name, metric in METRICS.items()
        }
    return found


def ceiling(deviations: np.ndarray) -> float:
    """Return Pearson's r of the deviations (any shape) and absolute normal errors that have exactly those."""
    mean = float(deviations.mean(dtype=float))
    variation = float(deviations.std(dtype=float)) / mean if mean > 0 else 0.0
    half_normal = 2 / np.pi
    return float(np.sqrt(half_normal) * variation / np.sqrt(1 + variation**2 - half_normal))


def render(record: dict[str, Any]) -> str:
    """Return the section of what `measure` returned."""
    lines = [NOTES.format(block=BLOCK, **vars(OTHER_DISPLAY))]
    header = ["map", "frames", *TITLES.values(), "ceiling", "blocks", "outside"]
    lines += ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    for part, found in record["parts"].items():
        for way, means in found["maps"].items():
            cells = [f"{part}: {way}", str(found["count"])]
            cells += [
                cell(means[name], 1 if name in ("caught", "coverage") else 2, factor=_factor(name))
                for name in TITLES
            ]
            if way == SHOWN:
                cells += [f"{found['ceiling']:.2f}", cell(found["blocks"], 2)]
                cells += [f"{100 * found['outside']:.0f} %"]
            else:
                cells += ["", "", ""]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _factor(name: str) -> float:
    return 100.0 if name in ("caught", "coverage") else 1.0
