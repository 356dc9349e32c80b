"""Outlines that somebody drew, in segmentations or label maps, as labels on the input's pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from ..errors import InputError
from ..frames.stack import slice_view
from ..segmentation.structures import STRUCTURES
from .extraction import Content
from .segmentations import SEGMENTATION, binary_labelmap
from .sequences import is_sequence, sequence_of, shown_volume
from .steps import Steps
from .terminology import structure_of_name, structure_of_tag
from .volumes import LABELS, SCALAR, VolumeLayout, describe_type, layout_of, pixels_of

_KINDS = (SEGMENTATION, LABELS, SCALAR)
# Of a voxel, by which a reference may lie beside the input: files round their numbers.
_TOLERANCE = 0.1


@dataclass(frozen=True, eq=False)
class Reference:
    """labels: uint8 [N, H, W] on the frames of the input; notes: sentences that the user should read."""

    labels: np.ndarray
    notes: tuple[str, ...] = ()


def check_reference(node: Any, input_node: Any) -> None:
    """Raise InputError unless `node` can be a reference as far as can be told without its pixels."""
    node = _whole(node, input_node)
    name = node.GetName()
    if node.GetScene() is not slicer.mrmlScene:
        raise InputError(f"{name} is no longer in the scene: choose another reference.")
    if node in (input_node, shown_volume(input_node)):
        raise InputError(f"{name} is the input itself: choose a segmentation or label map as reference.")
    items, expected = _count(node), _count(input_node)
    if items != expected:
        raise InputError(
            f"The reference {name} has {_in_words(items)}, but {input_node.GetName()} has "
            f"{_in_words(expected)}: choose a reference with one item for each item of the input."
        )
    for item, item_name in _items(node):
        if item is None or item.GetClassName() not in _KINDS:
            kind = "nothing" if item is None else describe_type(item)
            raise InputError(
                f"{item_name} ({kind}) is no reference: choose a segmentation, a label map, or a sequence "
                "of either."
            )


def read_reference(node: Any, input_node: Any, content: Content) -> Steps[Reference]:
    """Return, in steps, the labels that `node` has on the pixels of `input_node`, whose content is given.

    Segments are recognised by their terminology, else by their name, else by their label value. Raises
    InputError, which names the node, for what does not fit in kind, geometry, number of frames or values.
    """
    check_reference(node, input_node)
    node = _whole(node, input_node)
    moved = _to_input(node, input_node)
    stacks, overlap = [], 0
    for (item, name), layout in zip(_items(node), content.layouts, strict=True):
        if item.GetClassName() == SEGMENTATION:
            labels, doubled = _labels_of_segments(item, name, layout, moved)
            overlap += doubled
        else:
            labels = _labels_of_volume(item, name, layout, moved)
        stacks.append(slice_view(labels, content.frames.axis))
        yield
    notes = ()
    if overlap:
        first, second = STRUCTURES
        note = (
            f"In {overlap} pixels of the reference {node.GetName()} segments overlap: they count as "
            f"{second.name.lower()}, not as {first.name.lower()}."
        )
        notes = (note,)
    return Reference(np.concatenate(stacks), notes)


def _whole(node: Any, input_node: Any) -> Any:
    """Return the sequence whose current frame `node` is, where the input is a sequence; else `node`."""
    return (sequence_of(node) or node) if is_sequence(input_node) else node


def _count(node: Any) -> int:
    return node.GetNumberOfDataNodes() if is_sequence(node) else 1


def _in_words(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"


def _items(node: Any) -> Iterator[tuple[Any, str]]:
    """Yield the nodes of a sequence, or the node itself, and how messages call them."""
    if not is_sequence(node):
        yield node, f"The reference {node.GetName()}"
        return
    for index in range(node.GetNumberOfDataNodes()):
        yield node.GetNthDataNode(index), f"Frame {index + 1} of the reference {node.GetName()}"


def _to_input(node: Any, input_node: Any) -> np.ndarray:
    """Return the matrix from the reference's own coordinates to the input's: they may be transformed."""
    parents = []
    for owner in (node, input_node):
        shown = shown_volume(owner)
        parents.append(None if shown is None else shown.GetParentTransformNode())
    matrix = vtk.vtkMatrix4x4()
    if parents[0] is not parents[1] and not slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(
        *parents, matrix
    ):
        raise InputError(
            f"The reference {node.GetName()} is deformed by another transform than {input_node.GetName()}: "
            "put both under the same transform."
        )
    return slicer.util.arrayFromVTKMatrix(matrix)


def _labels_of_volume(volume: Any, name: str, layout: VolumeLayout, moved: np.ndarray) -> np.ndarray:
    """Return the labels, uint8 [K, J, I], of a label map or of a greyscale volume with the values 0 to 2."""
    own = layout_of(volume, name, (SCALAR, LABELS))
    if own.shape != layout.shape[:3]:
        size, expected = (" x ".join(map(str, shape[::-1])) for shape in (own.shape, layout.shape[:3]))
        raise InputError(
            f"{name} has {size} pixels, not {expected} as the input: choose one drawn on the input."
        )
    offset = _offset(moved @ own.ijk_to_ras, own.extent, layout)
    begin = np.subtract(layout.extent[::2], own.extent[::2])
    if offset is None or (offset != begin).any():
        raise _beside(name)
    values = pixels_of(volume.GetImageData())
    with np.errstate(invalid="ignore"):
        labels = values.astype(np.uint8)
    if labels.max() > max(structure.label for structure in STRUCTURES) or (labels != values).any():
        meaning = " and ".join(f"{structure.label} ({structure.name.lower()})" for structure in STRUCTURES)
        raise InputError(
            f"{name} has other values than the labels 0, {meaning}: choose a label map of these."
        )
    return labels


def _labels_of_segments(
    node: Any, name: str, layout: VolumeLayout, moved: np.ndarray
) -> tuple[np.ndarray, int]:
    """Return the labels, uint8 [K, J, I], of a segmentation, and how many voxels are of two structures."""
    labels = np.zeros(layout.shape[:3], np.uint8)
    overlap = 0
    for label, segment in sorted(_segments(node, name).items()):
        image = segment.GetRepresentation(binary_labelmap())
        if image is None:
            raise InputError(
                f"{name} has no binary labelmap: create that representation in the module Segmentations."
            )
        if image.IsEmpty() or image.GetPointData().GetScalars() is None:
            continue
        mask = pixels_of(image) == segment.GetLabelValue()
        matrix = vtk.vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        extent = image.GetExtent()
        offset = _offset(moved @ slicer.util.arrayFromVTKMatrix(matrix), extent, layout)
        if offset is None:
            raise _beside(name)
        first = np.array(extent[::2]) + offset - layout.extent[::2]
        target, part = _common(labels, mask, first[::-1])
        if np.count_nonzero(part) != np.count_nonzero(mask):
            raise _beside(name)
        overlap += int(np.count_nonzero(target[part]))
        target[part] = label
    return labels, overlap


def _common(labels: np.ndarray, mask: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return views of what both cover, the mask beginning at the index `first` of the labels."""
    begin = np.maximum(first, 0)
    end = np.maximum(begin, np.minimum(first + mask.shape, labels.shape))
    ranges = list(zip(begin, end, first, strict=True))
    return (
        labels[tuple(slice(low, high) for low, high, _ in ranges)],
        mask[tuple(slice(low - shift, high - shift) for low, high, shift in ranges)],
    )


def _segments(node: Any, name: str) -> dict[int, Any]:
    """Return the segment of each structure by its label. Raises InputError unless there is exactly one."""
    segmentation = node.GetSegmentation()
    segments = [segmentation.GetNthSegment(index) for index in range(segmentation.GetNumberOfSegments())]
    found: dict[int, list[Any]] = {structure.label: [] for structure in STRUCTURES}
    for segment in segments:
        structure = structure_of_tag(_tag(segment)) or structure_of_name(segment.GetName() or "")
        if structure is not None:
            found[structure.label].append(segment)
    if (
        not any(found.values())
        and len({segment.GetLabelValue() for segment in segments}) == len(segments) > 1
    ):
        for segment in segments:
            found.get(segment.GetLabelValue(), []).append(segment)
    for structure in STRUCTURES:
        if len(found[structure.label]) != 1:
            has = "several segments that are" if found[structure.label] else "no segment that is"
            raise InputError(
                f"{name} has {has} the {structure.name.lower()}: name exactly one segment "
                f'"{structure.name}"; leave it empty where nothing is seen.'
            )
    return {label: candidates[0] for label, candidates in found.items()}


def _tag(segment: Any) -> str:
    tag = vtk.reference("")
    return str(tag) if segment.GetTag(segment.GetTerminologyEntryTagName(), tag) else ""


def _offset(ijk_to_input: np.ndarray, extent: tuple[int, ...], layout: VolumeLayout) -> np.ndarray | None:
    """Return what is to be added to voxel indices (i, j, k) to have those of the input.

    None where the voxels do not lie upon those of the input.
    """
    first, last = np.array(extent[::2], float), np.array(extent[1::2], float)
    corners = np.array([np.where(np.array(choice), last, first) for choice in np.ndindex(2, 2, 2)])
    matrix = np.linalg.inv(layout.ijk_to_ras) @ ijk_to_input
    shifts = corners @ matrix[:3, :3].T + matrix[:3, 3] - corners
    offset = np.rint(shifts[0]).astype(int)
    return offset if np.abs(shifts - offset).max() <= _TOLERANCE else None


def _beside(name: str) -> InputError:
    return InputError(
        f"{name} lies on other pixels than the input: choose one that was drawn on the input, with the input "
        "as its source volume."
    )
