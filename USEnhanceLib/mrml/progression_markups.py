"""The angle of progression as a markup that the user can move, and its value when she did.

The three control points lie in the plane of their frame: the superior end of the symphysis, its inferior end,
which is the vertex, and the point where the tangent touches the head.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer

from ..frames.validation import AXES
from .sequences import sequence_of, shown_volume
from .volumes import VOLUMES, VolumeLayout, layout_of

if TYPE_CHECKING:
    from ..segmentation.progression import Progression

MARKUP = "vtkMRMLMarkupsAngleNode"
POINTS = ("Superior end", "Inferior end", "Tangent point")
SLICE_AXIS = "USEnhance.SliceAxis"
PIXEL_SIZE = "USEnhance.PixelSizeMillimetres"
"""Attributes of what is measured: the axis of the frames, and a pixel's width and height where known."""


def new_angle(name: str) -> Any:
    """Return a markup without points, in no scene."""
    markup = slicer.vtkMRMLMarkupsAngleNode()
    markup.SetName(name)
    return markup


def fill_angle(markup: Any, progression: Progression, layout: VolumeLayout, axis: str, frame: int) -> None:
    """Give a markup the points of an angle measured on frame number `frame` of an item laid out like that."""
    pixels = [progression.superior, progression.inferior, progression.tangent]
    was_modifying = markup.StartModify()
    for label, position in zip(POINTS, to_ras(pixels, layout, axis, frame), strict=True):
        number = markup.AddControlPoint(position)
        markup.SetNthControlPointLabel(number, label)
    markup.EndModify(was_modifying)


def display_angle(markup: Any, colour: tuple[float, float, float]) -> None:
    """Show a markup in the scene, thin and in a colour, so that little of the image is hidden."""
    if markup.GetDisplayNode() is None:
        markup.CreateDefaultDisplayNodes()
    display = markup.GetDisplayNode()
    if display is None:
        return
    was_modifying = display.StartModify()
    display.SetSelectedColor(*colour)
    display.SetColor(*colour)
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(True)
    display.SetVisibility3D(False)
    display.EndModify(was_modifying)


def to_ras(points: Sequence[tuple[float, float]], layout: VolumeLayout, axis: str, frame: int) -> np.ndarray:
    """Return the positions in RAS, [M, 3], of points (x, y) in pixels of frame number `frame` along `axis`.

    x counts columns and y rows of the frame, whole numbers being the centres of pixels.
    """
    along, rows, columns = _array_axes(axis)
    places = np.zeros((len(points), 3))
    places[:, along] = frame
    places[:, rows] = [y for _, y in points]
    places[:, columns] = [x for x, _ in points]
    indices = places[:, ::-1] + layout.extent[::2]
    return indices @ layout.ijk_to_ras[:3, :3].T + layout.ijk_to_ras[:3, 3]


def to_pixels(positions: np.ndarray, layout: VolumeLayout, axis: str) -> np.ndarray:
    """Return the points (x, y), [M, 2], in pixels of a frame along `axis`, of positions in RAS, [M, 3]."""
    inverse = np.linalg.inv(layout.ijk_to_ras)
    indices = np.asarray(positions) @ inverse[:3, :3].T + inverse[:3, 3]
    places = (indices - layout.extent[::2])[:, ::-1]
    _, rows, columns = _array_axes(axis)
    return places[:, [columns, rows]]


def angle_of(markup: Any) -> float | None:
    """Return the angle of progression in degrees of a markup as it is now, moved or not; None without points.

    It is measured on the pixels of the image that the markup belongs to, with their size where that is known:
    Slicer's own label tells the same, except where the size was lost in loading and found in the file.
    """
    from ..segmentation.progression import angle_between
    from .outputs import INPUT_ROLE

    if markup is None or markup.GetNumberOfControlPoints() < len(POINTS):
        return None
    positions = np.array([markup.GetNthControlPointPosition(number) for number in range(len(POINTS))])
    owner = sequence_of(markup) or markup
    original = owner.GetNodeReference(INPUT_ROLE)
    volume = None if original is None else shown_volume(original)
    axis = owner.GetAttribute(SLICE_AXIS) or "k"
    if volume is None or volume.GetClassName() not in VOLUMES or volume.GetImageData() is None:
        superior, inferior, tangent = _in_plane(positions)
        return float(angle_between(superior, inferior, tangent))
    superior, inferior, tangent = (tuple(point) for point in to_pixels(positions, layout_of(volume), axis))
    size = owner.GetAttribute(PIXEL_SIZE)
    spacing = tuple(float(value) for value in reversed(size.split())) if size else None
    return float(angle_between(superior, inferior, tangent, spacing))


def _array_axes(axis: str) -> tuple[int, int, int]:
    """Return the axes of an array [K, J, I] that count frames, rows and columns."""
    along = AXES.index(axis)
    rows, columns = [number for number in range(3) if number != along]
    return along, rows, columns


def _in_plane(positions: np.ndarray) -> list[tuple[float, float]]:
    """Return three positions as points of the plane through them, the second as its origin."""
    first, second = positions[0] - positions[1], positions[2] - positions[1]
    x = first / (np.linalg.norm(first) or 1.0)
    across = second - (second @ x) * x
    y = across / (np.linalg.norm(across) or 1.0)
    return [(float(point @ x), float(point @ y)) for point in positions - positions[1]]
