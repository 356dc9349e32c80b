"""The stand-in of qMRMLTableView shows tables as Slicer does (Libs/MRML/Widgets/qMRMLTableModel.cxx)."""

from __future__ import annotations

import pytest


@pytest.fixture
def view(scene):
    import slicer

    return slicer.qMRMLTableView()


@pytest.fixture
def table(scene):
    import slicer
    import vtk

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "Figures")
    names, dice, labels = vtk.vtkStringArray(), vtk.vtkDoubleArray(), vtk.vtkUnsignedCharArray()
    for array, name, values in (
        (names, "frame", ["1", "2"]),
        (dice, "dice", [0.5, 0.25]),
        (labels, "n", [1, 2]),
    ):
        array.SetName(name)
        for value in values:
            array.InsertNextValue(value)
        node.AddColumn(array)
    return node


def header(view, orientation):
    import qt

    model = view.model()
    count = model.columnCount() if orientation == qt.Qt.Horizontal else model.rowCount()
    return [model.headerData(index, orientation) for index in range(count)]


def cells(view):
    model = view.model()
    return [
        [model.data(model.index(row, column)) for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def test_by_default_names_are_in_the_first_row_as_in_a_spreadsheet(view, table):
    import qt

    view.setMRMLTableNode(table)
    assert view.mrmlTableNode() is table
    assert header(view, qt.Qt.Horizontal) == ["A", "B", "C"]
    assert cells(view) == [["frame", "dice", "n"], ["1", "0.5", "1"], ["2", "0.25", "2"]]


def test_titles_and_units_head_the_columns_when_the_table_says_so(view, table):
    import qt

    table.SetUseColumnTitleAsColumnHeader(True)
    table.SetUseFirstColumnAsRowHeader(True)
    table.SetColumnTitle("dice", "Dice of both")
    table.SetColumnUnitLabel("dice", "mm")
    view.setMRMLTableNode(table)
    assert header(view, qt.Qt.Horizontal) == ["Dice of both [mm]", "n"]
    assert header(view, qt.Qt.Vertical) == ["1", "2"]
    assert cells(view) == [["0.5", "1"], ["0.25", "2"]]


def test_it_follows_the_table_and_lets_go_of_it(view, table):
    told = []
    view.connect("selectionChanged()", lambda: told.append(1))
    view.setMRMLTableNode(table)
    table.GetTable().GetColumn(1).SetValue(0, 0.75)
    table.Modified()
    assert cells(view)[1][1] == "0.75"
    view.setMRMLTableNode(None)
    assert cells(view) == []
    assert view.mrmlTableNode() is None
    assert len(told) == 2
    table.Modified()
    assert cells(view) == []


def test_what_pythonqt_does_not_show_is_refused(view):
    with pytest.raises(AttributeError):
        view.setTableNode(None)
    with pytest.raises(AttributeError):
        view.mrmlTableNode = None
