"""Pictures of volumes as slice views show them: real slice logics blend the layers; no OpenGL, no Qt."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from vtkmodules.util.numpy_support import vtk_to_numpy

VIEW_SIZE = (256, 256)


def blended_image(logic: Any) -> np.ndarray:
    """What a slice view shows: uint8 [rows, columns, 3], the first row at the top; empty layers are black."""
    columns, rows = logic.GetSliceNode().GetDimensions()[:2]
    connection = logic.GetImageDataConnection()
    if connection is None:
        return np.zeros((rows, columns, 3), np.uint8)
    producer = connection.GetProducer()
    producer.Update()
    image = producer.GetOutputDataObject(connection.GetIndex())
    width, height, _ = image.GetDimensions()
    values = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)[::-1]
    color = values[..., :3].astype(np.float64)
    if values.shape[2] == 4:
        color *= values[..., 3:] / 255.0
    return np.rint(color).astype(np.uint8)


def slice_picture(
    background: Any,
    foreground: Any = None,
    opacity: float = 1.0,
    label: Any = None,
    *,
    size: tuple[int, int] = VIEW_SIZE,
    offset: float | None = None,
) -> np.ndarray:
    """A picture of volumes in a view of (width, height) pixels, fitted to the background.

    The view lies in the plane of the background's slices; `offset` in mm along their normal chooses the
    slice, the middle one without. Returns uint8 [height, width, 3]. The scene is left as it was.
    """
    scene = slicer.mrmlScene
    before = _node_ids(scene)
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLScene(scene)
    node = logic.AddSliceNode("StandInPicture")
    composite = logic.GetSliceCompositeNode()
    try:
        node.SetDimensions(*size, 1)
        composite.SetBackgroundVolumeID(background.GetID())
        composite.SetForegroundVolumeID(None if foreground is None else foreground.GetID())
        composite.SetForegroundOpacity(opacity)
        composite.SetLabelVolumeID(None if label is None else label.GetID())
        node.RotateToVolumePlane(background)
        logic.FitSliceToBackground()
        if offset is not None:
            logic.SetSliceOffset(offset)
        return blended_image(logic)
    finally:
        # The logic has added a slice node, a composite node, and a model of the slice with its nodes.
        logic.SetMRMLScene(None)
        for node_id in _node_ids(scene) - before:
            scene.RemoveNode(scene.GetNodeByID(node_id))


def _node_ids(scene: Any) -> set[str]:
    return {scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())}
