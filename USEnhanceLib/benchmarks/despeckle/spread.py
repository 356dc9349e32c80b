"""Spreads and errors of simulated frames, as ensembles of diffusions give them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ...enhancement.calibration import FLOOR, SCALE, SHIFTED, calibration
from ...enhancement.domain import domain_of
from ...enhancement.irsde import IRSDEEnhancer
from ...models import ModelDescription, find_model
from ..pool import map_tasks
from .test_sets import TestPair

BLOCK = 8
"""About what an eye takes in at once; the absolute error of a single pixel is mostly chance."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A despeckled frame inside the sector, pixel by pixel: float32 [P] each, in the unit of the frame.

    Attributes:
        probe, subject: where it comes from.
        spread: cross-model standard deviation.
        shown: what the enhancer says of it, calibrated.
        error: absolute.
        coarse: means of spread and error over blocks of `BLOCK` x `BLOCK` pixels inside the sector, [2, B].
        unusual: statistics in which the frame lies outside the model's domain.
    """

    probe: str
    subject: str
    spread: np.ndarray
    shown: np.ndarray
    error: np.ndarray
    coarse: np.ndarray
    unusual: tuple[str, ...]


def draw_samples(
    pairs: Sequence[TestPair],
    method: str,
    *,
    processes: int | None,
    device: str,
    progress: Callable[[int, int], None] | None = None,
) -> list[Sample]:
    """Despeckle pairs with an ensemble, by name or folder, and compare."""
    return map_tasks(_despeckle, [(pair, str(method), device) for pair in pairs], processes, progress)


def _despeckle(task: tuple[TestPair, str, str]) -> Sample:
    pair, method, device = task
    # Read anew for each frame: a calibration may have been written meanwhile, the weights stay.
    model = find_model(method)
    domain = domain_of(model)
    result = _plain(method, device)(pair.speckled[None], uncertainty=True)
    whole_error = np.abs(result.frames[0] - pair.clean)
    coarse = np.stack([block_means(values, pair.sector) for values in (result.uncertainty[0], whole_error)])
    spread = result.uncertainty[0][pair.sector]
    unusual = tuple(domain.unusual(pair.speckled)) if domain is not None else ()
    scale, floor = calibration(model, shifted=bool(unusual))
    shown = scale * spread + np.float32(floor)
    return Sample(pair.probe, pair.subject, spread, shown, whole_error[pair.sector], coarse, unusual)


def block_means(values: np.ndarray, sector: np.ndarray) -> np.ndarray:
    """Return the means of values [H, W] over the blocks that lie inside a sector, bool [H, W]."""
    rows, columns = (length // BLOCK for length in values.shape)
    parts = [
        part[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
        for part in (values, sector)
    ]
    return parts[0].mean(axis=(1, 3), dtype=np.float64)[parts[1].all(axis=(1, 3))]


@lru_cache(maxsize=1)
def _plain(method: str, device: str) -> IRSDEEnhancer:
    return IRSDEEnhancer(uncalibrated(find_model(method)), device)


def uncalibrated(model: ModelDescription) -> ModelDescription:
    """Return the description without calibrations, so that the enhancer gives the plain spread."""
    left_out = {name + ending for name in (SCALE, FLOOR) for ending in ("", SHIFTED)}
    kept = {name: value for name, value in model.inference.items() if name not in left_out}
    return replace(model, inference=kept)
