"""Contact sheet of real frames: before, after, the uncertainty, and where not to trust the picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...enhancement import load_enhancer
from ...enhancement.distrust import distrusted
from ...frames import read_frames
from ..contact_sheet import picture_row, save_sheet, stacked
from ..figures import displayed, subjects

COLUMNS = ("before", "after", "uncertainty", "do not trust")
FULL_SCALE = 0.2
"""Uncertainty that is shown white, as a share of the grey scale."""


def draw(
    data: Path,
    method: str,
    path: Path,
    *,
    seed: int,
    device: str,
    progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Write the sheet as PNG and return the facts of each row.

    method: a diffusion, by name or folder.  Raises InputError where data are missing or the sheet cannot be
    written.
    """
    enhancer = load_enhancer(method, device)
    chosen = subjects(data, seed)
    rows, facts = [], []
    for done, subject in enumerate(chosen, start=1):
        frames = read_frames(subject.path)
        middle = len(frames.pixels) // 2
        result = enhancer(frames.pixels[middle : middle + 1], seed=seed, uncertainty=True)
        pixels = frames.pixels.copy()
        pixels[middle] = result.frames[0]
        sector = frames.sector if frames.sector.ndim == 2 else frames.sector[middle]
        unsure = result.uncertainty * sector
        threshold = result.parameters["distrust_above"]
        marked = distrusted(unsure, threshold)[0].astype(bool)
        before, after = (displayed(version, middle) for version in (frames, frames.with_pixels(pixels)))
        shown = np.rint(255 * np.clip(unsure[0] / FULL_SCALE, 0, 1)).astype(np.uint8)
        distrust = after.copy()
        distrust[marked] = distrust[marked] // 2 + np.array((127, 40, 0), np.uint8)
        rows.append(picture_row(f"{subject.title}, {subject.path.stem}", (before, after, shown, distrust)))
        facts.append(
            {
                "title": subject.title,
                "file": subject.path.name,
                "frame": middle,
                "seconds": round(result.seconds, 3),
                "mean_uncertainty": round(float(result.uncertainty[0][sector].mean(dtype=float)), 5),
                "distrusted": round(float(marked[sector].mean()), 5),
                "notes": list(result.notes),
            }
        )
        if progress is not None:
            progress(done, len(chosen))
    heading = (
        f"USEnhance {result.method} {result.model_version}: " + " | ".join(COLUMNS) + "; uncertainty is "
        f"white from {round(255 * FULL_SCALE)} grey levels on, not to be trusted above {255 * threshold:.0f}"
    )
    save_sheet(stacked(heading, rows), path)
    return facts
