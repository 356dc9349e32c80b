"""Real frames: nobody knows their truth, so what is measured is what a method must not do, and what it calms.

Cysts of phantoms, discs put into real speckle, discs that were not there, and region means are those of the
table "harm" of `usenhance bench enhance`. Added: the signal-to-noise ratio of even speckle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...quality.contrast import snr
from ..contenders import INPUT, contenders
from ..enhance import harm
from ..enhance.answers import answer_all
from ..enhance.discs import RADIUS, real_ground
from ..enhance.intervals import interval, table
from ..images import load_images

DEFAULT_LIMIT = 8

NOTES = """\
Even speckle: a disc of radius 10 pixels in the most even speckle of each val frame; SNR = mean / standard
deviation of its grey values.
"""


def measure(
    data: Path,
    methods: Sequence[str],
    *,
    limit: int | None,
    seed: int,
    processes: int | None,
    device: str,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure the input and the methods on val frames of PSFHS and HC18 and on phantoms.

    limit: val frames of each data set, 8 when None; other parameters and errors as of `run`.
    """
    how: dict[str, Any] = {"processes": processes, "device": device, "progress": progress}
    count = limit or DEFAULT_LIMIT
    found = harm.measure(data, methods, limit=count, seed=seed, cache=cache.parent, **how)
    grounds = [
        real_ground(image) for name in harm.DATASETS for image in load_images(data, name, "val", count, seed)
    ]
    rows = contenders(methods)
    answers = answer_all(rows, [ground.pixels for ground in grounds], cache=cache, **how)
    even = {
        row.key: [
            snr(frame[_disc(ground.pixels.shape, ground.centre)])
            for frame, ground in zip(answers[row.key], grounds, strict=True)
        ]
        for row in rows
    }
    kinds = [ground.kind for ground in grounds]
    summary = {
        key: {
            kind: interval(
                [value for value, own in zip(values, kinds, strict=True) if own == kind], seed=seed
            )
            for kind in dict.fromkeys(kinds)
        }
        for key, values in even.items()
    }
    return {"harm": found, "kinds": kinds, "even_speckle": even, "summary": summary}


def _disc(shape: tuple[int, ...], centre: tuple[int, int]) -> np.ndarray:
    row, column = np.ogrid[: shape[0], : shape[1]]
    return np.hypot(row - centre[0], column - centre[1]) <= RADIUS


def render(record: dict[str, Any]) -> str:
    """Return the section of what `measure` returned."""
    rows = [(key, title) for key, title, _ in record["harm"]["rows"]]
    summary = record["summary"]
    kinds = list(summary[INPUT])
    lines = [NOTES, *table("SNR of even speckle", rows, kinds, lambda key, kind: summary[key][kind], 2)]
    return "\n".join([*lines, "", harm.render(record["harm"])])
