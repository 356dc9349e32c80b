"""Contact sheet of the frames that are outlined worst."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...segmentation import STRUCTURES, load_segmenter
from ...training.structure_data import BOTH, OutlinedFrame, outlined_frames
from ..contact_sheet import picture_row, save_sheet, stacked
from .scores import pixels_of

COUNT = 10
COLUMNS = ("frame", "found", "annotator's")


def worst_frames(accuracy: Mapping[str, Any], model: str) -> list[tuple[str, dict[str, float | None]]]:
    """The frames of the lowest mean Dice, worst first, each with its figures; one of each group.

    accuracy: what `accuracy.measure` returned.  model: key of the segmenter.
    """

    def mean_dice(figures: Mapping[str, float | None]) -> float:
        return float(np.mean([figures[f"dice {s.short}"] or 0.0 for s in STRUCTURES]))

    scores = accuracy["models"][model]["scores"]
    ranked = sorted(zip(accuracy["frames"], scores, strict=True), key=lambda pair: mean_dice(pair[1]))
    chosen: dict[str, tuple[str, dict[str, float | None]]] = {}
    for frame, figures in ranked:
        chosen.setdefault(frame["group"], (frame["name"], figures))
    return list(chosen.values())[:COUNT]


def draw(data: Path, accuracy: Mapping[str, Any], key: str, model: str, path: Path, device: str) -> list[str]:
    """Write the sheet as PNG and return the names of its frames."""
    frames = {frame.name: frame for frame in outlined_frames(data / BOTH, "val")}
    segmenter = load_segmenter(model, device)
    rows, names = [], []
    for name, figures in worst_frames(accuracy, key):
        frame = frames[name]
        found = segmenter(pixels_of(frame)[None])[0]
        text = ", ".join(
            f"Dice {s.short} {figures[f'dice {s.short}'] or 0:.2f}" for s in reversed(STRUCTURES)
        )
        pictures = (_grey(frame), outlined(frame.pixels, found), outlined(frame.pixels, frame.labels))
        rows.append(picture_row(f"{name} ({frame.device}): {text}", pictures, cell=256))
        names.append(name)
    save_sheet(stacked("Worst outlines, one of each group: " + " | ".join(COLUMNS), rows), path)
    return names


def outlined(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Draw the borders of labels [H, W] over uint8 pixels [H, W] in the structures' colours, [H, W, 3]."""
    from scipy.ndimage import binary_erosion

    picture = np.repeat(pixels[..., None], 3, axis=2)
    for structure in STRUCTURES:
        inside = labels == structure.label
        picture[inside & ~binary_erosion(inside)] = np.rint(255 * np.array(structure.colour))
    return picture


def _grey(frame: OutlinedFrame) -> np.ndarray:
    return np.repeat(frame.pixels[..., None], 3, axis=2)
