"""slicer.parameterNodeWrapper of the stand-in: typed parameters in a real node, tied to widgets."""

from __future__ import annotations

import enum
from types import SimpleNamespace
from typing import Annotated, Optional, Union

import pytest
import slicer

slicer_volume = slicer.vtkMRMLScalarVolumeNode
vector_volume = slicer.vtkMRMLVectorVolumeNode


class Mode(enum.Enum):
    FAST = 1
    FINE = 2


@pytest.fixture
def wrapper_class(scene):
    from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper

    class Parameters:
        source: slicer_volume | vector_volume | None
        result: slicer_volume
        method: str = "scunet"
        choice: Annotated[str, Choice(["a", "b"])] = "b"
        strength: Annotated[float, WithinRange(0.0, 1.0)] = 0.75
        steps: int = 3
        overlay: bool = True
        mode: Mode = Mode.FINE

    Parameters.__annotations__ = {
        "source": slicer_volume | vector_volume | None,
        "result": slicer_volume,
        "method": str,
        "choice": Annotated[str, Choice(["a", "b"])],
        "strength": Annotated[float, WithinRange(0.0, 1.0)],
        "steps": int,
        "overlay": bool,
        "mode": Mode,
    }
    return parameterNodeWrapper(Parameters)


@pytest.fixture
def node(scene):
    return scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "Sample")


@pytest.fixture
def parameters(wrapper_class, node):
    return wrapper_class(node)


def test_defaults_are_stored_in_the_node(parameters, node):
    assert (parameters.method, parameters.strength, parameters.steps) == ("scunet", 0.75, 3)
    assert (parameters.overlay, parameters.mode, parameters.source) == (True, Mode.FINE, None)
    assert node.GetParameter("strength") == "0.75"


def test_values_survive_in_another_wrapper_of_the_node(parameters, node, wrapper_class, scene):
    volume = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "RGB")
    parameters.source = volume
    parameters.overlay = False
    parameters.mode = Mode.FAST
    other = wrapper_class(node)
    assert other.source is volume
    assert other.overlay is False
    assert other.mode is Mode.FAST


def test_a_removed_node_is_none(parameters, scene):
    parameters.source = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a")
    scene.RemoveNode(parameters.source)
    assert parameters.source is None


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("strength", 1.5, ValueError),
        ("strength", "1", TypeError),
        ("strength", None, ValueError),
        ("steps", 1.5, TypeError),
        ("method", None, ValueError),
        ("choice", "c", ValueError),
        ("overlay", "yes", TypeError),
        ("result", "a", TypeError),
        ("source", 3, TypeError),
        ("strenght", 1.0, AttributeError),
    ],
)
def test_values_of_another_kind_are_refused(parameters, name, value, error):
    with pytest.raises(error):
        setattr(parameters, name, value)


def test_a_union_of_nodes_without_none_cannot_be_empty(scene, node):
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    class Parameters:
        pass

    Parameters.__annotations__ = {"source": Union[slicer_volume, vector_volume]}  # noqa: UP007
    with pytest.raises(TypeError):
        parameterNodeWrapper(Parameters)(node)
    Parameters.__annotations__ = {"source": Optional[slicer_volume]}  # noqa: UP045
    assert parameterNodeWrapper(Parameters)(node).source is None


def test_an_unsupported_type_is_refused(scene):
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    class Parameters:
        pass

    Parameters.__annotations__ = {"path": complex}
    with pytest.raises(TypeError):
        parameterNodeWrapper(Parameters)


@pytest.fixture
def gui(scene):
    import ctk
    import qt

    widgets = SimpleNamespace(
        selector=slicer.qMRMLNodeComboBox(),
        slider=ctk.ctkSliderWidget(),
        check=qt.QCheckBox(),
        combo=qt.QComboBox(),
        line=qt.QLineEdit(),
        spin=qt.QSpinBox(),
        free=qt.QLabel(),
    )
    for name, parameter in {
        "selector": "source",
        "slider": "strength",
        "check": "overlay",
        "combo": "choice",
        "line": "method",
        "spin": "steps",
    }.items():
        getattr(widgets, name).setProperty("SlicerParameterName", parameter)
    widgets.selector.setMRMLScene(scene)
    widgets.selector.noneEnabled = True
    return widgets


def test_widgets_show_the_parameters(parameters, gui):
    parameters.connectGui(gui)
    assert (gui.slider.value, gui.slider.minimum, gui.slider.maximum) == (0.75, 0.0, 1.0)
    assert (gui.check.checked, gui.combo.currentText) == (True, "b")
    assert (gui.line.text, gui.spin.value) == ("scunet", 3)
    parameters.strength = 0.25
    parameters.choice = "a"
    assert (gui.slider.value, gui.combo.currentText) == (0.25, "a")


def test_the_user_changes_parameters(parameters, gui, scene):
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a")
    parameters.connectGui(gui)
    gui.slider.value = 0.5
    gui.check.checked = False
    gui.combo.currentIndex = 0
    gui.line.text = "irsde"
    gui.spin.value = 9
    gui.selector.setCurrentNode(volume)
    assert (parameters.strength, parameters.overlay, parameters.choice) == (0.5, False, "a")
    assert (parameters.method, parameters.steps, parameters.source) == ("irsde", 9, volume)


def test_the_hint_overwrites_the_selectors_node_types(parameters, gui):
    gui.selector.nodeTypes = ["vtkMRMLTableNode"]
    parameters.connectGui(gui)
    assert list(gui.selector.nodeTypes) == ["vtkMRMLScalarVolumeNode", "vtkMRMLVectorVolumeNode"]


def test_a_combo_box_loses_its_items_and_their_data(parameters, gui):
    gui.combo.addItem("Fast", "a")
    parameters.connectGui(gui)
    assert [gui.combo.itemText(row) for row in range(gui.combo.count)] == ["a", "b"]
    assert gui.combo.itemData(0) is None


def test_disconnect_gui(parameters, gui):
    tag = parameters.connectGui(gui)
    parameters.disconnectGui(tag)
    gui.slider.value = 0.5
    assert parameters.strength == 0.75
    parameters.strength = 0.125
    assert gui.slider.value == 0.5


def test_an_unknown_parameter_name_is_refused(parameters, gui):
    gui.free.setProperty("SlicerParameterName", "nonsense")
    with pytest.raises(ValueError, match="nonsense"):
        parameters.connectGui(gui)


def test_a_widget_that_cannot_show_the_type_is_refused(parameters, gui):
    gui.free.setProperty("SlicerParameterName", "overlay")
    with pytest.raises(RuntimeError, match="Unable to create GUI connector"):
        parameters.connectGui(gui)


def test_a_combo_box_needs_choices(parameters, gui):
    gui.line.setProperty("SlicerParameterName", None)
    gui.combo.setProperty("SlicerParameterName", "method")
    with pytest.raises(RuntimeError, match="Choice"):
        parameters.connectGui(gui)
