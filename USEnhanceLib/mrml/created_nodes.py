"""Nodes that came into the scene with a result, to be taken out of it again when the rest fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import slicer
import vtk

from .sequences import find_browser, is_sequence


class CreatedNodes:
    """Adds nodes to the scene and knows them. `roll_back` removes them with all that came with them."""

    def __init__(self) -> None:
        self._created: list[Any] = []

    def add(self, node: Any) -> Any:
        """Put a node into the scene, and return it."""
        return self.remember(slicer.mrmlScene.AddNode(node))

    def remember(self, node: Any | None) -> Any | None:
        """Count a node in the scene, unless it is None, among those that were made; return it."""
        if node is not None:
            self._created.append(node)
        return node

    def roll_back(self) -> None:
        """Remove the nodes that were made."""
        remove(self._created)
        self._created.clear()


def remove(nodes: Iterable[Any]) -> None:
    """Take nodes, the latest first, and what came with them out of the scene."""
    for node in reversed(list(nodes)):
        # The node first: a browser that still lives would make the nodes anew that it shows.
        for doomed in (node, *_attached(node)):
            if doomed.GetScene() is slicer.mrmlScene:
                slicer.mrmlScene.RemoveNode(doomed)


def _attached(node: Any) -> list[Any]:
    """Return what came into the scene with `node`: display nodes, and the nodes that sequences play in."""
    if is_sequence(node):
        browser = find_browser(node)
        proxies = [] if browser is None else [browser.GetProxyNode(node)]
        if browser is not None:
            browser.RemoveSynchronizedSequenceNode(node.GetID())
    elif node.IsA("vtkMRMLSequenceBrowserNode"):
        collection = vtk.vtkCollection()
        node.GetAllProxyNodes(collection)
        proxies = [collection.GetItemAsObject(index) for index in range(collection.GetNumberOfItems())]
    elif node.IsA("vtkMRMLDisplayableNode"):
        return [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
    else:  # a table, a chart, colours
        return []
    return [doomed for proxy in proxies if proxy is not None for doomed in (proxy, *_attached(proxy))]
