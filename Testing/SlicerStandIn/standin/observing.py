"""VTK observers of a Qt object, that end with it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore
from vtkmodules.util.vtkConstants import VTK_OBJECT

from .wrapping import is_alive


class Observations:
    """The observers of one Qt object. They do not keep it alive, and are removed when Qt deletes it."""

    def __init__(self, owner: QtCore.QObject) -> None:
        self._owner = weakref.ref(owner)
        self._tags: list[tuple[Any, int]] = []
        owner.destroyed.connect(self.clear)

    def add(self, observed: Any, event: Any, method: Callable[..., None], with_data: bool = False) -> None:
        """Call a method of the owner on each event; with the event's VTK object if asked for."""
        reference = weakref.WeakMethod(method)

        def call(caller: Any, name: str, data: Any = None) -> None:
            bound, owner = reference(), self._owner()
            if bound is None or owner is None or not is_alive(owner):
                return
            if with_data:
                bound(caller, name, data)
            else:
                bound(caller, name)

        if with_data:
            call.CallDataType = VTK_OBJECT
        self._tags.append((observed, observed.AddObserver(event, call)))

    def clear(self, *_: Any) -> None:
        """Remove the observers."""
        for observed, tag in self._tags:
            observed.RemoveObserver(tag)
        self._tags.clear()
