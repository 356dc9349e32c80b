"""What the user chose, saved with the scene."""

# ruff: noqa: N815, UP007 (the names are Slicer's; some releases of Slicer understand Union alone)
# The hints are read when the class is made: they must not become strings.
from typing import Annotated, Union

from slicer import (
    vtkMRMLLabelMapVolumeNode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLSegmentationNode,
    vtkMRMLSequenceNode,
    vtkMRMLTableNode,
    vtkMRMLVectorVolumeNode,
)
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

# None makes "no node" storable.
ImageNode = Union[vtkMRMLScalarVolumeNode, vtkMRMLVectorVolumeNode, vtkMRMLSequenceNode, None]
MapNode = Union[vtkMRMLScalarVolumeNode, vtkMRMLSequenceNode, None]
LabelsNode = Union[vtkMRMLSegmentationNode, vtkMRMLLabelMapVolumeNode, vtkMRMLSequenceNode, None]
TableNode = Union[vtkMRMLTableNode, None]


@parameterNodeWrapper
class USEnhanceParameterNode:
    """What the user chose, saved with the scene."""

    inputNode: ImageNode
    outputNode: ImageNode
    uncertaintyNode: MapNode
    method: str = "scunet"
    strength: Annotated[float, WithinRange(0.0, 1.0)] = 1.0
    device: str = "auto"
    seed: Annotated[int, WithinRange(0, 999999)] = 0
    axis: str = "k"
    steps: Annotated[int, WithinRange(0, 100)] = 0  # 0: the model's own, as for samples
    samples: Annotated[int, WithinRange(0, 100)] = 0
    showUncertainty: bool = False
    overlayOpacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.5
    referenceNode: LabelsNode
    tableNode: TableNode
    segmentationModel: str = "fhps"
    display: str = "auto"
    showOutlines: bool = True
