"""The outline of a structure in a label map: its one part, the points around it, and where it is cut.

Points are (x, y) in pixels, 0 being the centre of the first pixel, so an outline runs between pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError, MeasurementRefused
from .structures import Structure

# Least size: pixels, and share of the frame. The smallest symphysis of PSFHS has 560 pixels, .9 % of it.
LEAST_PIXELS = 50
LEAST_SHARE = 0.001
COMPARABLE = 0.3
"""A second part with this share of the largest one makes it unsure which of them is the structure."""
ON_BORDER = 1.5
"""An outline that is not further from the border of frame or sector, in pixels, runs along it."""


def one_frame(labels: np.ndarray) -> np.ndarray:
    """Return a label map [H, W] or [1, H, W] as [H, W]; raises InputError for other shapes and types."""
    labels = np.asarray(labels)
    if labels.ndim == 3 and len(labels) == 1:
        labels = labels[0]
    if labels.ndim != 2 or labels.size == 0 or labels.dtype.kind not in "uib":
        raise InputError("Labels must be whole numbers of one frame, [H, W]: measure frame by frame.")
    return labels


def check_sector(sector: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """Return the sector as bool [H, W], all True for None; raises InputError where its shape is another."""
    if sector is None:
        return np.ones(shape, dtype=bool)
    sector = np.asarray(sector, dtype=bool)
    if sector.shape != shape:
        raise InputError(
            f"The sector {sector.shape} and the labels {shape} differ in size: give those of one frame."
        )
    return sector


def pixel_size(spacing: Sequence[float] | None) -> np.ndarray:
    """Return `spacing` (row, column) as the size of a pixel along (x, y), 1 and 1 for None.

    Raises InputError where it is not two positive numbers.
    """
    if spacing is None:
        return np.ones(2)
    size = np.asarray(spacing, dtype=float)
    if size.shape != (2,) or not (np.isfinite(size).all() and (size > 0).all()):
        raise InputError(f"The spacing is two positive numbers (row, column), not {spacing!r}.")
    return size[::-1]


def largest_part(labels: np.ndarray, structure: Structure) -> np.ndarray:
    """Return the connected part of `structure` in `labels` [H, W], holes filled, as bool [H, W].

    Raises MeasurementRefused where the structure is missing, too small, or has several parts of like size.
    """
    from scipy import ndimage

    parts, count = ndimage.label(labels == structure.label, np.ones((3, 3)))
    if count == 0:
        raise MeasurementRefused(f"The {structure.name.lower()} is missing in this frame.")
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    order = np.argsort(areas)[::-1]
    if areas[order[0]] < max(LEAST_PIXELS, LEAST_SHARE * labels.size):
        raise MeasurementRefused(f"The {structure.name.lower()} is too small in this frame to be measured.")
    if count > 1 and areas[order[1]] > COMPARABLE * areas[order[0]]:
        raise MeasurementRefused(
            f"The {structure.name.lower()} has several parts of like size in this frame."
        )
    return ndimage.binary_fill_holes(parts == order[0])


def outline_points(mask: np.ndarray) -> np.ndarray:
    """Return the middles of all edges between pixels in and out of `mask` (bool [H, W]), float [M, 2] (x, y).

    They lie on both sides of a smooth outline in equal shares, so that a fit to them has its size.
    """
    padded = np.pad(mask, 1)
    rows = np.argwhere(padded[1:] != padded[:-1]) + np.array([0.5, 0])
    columns = np.argwhere(padded[:, 1:] != padded[:, :-1]) + np.array([0, 0.5])
    return np.concatenate([rows, columns])[:, ::-1] - 1.0


def on_border(points: np.ndarray, sector: np.ndarray) -> np.ndarray:
    """Tell which `points` [M, 2] run along the border of the frame or of `sector` (bool [H, W]), bool [M]."""
    from scipy.spatial import cKDTree

    size = np.array(sector.shape[::-1])
    at_frame = np.minimum(points + 0.5, size - 0.5 - points).min(axis=1) <= ON_BORDER
    if not sector.any():
        return at_frame
    distances, _ = cKDTree(outline_points(sector)).query(points)
    return at_frame | (distances <= ON_BORDER)
