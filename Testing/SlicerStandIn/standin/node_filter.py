"""Which nodes a selector lists: the rules of qMRMLSortFilterProxyModel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class NodeFilter:
    """Node types, whether derived and hidden ones count, and required attributes (type, name, value)."""

    types: list[str] = field(default_factory=list)
    hidden_child_types: list[str] = field(default_factory=list)
    show_hidden: bool = False
    show_child_types: bool = True
    attributes: list[tuple[str, str, str | None]] = field(default_factory=list)

    def accepted_nodes(self, scene: Any) -> list[Any]:
        """The nodes of a scene (or of None) that pass, in the order of the scene."""
        if scene is None:
            return []
        nodes = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
        return [node for node in nodes if self.accepts(node)]

    def accepts(self, node: Any) -> bool:
        """Whether a node is listed."""
        if node.GetHideFromEditors() and not self.show_hidden:
            return False
        return not self.types or any(self._accepts_as(node, kind) for kind in self.types)

    def _accepts_as(self, node: Any, kind: str) -> bool:
        if not node.IsA(kind):
            return False
        if not self.show_child_types and node.GetClassName() != kind:
            return False
        if self.show_child_types and any(node.IsA(child) for child in self.hidden_child_types):
            return False
        return all(
            node.GetAttribute(name) is not None and wanted in (None, node.GetAttribute(name))
            for attribute_kind, name, wanted in self.attributes
            if attribute_kind == kind
        )
