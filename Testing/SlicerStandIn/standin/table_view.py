"""qMRMLTableView: the cells of a vtkMRMLTableNode as Slicer shows them."""

# ruff: noqa: N802, N815 (the names are Slicer's)
from __future__ import annotations

import string
from typing import Any

import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from vtkmodules.vtkCommonCore import vtkCommand

from .ctk_widgets import stored
from .observing import Observations

_LETTERS = string.ascii_uppercase
_BYTES = (vtk.VTK_CHAR, vtk.VTK_SIGNED_CHAR, vtk.VTK_UNSIGNED_CHAR)


class TableView(QtWidgets.QTableView):
    """qMRMLTableView, without view nodes, whose table is set by them; cells cannot be changed through it."""

    SLICER_CLASS = "qMRMLTableView"
    SIGNATURES = {  # noqa: RUF012
        "mrmlSceneChanged(vtkMRMLScene*)": "scene_changed",
        "selectionChanged()": "selection_changed",
    }
    scene_changed = QtCore.Signal(object)
    selection_changed = QtCore.Signal()
    transposed = stored(bool, "transposed", False)
    firstRowLocked = stored(bool, "firstRowLocked", False)
    firstColumnLocked = stored(bool, "firstColumnLocked", False)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._node: Any = None
        self._observations = Observations(self)
        self._model = QtGui.QStandardItemModel(self)
        self._sorted = QtCore.QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._model)
        self.setModel(self._sorted)
        self.horizontalHeader().setStretchLastSection(False)
        policy = QtWidgets.QSizePolicy.Policy.Expanding
        self.setSizePolicy(policy, policy)

    def mrmlScene(self) -> Any:
        """The scene, or None."""
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene, in which Slicer looks for view nodes."""
        self._scene = scene

    def mrmlTableNode(self) -> Any:
        """The shown table, or None."""
        return self._node

    def setMRMLTableNode(self, node: Any) -> None:
        """Show a table and follow its changes; a node of another class, or None, shows nothing."""
        self._observations.clear()
        self._node = node if node is not None and node.IsA("vtkMRMLTableNode") else None
        if self._node is not None:
            self._observations.add(self._node, vtkCommand.ModifiedEvent, self._fill)
        self._fill()
        self.horizontalHeader().setMinimumSectionSize(60)
        self.resizeColumnsToContents()
        self.selection_changed.emit()

    def sortFilterProxyModel(self) -> QtCore.QSortFilterProxyModel:
        """The model between the table and the view."""
        return self._sorted

    def _fill(self, *_: Any) -> None:
        self._model.clear()
        table = self._node.GetTable() if self._node is not None else None
        if table is None or table.GetNumberOfColumns() == 0:
            return
        has_headers = self._node.GetUseColumnTitleAsColumnHeader()
        first = 1 if self._node.GetUseFirstColumnAsRowHeader() else 0
        columns = range(first, table.GetNumberOfColumns())
        rows = range(0 if has_headers else -1, table.GetNumberOfRows())
        for row in rows:
            self._model.appendRow([self._item(table, row, column) for column in columns])
        # Without titles the columns are called as in a spreadsheet, and their names fill the first row.
        self._model.setHorizontalHeaderLabels(
            [
                self._title(table, column) if has_headers else _LETTERS[number % len(_LETTERS)]
                for number, column in enumerate(columns)
            ]
        )
        if first:
            names = [table.GetColumnName(0) if row < 0 else table.GetValue(row, 0).ToString() for row in rows]
            self._model.setVerticalHeaderLabels(names)

    def _title(self, table: Any, column: int) -> str:
        name = table.GetColumnName(column)
        unit = self._node.GetColumnUnitLabel(name)
        return (self._node.GetColumnTitle(name) or name) + (f" [{unit}]" if unit else "")

    def _item(self, table: Any, row: int, column: int) -> QtGui.QStandardItem:
        item = QtGui.QStandardItem()
        array = table.GetColumn(column)
        if row < 0:
            item.setText(table.GetColumnName(column))
            font = QtGui.QFont()
            font.setBold(True)
            item.setFont(font)
        elif array.IsA("vtkBitArray"):
            is_checked = table.GetValue(row, column).ToInt()
            item.setCheckable(not self._node.GetLocked())
            item.setCheckState(QtCore.Qt.CheckState.Checked if is_checked else QtCore.Qt.CheckState.Unchecked)
        elif array.GetDataType() in _BYTES:
            item.setText(str(table.GetValue(row, column).ToInt()))
        else:
            item.setText(table.GetValue(row, column).ToString())
        item.setEditable(not self._node.GetLocked())
        return item
