"""Which widget can show which parameter, for `connectGui`: the pairs that Slicer knows, by exact class."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ctk
import qt
import slicer

from .parameter_types import (
    Choice,
    Decimals,
    Maximum,
    Minimum,
    SingleStep,
    WithinRange,
    node_types,
    split_annotations,
)


@dataclass
class Connector:
    """Reads and writes one widget, and calls back when the user changes it."""

    widget: Any
    signal: str | None
    read: Callable[[], Any]
    write: Callable[[Any], None]
    callback: Callable[[], None] | None = None

    def changed(self) -> None:
        """Pass the change on."""
        if self.callback is not None:
            self.callback()

    def on_changed(self, callback: Callable[[], None] | None) -> None:
        """Connect the widget, or disconnect it with None."""
        self.callback = callback
        if self.signal is None:
            return
        signal = getattr(self.widget, self.signal)
        if callback is None:
            signal.disconnect(self.changed)
        else:
            signal.connect(self.changed)


def _find(annotations: tuple[Any, ...], kind: type) -> Any:
    return next((annotation for annotation in annotations if isinstance(annotation, kind)), None)


def _set_range(
    widget: Any, annotations: tuple[Any, ...], needs_bounds: bool, unbounded: tuple[Any, Any]
) -> None:
    decimals, step = _find(annotations, Decimals), _find(annotations, SingleStep)
    if decimals is not None:
        widget.decimals = decimals.value
    if step is not None:
        widget.singleStep = step.value
    limits = _find(annotations, WithinRange)
    low = limits or _find(annotations, Minimum)
    high = limits or _find(annotations, Maximum)
    if needs_bounds and (low is None or high is None):
        raise RuntimeError(f"{widget.objectName}: a slider needs a parameter with bounds (WithinRange)")
    widget.minimum = unbounded[0] if low is None else low.minimum
    widget.maximum = unbounded[1] if high is None else high.maximum


def _property(widget: Any, signal: str | None, name: str) -> Connector:
    return Connector(
        widget, signal, lambda: getattr(widget, name), lambda value: setattr(widget, name, value)
    )


def _choices(widget: Any, entries: list[tuple[str, Any]]) -> Connector:
    widget.clear()
    for text, _ in entries:
        widget.addItem(text)

    def write(value: Any) -> None:
        for index, (_, entry) in enumerate(entries):
            if entry == value:
                widget.currentIndex = index
                return
        raise ValueError(f"Unable to find value {value} in choices {[entry for _, entry in entries]}")

    return Connector(widget, "currentIndexChanged", lambda: entries[widget.currentIndex][1], write)


def _combo_box(widget: Any, kind: Any, annotations: tuple[Any, ...]) -> Connector:
    if issubclass(kind, enum.Enum):
        return _choices(
            widget, [(getattr(kind, "label", lambda item: item.name)(item), item) for item in kind]
        )
    choice = _find(annotations, Choice)
    if choice is None:
        raise RuntimeError(f"{widget.objectName}: a combo box needs a parameter with Choice")
    return _choices(widget, [(str(entry), entry) for entry in choice.choices])


def _number(widget: Any, kind: Any, annotations: tuple[Any, ...]) -> Connector:
    if kind is int:
        widget.decimals = 0
    is_slider = type(widget) in (ctk.ctkSliderWidget, slicer.qMRMLSliderWidget)
    _set_range(widget, annotations, is_slider, (float("-inf"), float("inf")))
    return Connector(
        widget,
        "valueChanged",
        lambda: kind(widget.value),
        lambda value: setattr(widget, "value", kind(value)),
    )


def _integer(widget: Any, annotations: tuple[Any, ...]) -> Connector:
    _set_range(widget, annotations, type(widget) is qt.QSlider, (-(2**31), 2**31 - 1))
    return _property(widget, "valueChanged", "value")


def _line_edit(widget: Any) -> Connector:
    def write(value: str) -> None:
        if value != widget.text:
            widget.text = value

    return Connector(widget, "textChanged", lambda: widget.text, write)


def _node_selector(widget: Any, nodes: list[type]) -> Connector:
    # The selector's own nodeTypes are overwritten, whatever the .ui file says.
    widget.nodeTypes = tuple(node().GetClassName() for node in nodes)
    return Connector(widget, "currentNodeChanged", widget.currentNode, widget.setCurrentNode)


def connector_for(widget: Any, hint: Any) -> Connector:
    """The connector between a widget and a parameter. Raises RuntimeError where Slicer has none."""
    kind, annotations = split_annotations(hint)
    widget_class = type(widget)
    nodes = node_types(hint)
    if widget_class is slicer.qMRMLNodeComboBox and nodes is not None:
        return _node_selector(widget, nodes)
    if widget_class is qt.QCheckBox and kind is bool:
        return _property(widget, "stateChanged", "checked")
    if widget_class is qt.QPushButton and kind is bool:
        widget.checkable = True
        return _property(widget, "toggled", "checked")
    if widget_class in (qt.QSlider, qt.QSpinBox) and kind is int:
        return _integer(widget, annotations)
    sliders = (qt.QDoubleSpinBox, ctk.ctkSliderWidget, slicer.qMRMLSliderWidget)
    if widget_class in sliders and kind in (int, float):
        return _number(widget, kind, annotations)
    if widget_class in (qt.QComboBox, ctk.ctkComboBox) and (
        kind in (int, float, str, bool) or (isinstance(kind, type) and issubclass(kind, enum.Enum))
    ):
        return _combo_box(widget, kind, annotations)
    if widget_class is qt.QLineEdit and kind is str:
        return _line_edit(widget)
    if widget_class is qt.QLabel and kind is str:
        return _property(widget, None, "text")
    raise RuntimeError(
        f"Unable to create GUI connector from datatype '{hint}' to widget type '{widget_class}'"
    )
