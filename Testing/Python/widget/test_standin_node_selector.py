"""The stand-in for qMRMLNodeComboBox lists and chooses nodes as Slicer's does."""

from __future__ import annotations

import pytest

VOLUMES = ["vtkMRMLScalarVolumeNode"]


@pytest.fixture
def selector(scene):
    import slicer

    made = slicer.qMRMLNodeComboBox()
    made.nodeTypes = VOLUMES
    made.addEnabled = False
    made.removeEnabled = False
    made.noneEnabled = True
    made.setMRMLScene(scene)
    return made


@pytest.fixture
def changes(selector):
    heard = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: heard.append(node and node.GetName()))
    return heard


def listed(selector):
    return [selector.nodeFromIndex(index).GetName() for index in range(selector.nodeCount())]


def test_derived_types_are_listed_unless_told_not_to(selector, scene):
    scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "grey")
    scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "rgb")
    scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    assert listed(selector) == ["grey", "rgb", "labels"]
    selector.hideChildNodeTypes = ["vtkMRMLLabelMapVolumeNode"]
    assert listed(selector) == ["grey", "rgb"]
    selector.showChildNodeTypes = False
    assert listed(selector) == ["grey"]
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode", "vtkMRMLVectorVolumeNode"]
    assert listed(selector) == ["grey", "rgb"]


def test_hidden_nodes_are_not_listed(selector, scene):
    node = scene.CreateNodeByClass("vtkMRMLScalarVolumeNode")
    node.UnRegister(None)
    node.SetHideFromEditors(True)
    scene.AddNode(node)
    assert selector.nodeCount() == 0
    selector.showHidden = True
    assert selector.nodeCount() == 1


def test_nodes_with_an_attribute(selector, scene):
    plain = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "plain")
    marked = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "marked")
    marked.SetAttribute("USEnhance.Method", "scunet")
    selector.addAttribute("vtkMRMLScalarVolumeNode", "USEnhance.Method")
    assert listed(selector) == ["marked"]
    selector.removeAttribute("vtkMRMLScalarVolumeNode", "USEnhance.Method")
    assert listed(selector) == [plain.GetName(), "marked"]


def test_with_none_the_user_chooses(selector, changes, scene):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a")
    assert selector.currentNode() is None
    selector.setCurrentNode(node)
    assert selector.currentNode() is node
    assert selector.currentNodeID == node.GetID()
    selector.setCurrentNode(None)
    assert changes == ["a", None]


def test_without_none_the_first_node_is_chosen(selector, changes, scene):
    selector.noneEnabled = False
    assert selector.currentNode() is None
    scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a")
    scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "b")
    assert selector.currentNode().GetName() == "a"
    assert changes == ["a"]


def test_the_entry_after_a_removed_node_is_chosen(selector, changes, scene):
    nodes = [scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name) for name in "abc"]
    selector.setCurrentNode(nodes[1])
    scene.RemoveNode(nodes[1])
    assert selector.currentNode() is nodes[2]
    scene.RemoveNode(nodes[2])
    scene.RemoveNode(nodes[0])
    assert selector.currentNode() is None
    assert changes == ["b", "c", "a", None]


def test_a_closed_scene_leaves_nothing(selector, changes, scene):
    selector.setCurrentNode(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a"))
    scene.Clear(False)
    assert selector.nodeCount() == 0
    assert selector.currentNode() is None
    assert changes == ["a", None]


def test_a_new_name_is_shown(selector, scene):
    import qt

    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a")
    node.SetName("b")
    box = selector.findChildren(qt.QComboBox)[0]
    assert [box.itemText(row) for row in range(box.count)] == ["None", "b"]


def test_create_new_node(selector, scene):
    heard = []
    selector.connect("nodeAddedByUser(vtkMRMLNode*)", heard.append)
    selector.nodeTypes = ["vtkMRMLSequenceNode"]
    selector.baseName = "Enhanced"
    node = selector.addNode()
    assert node.GetClassName() == "vtkMRMLSequenceNode"
    assert node.GetName() == "Enhanced"
    assert selector.currentNode() is node
    assert heard == [node]


def test_a_node_chosen_before_the_scene_is_set(scene):
    import slicer

    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a")
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = VOLUMES
    selector.noneEnabled = True
    assert not selector.enabled
    selector.setCurrentNodeID(node.GetID())
    selector.setMRMLScene(scene)
    assert selector.enabled
    assert selector.currentNode() is node


def test_what_is_no_node_is_refused(selector):
    with pytest.raises(TypeError):
        selector.setCurrentNode(3)
    with pytest.raises(AttributeError):
        selector.currentNodes()
    with pytest.raises(AttributeError):
        selector.nodeTypes = "vtkMRMLScalarVolumeNode"


def test_the_selector_does_not_outlive_its_parent(scene):
    import qt
    import slicer

    parent = qt.QWidget()
    layout = qt.QVBoxLayout(parent)
    selector = slicer.qMRMLNodeComboBox()
    layout.addWidget(selector)
    selector.setMRMLScene(scene)
    parent.delete()
    scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a")
    assert not selector


def test_the_selector_hears_nothing_once_its_combo_box_is_gone(selector, scene):
    """Python's collector may delete the child while the selector still lives."""
    import shiboken6
    from standin import failures
    from standin.wrapping import hidden

    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a")
    shiboken6.delete(hidden(selector)._combo_box)
    node.SetName("b")
    scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "c")
    assert failures.recorded() == []
