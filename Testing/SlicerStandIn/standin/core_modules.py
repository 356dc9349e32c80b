"""slicer.modules, with those of Slicer's own modules whose logic slicer-core brings. No Qt."""

from __future__ import annotations

from typing import Any


class CoreModule:
    """A module written in C++, as slicer.modules.volumes: it gives its logic and has no panel here."""

    __slots__ = ("_logic", "name", "path", "title")

    def __init__(self, name: str, logic: Any) -> None:
        self.name = name
        self.title = name
        self.path = ""
        self._logic = logic

    def logic(self) -> Any:
        """The module's logic."""
        return self._logic

    def widgetRepresentation(self) -> None:  # noqa: N802
        """The stand-in has no panels of Slicer's own modules."""
        raise NotImplementedError(f"the stand-in has no panel of the module {self.name}")


class Modules:
    """slicer.modules: the loaded modules as attributes in lower case."""

    def add_core_modules(self, logics: dict[str, Any]) -> None:
        """Add a module for each logic, by the module's name."""
        for name, logic in logics.items():
            setattr(self, name.lower(), CoreModule(name, logic))
