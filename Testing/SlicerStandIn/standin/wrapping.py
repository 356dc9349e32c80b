"""One Python object for each Qt object, which sees what PythonQt lets Python see.

The Qt object itself (PySide's, or an implementation of a ctk or qMRML class) stays behind a wrapper, since
PySide's own attributes follow other rules than PythonQt's. Which wrapper class belongs to which PySide class
is asked of a finder, that `qt_module` registers.
"""

from __future__ import annotations

import enum
import weakref
from collections.abc import Callable
from typing import Any

import shiboken6
from PySide6 import QtCore
from vtkmodules.vtkCommonCore import vtkObjectBase

from . import enumerations

_wrappers: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
_finders: list[Callable[[type], type]] = []


def register_class_finder(finder: Callable[[type], type]) -> None:
    """Set the function that names the wrapper class of a PySide class."""
    _finders[:] = [finder]


def hidden(wrapper: Any) -> Any:
    """The Qt object behind a wrapper."""
    return object.__getattribute__(wrapper, "_hidden")


def is_alive(qt_object: Any) -> bool:
    """Whether the C++ object still exists."""
    return shiboken6.isValid(qt_object)


def remember(wrapper: Any, qt_object: Any) -> None:
    """Tie a wrapper to its Qt object."""
    object.__setattr__(wrapper, "_hidden", qt_object)
    if isinstance(qt_object, QtCore.QObject):
        _wrappers[shiboken6.getCppPointer(qt_object)[0]] = wrapper


def wrap(qt_object: Any) -> Any:
    """The wrapper of a Qt object, the same one as long as somebody holds it."""
    if isinstance(qt_object, QtCore.QObject):
        known = _wrappers.get(shiboken6.getCppPointer(qt_object)[0])
        if known is not None and is_alive(hidden(known)):
            return known
    wrapper_class = _finders[0](type(qt_object))
    wrapper = wrapper_class.__new__(wrapper_class)
    remember(wrapper, qt_object)
    return wrapper


def to_python(value: Any) -> Any:
    """What PythonQt hands to Python for a value that Qt gave: wrappers, and integers for enumerators."""
    if isinstance(value, enum.Enum):
        return enumerations.to_integer(value)
    if isinstance(value, (list, tuple)):
        return type(value)(to_python(item) for item in value)
    if isinstance(value, dict):
        return {key: to_python(item) for key, item in value.items()}
    if isinstance(value, shiboken6.Object):
        return wrap(value)
    return value


def to_qt(value: Any) -> Any:
    """The value that Qt takes for an argument from Python.

    Raises TypeError for what PythonQt cannot turn into a Qt value, as a pathlib.Path or a numpy number.
    """
    if value is None or type(value) in (bool, int, float, str, bytes, bytearray):
        return value
    if isinstance(type(value), _wrapper_kind()):
        qt_object = hidden(value)
        if isinstance(qt_object, QtCore.QObject) and not is_alive(qt_object):
            raise ValueError(f"the {type(value).__name__} given as argument has been destroyed")
        return qt_object
    if isinstance(value, _wrapper_kind()):
        return value.hidden_class
    if isinstance(value, (list, tuple)):
        return type(value)(to_qt(item) for item in value)
    if isinstance(value, dict):
        return {key: to_qt(item) for key, item in value.items()}
    if isinstance(value, (vtkObjectBase, enum.IntEnum)) or (callable(value) and not isinstance(value, type)):
        return value
    raise TypeError(f"PythonQt does not take a {type(value).__name__} as argument: {value!r}")


def _wrapper_kind() -> type:
    from .attribute_rules import WrapperType

    return WrapperType
