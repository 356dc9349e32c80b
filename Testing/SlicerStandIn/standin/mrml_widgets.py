"""The qMRML and qSlicer widgets that the panel and the application use."""

# ruff: noqa: N802, N815 (the names are Slicer's)
from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtWidgets

from .ctk_widgets import CollapsibleButton, SliderWidget, stored
from .node_selector import NodeSelector
from .table_view import TableView


class MrmlWidget(QtWidgets.QWidget):
    """qMRMLWidget: a widget that knows the scene."""

    SLICER_CLASS = "qMRMLWidget"
    SIGNATURES = {"mrmlSceneChanged(vtkMRMLScene*)": "scene_changed"}  # noqa: RUF012
    scene_changed = QtCore.Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def mrmlScene(self) -> Any:
        """The scene, or None."""
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene and tell the connected widgets."""
        if scene is not self._scene:
            self._scene = scene
            self.scene_changed.emit(scene)


class SlicerWidget(MrmlWidget):
    """qSlicerWidget."""

    SLICER_CLASS = "qSlicerWidget"


class MrmlCollapsibleButton(CollapsibleButton):
    """qMRMLCollapsibleButton."""

    SLICER_CLASS = "qMRMLCollapsibleButton"
    SIGNATURES = {"mrmlSceneChanged(vtkMRMLScene*)": "scene_changed"}  # noqa: RUF012
    scene_changed = QtCore.Signal(object)

    def setMRMLScene(self, scene: Any) -> None:
        """Tell the connected widgets."""
        self.scene_changed.emit(scene)


class MrmlSliderWidget(SliderWidget):
    """qMRMLSliderWidget, without units."""

    SLICER_CLASS = "qMRMLSliderWidget"
    quantity = stored(str, "quantity", "")
    unitAwareProperties = stored(int, "unitAwareProperties", 0)
    orientation = stored(int, "orientation", 1)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def mrmlScene(self) -> Any:
        """The scene, or None."""
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene, from which Slicer takes the units."""
        self._scene = scene


IMPLEMENTATIONS: dict[str, type] = {
    "qMRMLCollapsibleButton": MrmlCollapsibleButton,
    "qMRMLNodeComboBox": NodeSelector,
    "qMRMLSliderWidget": MrmlSliderWidget,
    "qMRMLTableView": TableView,
    "qMRMLWidget": MrmlWidget,
    "qSlicerWidget": SlicerWidget,
}
