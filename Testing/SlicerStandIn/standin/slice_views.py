"""The slice views of the layout, over real slice logics."""

# ruff: noqa: N802, N815 (the names are Slicer's)
from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from PySide6 import QtCore, QtGui
from vtkmodules.vtkCommonCore import vtkCollection

from .mrml_widgets import MrmlWidget
from .slice_pictures import VIEW_SIZE, blended_image

VIEWS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}


class SliceWidget(MrmlWidget):
    """qMRMLSliceWidget: shows what its slice logic blends."""

    SLICER_CLASS = "qMRMLSliceWidget"

    def __init__(self, name: str, logic: Any) -> None:
        super().__init__()
        self._name = name
        self._logic = logic
        self.setObjectName(f"qMRMLSliceWidget{name}")
        self.resize(*VIEW_SIZE)

    def sliceLogic(self) -> Any:
        """The vtkMRMLSliceLogic."""
        return self._logic

    def mrmlSliceNode(self) -> Any:
        """The vtkMRMLSliceNode."""
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self) -> Any:
        """The vtkMRMLSliceCompositeNode, which names the layers."""
        return self._logic.GetSliceCompositeNode()

    def fitSliceToBackground(self) -> None:
        """Show the whole background."""
        self._logic.FitSliceToBackground()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Draw the blended layers."""
        pixels = np.ascontiguousarray(blended_image(self._logic))
        rows, columns = pixels.shape[:2]
        image = QtGui.QImage(pixels.data, columns, rows, 3 * columns, QtGui.QImage.Format.Format_RGB888)
        painter = QtGui.QPainter(self)
        painter.drawImage(QtCore.QRect(QtCore.QPoint(0, 0), self.size()), image)
        painter.end()

    sliceViewName = QtCore.Property(str, lambda self: self._name)


class LayoutManager:
    """slicer.app.layoutManager(): three slice views, no 3-D view."""

    def __init__(self, slicer_scene: Any, wrap: Any) -> None:
        self._scene = slicer_scene
        self._wrap = wrap
        self._layout = slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView
        self._logics = vtkCollection()
        self._widgets: dict[str, SliceWidget] = {}
        for name, orientation in VIEWS.items():
            logic = slicer.vtkMRMLSliceLogic()
            logic.SetMRMLApplicationLogic(slicer_scene.application_logic)
            logic.SetMRMLScene(slicer_scene.scene)
            node = logic.AddSliceNode(name)
            node.SetOrientation(orientation)
            node.SetDimensions(*VIEW_SIZE, 1)
            self._logics.AddItem(logic)
            self._widgets[name] = SliceWidget(name, logic)
        slicer_scene.application_logic.SetSliceLogics(self._logics)

    def sliceViewNames(self) -> tuple[str, ...]:
        """The names of the slice views."""
        return tuple(self._widgets)

    def sliceWidget(self, name: str) -> Any:
        """The slice view of that name, or None."""
        widget = self._widgets.get(name)
        return None if widget is None else self._wrap(widget)

    def mrmlSliceLogics(self) -> vtkCollection:
        """The logics of the slice views."""
        return self._logics

    def resetSliceViews(self) -> None:
        """Fit each slice view to its background."""
        for index in range(self._logics.GetNumberOfItems()):
            self._logics.GetItemAsObject(index).FitSliceToBackground()

    def mrmlScene(self) -> Any:
        """The scene."""
        return self._scene.scene

    @property
    def layout(self) -> int:
        """The arrangement of views."""
        return self._layout

    def setLayout(self, layout: int) -> None:
        """Choose an arrangement of views."""
        self._layout = int(layout)
