"""slicer.qMRMLNodeComboBox over a real scene."""

# ruff: noqa: N802, N815 (the names are Slicer's)
from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtWidgets
from vtkmodules.vtkCommonCore import vtkCommand

from .ctk_widgets import stored
from .node_filter import NodeFilter
from .observing import Observations
from .wrapping import is_alive

NODE_ID_ROLE = int(QtCore.Qt.ItemDataRole.UserRole)
ACTION_ROLE = NODE_ID_ROLE + 1


def action_switch(name: str) -> QtCore.Property:
    """A property that shows or hides an entry as "Create new Volume"."""

    def write(selector: Any, enabled: bool) -> None:
        selector._actions[name] = enabled
        selector._refresh()

    return QtCore.Property(bool, lambda selector: selector._actions[name], write)


class NodeSelector(QtWidgets.QWidget):
    """A combo box of the scene's nodes of some types, with None, Create, Rename and Delete as entries.

    Which nodes are listed and what happens on removal follow qMRMLNodeComboBox and its filter model.
    """

    SLICER_CLASS = "qMRMLNodeComboBox"
    # PySide has no signal with a MRML pointer, nor two of one name that differ in an object and a bool.
    SIGNATURES = {  # noqa: RUF012
        "currentNodeChanged(vtkMRMLNode*)": "node_changed",
        "currentNodeChanged(bool)": "has_node_changed",
        "nodeActivated(vtkMRMLNode*)": "node_activated",
        "nodeAdded(vtkMRMLNode*)": "node_added",
        "nodeAddedByUser(vtkMRMLNode*)": "node_added_by_user",
        "nodeAddedByUserAction(vtkMRMLNode*)": "node_added_by_user_action",
        "nodeAboutToBeRemoved(vtkMRMLNode*)": "node_about_to_be_removed",
        "nodeAboutToBeEdited(vtkMRMLNode*)": "node_about_to_be_edited",
    }
    node_changed = QtCore.Signal(object)
    has_node_changed = QtCore.Signal(bool)
    node_activated = QtCore.Signal(object)
    node_added = QtCore.Signal(object)
    node_added_by_user = QtCore.Signal(object)
    node_added_by_user_action = QtCore.Signal(object)
    node_about_to_be_removed = QtCore.Signal(object)
    node_about_to_be_edited = QtCore.Signal(object)
    currentNodeIDChanged = QtCore.Signal(str)
    currentNodeRenamed = QtCore.Signal(str)

    interactionNodeSingletonTag = stored(str, "interactionNodeSingletonTag", "")
    selectNodeUponCreation = stored(bool, "selectNodeUponCreation", True)
    sizeAdjustPolicy = stored(int, "sizeAdjustPolicy", 0)
    baseName = stored(str, "baseName", "")

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._combo_box = QtWidgets.QComboBox(self)
        # They end with the combo box, not with the selector: Python may collect the child first.
        self._observations = Observations(self._combo_box)
        self._node_observations = Observations(self._combo_box)
        self._filter = NodeFilter()
        self._none_enabled = False
        self._none_display = "None"
        self._actions = {
            "renameEnabled": False,
            "editEnabled": False,
            "addEnabled": True,
            "removeEnabled": True,
        }
        self._labels: dict[str, str] = {}
        self._requested = ""
        self._reported: str | None = None
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo_box)
        self._combo_box.currentIndexChanged.connect(self._on_index_changed)
        self._combo_box.activated.connect(self._on_activated)
        self.setEnabled(False)

    # The scene

    def mrmlScene(self) -> Any:
        """The scene, or None."""
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        """List the nodes of a scene; without one the selector is disabled."""
        if scene is self._scene:
            return
        self._observations.clear()
        self._scene = scene
        if scene is not None:
            for event in (
                scene.NodeAddedEvent,
                scene.NodeRemovedEvent,
                scene.EndCloseEvent,
                scene.EndImportEvent,
                scene.EndBatchProcessEvent,
            ):
                self._observations.add(scene, event, self._on_scene_event)
            self._observations.add(
                scene, scene.NodeAboutToBeRemovedEvent, self._on_node_about_to_be_removed, with_data=True
            )
        self._refresh()
        if self._requested:
            self.setCurrentNodeID(self._requested)
            self._requested = ""
        self.setEnabled(scene is not None)

    def _on_scene_event(self, *_: Any) -> None:
        if self._scene.IsBatchProcessing():
            return
        before = set(self._listed_ids())
        self._refresh()
        if not is_alive(self._combo_box):  # as in `_refresh`
            return
        for node_id in self._listed_ids():
            if node_id not in before:
                self.node_added.emit(self._scene.GetNodeByID(node_id))

    def _on_node_about_to_be_removed(self, scene: Any, event: str, node: Any) -> None:
        if node.GetID() in self._listed_ids():
            self.node_about_to_be_removed.emit(node)

    def _observe_nodes(self, nodes: list[Any]) -> None:
        """Follow the names of the listed nodes."""
        self._node_observations.clear()
        for node in nodes:
            self._node_observations.add(node, vtkCommand.ModifiedEvent, self._on_node_modified)

    def _on_node_modified(self, node: Any, event: str) -> None:
        row = self._combo_box.findData(node.GetID(), NODE_ID_ROLE)
        if row >= 0 and self._combo_box.itemText(row) != (node.GetName() or ""):
            self._combo_box.setItemText(row, node.GetName() or "")

    # Which nodes are listed

    def _listed_ids(self) -> list[str]:
        items = (self._combo_box.itemData(row, NODE_ID_ROLE) for row in range(self._combo_box.count()))
        return [node_id for node_id in items if node_id]

    def _refresh(self) -> None:
        """Bring the entries up to date and keep the choice, or choose as qMRMLNodeComboBox would."""
        combo_box = self._combo_box
        row = combo_box.currentIndex()
        chosen = combo_box.itemData(row, NODE_ID_ROLE) if row >= 0 else None
        before = self._listed_ids()
        nodes = self._filter.accepted_nodes(self._scene)
        self._observe_nodes(nodes)
        # Python may collect the parent while nodes are listed, and Qt then deletes the combo box.
        if not is_alive(combo_box):
            return
        blocker = QtCore.QSignalBlocker(combo_box)
        combo_box.clear()
        if self._none_enabled:
            combo_box.addItem(self._none_display, None)
        for node in nodes:
            combo_box.addItem(node.GetName() or "", node.GetID())
        self._add_actions()
        ids = [node.GetID() for node in nodes]
        offset = 1 if self._none_enabled else 0
        if chosen in ids:
            combo_box.setCurrentIndex(ids.index(chosen) + offset)
        elif chosen is not None and ids:
            # The current entry went: Qt moves on to the entry that takes its place, or to the last one.
            place = min(before.index(chosen), len(ids) - 1) if chosen in before else 0
            combo_box.setCurrentIndex(place + offset)
        elif offset:
            combo_box.setCurrentIndex(0)
        else:
            # Qt chooses the first entry of a box that was empty.
            combo_box.setCurrentIndex(0 if ids and not before and row < 0 else -1)
        blocker.unblock()
        self._report()

    def _add_actions(self) -> None:
        if self._scene is None:
            return
        types = self._filter.types
        label = self.nodeTypeLabel(types[0] if len(types) == 1 else "")
        actions = []
        if self._actions["renameEnabled"]:
            actions.append((f"Rename current {label}", "RENAME"))
        if self._actions["editEnabled"]:
            actions.append((f"Edit current {label}", "EDIT"))
        if self._actions["addEnabled"]:
            actions += [(f"Create new {self.nodeTypeLabel(kind)}", f"CREATE {kind}") for kind in types]
        if self._actions["removeEnabled"]:
            actions.append((f"Delete current {label}", "DELETE"))
        for text, action in actions:
            self._combo_box.addItem(text)
            self._combo_box.setItemData(self._combo_box.count() - 1, action, ACTION_ROLE)

    # The choice

    def _on_index_changed(self, row: int) -> None:
        if self._combo_box.itemData(row, ACTION_ROLE) is None:
            self._report()

    def _on_activated(self, row: int) -> None:
        action = self._combo_box.itemData(row, ACTION_ROLE)
        if action is None:
            self.node_activated.emit(self.currentNode())
            return
        self.setCurrentNodeID(self._reported or "")
        verb, _, kind = action.partition(" ")
        if verb == "CREATE":
            node = self.addNode(kind)
            self.setCurrentNode(node)
            self.node_added_by_user_action.emit(node)
        elif verb == "DELETE":
            self.removeCurrentNode()
        elif verb == "EDIT":
            self.editCurrentNode()
        else:
            self.renameCurrentNode()

    def _report(self) -> None:
        node = self.currentNode()
        node_id = node.GetID() if node is not None else ""
        if node_id == self._reported:
            return
        self._reported = node_id
        self.node_changed.emit(node)
        self.has_node_changed.emit(node is not None)
        self.currentNodeIDChanged.emit(node_id)

    def currentNode(self) -> Any:
        """The chosen node, or None."""
        row = self._combo_box.currentIndex()
        node_id = self._combo_box.itemData(row, NODE_ID_ROLE) if row >= 0 else None
        return self._scene.GetNodeByID(node_id) if node_id and self._scene is not None else None

    def setCurrentNode(self, node: Any) -> None:
        """Choose a node; None, and a node that is not listed, choose nothing."""
        if node is not None and not hasattr(node, "GetID"):
            raise TypeError(f"setCurrentNode takes a MRML node or None, not {node!r}")
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, node_id: str | None) -> None:
        """Choose the node with that ID."""
        if self._scene is None:
            self._requested = node_id or ""
            return
        row = self._combo_box.findData(node_id, NODE_ID_ROLE) if node_id else -1
        if row < 0:
            row = 0 if self._none_enabled else -1
        self._combo_box.setCurrentIndex(row)

    def setCurrentNodeIndex(self, index: int) -> None:
        """Choose the node at that place in the list."""
        index = -1 if index >= self.nodeCount() else index
        self._combo_box.setCurrentIndex(index + (1 if self._none_enabled else 0))

    def nodeCount(self) -> int:
        """How many nodes are listed."""
        return len(self._listed_ids())

    def nodeFromIndex(self, index: int) -> Any:
        """The node at that place in the list, or None."""
        ids = self._listed_ids()
        return self._scene.GetNodeByID(ids[index]) if 0 <= index < len(ids) else None

    # Nodes made, renamed and deleted

    def addNode(self, kind: str | None = None) -> Any:
        """Add a node of the type, or of the first of the types, to the scene and choose it."""
        types = self._filter.types
        kind = kind or (types[0] if types else "")
        if kind not in types:
            return None
        node = self._scene.CreateNodeByClass(kind)
        node.UnRegister(None)
        label = self.baseName or self._scene.GetTagByClassName(kind) or kind
        node.SetName(self._scene.GenerateUniqueName(label))
        for attribute_kind, name, value in self._filter.attributes:
            if attribute_kind == kind:
                node.SetAttribute(name, value or "")
        node = self._scene.AddNode(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.node_added_by_user.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        """Remove the chosen node from the scene."""
        if self.currentNode() is not None:
            self._scene.RemoveNode(self.currentNode())

    def editCurrentNode(self) -> None:
        """Announce that the user wants to edit the node."""
        self.node_about_to_be_edited.emit(self.currentNode())

    def renameCurrentNode(self) -> None:
        """Ask for a name, as in Slicer."""
        node = self.currentNode()
        if node is None:
            return
        name, accepted = QtWidgets.QInputDialog.getText(self, "Rename", "New name:", text=node.GetName())
        if accepted and name:
            node.SetName(name)
            self._refresh()
            self.currentNodeRenamed.emit(name)

    def addAttribute(self, kind: str, name: str, value: str | None = None) -> None:
        """List only nodes of the type that have the attribute (with that value)."""
        self._filter.attributes.append((kind, name, value))
        self._refresh()

    def removeAttribute(self, kind: str, name: str) -> None:
        """Undo `addAttribute`."""
        self._filter.attributes = [entry for entry in self._filter.attributes if entry[:2] != (kind, name)]
        self._refresh()

    def nodeTypeLabel(self, kind: str) -> str:
        """The name of the type for users."""
        if kind in self._labels:
            return self._labels[kind]
        return (self._scene.GetTypeDisplayNameByClassName(kind) if self._scene is not None else "") or "node"

    def setNodeTypeLabel(self, label: str, kind: str) -> None:
        """Set the name of the type for users."""
        self._labels[kind] = label
        self._refresh()

    def _set_none_enabled(self, enabled: bool) -> None:
        self._none_enabled = enabled
        self._refresh()

    def _set_none_display(self, text: str) -> None:
        self._none_display = text
        self._refresh()

    def _set_node_types(self, types: list[str]) -> None:
        self._filter.types = [kind for kind in types if kind]
        self._refresh()

    def _set_hidden_child_types(self, types: list[str]) -> None:
        self._filter.hidden_child_types = [kind for kind in types if kind]
        self._refresh()

    def _set_show_hidden(self, show: bool) -> None:
        self._filter.show_hidden = show
        self._refresh()

    def _set_show_child_types(self, show: bool) -> None:
        self._filter.show_child_types = show
        self._refresh()

    def _get_id(self) -> str:
        node = self.currentNode()
        return node.GetID() if node is not None else ""

    currentNodeID = QtCore.Property(str, _get_id, setCurrentNodeID)
    currentNodeId = QtCore.Property(str, _get_id, setCurrentNodeID)
    noneEnabled = QtCore.Property(bool, lambda self: self._none_enabled, _set_none_enabled)
    noneDisplay = QtCore.Property(str, lambda self: self._none_display, _set_none_display)
    nodeTypes = QtCore.Property("QStringList", lambda self: self._filter.types, _set_node_types)
    hideChildNodeTypes = QtCore.Property(
        "QStringList", lambda self: self._filter.hidden_child_types, _set_hidden_child_types
    )
    showHidden = QtCore.Property(bool, lambda self: self._filter.show_hidden, _set_show_hidden)
    showChildNodeTypes = QtCore.Property(
        bool, lambda self: self._filter.show_child_types, _set_show_child_types
    )
    addEnabled = action_switch("addEnabled")
    removeEnabled = action_switch("removeEnabled")
    editEnabled = action_switch("editEnabled")
    renameEnabled = action_switch("renameEnabled")
