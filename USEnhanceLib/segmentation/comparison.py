"""Segmentation before and after enhancement, frame by frame.

With a reference, Dice, HD95 and ASD of both are against it. Without one there is nothing to be accurate
against: then the same figures tell how far the two agree with each other, and are named agreement. Areas and
angles of progression are given in both cases. The result holds figures only, never pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from ..errors import InputError, MeasurementRefused
from .outline import pixel_size
from .overlap import MILLIMETRES, PIXELS, dice, surface_distances
from .progression import angle_of_progression, judge_inferior_side
from .structures import STRUCTURES, Structure


@dataclass(frozen=True)
class ReferenceRow:
    """One structure in one frame, original and enhanced against the reference.

    frame: from 0.  structure: its name.  hd95_*, asd_*: in `unit`; area_*: in its square. NaN where a
    structure is missing.
    """

    frame: int
    structure: str
    dice_original: float
    dice_enhanced: float
    hd95_original: float
    hd95_enhanced: float
    asd_original: float
    asd_enhanced: float
    area_original: float
    area_enhanced: float
    area_reference: float
    unit: str


@dataclass(frozen=True)
class AgreementRow:
    """One structure in one frame, original and enhanced against each other; members as in `ReferenceRow`."""

    frame: int
    structure: str
    agreement_dice: float
    agreement_hd95: float
    agreement_asd: float
    area_original: float
    area_enhanced: float
    unit: str


@dataclass(frozen=True)
class ProgressionRow:
    """The angles of progression of one frame in degrees, NaN where refused, and the reasons, "" where not.

    The two members of the reference are NaN and "" where there is none.
    """

    frame: int
    degrees_original: float
    degrees_enhanced: float
    degrees_reference: float
    reason_original: str
    reason_enhanced: str
    reason_reference: str


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    has_reference: whether `rows` are ReferenceRow, else AgreementRow; frame by frame, symphysis first.
    progression: one row a frame.  unit: "mm" or "pixels".  inferior_side: "left" or "right", as used for all
    angles; None where no frame could tell.  notes: sentences that the reader should know.
    """

    has_reference: bool
    rows: tuple[ReferenceRow, ...] | tuple[AgreementRow, ...]
    progression: tuple[ProgressionRow, ...]
    unit: str
    inferior_side: str | None
    notes: tuple[str, ...] = ()

    def means(self) -> dict[str, dict[str, float]]:
        """Return the means over the frames that have a figure, by the structure's name; NaN without any."""
        return {item.name: dict(self._means(item)) for item in STRUCTURES}

    def to_json(self) -> dict[str, Any]:
        """Return everything as numbers, texts, lists and dictionaries; None stands for NaN."""
        record = asdict(self) | {"means": self.means()}
        return _without_nan(record)

    def _means(self, structure: Structure) -> Iterator[tuple[str, float]]:
        rows = [row for row in self.rows if row.structure == structure.name]
        for field in fields(rows[0]):
            if field.name not in ("frame", "structure", "unit"):
                values = np.array([getattr(row, field.name) for row in rows])
                known = values[~np.isnan(values)]
                yield field.name, float(known.mean()) if len(known) else math.nan


def compare(
    original_labels: np.ndarray,
    enhanced_labels: np.ndarray,
    reference: np.ndarray | None = None,
    sector: np.ndarray | None = None,
    spacing: Sequence[float] | None = None,
    *,
    inferior_side: str | None = None,
) -> Comparison:
    """Compare the labels of original and enhanced frames, with a reference or with each other.

    original_labels, enhanced_labels, reference: whole numbers [N, H, W] or [H, W], all of one shape.
    sector: bool [H, W], True inside the scan sector, or None.  spacing: (row, column) in millimetres, None
    without calibration.  inferior_side: as in `angle_of_progression`, but None is judged from all frames of
    the reference, or else of the original, together. Raises InputError for arrays and spacings that do not
    fit.
    """
    original, enhanced = _stack(original_labels), _stack(enhanced_labels)
    truth = None if reference is None else _stack(reference)
    if original.shape != enhanced.shape or (truth is not None and truth.shape != original.shape):
        raise InputError("The labels to be compared differ in size: give the same frames of all of them.")
    area = float(np.prod(pixel_size(spacing)))
    notes: tuple[str, ...] = ()
    if inferior_side is None:
        judged = judge_inferior_side(original if truth is None else truth, sector, spacing)
        inferior_side, notes = judged.inferior_side, judged.notes
    rows: list[Any] = []
    progression = []
    for index, (first, second) in enumerate(zip(original, enhanced, strict=True)):
        frame = None if truth is None else truth[index]
        for structure in STRUCTURES:
            if frame is None:
                rows.append(_agreement_row(index, structure, first, second, spacing, area))
            else:
                rows.append(_reference_row(index, structure, first, second, frame, spacing, area))
        measured = [_degrees(labels, sector, spacing, inferior_side) for labels in (first, second, frame)]
        degrees, reasons = zip(*measured, strict=True)
        progression.append(ProgressionRow(index, *degrees, *reasons))
    unit = PIXELS if spacing is None else MILLIMETRES
    return Comparison(truth is not None, tuple(rows), tuple(progression), unit, inferior_side, notes)


def _stack(labels: np.ndarray) -> np.ndarray:
    """Return labels [H, W] or [N, H, W] as [N, H, W]."""
    labels = np.asarray(labels)
    if labels.ndim == 2:
        labels = labels[np.newaxis]
    if labels.ndim != 3 or labels.size == 0 or labels.dtype.kind not in "ui":
        raise InputError("Labels must be whole numbers, [N, H, W] or [H, W]: give those of a segmentation.")
    return labels


def _reference_row(
    frame: int,
    structure: Structure,
    original: np.ndarray,
    enhanced: np.ndarray,
    reference: np.ndarray,
    spacing: Sequence[float] | None,
    area: float,
) -> ReferenceRow:
    label = structure.label
    before = surface_distances(original, reference, label, spacing)
    after = surface_distances(enhanced, reference, label, spacing)
    return ReferenceRow(
        frame,
        structure.name,
        dice(original, reference, label),
        dice(enhanced, reference, label),
        before.hausdorff95,
        after.hausdorff95,
        before.average,
        after.average,
        *(area * np.count_nonzero(labels == label) for labels in (original, enhanced, reference)),
        before.unit,
    )


def _agreement_row(
    frame: int,
    structure: Structure,
    original: np.ndarray,
    enhanced: np.ndarray,
    spacing: Sequence[float] | None,
    area: float,
) -> AgreementRow:
    label = structure.label
    distances = surface_distances(original, enhanced, label, spacing)
    return AgreementRow(
        frame,
        structure.name,
        dice(original, enhanced, label),
        distances.hausdorff95,
        distances.average,
        *(area * np.count_nonzero(labels == label) for labels in (original, enhanced)),
        distances.unit,
    )


def _degrees(
    labels: np.ndarray | None,
    sector: np.ndarray | None,
    spacing: Sequence[float] | None,
    inferior_side: str | None,
) -> tuple[float, str]:
    """Return the angle of progression of one frame and "", or NaN and the reason why there is none."""
    if labels is None:
        return math.nan, ""
    try:
        return float(angle_of_progression(labels, sector, spacing, inferior_side=inferior_side)), ""
    except MeasurementRefused as refusal:
        return math.nan, str(refusal)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
