"""The table of figures: their means, then a row for each frame and structure; and that of the curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from ..segmentation.structures import FETAL_HEAD, STRUCTURES
from .measurements import REFERENCE, Measurements

MEAN = "mean"
FRAME = "Frame"
STRUCTURE = "Structure"
REMARK = "AoP remark"
_DESCRIPTIONS = {
    "Dice": "Dice coefficient of the structure with the reference, 0 to 1",
    "HD95": "95 % Hausdorff distance of the structure's outline to the reference",
    "ASD": "average distance of the structure's outline to the reference",
    "Agreement Dice": "Dice coefficient of original and enhanced with each other: agreement, not accuracy",
    "Agreement HD95": "95 % Hausdorff distance of both outlines to each other: agreement, not accuracy",
    "Agreement ASD": "average distance of both outlines to each other: agreement, not accuracy",
    "Area": "area of the structure",
    "AoP": "angle of progression of the frame",
    "HC": "head circumference: the perimeter of the ellipse that fits the head best",
}
_FIGURES = (("Dice", "dice"), ("HD95", "hd95"), ("ASD", "asd"))


@dataclass(frozen=True, eq=False)
class Column:
    """Figures [N, structures]: what they are, of which image ("" for none), and their unit."""

    figure: str
    role: str
    unit: str
    values: np.ndarray

    @property
    def title(self) -> str:
        """What it is headed with, beside its unit, such as "HD95 enhanced"."""
        return f"{self.figure} {self.role}".strip()

    @property
    def name(self) -> str:
        """The title and the unit, such as "HD95 enhanced (mm)"."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


def columns_of(measured: Measurements) -> list[Column]:
    """Return the figures of each frame and structure, a column for each figure of each image."""
    roles = [role for role in (*measured.roles, REFERENCE) if role in measured.images]
    unit = "mm²" if measured.unit == "mm" else measured.unit
    columns = [
        *_compared(measured),
        *(Column("Area", role, unit, measured.images[role].areas) for role in roles),
    ]
    for role in roles:
        degrees = measured.images[role].degrees
        columns.append(Column("AoP", role, "°", np.repeat(degrees[:, None], len(STRUCTURES), axis=1)))
    if measured.unit == "mm":
        for role in roles:
            values = np.full((measured.count, len(STRUCTURES)), np.nan)
            values[:, STRUCTURES.index(FETAL_HEAD)] = measured.images[role].circumferences
            columns.append(Column("HC", role, "mm", values))
    return columns


def _compared(measured: Measurements) -> list[Column]:
    comparison = measured.comparison
    if comparison is None:
        return []
    shape = (measured.count, len(STRUCTURES))

    def column(figure: str, role: str, member: str) -> Column:
        values = np.array([getattr(row, member) for row in comparison.rows], float).reshape(shape)
        return Column(figure, role, "" if figure.endswith("Dice") else measured.unit, values)

    if comparison.has_reference:
        return [
            column(figure, role, f"{name}_{role}") for figure, name in _FIGURES for role in measured.roles
        ]
    return [column(f"Agreement {figure}", "", f"agreement_{name}") for figure, name in _FIGURES]


def remarks_of(measured: Measurements) -> list[str]:
    """Return for each frame why an angle of progression is missing in which image; "" where none is."""
    images = [
        (role, measured.images[role]) for role in (*measured.roles, REFERENCE) if role in measured.images
    ]
    if len(images) == 1:
        return list(images[0][1].remarks)
    return [
        " ".join(
            f"{role.capitalize()}: {image.remarks[frame]}" for role, image in images if image.remarks[frame]
        )
        for frame in range(measured.count)
    ]


def new_figures_table(name: str, columns: Sequence[Column], remarks: Sequence[str]) -> Any:
    """Return a table node, in no scene, of columns with N frames, and of a remark for each frame.

    Its first rows are the means over the frames that have a figure: seen without scrolling through a cine.
    """
    frames = [MEAN, *(str(frame + 1) for frame in range(len(remarks)))]
    node = slicer.vtkMRMLTableNode()
    node.SetName(name)
    _add_texts(node, FRAME, [frame for frame in frames for _ in STRUCTURES])
    _add_texts(node, STRUCTURE, [item.name for _ in frames for item in STRUCTURES])
    for column in columns:
        values = np.concatenate([_means(column.values)[None], column.values])
        _add_numbers(node, column.name, values.ravel())
        node.SetColumnDescription(column.name, _DESCRIPTIONS[column.figure])
        node.SetColumnUnitLabel(column.name, column.unit)
        node.SetColumnTitle(column.name, column.title)
    _add_texts(node, REMARK, [remark for remark in ["", *remarks] for _ in STRUCTURES])
    node.SetColumnDescription(REMARK, "why an angle of progression could not be measured")
    # Else Slicer heads the columns with letters, and lets figures be typed over.
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    return node


def new_curves_table(name: str, curves: Sequence[tuple[str, np.ndarray]]) -> Any:
    """Return a table node, in no scene, whose first column counts frames from 1; then (title, values [N])."""
    node = slicer.vtkMRMLTableNode()
    node.SetName(name)
    _add_numbers(node, FRAME, np.arange(1.0, 1.0 + len(curves[0][1])))
    for title, values in curves:
        _add_numbers(node, title, values)
    node.SetUseColumnTitleAsColumnHeader(True)
    return node


def _means(values: np.ndarray) -> np.ndarray:
    """Return the means over the frames, NaN where no frame has a figure."""
    known = ~np.isnan(values)
    return np.where(known, values, 0.0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)


def _add_texts(node: Any, name: str, texts: Sequence[str]) -> None:
    array = vtk.vtkStringArray()
    array.SetName(name)
    for text in texts:
        array.InsertNextValue(text)
    node.AddColumn(array)


def _add_numbers(node: Any, name: str, values: np.ndarray) -> None:
    array = vtk.vtkDoubleArray()
    array.SetName(name)
    for value in values:
        array.InsertNextValue(float(value))
    node.AddColumn(array)
