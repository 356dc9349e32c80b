"""Table 3: what a network that knows one probe loses on others, and what training on all of them saves."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ...enhancement import Enhancer, load_enhancer
from ...quality.fidelity import psnr
from ..enhance.intervals import cell, interval
from ..pool import map_tasks
from .test_sets import OTHERS_SET, REFERENCE, REFERENCE_SET, TestPair, simulated

SINGLE, DIVERSIFIED = "single", "diversified"

COLUMNS = (
    *("probe", "pairs", "gain, trained on one probe", "gain, diversified", "difference"),
    *("loss, one probe", "loss, diversified", "share of the loss that is left"),
)

NOTES = """\
Gain in PSNR (dB, inside the sector) over the speckled frame: of a network that was trained on the reference
probe alone, and of one member of ours, trained on all probes with drawn frequencies, attenuations and others;
same size, same number of steps, same sampler, one member each. Loss = gain on the reference probe less gain
on the other one. Intervals: 95 % bootstrap over subjects.
"""


def measure(
    data: Path,
    method: str,
    single: str,
    *,
    folder: Path,
    limit: int | None,
    seed: int,
    processes: int | None,
    device: str,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure both networks on every probe.

    method: the diffusion whose first member was trained on all probes.  single: one that was trained on the
    reference probe alone.  Other parameters and errors as of `run`.
    """
    pairs = [
        pair
        for chosen in (REFERENCE_SET, OTHERS_SET)
        for pair in simulated(data, chosen, folder, limit=limit, processes=processes, progress=progress)
    ]
    gains = {
        name: map_tasks(_gain, [(model, device, pair) for pair in pairs], processes, progress)
        for name, model in ((SINGLE, single), (DIVERSIFIED, method))
    }
    probes = list(dict.fromkeys(pair.probe for pair in pairs))
    summary: dict[str, Any] = {}
    for probe in probes:
        places = [place for place, pair in enumerate(pairs) if pair.probe == probe]
        subjects = [pairs[place].subject for place in places]
        found = {name: np.array([values[place] for place in places]) for name, values in gains.items()}
        summary[probe] = {name: interval(list(values), subjects, seed) for name, values in found.items()}
        summary[probe]["saved"] = interval(list(found[DIVERSIFIED] - found[SINGLE]), subjects, seed)
        summary[probe]["count"] = len(places)
    return {
        "probes": [pair.probe for pair in pairs],
        "subjects": [pair.subject for pair in pairs],
        "gains": {name: [round(value, 4) for value in values] for name, values in gains.items()},
        "summary": summary,
    }


def _gain(task: tuple[str, str, TestPair]) -> float:
    model, device, pair = task
    found = _one_member(model, device)(pair.speckled[None]).frames
    after, before = (
        psnr(frames, pair.clean[None], pair.sector)[0] for frames in (found, pair.speckled[None])
    )
    return float(after - before)


@lru_cache(maxsize=2)
def _one_member(model: str, device: str) -> Enhancer:
    return load_enhancer(model, device, samples=1)


def render(record: dict[str, Any]) -> str:
    """Return the section of what `measure` returned."""
    summary = record["summary"]
    lines = [NOTES]
    lines += [
        "| " + " | ".join(COLUMNS) + " |",
        "|---" * len(COLUMNS) + "|",
    ]
    for probe, found in summary.items():
        cells = [probe, str(found["count"])]
        cells += [cell(found[name], 2, sign="+") for name in (SINGLE, DIVERSIFIED, "saved")]
        losses = [summary[REFERENCE][name]["mean"] - found[name]["mean"] for name in (SINGLE, DIVERSIFIED)]
        if probe == REFERENCE:
            cells += ["", "", ""]
        else:
            left = f"{100 * losses[1] / losses[0]:.0f} %" if losses[0] > 0 else "no loss"
            cells += [f"{losses[0]:.2f}", f"{losses[1]:.2f}", left]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
