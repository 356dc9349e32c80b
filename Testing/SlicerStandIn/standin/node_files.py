"""slicer.app.coreIOManager(): loading and saving nodes with the real storage nodes."""

# ruff: noqa: N802 (the names are Slicer's)
from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

VOLUME_TYPES = frozenset({"VolumeFile"})
READERS = {
    "SequenceFile": "vtkMRMLSequenceNode",
    "SegmentationFile": "vtkMRMLSegmentationNode",
    "TableFile": "vtkMRMLTableNode",
    "TransformFile": "vtkMRMLTransformNode",
}


class CoreIOManager:
    """Loads volumes, sequences, segmentations, tables and transforms; saves any storable node and scenes."""

    def __init__(self, slicer_scene: Any) -> None:
        self._slicer_scene = slicer_scene

    def fileType(self, path: str) -> str:
        """The type of a file, by its name."""
        return "SceneFile" if Path(path).suffix in (".mrml", ".mrb") else "VolumeFile"

    def loadNodes(self, kind: str, properties: dict[str, Any], loaded: Any, messages: Any = None) -> bool:
        """Load a file into the scene and list the new nodes in `loaded`; False when it cannot be read."""
        path = properties["fileName"]
        scene = self._slicer_scene.scene
        if kind == "SceneFile":
            scene.SetURL(path)
            return bool(scene.ReadFromMRB(path) if path.endswith(".mrb") else scene.Connect())
        if kind in VOLUME_TYPES:
            name = properties.get("name") or Path(path).name.split(".")[0]
            options = 1 if properties.get("labelmap") else 0
            node = self._slicer_scene.logics["Volumes"].AddArchetypeVolume(path, name, options)
        elif kind in READERS:
            node = scene.AddNewNodeByClass(
                READERS[kind], properties.get("name") or Path(path).name.split(".")[0]
            )
            node.AddDefaultStorageNode(path)
            if not node.GetStorageNode().ReadData(node):
                scene.RemoveNode(node)
                node = None
        else:
            raise NotImplementedError(f"the stand-in does not load {kind}")
        if node is not None:
            loaded.AddItem(node)
        return node is not None

    def fileWriterFileType(self, node: Any, extension: str = "") -> str:
        """The type of file for a node; the stand-in's writer takes any."""
        return node.GetClassName()

    def saveNodes(self, kind: str, properties: dict[str, Any], messages: Any = None) -> bool:
        """Save a node, or the scene, to a file; whether that worked."""
        scene = self._slicer_scene.scene
        path = properties["fileName"]
        if kind == "SceneFile":
            scene.SetURL(path)
            return bool(scene.WriteToMRB(path) if path.endswith(".mrb") else scene.Commit())
        node = scene.GetNodeByID(properties["nodeID"])
        node.AddDefaultStorageNode(path)
        storage = node.GetStorageNode()
        storage.SetFileName(path)
        return bool(storage.WriteData(node))


def share_folder() -> str:
    """A folder for slicer.app.slicerHome: where slicer-core lies."""
    return str(Path(slicer.__file__).parent)
