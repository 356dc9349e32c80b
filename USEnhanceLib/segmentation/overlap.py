"""How well label maps agree: the Dice coefficient, and distances between outlines.

Dice = 2 |A and B| / (|A| + |B|), over all pixels of all frames given.
HD95 = the larger of the two 95th percentiles of the distances from each outline to the other (D. P.
       Huttenlocher et al., IEEE TPAMI 15:850, 1993, with a percentile in place of the maximum).
ASD  = mean of the distances of all outline pixels, of both outlines together, to the other outline.
An outline is the pixels of a structure that have a neighbour (of four) outside, or lie at the frame's border.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from ..errors import InputError
from .outline import one_frame, pixel_size
from .structures import STRUCTURES

MILLIMETRES = "mm"
PIXELS = "pixels"


@overload
def dice(labels: np.ndarray, reference: np.ndarray, label: int) -> float: ...
@overload
def dice(labels: np.ndarray, reference: np.ndarray, label: None = None) -> float | dict[int, float]: ...
def dice(labels: np.ndarray, reference: np.ndarray, label: int | None = None) -> float | dict[int, float]:
    """Return the Dice coefficient of two masks or label maps of any one shape, 0 to 1.

    Masks (bool) give a number. Label maps (whole numbers) give that of `label`, or without it a dictionary
    with every structure's label. NaN where both are empty. Raises InputError where the shapes differ, and for
    anything but masks and whole numbers.
    """
    labels, reference = np.asarray(labels), np.asarray(reference)
    if labels.shape != reference.shape:
        raise InputError(
            f"Labels {labels.shape} and reference {reference.shape} differ in size: resample one."
        )
    if labels.dtype.kind not in "uib" or reference.dtype.kind not in "uib":
        raise InputError("Dice needs masks or whole numbers as labels: round or threshold them first.")
    if label is not None:
        return _dice(labels == label, reference == label)
    if labels.dtype == bool and reference.dtype == bool:
        return _dice(labels, reference)
    return {item.label: _dice(labels == item.label, reference == item.label) for item in STRUCTURES}


@dataclass(frozen=True)
class SurfaceDistances:
    """Symmetric distances between two outlines; NaN where one of them is missing.

    hausdorff95, average: in `unit`, "mm" or "pixels".
    """

    hausdorff95: float
    average: float
    unit: str


def surface_distances(
    labels: np.ndarray, reference: np.ndarray, label: int, spacing: Sequence[float] | None = None
) -> SurfaceDistances:
    """Return the distances between the outlines of `label` in two label maps of one frame.

    labels, reference: whole numbers [H, W] or [1, H, W].  spacing: (row, column) in millimetres; None
    gives pixels. Raises InputError where the shapes differ.
    """
    first, second = one_frame(labels) == label, one_frame(reference) == label
    if first.shape != second.shape:
        raise InputError(f"Labels {first.shape} and reference {second.shape} differ in size: resample one.")
    pixel_size(spacing)
    unit = PIXELS if spacing is None else MILLIMETRES
    if not (first.any() and second.any()):
        return SurfaceDistances(float("nan"), float("nan"), unit)
    # Nothing outside of the two structures changes a distance between them.
    box = _box(first | second)
    one, other = _outline(first[box]), _outline(second[box])
    there, back = _distances(one, other, spacing), _distances(other, one, spacing)
    hausdorff95 = max(np.percentile(there, 95), np.percentile(back, 95))
    return SurfaceDistances(float(hausdorff95), float(np.concatenate([there, back]).mean()), unit)


def _dice(mask: np.ndarray, reference: np.ndarray) -> float:
    total = np.count_nonzero(mask) + np.count_nonzero(reference)
    return 2 * np.count_nonzero(mask & reference) / total if total else float("nan")


def _box(mask: np.ndarray) -> tuple[slice, slice]:
    """Return the rows and columns that hold all of `mask`."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _outline(mask: np.ndarray) -> np.ndarray:
    from scipy.ndimage import binary_erosion

    return mask & ~binary_erosion(mask)


def _distances(outline: np.ndarray, other: np.ndarray, spacing: Sequence[float] | None) -> np.ndarray:
    """Return the distance of each pixel of `outline` to the nearest one of `other`."""
    from scipy.ndimage import distance_transform_edt

    return distance_transform_edt(~other, sampling=spacing)[outline]
