"""The numbers of a model that turn the spread of its answers into an expected error."""

from __future__ import annotations

import math

from ..errors import ModelError
from ..models import INFERENCE, ModelDescription

SCALE, FLOOR = "uncertainty_scale", "uncertainty_floor"
"""Names in configs/inference.json, written by `usenhance bench calibrate`."""

SHIFTED = "_shifted"
"""Added to both names for frames outside the model's domain."""


def calibration(model: ModelDescription, *, shifted: bool = False) -> tuple[float, float]:
    """Return what turns a spread into an expected error: a factor and an addend.

    shifted: for frames outside the model's domain; the same as for others where the model does not tell them
    apart.

    Raises:
        ModelError: they are no finite numbers from 0 on.
    """
    usual = (SCALE, 1.0), (FLOOR, 0.0)
    given = model.inference
    try:
        scale, floor = (float(given.get(name, default)) for name, default in usual)
        if shifted:
            scale, floor = float(given.get(SCALE + SHIFTED, scale)), float(given.get(FLOOR + SHIFTED, floor))
    except (TypeError, ValueError):
        scale = floor = math.nan
    if not (0 <= scale < math.inf and 0 <= floor < math.inf):
        raise ModelError(
            f"The calibration of the uncertainty in {model.folder / INFERENCE} is no pair of numbers from 0 "
            "on: install the model again."
        )
    return scale, floor
