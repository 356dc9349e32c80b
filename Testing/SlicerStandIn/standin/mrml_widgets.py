"""The qMRML and qSlicer widgets that the panel and the application use."""

# ruff: noqa: N802, N815 (the names are Slicer's)
from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from vtkmodules.vtkCommonCore import vtkCommand

from .ctk_widgets import CollapsibleButton, SliderWidget, stored
from .node_selector import NodeSelector
from .observing import Observations


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


class TableView(QtWidgets.QTableView):
    """qMRMLTableView: the cells of a vtkMRMLTableNode."""

    SLICER_CLASS = "qMRMLTableView"
    SIGNATURES = {"mrmlSceneChanged(vtkMRMLScene*)": "scene_changed"}  # noqa: RUF012
    scene_changed = QtCore.Signal(object)
    transposed = stored(bool, "transposed", False)
    firstRowLocked = stored(bool, "firstRowLocked", False)
    firstColumnLocked = stored(bool, "firstColumnLocked", False)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._node: Any = None
        self._observations = Observations(self)
        self._model = QtGui.QStandardItemModel(self)
        self.setModel(self._model)

    def mrmlScene(self) -> Any:
        """The scene, or None."""
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene and tell the connected widgets."""
        self._scene = scene
        self.scene_changed.emit(scene)

    def mrmlTableNode(self) -> Any:
        """The shown table, or None."""
        return self._node

    def setMRMLTableNode(self, node: Any) -> None:
        """Show a table and follow its changes."""
        self._observations.clear()
        self._node = node
        if node is not None:
            self._observations.add(node, vtkCommand.ModifiedEvent, self._fill)
        self._fill()

    def _fill(self, *_: Any) -> None:
        self._model.clear()
        table = self._node.GetTable() if self._node is not None else None
        if table is None:
            return
        columns = [table.GetColumn(index) for index in range(table.GetNumberOfColumns())]
        self._model.setHorizontalHeaderLabels([column.GetName() or "" for column in columns])
        for row in range(table.GetNumberOfRows()):
            cells = (column.GetVariantValue(row).ToString() for column in columns)
            self._model.appendRow([QtGui.QStandardItem(cell) for cell in cells])


IMPLEMENTATIONS: dict[str, type] = {
    "qMRMLCollapsibleButton": MrmlCollapsibleButton,
    "qMRMLNodeComboBox": NodeSelector,
    "qMRMLSliderWidget": MrmlSliderWidget,
    "qMRMLTableView": TableView,
    "qMRMLWidget": MrmlWidget,
    "qSlicerWidget": SlicerWidget,
}
