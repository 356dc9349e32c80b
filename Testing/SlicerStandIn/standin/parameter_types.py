"""How typed parameters are kept in a vtkMRMLScriptedModuleNode, for `slicer.parameterNodeWrapper`."""

from __future__ import annotations

import abc
import enum
import pathlib
import types
import typing
from dataclasses import dataclass
from typing import Annotated, Any

import slicer

RESERVED_NAMES = frozenset(
    {"allParameters", "default", "isCached", "dataType", "getValue", "setValue", "connectGui"}
    | {"connectParametersToGui", "disconnectGui", "StartModify", "EndModify", "AddObserver", "RemoveObserver"}
    | {"Modified", "parameterNode"}
)


class Validator(abc.ABC):
    """A condition in an annotation, checked when a parameter is set."""

    @abc.abstractmethod
    def validate(self, value: Any) -> None:
        """Raise ValueError or TypeError for a value that may not be set."""


@dataclass
class WithinRange(Validator):
    """minimum <= value <= maximum."""

    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        """Raise ValueError outside the range."""
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"{value} is not within [{self.minimum}, {self.maximum}]")


@dataclass
class Minimum(Validator):
    """value >= minimum."""

    minimum: float

    def validate(self, value: Any) -> None:
        """Raise ValueError below the minimum."""
        if value < self.minimum:
            raise ValueError(f"{value} is less than {self.minimum}")


@dataclass
class Maximum(Validator):
    """value <= maximum."""

    maximum: float

    def validate(self, value: Any) -> None:
        """Raise ValueError above the maximum."""
        if value > self.maximum:
            raise ValueError(f"{value} is more than {self.maximum}")


@dataclass
class Choice(Validator):
    """The value is one of some."""

    choices: list[Any]

    def validate(self, value: Any) -> None:
        """Raise ValueError for another value."""
        if value not in self.choices:
            raise ValueError(f"{value} is none of {self.choices}")


@dataclass
class Default:
    """The value of a parameter that was not set."""

    value: Any = None


@dataclass
class Decimals:
    """The digits that the widget shows."""

    value: int


@dataclass
class SingleStep:
    """The step of the widget."""

    value: float


def split_annotations(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type of a hint, and what Annotated adds to it."""
    arguments = typing.get_args(Annotated[kind, None])
    return arguments[0], arguments[1:-1]


def is_union(kind: Any) -> bool:
    """Whether the type is `A | B`, Union[A, B] or Optional[A]."""
    return typing.get_origin(kind) is typing.Union or isinstance(kind, types.UnionType)


def node_types(kind: Any) -> list[type] | None:
    """The node classes of a hint for a node or a union of nodes; None for other hints."""
    kind = split_annotations(kind)[0]
    members = typing.get_args(kind) if is_union(kind) else (kind,)
    members = tuple(split_annotations(member)[0] for member in members)
    nodes = [member for member in members if is_node_type(member)]
    return (
        nodes if nodes and all(member is type(None) or is_node_type(member) for member in members) else None
    )


def is_node_type(kind: Any) -> bool:
    """Whether the type is a class of MRML nodes."""
    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)


class Storage(abc.ABC):
    """Reads and writes one parameter of a type."""

    @abc.abstractmethod
    def default(self) -> Any:
        """The value of a parameter without a default of its own."""

    @abc.abstractmethod
    def check(self, value: Any) -> None:
        """Raise TypeError or ValueError for a value of another type."""

    @abc.abstractmethod
    def is_in(self, node: Any, name: str) -> bool:
        """Whether the parameter node has a value."""

    @abc.abstractmethod
    def write(self, node: Any, name: str, value: Any) -> None:
        """Store a value."""

    @abc.abstractmethod
    def read(self, node: Any, name: str) -> Any:
        """The stored value."""

    @abc.abstractmethod
    def remove(self, node: Any, name: str) -> None:
        """Take the value out of the parameter node."""


class TextStorage(Storage):
    """Types of which a value is kept as text: str, int, float, bool, pathlib.Path, enumerations."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def default(self) -> Any:
        """0, "", False or the first enumerator."""
        return next(iter(self._kind)) if issubclass(self._kind, enum.Enum) else self._kind()

    def check(self, value: Any) -> None:
        """Refuse None and values of other types; an integer is a float."""
        accepted = (int, float) if self._kind is float else self._kind
        if value is None:
            raise ValueError("Value must not be None")
        if not isinstance(value, accepted):
            raise TypeError(f"Value must be of type '{accepted}', is '{type(value)}' value '{value}'")

    def is_in(self, node: Any, name: str) -> bool:
        """Whether the parameter node has a value."""
        return bool(node.HasParameter(name))

    def write(self, node: Any, name: str, value: Any) -> None:
        """Store a value."""
        node.SetParameter(name, value.name if isinstance(value, enum.Enum) else str(value))

    def read(self, node: Any, name: str) -> Any:
        """The stored value."""
        text = node.GetParameter(name)
        if self._kind is bool:
            return text == "True"
        return self._kind[text] if issubclass(self._kind, enum.Enum) else self._kind(text)

    def remove(self, node: Any, name: str) -> None:
        """Take the value out of the parameter node."""
        node.UnsetParameter(name)


class NodeStorage(Storage):
    """A reference to a node, or None."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def default(self) -> None:
        """No node."""

    def check(self, value: Any) -> None:
        """Refuse nodes of other classes."""
        if value is not None and not isinstance(value, self._kind):
            raise TypeError(f"Value must be of type '{self._kind}', is type '{type(value)}' value '{value}'")

    def is_in(self, node: Any, name: str) -> bool:
        """Whether the parameter node has a value, which may be None."""
        return bool(node.HasParameter(name))

    def write(self, node: Any, name: str, value: Any) -> None:
        """Store a reference; the empty parameter tells None from nothing stored."""
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, node: Any, name: str) -> Any:
        """The node, or None."""
        return node.GetNodeReference(name)

    def remove(self, node: Any, name: str) -> None:
        """Take the reference out of the parameter node."""
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


class NoneStorage(TextStorage):
    """The None of a union."""

    def __init__(self) -> None:
        super().__init__(str)

    def default(self) -> None:
        """None."""

    def check(self, value: Any) -> None:
        """Refuse everything but None."""
        if value is not None:
            raise ValueError("Value must be None")

    def read(self, node: Any, name: str) -> None:
        """None."""


class UnionStorage(Storage):
    """A value of one of several types, kept under the parameter's name and the place of its type."""

    def __init__(self, members: list[Storage]) -> None:
        self._members = members

    def default(self) -> Any:
        """None for Optional[X], else the default of the first type."""
        if len(self._members) == 2 and isinstance(self._members[1], NoneStorage):
            return None
        return self._members[0].default()

    def _member(self, value: Any) -> int:
        reason: Exception | None = None
        for index, member in enumerate(self._members):
            if isinstance(member, NodeStorage) and value is None:
                continue
            try:
                member.check(value)
            except (TypeError, ValueError) as error:
                reason = error
            else:
                return index
        raise TypeError(f"Unable to write value '{value}' of type '{type(value)}'") from reason

    def check(self, value: Any) -> None:
        """Refuse what is of none of the types. None needs `| None`, for nodes too."""
        self._member(value)

    def is_in(self, node: Any, name: str) -> bool:
        """Whether the parameter node has a value."""
        return any(member.is_in(node, f"{name}.{index}") for index, member in enumerate(self._members))

    def write(self, node: Any, name: str, value: Any) -> None:
        """Store a value in place of the former one."""
        chosen = self._member(value)
        with slicer.util.NodeModify(node):
            self.remove(node, name)
            self._members[chosen].write(node, f"{name}.{chosen}", value)

    def read(self, node: Any, name: str) -> Any:
        """The stored value."""
        for index, member in enumerate(self._members):
            if member.is_in(node, f"{name}.{index}"):
                return member.read(node, f"{name}.{index}")
        raise KeyError(f"Unable to find value for name: {name}")

    def remove(self, node: Any, name: str) -> None:
        """Take the value out of the parameter node."""
        for index, member in enumerate(self._members):
            member.remove(node, f"{name}.{index}")


def storage_for(kind: Any) -> Storage:
    """How a type is kept. Raises TypeError for a type that the stand-in does not support."""
    kind = split_annotations(kind)[0]
    if kind is type(None):
        return NoneStorage()
    if is_union(kind):
        return UnionStorage([storage_for(member) for member in typing.get_args(kind)])
    if is_node_type(kind):
        return NodeStorage(kind)
    if kind in (str, int, float, bool, pathlib.Path) or (
        isinstance(kind, type) and issubclass(kind, enum.Enum)
    ):
        return TextStorage(kind)
    raise TypeError(f"Unable to create serializer for type: {kind}")
