"""Enumerations are plain integers in PythonQt, and classes of their own in PySide."""

from __future__ import annotations

import contextlib
import enum
import inspect
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

from shibokensupport.signature import get_signature


def to_integer(value: enum.Enum) -> int:
    """The number of a Qt enumerator or of a combination of flags."""
    return int(value.value)


def _signatures(function: Callable[..., Any]) -> list[inspect.Signature]:
    owner = getattr(function, "__self__", None)
    if owner is not None:
        # PySide knows the signature of its own class' function, not of one bound to a derived object.
        classes = owner.__mro__ if isinstance(owner, type) else type(owner).__mro__
        pyside_class = next((base for base in classes if base.__module__.startswith("PySide6")), None)
        function = getattr(pyside_class, function.__name__, function)
    found = get_signature(function)
    if found is None:
        return []
    return list(found) if isinstance(found, (list, tuple)) else [found]


def _enumeration(annotation: Any) -> type[enum.Enum] | None:
    candidates: Iterable[Any] = (annotation,)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        candidates = typing.get_args(annotation)
    for candidate in candidates:
        if isinstance(candidate, type) and issubclass(candidate, enum.Enum):
            return candidate
    return None


def _alternatives(signed: Any, arguments: tuple[Any, ...]) -> Iterable[tuple[Any, ...]]:
    """The arguments for each overload that takes enumerators where integers are given."""
    for signature in _signatures(signed):
        parameters = [parameter for parameter in signature.parameters.values() if parameter.name != "self"]
        if len(arguments) > len(parameters):
            continue
        converted = [
            _converted(argument, parameter.annotation)
            for argument, parameter in zip(arguments, parameters, strict=False)
        ]
        if any(isinstance(value, enum.Enum) for value in converted):
            yield tuple(converted)


def _converted(argument: Any, annotation: Any) -> Any:
    kind = _enumeration(annotation)
    if kind is None or not isinstance(argument, int):
        return argument
    try:
        return kind(argument)
    except ValueError:
        return argument


def call(function: Callable[..., Any], arguments: tuple[Any, ...], signed: Any) -> Any:
    """Call a PySide function or class with integers in place of enumerators.

    `signed` is what PySide knows the signature of. Raises the TypeError of the plain call when no overload
    takes the arguments.
    """
    try:
        return function(*arguments)
    except TypeError as error:
        reason = error
    for alternative in _alternatives(signed, arguments):
        with contextlib.suppress(TypeError):
            return function(*alternative)
    raise reason
