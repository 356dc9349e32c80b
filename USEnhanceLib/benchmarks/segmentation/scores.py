"""Figures of the outlines of one frame against a reference: overlap, distances, angle of progression."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ...errors import USEnhanceError
from ...segmentation import STRUCTURES, angle_of_progression, dice
from ...segmentation.orientation import RIGHT
from ...segmentation.overlap import surface_distances
from ...training.structure_data import OutlinedFrame

METRICS = ("dice", "hd95", "asd")
ANGLE = "aop"


@dataclass(frozen=True)
class Score:
    """Figures of a frame by name, such as "dice FH", None where there is none; and refusals.

    The distances are in pixels; "aop" is the absolute difference of the angles in degrees.
    """

    figures: dict[str, float | None]
    refused: dict[str, str] = field(default_factory=dict)


def score(labels: np.ndarray, reference: np.ndarray) -> Score:
    """Compare outlines [H, W] with a reference of the same size."""
    figures: dict[str, float | None] = {}
    for structure in STRUCTURES:
        distances = surface_distances(labels, reference, structure.label)
        values = dice(labels, reference, structure.label), distances.hausdorff95, distances.average
        for metric, value in zip(METRICS, values, strict=True):
            figures[f"{metric} {structure.short}"] = _finite(value)
    angles = {whose: _angle(own) for whose, own in (("found", labels), ("reference", reference))}
    refused = {whose: angle for whose, angle in angles.items() if isinstance(angle, str)}
    figures[ANGLE] = None if refused else abs(angles["found"] - angles["reference"])
    return Score(figures, refused)


def _angle(labels: np.ndarray) -> float | str:
    """The angle of progression in degrees, in the display of all of PSFHS, or why there is none."""
    try:
        return angle_of_progression(labels, inferior_side=RIGHT).degrees
    except USEnhanceError as error:
        return str(error)


def dice_of(labels: np.ndarray, reference: np.ndarray) -> dict[str, float | None]:
    """Dice alone, by the short name of the structure."""
    return {s.short: _finite(dice(labels, reference, s.label)) for s in STRUCTURES}


def independent(frames: Sequence[OutlinedFrame], limit: int | None, seed: int) -> list[OutlinedFrame]:
    """One frame of each group, drawn by the seed, of at most `limit` groups evenly spread."""
    groups: dict[str, list[OutlinedFrame]] = {}
    for frame in sorted(frames, key=lambda frame: frame.name):
        groups.setdefault(frame.group, []).append(frame)
    random = np.random.default_rng(seed)
    drawn = [own[int(random.integers(len(own)))] for own in groups.values()]
    step = 1 if limit is None else max(1, len(drawn) / limit)
    return [drawn[int(i * step)] for i in range(len(drawn) if limit is None else min(limit, len(drawn)))]


def pixels_of(frame: OutlinedFrame) -> np.ndarray:
    """The frame as enhancers and segmenters take it, float32 [H, W] in [0, 1]."""
    return frame.pixels.astype(np.float32) / 255


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
