"""Outlines and angles that are in the scene: found by their image, shown or hidden, and put into words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import slicer

from ..segmentation.structures import FETAL_HEAD, STRUCTURES
from .figures_table import FRAME, MEAN, STRUCTURE
from .measurements import IMAGES
from .outputs import INPUT_ROLE
from .progression_markups import MARKUP, angle_of
from .segmentations import SEGMENTATION
from .sequences import SEQUENCE, find_browser, is_sequence, shown_volume

NONE_YET = "none yet"


def show_outlines(images: Iterable[Any | None], is_visible: bool) -> None:
    """Show or hide the outlines and angles that were made from images."""
    for image in images:
        for node in (*_shown(image, SEGMENTATION), *shown_angles(image)):
            if node.GetDisplayNode() is not None:
                node.GetDisplayNode().SetVisibility(is_visible)


def shown_angles(image: Any | None) -> list[Any]:
    """Return the markups of the angle of progression that were made from an image, those of this moment."""
    return _shown(image, MARKUP)


def is_outlined(image: Any | None) -> bool:
    """Whether there are outlines that were made from an image."""
    return bool(_shown(image, SEGMENTATION))


def progression_in_words(original: Any | None, enhanced: Any | None) -> str:
    """Return the angle of progression in both images, as it is drawn at this moment; one may be None."""
    if not is_outlined(original):
        return NONE_YET
    said = {"original": _degrees(original)}
    if is_outlined(enhanced):
        said["enhanced"] = _degrees(enhanced)
    if not any(said.values()):
        return "not measured in this frame, the reason is in the table"
    if len(said) == 1:
        return said["original"]
    return ", ".join(f"{what} {degrees or 'not measured'}" for what, degrees in said.items())


def circumference_in_words(original: Any | None, table: Any | None) -> str:
    """Return the head circumference in both images, from a table of figures, in the frame that is shown.

    Of a volume of several frames it is their mean.
    """
    if original is None or table is None:
        return NONE_YET
    count = int(table.GetNumberOfRows()) // len(STRUCTURES) - 1
    frame = "1" if count == 1 else MEAN
    if is_sequence(original):
        browser = find_browser(original)
        frame = "1" if browser is None else str(browser.GetSelectedItemNumber() + 1)
    said = {}
    for what in IMAGES:
        value = _figure(table, f"HC {what} (mm)", frame)
        if value is not None:
            said[what] = f"{value:.0f} mm" if np.isfinite(value) else "not measured"
    if not said:
        return "not measured: the pixel size is unknown"
    in_words = next(iter(said.values())) if len(said) == 1 else ", ".join(map(" ".join, said.items()))
    return f"{in_words} (mean of {count} frames)" if frame == MEAN else in_words


def _figure(table: Any, column: str, frame: str) -> float | None:
    """Return the figure of the fetal head in a frame; None where the table has no such column or frame."""
    columns = [table.GetTable().GetColumnByName(name) for name in (FRAME, STRUCTURE, column)]
    if None in columns:
        return None
    frames, structures, values = columns
    for row in range(values.GetNumberOfValues()):
        if frames.GetValue(row) == frame and structures.GetValue(row) == FETAL_HEAD.name:
            return float(values.GetValue(row))
    return None


def _degrees(image: Any) -> str:
    """Return the angles in one image; an empty text where there are none."""
    angles = [angle for angle in map(angle_of, shown_angles(image)) if angle is not None]
    if not angles:
        return ""
    if len(angles) == 1:
        return f"{angles[0]:.1f}°"
    return f"{min(angles):.1f}° to {max(angles):.1f}° in {len(angles)} frames"


def _shown(image: Any | None, class_name: str) -> list[Any]:
    """Return the nodes of a class made from an image; of a sequence the node that plays it."""
    if image is None:
        return []
    nodes = [node for node in slicer.util.getNodesByClass(class_name) if _is_of(node, image)]
    for sequence in slicer.util.getNodesByClass(SEQUENCE):
        if sequence.GetDataNodeClassName() == class_name and _is_of(sequence, image):
            node = shown_volume(sequence)
            if node is not None:
                nodes.append(node)
    return nodes


def _is_of(node: Any, image: Any) -> bool:
    return node.GetNodeReference(INPUT_ROLE) is image
