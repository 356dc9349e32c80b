"""The module `qt`: wrapper classes over PySide6, made when they are asked for."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import shiboken6
from PySide6 import QtCore, QtGui, QtNetwork, QtUiTools, QtWidgets

from . import signals, slicer_api, wrapping
from .attribute_rules import Wrapper, WrapperType
from .message_dialogs import MessageBox, ProgressDialog, open_file_name
from .process import Process
from .settings import Settings
from .ui_loader import UiLoader

PYSIDE_MODULES = (QtCore, QtGui, QtWidgets, QtNetwork, QtUiTools)
# Classes of which the stand-in hides an implementation of its own.
IMPLEMENTATIONS: dict[str, type] = {
    "QMessageBox": MessageBox,
    "QProcess": Process,
    "QProgressDialog": ProgressDialog,
    "QSettings": Settings,
    "QUiLoader": UiLoader,
}


def _single_shot(milliseconds: int, function: Callable[..., Any]) -> None:
    QtCore.QTimer.singleShot(int(milliseconds), signals.guarded(function))


STATICS: dict[str, dict[str, Any]] = {
    "QTimer": {"singleShot": _single_shot},
    "QFileDialog": {
        "getOpenFileName": open_file_name,
        "getSaveFileName": open_file_name,
        "getExistingDirectory": open_file_name,
    },
}

# Classes of which no attributes are recorded, with the functions that Slicer's own Python code calls on them.
UNRECORDED: dict[str, frozenset[str]] = {
    "QEventLoop": frozenset({"exec", "exit", "quit", "processEvents"}),
    "QFile": frozenset(
        {"exists", "open", "close", "readAll", "write", "fileName", "remove", "size"}
        | {"ReadOnly", "WriteOnly", "ReadWrite", "Text"}
    ),
    "QShortcut": frozenset({"setKey", "setContext", "activated"}),
    "QSortFilterProxyModel": frozenset({"rowCount", "columnCount", "index", "data", "headerData"}),
    "QUiLoader": frozenset({"load", "createWidget", "availableWidgets"}),
}

_custom_classes: dict[type, type] = {}


def make_wrapper_class(
    name: str, module: str, hidden_class: type, base: type, facts: slicer_api.ClassFacts | None
) -> type:
    """A wrapper class of that name for the objects of a PySide or implementation class."""
    return WrapperType(
        name,
        (base,),
        {
            "__slots__": (),
            "__module__": module,
            "hidden_class": hidden_class,
            "facts": facts,
            "statics": STATICS.get(name, {}),
        },
    )


def register_custom_class(hidden_class: type, wrapper_class: type) -> None:
    """Let objects of an implementation class be wrapped by that class."""
    _custom_classes[hidden_class] = wrapper_class


def _pyside_class(name: str) -> type | None:
    for module in PYSIDE_MODULES:
        found = getattr(module, name, None)
        if isinstance(found, type):
            return found
    return None


def _facts(name: str, pyside_class: type) -> slicer_api.ClassFacts | None:
    facts = slicer_api.class_facts(f"qt.{name}")
    if facts is not None or not issubclass(pyside_class, QtCore.QObject):
        return facts
    if issubclass(pyside_class, QtCore.QCoreApplication):
        return replace(slicer_api.class_facts("QObject"), attributes=slicer_api.names("slicer_app"))
    if issubclass(pyside_class, QtWidgets.QWidget):
        return slicer_api.class_facts("QWidget")
    facts = slicer_api.class_facts("QObject")
    return replace(facts, attributes=facts.attributes | UNRECORDED.get(name, frozenset()))


@functools.cache
def qt_class(name: str) -> type:
    """The wrapper class `qt.<name>`. Raises AttributeError for a class that Slicer or Qt 6 lacks."""
    pyside_class = _pyside_class(name)
    if name not in slicer_api.names("qt") and name != "QObject":
        raise AttributeError(f"module 'qt' has no attribute '{name}' in Slicer")
    if pyside_class is None:
        raise AttributeError(f"'qt.{name}' exists in Slicer with Qt 5, but not in Qt 6")
    facts = _facts(name, pyside_class)
    base: type = Wrapper
    for ancestor in pyside_class.__mro__[1:]:
        if ancestor.__name__ in slicer_api.names("qt") and _pyside_class(ancestor.__name__) is ancestor:
            base = qt_class(ancestor.__name__)
            break
    hidden_class = IMPLEMENTATIONS.get(name, pyside_class)
    return make_wrapper_class(name, "qt", hidden_class, base, facts)


def wrapper_class_of(hidden_class: type) -> type:
    """The wrapper class for objects of a PySide or implementation class: the nearest that Slicer knows."""
    for ancestor in hidden_class.__mro__:
        if ancestor in _custom_classes:
            return _custom_classes[ancestor]
        name = ancestor.__name__
        if name in slicer_api.names("qt") and _pyside_class(name) is ancestor:
            return qt_class(name)
    return _anonymous_class(hidden_class)


@functools.cache
def _anonymous_class(hidden_class: type) -> type:
    facts = slicer_api.class_facts("QObject") if issubclass(hidden_class, QtCore.QObject) else None
    return make_wrapper_class(hidden_class.__name__, "qt", hidden_class, Wrapper, facts)


class QtModule(types.ModuleType):
    """`import qt`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "Qt":
            return _namespace()
        return qt_class(name)


@functools.cache
def _namespace() -> type:
    return make_wrapper_class("Qt", "qt", QtCore.Qt, Wrapper, None)


def make_qt_module() -> types.ModuleType:
    """The module `qt`, with its classes known to the wrapping of results."""
    wrapping.register_class_finder(wrapper_class_of)
    module = QtModule("qt")
    module.__file__ = shiboken6.__file__
    return module
