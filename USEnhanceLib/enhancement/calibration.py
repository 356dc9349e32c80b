"""The numbers of a model that turn the spread of its answers into an expected error."""

from __future__ import annotations

import math

from ..errors import ModelError
from ..models import INFERENCE, ModelDescription

SCALE, FLOOR = "uncertainty_scale", "uncertainty_floor"
"""Names in configs/inference.json, written by `usenhance bench calibrate`."""


def calibration(model: ModelDescription) -> tuple[float, float]:
    """Return what turns a spread into an expected error: a factor and an addend.

    Raises:
        ModelError: they are no finite numbers from 0 on.
    """
    try:
        scale = float(model.inference.get(SCALE, 1.0))
        floor = float(model.inference.get(FLOOR, 0.0))
    except (TypeError, ValueError):
        scale = floor = math.nan
    if not (0 <= scale < math.inf and 0 <= floor < math.inf):
        raise ModelError(
            f"The calibration of the uncertainty in {model.folder / INFERENCE} is no pair of numbers from 0 "
            "on: install the model again."
        )
    return scale, floor
