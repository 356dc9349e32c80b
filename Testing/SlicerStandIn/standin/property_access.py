"""Reading and writing Qt properties as PythonQt does, with a stricter check of the value's type."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore

from . import enumerations
from .wrapping import to_qt

ACCEPTED_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool, int),
    "int": (bool, int),
    "double": (bool, int, float),
    "QString": (str,),
    "QStringList": (list, tuple),
}


def _capitalized(name: str) -> str:
    return name[0].upper() + name[1:]


def read_property(qt_object: QtCore.QObject, name: str) -> Any:
    """The value of a property.

    The getter is asked first, since PySide cannot convert an enumerator that `property` gives. Raises
    NotImplementedError for a property that Slicer has and neither Qt 6 nor the stand-in.
    """
    if isinstance(getattr(type(qt_object), name, None), QtCore.Property):
        return getattr(qt_object, name)
    for getter in (name, f"is{_capitalized(name)}", f"has{_capitalized(name)}"):
        function = getattr(qt_object, getter, None)
        if callable(function):
            return function()
    if qt_object.metaObject().indexOfProperty(name) >= 0:
        return qt_object.property(name)
    raise NotImplementedError(f"{type(qt_object).__name__}.{name} exists in Slicer, but not in the stand-in")


def write_property(qt_object: QtCore.QObject, name: str, kind: str, value: Any) -> None:
    """Set a property. Raises AttributeError for a value of another kind, as PythonQt does."""
    accepted = ACCEPTED_TYPES.get(kind)
    if accepted is not None and not isinstance(value, accepted):
        raise AttributeError(
            f"Property '{name}' of type '{kind}' does not accept an object of type"
            f" {type(value).__name__} ({value!r})"
        )
    converted = to_qt(list(value) if kind == "QStringList" else value)
    if isinstance(getattr(type(qt_object), name, None), QtCore.Property):
        setattr(qt_object, name, converted)
        return
    setter = getattr(qt_object, f"set{_capitalized(name)}", None)
    if setter is not None:
        enumerations.call(setter, (converted,), setter)
    elif qt_object.metaObject().indexOfProperty(name) >= 0:
        qt_object.setProperty(name, converted)
    else:
        raise NotImplementedError(
            f"{type(qt_object).__name__}.{name} exists in Slicer, but not in the stand-in"
        )
