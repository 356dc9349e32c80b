"""Signals connected by signature to Python functions, as in PythonQt."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import shiboken6
from PySide6 import QtCore

from . import failures
from .slicer_api import ClassFacts, normalized
from .wrapping import hidden, is_alive, to_python, to_qt

Receiver = Callable[..., None]
_connections: dict[int, list[tuple[str, Callable[..., Any], Receiver]]] = {}


def accepted_arguments(function: Callable[..., Any]) -> int | None:
    """How many arguments of a signal PythonQt passes on; None for all of them.

    It counts them for functions and methods without *args only, so a functools.partial gets all.
    """
    code = None
    offset = 0
    if inspect.ismethod(function) and inspect.isfunction(function.__func__):
        code, offset = function.__func__.__code__, 1
    elif inspect.isfunction(function):
        code = function.__code__
    if code is None or code.co_flags & inspect.CO_VARARGS:
        return None
    return code.co_argcount - offset


def guarded(function: Callable[..., Any]) -> Receiver:
    """A receiver that passes PythonQt's arguments to the function, and records what the function raises."""
    limit = accepted_arguments(function)

    def receive(*arguments: Any) -> None:
        values = [to_python(argument) for argument in arguments]
        try:
            function(*(values if limit is None else values[:limit]))
        except Exception as error:
            failures.record(error)

    return receive


def _python_signal(qt_object: QtCore.QObject, signature: str) -> Any | None:
    """The signal of an implementation class that stands for a signature which PySide cannot declare."""
    attribute = getattr(type(qt_object), "SIGNATURES", {}).get(signature)
    return None if attribute is None else getattr(qt_object, attribute)


def _checked(facts: ClassFacts | None, qt_object: QtCore.QObject, signature: str) -> str:
    wanted = normalized(signature)
    if facts is None or wanted not in facts.signals:
        owner = facts.name if facts else type(qt_object).__name__
        known = ", ".join(sorted(facts.signals)) if facts else "none"
        raise ValueError(f"{owner} has no signal {signature!r} in Slicer; it has: {known}")
    in_stand_in = (
        _python_signal(qt_object, wanted) is not None or qt_object.metaObject().indexOfSignal(wanted) >= 0
    )
    if not in_stand_in:
        raise ValueError(f"{facts.name} has the signal {signature!r} in Qt 5 only, or the stand-in lacks it")
    return wanted


def connect(facts: ClassFacts | None, qt_object: QtCore.QObject, signature: str, function: Any) -> bool:
    """Call the function for each such signal. Raises ValueError for a signal that Slicer's class lacks."""
    if not callable(function):
        raise TypeError(f"{function!r} cannot be called, so {signature} cannot be connected to it")
    signature = _checked(facts, qt_object, signature)
    receiver = guarded(function)
    signal = _python_signal(qt_object, signature)
    if signal is not None:
        signal.connect(receiver)
    else:
        QtCore.QObject.connect(qt_object, QtCore.SIGNAL(signature), receiver)
    pointer = shiboken6.getCppPointer(qt_object)[0]
    if pointer not in _connections:
        qt_object.destroyed.connect(functools.partial(_forget, pointer))
    _connections.setdefault(pointer, []).append((signature, function, receiver))
    return True


def _forget(pointer: int, *_: Any) -> None:
    _connections.pop(pointer, None)


def disconnect(
    facts: ClassFacts | None, qt_object: QtCore.QObject, signature: str, function: Any = None
) -> bool:
    """Undo `connect`, for one function or for all; whether there was a connection."""
    signature = _checked(facts, qt_object, signature)
    pointer = shiboken6.getCppPointer(qt_object)[0]
    entries = _connections.get(pointer, [])
    leaving = [entry for entry in entries if entry[0] == signature and function in (None, entry[1])]
    for entry in leaving:
        entries.remove(entry)
        signal = _python_signal(qt_object, signature)
        if signal is not None:
            signal.disconnect(entry[2])
        else:
            QtCore.QObject.disconnect(qt_object, QtCore.SIGNAL(signature), entry[2])
    return bool(leaving)


class SignalFunction:
    """What `button.clicked` is: connect, disconnect, emit or call it."""

    def __init__(self, facts: ClassFacts, wrapper: Any, name: str) -> None:
        self._facts = facts
        self._wrapper = wrapper
        self._name = name

    def _signature(self) -> str:
        qt_object = hidden(self._wrapper)
        overloads = self._facts.overloads(self._name)
        for signature in overloads:
            if (
                _python_signal(qt_object, signature) is not None
                or qt_object.metaObject().indexOfSignal(signature) >= 0
            ):
                return signature
        return overloads[0]

    def connect(self, function: Callable[..., Any]) -> bool:
        """Connect the overload with most arguments; PythonQt drops those that the function does not take."""
        return connect(self._facts, hidden(self._wrapper), self._signature(), function)

    def disconnect(self, function: Callable[..., Any] | None = None) -> bool:
        """Undo `connect`."""
        return disconnect(self._facts, hidden(self._wrapper), self._signature(), function)

    def emit(self, *arguments: Any) -> None:
        """Send the signal."""
        qt_object = hidden(self._wrapper)
        signal = _python_signal(qt_object, self._signature()) or getattr(qt_object, self._name)
        signal.emit(*(to_qt(argument) for argument in arguments))

    def __call__(self, *arguments: Any) -> None:
        if not is_alive(hidden(self._wrapper)):
            raise ValueError(f"the object with the signal {self._name} has been destroyed")
        self.emit(*arguments)
