"""Scripted modules: how Slicer finds, loads, shows, reloads and unloads them."""

# ruff: noqa: N802, N815 (the names are Slicer's)
from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets

from .core_modules import CoreModule
from .mrml_widgets import SlicerWidget
from .wrapping import hidden, wrap


class ScriptedModule:
    """slicer.qSlicerScriptedLoadableModule: what a module's class gets as `parent`.

    Only the properties that Slicer's has may be set.
    """

    WRITABLE = frozenset(
        {"title", "categories", "contributors", "associatedNodeTypes", "helpText", "acknowledgementText"}
        | {"extensions", "icon", "hidden", "dependencies", "index"}
    )

    def __init__(self, path: Path) -> None:
        vars(self).update(
            name=path.stem,
            path=str(path),
            title="",
            categories=[],
            contributors=[],
            associatedNodeTypes=[],
            helpText="",
            acknowledgementText="",
            extensions={},
            icon=None,
            hidden=False,
            dependencies=[],
            index=-1,
            _representation=None,
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.WRITABLE:
            raise AttributeError(f"'{name}' cannot be set on qSlicerScriptedLoadableModule")
        vars(self)[name] = value

    def mrmlScene(self) -> Any:
        """The scene."""
        return slicer.mrmlScene

    def logic(self) -> None:
        """Scripted modules have no C++ logic of use."""

    def widgetRepresentation(self) -> Any:
        """The module's panel, made when it is first asked for."""
        if self._representation is None:
            vars(self)["_representation"] = self.createNewWidgetRepresentation()
        return self._representation

    def createNewWidgetRepresentation(self) -> Any:
        """Another panel of the module."""
        panel = ModuleWidget(self.path)
        wrapper = wrap(panel)
        panel.make()
        wrapper.setMRMLScene(slicer.mrmlScene)
        return wrapper

    def discard_panel(self) -> None:
        """Delete the panel, as when Slicer quits."""
        representation = self._representation
        vars(self)["_representation"] = None
        if representation is not None and bool(representation):
            representation.delete()


class ModuleWidget(SlicerWidget):
    """qSlicerScriptedLoadableModuleWidget: the panel, which holds the Python object of the widget."""

    SLICER_CLASS = "qSlicerScriptedLoadableModuleWidget"

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._python: Any = None
        self._entered = False
        QtWidgets.QVBoxLayout(self)
        self.setObjectName(f"{Path(path).stem}ModuleWidget")

    def make(self) -> None:
        """Make the Python object and call its setup()."""
        name = f"{Path(self._path).stem}Widget"
        module = sys.modules[Path(self._path).stem]
        self._python = getattr(module, name)(wrap(self))
        setattr(slicer.modules, name, self._python)
        self._python.setup()

    def self(self) -> Any:
        """The Python object."""
        return self._python

    def reload(self) -> None:
        """Make the Python object anew from the module that was loaded last."""
        self.make()

    def enter(self) -> None:
        """Tell the Python object that the user comes to the module."""
        self._entered = True
        if hasattr(self._python, "enter"):
            self._python.enter()

    def exit(self) -> None:
        """Tell the Python object that the user leaves the module."""
        self._entered = False
        if hasattr(self._python, "exit"):
            self._python.exit()

    isEntered = QtCore.Property(bool, lambda self: self._entered)
    moduleName = QtCore.Property(str, lambda self: Path(self._path).stem)


class FactoryManager:
    """slicer.app.moduleManager().factoryManager()."""

    def __init__(self, modules: dict[str, ScriptedModule]) -> None:
        self._modules = modules

    def loadedModuleNames(self) -> tuple[str, ...]:
        """The names of the loaded modules."""
        return tuple(self._modules)

    def isLoaded(self, name: str) -> bool:
        """Whether a module is loaded."""
        return name in self._modules


class ModuleManager:
    """slicer.app.moduleManager()."""

    def __init__(self) -> None:
        self._modules: dict[str, ScriptedModule] = {}
        self._connections: dict[str, list[Any]] = {
            "moduleAboutToBeUnloaded(QString)": [],
            "moduleLoaded(QString)": [],
        }
        self.selected = ""

    def connect(self, signature: str, function: Any) -> bool:
        """Connect a function to a signal. Raises ValueError for an unknown signal."""
        self._receivers(signature).append(function)
        return True

    def disconnect(self, signature: str, function: Any) -> bool:
        """Undo `connect`; whether there was such a connection."""
        receivers = self._receivers(signature)
        if function not in receivers:
            return False
        receivers.remove(function)
        return True

    def _receivers(self, signature: str) -> list[Any]:
        if signature not in self._connections:
            raise ValueError(f"qSlicerModuleManager has no signal {signature!r}")
        return self._connections[signature]

    def module(self, name: str) -> ScriptedModule | CoreModule | None:
        """The module of that name, or None."""
        known = getattr(slicer.modules, name.lower(), None)
        return known if getattr(known, "name", None) == name else None

    def modulesNames(self) -> tuple[str, ...]:
        """The names of the loaded modules."""
        return tuple(self._modules)

    def factoryManager(self) -> FactoryManager:
        """Knows which modules are loaded."""
        return FactoryManager(self._modules)

    def load(self, path: Path) -> ScriptedModule:
        """Load a scripted module as Slicer does at start: its folder on sys.path, its class made."""
        folder = str(path.parent)
        if folder not in sys.path:
            sys.path.insert(0, folder)
        specification = importlib.util.spec_from_file_location(path.stem, path)
        source = importlib.util.module_from_spec(specification)
        sys.modules[path.stem] = source
        specification.loader.exec_module(source)
        module = ScriptedModule(path)
        setattr(slicer.modules, f"{path.stem}Instance", getattr(source, path.stem)(module))
        self._modules[path.stem] = module
        setattr(slicer.modules, path.stem.lower(), module)
        for function in list(self._connections["moduleLoaded(QString)"]):
            function(path.stem)
        return module

    def unload(self, name: str) -> None:
        """Unload a module as when Slicer quits: tell the widgets, delete the panel, forget the module."""
        if self.selected == name:
            self.leave()
        module = self._modules.pop(name)
        for function in list(self._connections["moduleAboutToBeUnloaded(QString)"]):
            function(name)
        module.discard_panel()
        for attribute in (name.lower(), f"{name}Instance", f"{name}Widget"):
            if hasattr(slicer.modules, attribute):
                delattr(slicer.modules, attribute)
        sys.modules.pop(name, None)

    def select(self, name: str) -> Any:
        """Show a module's panel: exit() of the former one, enter() of this one. Returns the panel."""
        module = self._modules.get(name)
        if module is None:
            raise RuntimeError(f"no module {name} is loaded")
        representation = module.widgetRepresentation()
        if self.selected != name:
            self.leave()
            self.selected = name
            hidden(representation).enter()
        return representation

    def leave(self) -> None:
        """Leave the shown module."""
        module = self._modules.get(self.selected)
        self.selected = ""
        if module is not None and module._representation is not None:
            hidden(module._representation).exit()
