"""PythonQt's rules for attributes.

A property is an attribute with a value, a slot is a function, a signal has `connect`, an enumerator is an
integer, a child or a dynamic property is found by its name, and everything else raises, also when it is set.
Only what the stored facts about Slicer list exists.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, ClassVar

import shiboken6
from PySide6 import QtCore

from . import enumerations, signals
from .property_access import read_property, write_property
from .slicer_api import ClassFacts
from .wrapping import hidden, is_alive, remember, to_python, to_qt

# Python's keywords, which PySide writes with an underscore; PythonQt finds "exec_" as well as "exec".
PYSIDE_NAMES = {"raise": "raise_", "print": "print_"}
# PythonQt hides this property behind the static function of the same name.
HIDDEN_PROPERTIES = {("QTimer", "singleShot"): "use setSingleShot() and isSingleShot()"}


class WrapperType(type):
    """The type of wrapper classes: enumerators and static functions are attributes of the class."""

    hidden_class: type
    facts: ClassFacts | None

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> WrapperType:
        """Refuse classes that Python code derives, of which Qt would not call the functions."""
        if "hidden_class" not in namespace:
            raise TypeError(f"{name}: the stand-in has no classes derived from {bases[0].__name__} in Python")
        return super().__new__(mcs, name, bases, namespace)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") or "hidden_class" not in _class_values(cls):
            raise AttributeError(name)
        override = cls.statics.get(name)
        if override is not None:
            return override
        if not _is_listed(cls, name):
            raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}' in Slicer")
        value = getattr(cls.hidden_class, PYSIDE_NAMES.get(name, name), None)
        if isinstance(value, type) and issubclass(value, enum.Enum):
            return lambda number=0: enumerations.to_integer(value(number))
        if isinstance(value, enum.Enum):
            return enumerations.to_integer(value)
        if value is None:
            raise AttributeError(f"'{cls.__name__}.{name}' exists in Slicer with Qt 5, but not in Qt 6")
        return SlotFunction(value, f"{cls.__name__}.{name}")


def _class_values(cls: type) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        values.update(vars(base))
    return values


def _is_listed(cls: WrapperType, name: str) -> bool:
    if cls.facts is None:
        return not issubclass(cls.hidden_class, QtCore.QObject) or cls.hidden_class is QtCore.Qt
    return name in cls.facts.attributes or name in cls.facts.properties


class SlotFunction:
    """A function of a Qt object: it takes and gives what PythonQt would."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function = function
        self.__name__ = name

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if keywords:
            raise TypeError(f"{self.__name__}() takes no keyword arguments in PythonQt")
        values = tuple(
            signals.guarded(argument) if _is_function(argument) else to_qt(argument) for argument in arguments
        )
        return to_python(enumerations.call(self._function, values, self._function))


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, type) and not isinstance(type(value), WrapperType)


class Wrapper(metaclass=WrapperType):
    """What Python holds of a Qt object or value."""

    __slots__ = ("__weakref__", "_hidden")
    hidden_class: ClassVar[type] = object
    facts: ClassVar[ClassFacts | None] = None
    statics: ClassVar[dict[str, Any]] = {}

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        if keywords:
            raise TypeError(f"{type(self).__name__}() takes no keyword arguments in PythonQt")
        remember(self, _construct(type(self).hidden_class, arguments))

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_hidden", "hidden_class", "facts", "statics"):
            return object.__getattribute__(self, name)
        return _get(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _set(self, name, value)

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"'{name}' of {type(self).__name__} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Wrapper):
            return other is None and not bool(self)
        mine, theirs = hidden(self), hidden(other)
        if isinstance(mine, QtCore.QObject) and isinstance(theirs, QtCore.QObject):
            return is_alive(mine) and is_alive(theirs) and _pointer(mine) == _pointer(theirs)
        return bool(mine == theirs)

    def __hash__(self) -> int:
        mine = hidden(self)
        return hash(_pointer(mine)) if is_alive(mine) else id(self)

    def __bool__(self) -> bool:
        return is_alive(hidden(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__} (stand-in at: {id(self):#x})"

    def __dir__(self) -> list[str]:
        facts = type(self).facts
        return sorted({*facts.attributes, *facts.properties}) if facts else dir(hidden(self))


def _pointer(qt_object: Any) -> int:
    return shiboken6.getCppPointer(qt_object)[0]


def _construct(qt_class: type, arguments: tuple[Any, ...]) -> Any:
    values = tuple(to_qt(argument) for argument in arguments)
    return enumerations.call(qt_class, values, _overridden(qt_class))


def _overridden(qt_class: type) -> type:
    """The PySide class whose constructor an implementation class inherits."""
    return next(base for base in qt_class.__mro__ if base.__module__.startswith("PySide6"))


def _alive(wrapper: Wrapper, name: str) -> Any:
    qt_object = hidden(wrapper)
    if not is_alive(qt_object):
        kind = type(wrapper).__name__
        raise ValueError(f"Trying to use '{name}' of a destroyed {kind} object")
    return qt_object


def _get(wrapper: Wrapper, name: str) -> Any:
    qt_object = _alive(wrapper, name)
    cls = type(wrapper)
    if not isinstance(qt_object, QtCore.QObject):
        return _get_of_value(wrapper, qt_object, name)
    special = OBJECT_FUNCTIONS.get(name)
    if special is not None:
        return special(wrapper)
    facts = cls.facts
    if facts is None:
        raise AttributeError(f"no facts about {cls.__name__} are stored, so '{name}' cannot be allowed")
    name = "objectName" if name == "name" else name
    if (cls.__name__, name) in HIDDEN_PROPERTIES:
        return getattr(cls, name)
    if name in facts.properties:
        return to_python(read_property(qt_object, name))
    if name in facts.signal_names:
        return signals.SignalFunction(facts, wrapper, name)
    for candidate in (name, name.removesuffix("_")):
        if candidate in facts.attributes:
            return _listed(cls, qt_object, candidate)
    return _get_dynamic(cls, qt_object, name)


def _get_dynamic(cls: WrapperType, qt_object: QtCore.QObject, name: str) -> Any:
    if name in _dynamic_names(qt_object):
        return to_python(qt_object.property(name))
    for child in qt_object.children():
        if child.objectName() == name:
            return to_python(child)
    raise AttributeError(f"{cls.__name__} instance has no attribute '{name}' in Slicer")


def _dynamic_names(qt_object: QtCore.QObject) -> list[str]:
    return [bytes(found).decode() for found in qt_object.dynamicPropertyNames()]


def _listed(cls: WrapperType, qt_object: QtCore.QObject, name: str) -> Any:
    value = getattr(qt_object, PYSIDE_NAMES.get(name, name), None)
    if value is None:
        raise NotImplementedError(
            f"{cls.__name__}.{name} exists in Slicer, but not in Qt 6 or in the stand-in"
        )
    if isinstance(value, (enum.Enum, type)):
        return getattr(cls, name)
    return SlotFunction(value, f"{cls.__name__}.{name}")


def _get_of_value(wrapper: Wrapper, value: Any, name: str) -> Any:
    found = getattr(value, name, None)
    if found is None or name.startswith("_"):
        raise AttributeError(f"{type(wrapper).__name__} instance has no attribute '{name}'")
    if isinstance(found, enum.Enum):
        return enumerations.to_integer(found)
    return SlotFunction(found, f"{type(wrapper).__name__}.{name}")


def _set(wrapper: Wrapper, name: str, value: Any) -> None:
    qt_object = _alive(wrapper, name)
    cls = type(wrapper)
    facts = cls.facts
    if not isinstance(qt_object, QtCore.QObject) or facts is None:
        raise AttributeError(f"'{name}' cannot be set on {cls.__name__} objects")
    name = "objectName" if name == "name" else name
    if (cls.__name__, name) in HIDDEN_PROPERTIES:
        advice = HIDDEN_PROPERTIES[cls.__name__, name]
        raise AttributeError(f"Slot '{name}' can not be overwritten on {cls.__name__} object: {advice}")
    if name in facts.properties:
        if facts.is_read_only(name):
            raise AttributeError(f"Property '{name}' of {cls.__name__} object is not writable")
        write_property(qt_object, name, facts.property_type(name), value)
    elif name in facts.attributes or name in facts.signal_names:
        raise AttributeError(f"'{name}' can not be overwritten on {cls.__name__} object")
    elif name in _dynamic_names(qt_object):
        qt_object.setProperty(name, to_qt(value))
    else:
        raise AttributeError(
            f"'{name}' does not exist on {cls.__name__}, and new attributes on C++ objects are not allowed"
        )


def _connect_function(wrapper: Wrapper) -> Callable[[str, Any], bool]:
    return lambda signature, function: signals.connect(
        type(wrapper).facts, hidden(wrapper), signature, function
    )


def _disconnect_function(wrapper: Wrapper) -> Callable[..., bool]:
    return lambda signature, function=None: signals.disconnect(
        type(wrapper).facts, hidden(wrapper), signature, function
    )


def _find_children(wrapper: Wrapper) -> Callable[..., list[Any]]:
    def find(kind: Any, name: str | None = None) -> list[Any]:
        children = hidden(wrapper).findChildren(QtCore.QObject)
        if isinstance(kind, str):
            children = [child for child in children if class_name(child) == kind or child.inherits(kind)]
        else:
            children = [child for child in children if isinstance(child, to_qt(kind))]
        return [to_python(child) for child in children if name is None or child.objectName() == name]

    return find


def _find_child(wrapper: Wrapper) -> Callable[..., Any]:
    def find(kind: Any, name: str | None = None) -> Any:
        found = _find_children(wrapper)(kind, name)
        return found[0] if found else None

    return find


def class_name(qt_object: QtCore.QObject) -> str:
    """The name of the class in Slicer, as "qMRMLNodeComboBox"."""
    return str(getattr(type(qt_object), "SLICER_CLASS", "") or qt_object.metaObject().className())


OBJECT_FUNCTIONS: dict[str, Callable[[Wrapper], Any]] = {
    "connect": _connect_function,
    "disconnect": _disconnect_function,
    "findChildren": _find_children,
    "findChild": _find_child,
    "className": lambda wrapper: lambda: class_name(hidden(wrapper)),
    "delete": lambda wrapper: lambda: shiboken6.delete(hidden(wrapper)),
}
