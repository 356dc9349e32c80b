"""From a node to `Frames`: the pixels are copied in steps, the node is not touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from ..errors import InputError
from ..frames import Frames, Geometry, frames_from_array
from ..frames.validation import AXES, check_axis, check_components, check_dtype
from .calibration import file_of, is_calibrated, pixel_size_in_file
from .sequences import is_sequence, layout_of_item
from .steps import Steps, in_thread, pieces
from .volumes import VolumeLayout, describe_type, geometry_of, layout_of, pixels_of

NO_INPUT = "No input is chosen: choose a volume or a sequence first."


def warm_up() -> None:
    """Import now what finding the sector needs: in the midst of work the import would hold up Slicer."""
    import_module("scipy.ndimage")


@dataclass(frozen=True, eq=False)
class Content:
    """What was taken from a node.

    frames: of all items, one after the other along the slice axis
    layouts: of each item; a volume is a single one
    """

    frames: Frames
    layouts: tuple[VolumeLayout, ...]

    @property
    def frames_per_item(self) -> int:
        """How many of the frames are one item's."""
        return len(self.frames.pixels) // len(self.layouts)


def check_input(node: Any, axis: str = "k") -> None:
    """Raise InputError unless `node` can be enhanced as far as can be told without looking at its pixels."""
    if node is None:
        raise InputError(NO_INPUT)
    if node.GetScene() is None or node.GetScene() is not slicer.mrmlScene:
        raise InputError(f"{node.GetName()} is no longer in the scene: choose another volume or sequence.")
    if node.IsA("vtkMRMLLabelMapVolumeNode"):
        raise InputError(
            f"{node.GetName()} is a label map, not an image: choose a B-mode volume or sequence."
        )
    check_axis(axis)
    if is_sequence(node):
        if node.GetNumberOfDataNodes() == 0:
            raise InputError(f"{node.GetName()} is an empty sequence: choose one that has frames.")
        first = layout_of_item(node, 0)
    elif node.IsA("vtkMRMLVolumeNode"):
        first = layout_of(node)
    else:
        raise InputError(
            f"{node.GetName()} is no image ({describe_type(node)}): choose a volume or a sequence of volumes."
        )
    check_components(first.components, node.GetName())


def extract(node: Any, axis: str = "k") -> Steps[Content]:
    """Return, in steps, the frames of a volume or sequence node along `axis`.

    Raises InputError for what cannot be enhanced, also when the node vanishes on the way.
    """
    check_input(node, axis)
    name = node.GetName()
    layouts = yield from _layouts(node)
    source = yield from _copy_pixels(node, layouts, axis)
    path = None if is_sequence(node) else file_of(node)
    geometry, notes = yield from in_thread(lambda: _find_geometry(layouts[0], path))
    frames = yield from in_thread(
        lambda: frames_from_array(
            source, axis=axis, geometry=geometry, name=name, colour=source.ndim == 4, notes=notes
        )
    )
    return Content(frames, layouts)


def _items(node: Any) -> Iterator[Any]:
    """Yield the volume nodes of a sequence, or the volume itself. Raises InputError when they vanish."""
    count = node.GetNumberOfDataNodes() if is_sequence(node) else 1
    for index in range(count):
        if node.GetScene() is None:
            raise vanished(node)
        if not is_sequence(node):
            yield node
        elif index < node.GetNumberOfDataNodes():
            yield node.GetNthDataNode(index)
        else:
            raise InputError(f"{node.GetName()} lost frames while it was being read: try again.")


def vanished(node: Any) -> InputError:
    """Return the error for a node that was deleted while it was being worked on."""
    return InputError(
        f"{node.GetName()} was deleted from the scene while it was being worked on: nothing was written."
    )


def _layouts(node: Any) -> Steps[tuple[VolumeLayout, ...]]:
    if not is_sequence(node):
        return (layout_of(node),)
    layouts = [layout_of_item(node, 0)]
    for index in range(1, node.GetNumberOfDataNodes()):
        layout = layout_of_item(node, index)
        if not layout.matches(layouts[0]):
            raise InputError(
                f"Frame {index + 1} of {node.GetName()} has another size or type than frame 1: "
                "choose a sequence of equal frames."
            )
        layouts.append(layout)
        yield
    return tuple(layouts)


def _copy_pixels(node: Any, layouts: tuple[VolumeLayout, ...], axis: str) -> Steps[np.ndarray]:
    """Copy the pixels of all items into one array, one item after the other along `axis`."""
    shape = layouts[0].shape
    along = AXES.index(axis)
    length = shape[along]
    source = None
    for index, item in enumerate(_items(node)):
        view = pixels_of(item.GetImageData())
        if view.shape != shape:
            raise InputError(f"{node.GetName()} changed while it was being read: try again.")
        if source is None:
            check_dtype(view.dtype, node.GetName())
            total = (*shape[:along], length * len(layouts), *shape[along + 1 :])
            source = np.empty(total, dtype=view.dtype)
        target = source[_along(along, index * length, (index + 1) * length)]
        for begin, end in pieces(len(view), view[0].nbytes):
            target[begin:end] = view[begin:end]
            yield
            if node.GetScene() is None:
                raise vanished(node)
    return source


def _along(axis: int, begin: int, end: int) -> tuple[slice, ...]:
    """Return an index that takes begin:end of the axis number `axis`."""
    return (*(slice(None),) * axis, slice(begin, end))


def _find_geometry(layout: VolumeLayout, path: Path | None) -> tuple[Geometry, tuple[str, ...]]:
    """Return the geometry, its pixel size from the node or else from its file, and notes about it."""
    geometry = geometry_of(layout, calibrated=True)
    if is_calibrated(geometry.spacing):
        return geometry, ()
    size = None if path is None else pixel_size_in_file(path)
    if size is None:
        return replace(geometry, calibrated=False), ()
    width, height = size
    note = f"The pixel size, {width:.3g} x {height:.3g} mm, was lost in loading and is taken from the file."
    return replace(geometry, spacing=(width, height, geometry.spacing[2])), (note,)
