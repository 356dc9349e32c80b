"""Whether a frame looks like those that a model learned from.

A few statistics of its speckle and its grey values are held against the range that they have in training. A
frame outside is shown all the same, with a warning and with the calibration for such frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..models import INFERENCE, ModelDescription

DOMAIN = "domain"
"""Name in configs/inference.json: the lowest and highest usual value of each statistic."""

STATISTICS = {
    "mean": "its mean grey value",
    "grain": "the strength of its speckle",
    "along": "the length of its speckle along the beams",
    "across": "the width of its speckle across the beams",
}
"""What is measured, in words."""

SMOOTH = 2.0
"""Standard deviation in pixels of the Gaussian that tells tissue from speckle."""
DARK = 0.02
"""Grey value below which a pixel is background or shadow and shows no speckle."""
FEWEST = 400
"""Pixels with speckle that statistics need."""

Frame = NDArray[np.float32]


def frame_statistics(frame: Frame) -> dict[str, float]:
    """Return the statistics of a frame [H, W] in [0, 1] where it shows tissue; {} where there is too little.

    mean: of grey values.  grain: standard deviation of the frame less its Gaussian average.  along, across:
    correlation of that difference with itself one pixel further down, and one to the right.
    """
    from scipy.ndimage import gaussian_filter

    frame = np.asarray(frame, dtype=np.float64)
    smooth = gaussian_filter(frame, SMOOTH)
    shown = smooth > DARK
    # A border of the sector is no speckle.
    shown &= gaussian_filter(shown.astype(np.float64), SMOOTH) > 0.99
    if shown.sum() < FEWEST:
        return {}
    speckle = frame - smooth
    variance = float((speckle[shown] ** 2).mean())
    found = {"mean": float(frame[shown].mean()), "grain": variance**0.5, "along": 0.0, "across": 0.0}
    if variance > 0:
        down, right = shown[1:] & shown[:-1], shown[:, 1:] & shown[:, :-1]
        if down.any() and right.any():
            found["along"] = float((speckle[1:] * speckle[:-1])[down].mean()) / variance
            found["across"] = float((speckle[:, 1:] * speckle[:, :-1])[right].mean()) / variance
    return found


@dataclass(frozen=True)
class Domain:
    """The usual range of each statistic, lowest and highest, by its name in `STATISTICS`."""

    ranges: Mapping[str, tuple[float, float]]

    def unusual(self, frame: Frame) -> list[str]:
        """Return the names of the statistics in which a frame lies outside; none for one without tissue."""
        return [
            name
            for name, value in frame_statistics(frame).items()
            if name in self.ranges and not self.ranges[name][0] <= value <= self.ranges[name][1]
        ]


def domain_of(model: ModelDescription) -> Domain | None:
    """Return the domain of a model, None where it has none.

    Raises:
        ModelError: the settings hold something else than two numbers, the lower first, for known statistics.
    """
    given = model.inference.get(DOMAIN)
    if given is None:
        return None
    try:
        ranges = {str(name): (float(low), float(high)) for name, (low, high) in dict(given).items()}
    except (TypeError, ValueError):
        ranges = {}
    if not ranges or not all(low <= high for low, high in ranges.values()) or set(ranges) - set(STATISTICS):
        raise ModelError(
            f"The domain in {model.folder / INFERENCE} is no range of known statistics: install the model "
            "again."
        )
    return Domain(ranges)


def domain_note(counts: Mapping[str, int], strange: int, frames: int, model: str) -> str:
    """Return the warning for frames outside the domain.

    counts: of frames by statistic.  strange, frames: how many of how many lie outside.
    """
    why = ", ".join(STATISTICS[name] for name in sorted(counts, key=lambda name: -counts[name]))
    which = "The frame lies" if frames == 1 else f"{strange} of {frames} frames lie"
    return (
        f"{which} outside what {model} was trained on (unusual: {why}): compare with the original before you "
        "rely on the picture or its uncertainty."
    )
