"""Segmentation nodes of the outlined structures: made from labels, named, coloured, shown as outlines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import slicer
import vtk

from ..segmentation.structures import FETAL_HEAD, PUBIC_SYMPHYSIS, STRUCTURES
from .terminology import terminology_tag
from .volumes import VolumeLayout

SEGMENTATION = "vtkMRMLSegmentationNode"
SEGMENT_IDS = {PUBIC_SYMPHYSIS.label: "PubicSymphysis", FETAL_HEAD.label: "FetalHead"}
"""The same in all frames, so that what the user hides in one stays hidden in the next."""


@dataclass(frozen=True)
class Look:
    """How the outlines of one image differ from another's over the same place.

    colours: red, green and blue in 0..1 by label; thickness: of the outlines, in pixels of the screen; angle:
    colour of the angle of progression
    """

    colours: dict[int, tuple[float, float, float]]
    thickness: int
    angle: tuple[float, float, float]


# Where both agree the thin line lies upon the thick one, and both are seen.
LOOK_OF_ORIGINAL = Look({structure.label: structure.colour for structure in STRUCTURES}, 3, (1.0, 0.95, 0.6))
LOOK_OF_ENHANCED = Look(
    {PUBIC_SYMPHYSIS.label: (1.0, 0.35, 0.1), FETAL_HEAD.label: (0.35, 0.45, 1.0)}, 1, (1.0, 0.5, 0.9)
)


def binary_labelmap() -> str:
    """Return Slicer's name of the representation by voxels."""
    return slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()


def new_segmentation(name: str) -> Any:
    """Return a segmentation node without segments, in no scene."""
    node = slicer.vtkMRMLSegmentationNode()
    node.SetName(name)
    node.SetSourceRepresentationToBinaryLabelmap()
    return node


def fill_segmentation(node: Any, image: vtk.vtkImageData, layout: VolumeLayout, look: Look) -> None:
    """Give a segmentation node a segment for each structure, from labels where `layout` lies.

    Both share the image, as in Slicer's own label maps. A structure that is in no pixel has an empty segment.
    """
    labels = slicer.vtkOrientedImageData()
    labels.ShallowCopy(image)
    matrix = slicer.util.vtkMatrixFromArray(layout.ijk_to_ras)
    labels.SetImageToWorldMatrix(matrix)
    was_modifying = node.StartModify()
    segmentation = node.GetSegmentation()
    segmentation.SetConversionParameter(
        slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName(),
        slicer.vtkSegmentationConverter.SerializeImageGeometry(matrix, image),
    )
    for structure in STRUCTURES:
        segment = slicer.vtkSegment()
        segment.SetName(structure.name)
        segment.SetColor(*look.colours[structure.label])
        segment.SetLabelValue(structure.label)
        segment.SetTag(segment.GetTerminologyEntryTagName(), terminology_tag(structure))
        segment.AddRepresentation(binary_labelmap(), labels)
        segmentation.AddSegment(segment, SEGMENT_IDS[structure.label])
    node.EndModify(was_modifying)


def display_outlines(node: Any, volume: Any | None, look: Look) -> None:
    """Show a segmentation in the scene as outlines in slice views, in the geometry of `volume` if given."""
    if volume is not None:
        # The geometry is set already; now the node refers to the volume, as the Segment Editor wants it.
        node.SetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole(), volume.GetID())
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    if display is None:
        return
    was_modifying = display.StartModify()
    display.SetVisibility2DOutline(True)
    display.SetVisibility2DFill(False)
    display.SetVisibility3D(False)
    display.SetPreferredDisplayRepresentationName2D(binary_labelmap())
    display.SetSliceIntersectionThickness(look.thickness)
    display.EndModify(was_modifying)
