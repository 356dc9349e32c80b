"""Charts of figures over the frames: Dice or agreement, the angle of progression, areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer

from ..segmentation.structures import STRUCTURES
from .figures_table import FRAME, Column, new_curves_table
from .measurements import REFERENCE
from .segmentations import LOOK_OF_ENHANCED, LOOK_OF_ORIGINAL

if TYPE_CHECKING:
    from .segmentation_outputs import SegmentationWriter

CHART_ROLE = "USEnhance.Chart"
"""References of the table of figures: its charts, the main one first."""
_LOOKS = {"": LOOK_OF_ORIGINAL, "original": LOOK_OF_ORIGINAL, "enhanced": LOOK_OF_ENHANCED}
_REFERENCE_COLOUR = (0.5, 0.5, 0.5)
# The original is dashed, so that they are told apart without colours.
_DASHED = {"original"}
_TITLES = {
    "Dice": "Dice with the reference",
    "Agreement Dice": "Agreement of original and enhanced (Dice)",
    "Area": "Area",
    "AoP": "Angle of progression",
}


@dataclass(frozen=True, eq=False)
class _Curve:
    name: str
    role: str
    colour: tuple[float, float, float]
    values: np.ndarray


def write_charts(writer: SegmentationWriter, name: str, columns: Sequence[Column]) -> tuple[Any, ...]:
    """Put charts of columns of figures into the scene, and the table of their curves; return the charts.

    First one of Dice where there is a reference, or of agreement where there are two images; then one of the
    angle of progression, unless it was refused in all frames; without a reference, one of areas.
    """
    figures = list(dict.fromkeys(column.figure for column in columns if column.figure in _TITLES))
    figures.remove("Area")
    if "Dice" not in figures:
        figures.append("Area")
    charts = {
        figure: _curves([column for column in columns if column.figure == figure]) for figure in figures
    }
    charts = {figure: curves for figure, curves in charts.items() if curves}
    curves = [(f"{curve.name}", curve.values) for drawn in charts.values() for curve in drawn]
    table = writer.add_named(new_curves_table(f"{name} curves", curves))
    units = {column.figure: column.unit for column in columns}
    return tuple(
        _write_chart(writer, table, name, figure, units[figure], drawn) for figure, drawn in charts.items()
    )


def _curves(columns: Sequence[Column]) -> list[_Curve]:
    """Return the curves of one figure: of each structure, or of the frame where structures share it."""
    curves = []
    for column in columns:
        if column.figure == "AoP":
            colour = _REFERENCE_COLOUR if column.role == REFERENCE else _LOOKS[column.role].angle
            curves.append(_Curve(f"AoP {column.role}", column.role, colour, column.values[:, 0]))
            continue
        for number, structure in enumerate(STRUCTURES):
            look = _LOOKS.get(column.role)
            colour = _REFERENCE_COLOUR if look is None else look.colours[structure.label]
            title = f"{structure.name} {column.figure} {column.role}".strip()
            curves.append(_Curve(title, column.role, colour, column.values[:, number]))
    return [curve for curve in curves if not np.isnan(curve.values).all()]


def _write_chart(
    writer: SegmentationWriter, table: Any, name: str, figure: str, unit: str, curves: Sequence[_Curve]
) -> Any:
    chart = slicer.vtkMRMLPlotChartNode()
    chart.SetName(f"{name}: {_TITLES[figure]}")
    chart.SetTitle(_TITLES[figure])
    chart.SetXAxisTitle(FRAME)
    chart.SetYAxisTitle(f"{figure} ({unit})" if unit else figure)
    if figure.endswith("Dice"):
        chart.SetYAxisRangeAuto(False)
        chart.SetYAxisRange(0.0, 1.0)
    writer.add_named(chart)
    for curve in curves:
        series = slicer.vtkMRMLPlotSeriesNode()
        series.SetName(curve.name)  # stands in the legend: the same in all charts
        writer.add(series)
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetXColumnName(FRAME)
        series.SetYColumnName(curve.name)
        # A line plot would number the frames from 0.
        series.SetPlotType(series.PlotTypeScatter)
        series.SetLineStyle(series.LineStyleDash if curve.role in _DASHED else series.LineStyleSolid)
        series.SetMarkerStyle(series.MarkerStyleCircle)
        series.SetColor(*curve.colour)
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    return chart


def charts_of(table: Any | None) -> list[Any]:
    """Return the charts that belong to a table of figures and are in the scene, the main one first."""
    if table is None:
        return []
    charts = [
        table.GetNthNodeReference(CHART_ROLE, number)
        for number in range(table.GetNumberOfNodeReferences(CHART_ROLE))
    ]
    return [chart for chart in charts if chart is not None]


def show_next_chart(table: Any | None) -> Any | None:
    """Show a chart of a table of figures in a plot view, and return it; None where it has none.

    The main one, or the one after that which is shown. A layout without a plot view gives way to one with it.
    """
    charts = charts_of(table)
    if not charts:
        return None
    shown = _shown_chart()
    chart = charts[(charts.index(shown) + 1) % len(charts)] if shown in charts else charts[0]
    slicer.modules.plots.logic().ShowChartInLayout(chart)
    return chart


def _shown_chart() -> Any | None:
    """Return the chart that plot views show, or None while the layout has no plot view."""
    layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if layout is not None:
        arrangement = layout.GetViewArrangement()
        if slicer.modules.plots.logic().GetLayoutWithPlot(arrangement) != arrangement:
            return None
    selection = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSelectionNode")
    identifier = None if selection is None else selection.GetActivePlotChartID()
    return slicer.mrmlScene.GetNodeByID(identifier) if identifier else None
