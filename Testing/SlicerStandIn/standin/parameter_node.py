"""The module `slicer.parameterNodeWrapper`: typed parameters kept in a vtkMRMLScriptedModuleNode."""

# ruff: noqa: N802, N803, N815 (the names are Slicer's)
from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Any

import slicer
from vtkmodules.vtkCommonCore import vtkCommand

from . import parameter_types
from .parameter_types import RESERVED_NAMES, Default, Validator, split_annotations, storage_for

PROPERTY_NAME = "SlicerParameterName"


class Parameter:
    """One typed member of a wrapper, as a descriptor."""

    def __init__(self, owner: type, name: str, hint: Any) -> None:
        kind, annotations = split_annotations(hint)
        self.name = name
        self.hint = hint
        self._storage = storage_for(kind)
        self._validators = [
            note() if isinstance(note, type) else note for note in annotations if _is_check(note)
        ]
        default = next((note for note in annotations if isinstance(note, Default)), None)
        if hasattr(owner, name):
            default = Default(getattr(owner, name))
        self.default = default if default is not None else Default(self._storage.default())

    def write(self, node: Any, value: Any) -> None:
        """Check and store a value."""
        self._storage.check(value)
        for validator in self._validators:
            validator.validate(value)
        with slicer.util.NodeModify(node):
            self._storage.write(node, self.name, value)

    def read(self, node: Any) -> Any:
        """The stored value; the default is stored where there is none."""
        if not self._storage.is_in(node, self.name):
            self.write(node, self.default.value)
        return self._storage.read(node, self.name)

    def __get__(self, wrapper: Any, owner: type) -> Any:
        return self if wrapper is None else self.read(wrapper.parameterNode)

    def __set__(self, wrapper: Any, value: Any) -> None:
        self.write(wrapper.parameterNode, value)


def _is_check(note: Any) -> bool:
    return isinstance(note, Validator) or (isinstance(note, type) and issubclass(note, Validator))


class ParameterNode:
    """What every wrapper class can do."""

    allParameters: dict[str, Parameter]

    def __init__(self, parameterNode: Any) -> None:
        self.parameterNode = parameterNode
        self._guis: dict[int, dict[str, Any]] = {}
        self._tags: dict[int, int] = {}
        self._next_gui = 0
        self._is_updating = False
        for parameter in self.allParameters.values():
            parameter.read(parameterNode)

    def __setattr__(self, name: str, value: Any) -> None:
        # Slicer would take a misspelt parameter as a plain attribute, which the scene never sees.
        if name not in self.allParameters and not name.startswith("_") and name != "parameterNode":
            raise AttributeError(f"{name} is no parameter; there are {[*self.allParameters]}")
        object.__setattr__(self, name, value)

    def _parameter(self, name: str) -> Parameter:
        if name not in self.allParameters:
            raise ValueError(
                f"Cannot find a param with the given name: {name}; there are {[*self.allParameters]}"
            )
        return self.allParameters[name]

    def default(self, name: str) -> Default:
        """The default of a parameter."""
        return self._parameter(name).default

    def dataType(self, name: str) -> Any:
        """The type of a parameter."""
        return self._parameter(name).hint

    def getValue(self, name: str) -> Any:
        """The value of a parameter."""
        return self._parameter(name).read(self.parameterNode)

    def setValue(self, name: str, value: Any) -> None:
        """Set a parameter."""
        self._parameter(name).write(self.parameterNode, value)

    def connectGui(self, gui: Any) -> int:
        """Tie widgets with the property SlicerParameterName to their parameters; a tag for disconnectGui."""
        import qt

        is_widget = getattr(gui, "isWidgetType", lambda: False)()
        widgets = gui.findChildren(qt.QWidget) if is_widget else list(vars(gui).values())
        named = {
            widget.property(PROPERTY_NAME): widget for widget in widgets if widget.property(PROPERTY_NAME)
        }
        return self.connectParametersToGui(named)

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        """Tie widgets to parameters by name; a tag for disconnectGui."""
        from .parameter_gui import connector_for

        connectors = {name: connector_for(widget, self.dataType(name)) for name, widget in mapping.items()}
        tag = self._next_gui
        self._next_gui += 1
        self._guis[tag] = connectors
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.on_changed(self._user_change(name, connector))
        self._tags[tag] = self.AddObserver(vtkCommand.ModifiedEvent, self._update_gui)
        return tag

    def _user_change(self, name: str, connector: Any) -> Callable[[], None]:
        def take() -> None:
            if not self._is_updating:
                with slicer.util.NodeModify(self):
                    self.setValue(name, connector.read())

        return take

    def _update_gui(self, *_: Any) -> None:
        if self._is_updating:
            return
        self._is_updating = True
        try:
            with slicer.util.NodeModify(self):
                for connectors in self._guis.values():
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._is_updating = False

    def disconnectGui(self, tag: int) -> None:
        """Undo connectGui."""
        for connector in self._guis.pop(tag, {}).values():
            connector.on_changed(None)
        if tag in self._tags:
            self.RemoveObserver(self._tags.pop(tag))

    def StartModify(self) -> int:
        """Hold back the node's events."""
        return self.parameterNode.StartModify()

    def EndModify(self, previous: int) -> int:
        """Send the events that were held back."""
        return self.parameterNode.EndModify(previous)

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> int:
        """Observe the node."""
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        """Stop observing the node."""
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        """Say that the node has changed."""
        self.parameterNode.Modified()


def parameterNodeWrapper(described: type | None = None) -> Any:
    """Class decorator: annotated members become parameters in a node."""
    if described is None:
        return parameterNodeWrapper
    hints = typing.get_type_hints(described, include_extras=True)
    for name in hints:
        if name in RESERVED_NAMES:
            raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
    parameters = {name: Parameter(described, name, hint) for name, hint in hints.items()}
    members = {
        name: value for name, value in vars(described).items() if name not in ("__dict__", "__weakref__")
    }
    members.update(parameters, allParameters=parameters, __init__=ParameterNode.__init__)
    return type(described.__name__, (ParameterNode,), members)


def isParameterNodeWrapper(thing: Any) -> bool:
    """Whether it is a wrapper or a class of wrappers."""
    kind = thing if isinstance(thing, type) else type(thing)
    return issubclass(kind, ParameterNode)


def make_module() -> types.ModuleType:
    """The module `slicer.parameterNodeWrapper`."""
    module = types.ModuleType("slicer.parameterNodeWrapper")
    module.parameterNodeWrapper = parameterNodeWrapper
    module.isParameterNodeWrapper = isParameterNodeWrapper
    module.SlicerParameterNamePropertyName = PROPERTY_NAME
    for name in (
        "Choice",
        "Decimals",
        "Default",
        "Maximum",
        "Minimum",
        "SingleStep",
        "Validator",
        "WithinRange",
    ):
        setattr(module, name, getattr(parameter_types, name))
    return module
