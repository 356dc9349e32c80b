"""qt.QUiLoader that refuses what Qt would replace or drop with a warning.

An unknown or undeclared custom class, a property that the class lacks or that cannot be written, an unknown
signal or slot in a connection, and two widgets of one name raise UiError.
"""

# ruff: noqa: N802, N803 (the names are Slicer's)
from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from PySide6 import QtCore, QtUiTools, QtWidgets

from . import slicer_api
from .wrapping import wrap

# Designer writes these, and the loader knows them; they are no Q_PROPERTY.
LAYOUT_PROPERTIES = frozenset({"leftMargin", "topMargin", "rightMargin", "bottomMargin"})
LABEL_PROPERTIES = frozenset({"buddy"})

_custom: dict[str, type] = {}


class UiError(RuntimeError):
    """The .ui file asks for what Slicer does not have."""


def register_custom_widget(name: str, implementation: type) -> None:
    """Make a promoted class known to the loader."""
    _custom[name] = implementation


def _facts(name: str) -> slicer_api.ClassFacts | None:
    for module in ("qt", "ctk", "slicer"):
        facts = slicer_api.class_facts(f"{module}.{name}")
        if facts is not None:
            return facts
    return slicer_api.class_facts("QWidget") if name == "QWidget" else None


def check(root: ElementTree.Element) -> None:
    """Raise UiError for the first thing in a .ui file that Slicer's loader would not do."""
    declared = {
        element.findtext("class", ""): element.findtext("extends", "")
        for element in root.iterfind("customwidgets/customwidget")
    }
    for name in declared:
        if name not in _custom:
            raise UiError(f"the promoted class {name} is not a widget that the stand-in for Slicer knows")
    seen: set[str] = set()
    for element in root.iter():
        if element.tag not in ("widget", "layout"):
            continue
        class_name, name = element.get("class", ""), element.get("name", "")
        if name in seen:
            raise UiError(f"two objects are called {name}")
        seen.add(name)
        if class_name in _custom and class_name not in declared:
            raise UiError(
                f"{name}: {class_name} is not declared in customwidgets, Designer could not open it"
            )
        _check_properties(element, class_name, name)


def _check_properties(element: ElementTree.Element, class_name: str, name: str) -> None:
    facts = _facts(class_name)
    if facts is None:
        raise UiError(f"{name}: no facts about the class {class_name} are stored")
    for entry in element.findall("property"):
        property_name = entry.get("name", "")
        if entry.get("stdset") == "0" and property_name not in facts.properties:
            continue
        if element.tag == "layout" and property_name in LAYOUT_PROPERTIES:
            continue
        if class_name == "QLabel" and property_name in LABEL_PROPERTIES:
            continue
        if property_name not in facts.properties:
            raise UiError(f"{name}: {class_name} has no property {property_name} in Slicer")
        if facts.is_read_only(property_name):
            raise UiError(f"{name}: the property {property_name} of {class_name} cannot be written")


class UiLoader(QtUiTools.QUiLoader):
    """The loader behind qt.QUiLoader."""

    SLICER_CLASS = "QUiLoader"

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._unknown: list[str] = []

    def createWidget(self, className: str, parent: Any = None, name: str = "") -> QtWidgets.QWidget:
        """Make one widget: one of ours for a promoted class, Qt's for a Qt class."""
        if className in _custom:
            widget = _custom[className](parent)
            widget.setObjectName(name)
            return widget
        if className not in self.availableWidgets():
            self._unknown.append(f"{name}: {className}")
            return QtWidgets.QWidget(parent)
        return super().createWidget(className, parent, name)

    def load(self, device: QtCore.QIODevice, parent: QtWidgets.QWidget | None = None) -> QtWidgets.QWidget:
        """Load a .ui file strictly. Raises UiError."""
        root = ElementTree.fromstring(bytes(device.readAll().data()))
        check(root)
        connections = root.find("connections")
        if connections is not None:
            root.remove(connections)
        buffer = QtCore.QBuffer()
        buffer.setData(QtCore.QByteArray(ElementTree.tostring(root)))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(buffer, parent)
        if self._unknown:
            raise UiError(f"unknown widget classes: {', '.join(self._unknown)}")
        if widget is None:
            raise UiError(self.errorString())
        for connection in [] if connections is None else connections.findall("connection"):
            _connect(widget, connection)
        return widget


def _connect(top: QtWidgets.QWidget, connection: ElementTree.Element) -> None:
    texts = {tag: connection.findtext(tag, "") for tag in ("sender", "signal", "receiver", "slot")}
    objects = {}
    for role in ("sender", "receiver"):
        name = texts[role]
        found = top if top.objectName() == name else top.findChild(QtCore.QObject, name)
        if found is None:
            raise UiError(f"a connection names {name}, which the file does not have")
        objects[role] = wrap(found)
    sender, receiver = objects["sender"], objects["receiver"]
    slot = texts["slot"].partition("(")[0]
    facts = type(receiver).facts
    if facts is None or slot not in facts.attributes:
        raise UiError(f"{texts['receiver']} has no slot {texts['slot']} in Slicer")
    try:
        sender.connect(texts["signal"], _slot_call(receiver, slot, texts["slot"]))
    except ValueError as error:
        raise UiError(f"{texts['sender']}: {error}") from error


def _slot_call(receiver: Any, slot: str, signature: str) -> Callable[..., Any]:
    count = slicer_api.argument_count(signature)
    return lambda *arguments: getattr(receiver, slot)(*arguments[:count])
