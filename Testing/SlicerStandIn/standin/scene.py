"""A real MRML scene as the application has it: colours, volumes, sequences, segmentations. No Qt."""

from __future__ import annotations

import functools

import numpy as np
import slicer
from vtkmodules.vtkCommonCore import vtkLogger

from .core_modules import Modules

# These tables come with Slicer, but not with slicer-core. Anchors from dark to bright; between them the
# stand-in interpolates, so the colours are near to Slicer's, not equal. The tag makes the node's ID.
COLOR_TABLES = {
    "Inferno": ("FileInferno.txt", ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))),
    "Viridis": (
        "FileViridis.txt",
        ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)),
    ),
}
COLORS = 256


class SlicerScene:
    """slicer.mrmlScene with the module logics that observe it.

    The colours are registered before the volumes: a volume's display node takes its colour table when it is
    made.
    """

    def __init__(self) -> None:
        # The logics report Slicer's data files, which slicer-core lacks, as errors.
        verbosity = vtkLogger.GetCurrentVerbosityCutoff()
        vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
        try:
            self._build()
        finally:
            vtkLogger.SetStderrVerbosity(verbosity)

    def _build(self) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.application_logic = slicer.vtkSlicerApplicationLogic()
        self.application_logic.SetMRMLScene(self.scene)
        self.logics: dict[str, object] = {}
        self._add_logic("Colors", slicer.vtkSlicerColorLogic())
        self.application_logic.SetColorLogic(self.logics["Colors"])
        self._add_logic("Volumes", slicer.vtkSlicerVolumesLogic())
        self._add_logic("Sequences", slicer.vtkSlicerSequencesLogic())
        self._add_logic("Segmentations", slicer.vtkSlicerSegmentationsModuleLogic())
        self._add_logic("SubjectHierarchy", slicer.vtkSlicerSubjectHierarchyModuleLogic())
        self._add_logic("Tables", slicer.vtkSlicerTablesLogic())
        self._add_logic("Markups", slicer.vtkSlicerMarkupsLogic())
        self._add_logic("Plots", slicer.vtkSlicerPlotsLogic())
        self._add_logic("Terminologies", slicer.vtkSlicerTerminologiesModuleLogic())
        add_color_tables(self.scene)

    def _add_logic(self, name: str, logic: object) -> None:
        logic.SetMRMLApplicationLogic(self.application_logic)
        logic.SetMRMLScene(self.scene)
        self.application_logic.SetModuleLogic(name, logic)
        self.logics[name] = logic

    def clear(self) -> None:
        """Close the scene, as File > Close does; the colours stay."""
        self.scene.Clear(False)

    def install(self) -> None:
        """Make this scene slicer.mrmlScene, and its logics those of slicer.modules."""
        slicer.mrmlScene = self.scene
        if not isinstance(getattr(slicer, "modules", None), Modules):
            slicer.modules = Modules()
            slicer.modules.add_core_modules(self.logics)


def add_color_tables(scene: slicer.vtkMRMLScene) -> None:
    """Add stand-ins for the colour tables that slicer-core lacks, under their IDs in Slicer."""
    for name, (tag, anchors) in COLOR_TABLES.items():
        node = slicer.vtkMRMLColorTableNode()
        node.SetName(name)
        node.SetTypeToFile()
        node.SetSingletonTag(tag)
        node.SetAttribute("Category", "File")
        node.SetHideFromEditors(True)
        node.SetNumberOfColors(COLORS)
        places = np.linspace(0.0, 1.0, len(anchors))
        table = np.array(anchors) / 255.0
        for index in range(COLORS):
            color = [
                float(np.interp(index / (COLORS - 1), places, table[:, channel])) for channel in range(3)
            ]
            node.SetColor(index, str(index), *color, 1.0)
        node.GetLookupTable().SetRange(0, COLORS - 1)
        scene.AddNode(node)


@functools.cache
def shared_scene() -> SlicerScene:
    """The scene of this process: tests with and without Qt use the same one."""
    slicer_scene = SlicerScene()
    slicer_scene.install()
    return slicer_scene
