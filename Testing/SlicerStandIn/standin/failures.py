"""Exceptions that Slicer would only print, kept so that they fail the running test.

PythonQt prints an exception that a slot raises and goes on; VTK does so for an observer.
"""

from __future__ import annotations

import sys
import traceback
from types import TracebackType

_recorded: list[BaseException] = []


def record(error: BaseException) -> None:
    """Print the exception, as Slicer does, and keep it."""
    traceback.print_exception(error)
    _recorded.append(error)


def record_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Take the place of sys.excepthook, which VTK and Qt call for an exception in a callback."""
    sys.__excepthook__(kind, error, trace)
    _recorded.append(error)


def recorded() -> list[BaseException]:
    """The exceptions so far."""
    return list(_recorded)


def forget() -> None:
    """Start anew."""
    _recorded.clear()


def raise_recorded() -> None:
    """Raise the first recorded exception, if there is one, and start anew."""
    errors = recorded()
    forget()
    if errors:
        raise errors[0]
