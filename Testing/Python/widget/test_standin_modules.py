"""The stand-in loads, shows, reloads and unloads a scripted module as Slicer does."""

from __future__ import annotations

import sys

import pytest

MODULE = """
import slicer
from slicer.ScriptedLoadableModule import *
from slicer.util import VTKObservationMixin


class Sample(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = "A sample"
        self.parent.categories = ["Testing"]


class SampleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.calls = []

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        self.logic = SampleLogic()
        self.calls.append("setup")
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onClose)

    def enter(self):
        self.calls.append("enter")

    def exit(self):
        self.calls.append("exit")

    def onClose(self, caller, event):
        self.calls.append("close")

    def cleanup(self):
        self.removeObservers()
        self.calls.append("cleanup")


class SampleLogic(ScriptedLoadableModuleLogic):
    pass


class SampleTest(ScriptedLoadableModuleTest):
    def test_logic(self):
        slicer.ran = slicer.util.getModuleLogic("Sample").moduleName
"""


@pytest.fixture
def sample(scene, tmp_path, monkeypatch):
    import slicer

    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "Sample.py"
    path.write_text(MODULE, encoding="utf-8")
    return slicer.app.moduleManager().load(path)


def test_the_module_has_its_properties(sample):
    import slicer

    assert slicer.modules.sample is sample
    assert (sample.name, sample.title, sample.categories) == ("Sample", "A sample", ["Testing"])
    assert "Sample" in slicer.util.moduleNames()
    with pytest.raises(AttributeError):
        sample.titel = "a"


def test_the_panel_is_made_when_it_is_selected(sample):
    import slicer

    assert not hasattr(slicer.modules, "SampleWidget")
    slicer.util.selectModule("Sample")
    widget = slicer.util.getModuleWidget("Sample")
    assert widget is slicer.modules.SampleWidget
    assert widget.calls == ["setup", "enter"]
    assert widget.parent.isEntered
    assert slicer.util.selectedModule() == "Sample"


def test_close_of_the_scene_is_observed(sample, scene):
    import slicer

    widget = slicer.util.getModuleWidget("Sample")
    scene.Clear(False)
    assert widget.calls == ["setup", "close"]


def test_unload_leaves_and_cleans_up(sample):
    import slicer

    slicer.util.selectModule("Sample")
    widget = slicer.util.getModuleWidget("Sample")
    slicer.app.moduleManager().unload("Sample")
    assert widget.calls == ["setup", "enter", "exit", "cleanup"]
    assert not hasattr(slicer.modules, "sample")
    assert not widget.parent


def test_reload_makes_a_new_widget_from_the_changed_file(sample):
    import slicer

    first = slicer.util.getModuleWidget("Sample")
    with open(sample.path, "a", encoding="utf-8") as source:  # noqa: PTH123
        source.write("\nSampleWidget.isNew = True\n")
    slicer.util.reloadScriptedModule("Sample")
    second = slicer.util.getModuleWidget("Sample")
    assert first.calls == ["setup", "cleanup"]
    assert second.calls == ["setup"]
    assert second.isNew
    assert slicer.modules.SampleWidget is second


def test_the_self_test_runs(sample):
    import slicer

    slicer.selfTests["Sample"]()
    assert slicer.ran == "Sample"


def test_the_parameter_node_is_a_singleton(sample, scene):
    import slicer

    logic = slicer.util.getModuleLogic("Sample")
    node = logic.getParameterNode()
    assert node is logic.getParameterNode()
    assert node.GetClassName() == "vtkMRMLScriptedModuleNode"
    assert node.GetAttribute("ModuleName") == "Sample"
    scene.Clear(False)
    assert logic.getParameterNode().GetAttribute("ModuleName") == "Sample"


def test_an_unknown_module_is_refused(scene):
    import slicer

    with pytest.raises(RuntimeError):
        slicer.util.selectModule("Nonsense")
    with pytest.raises(RuntimeError):
        slicer.util.getModuleLogic("Nonsense")


def test_the_logic_of_slicers_own_modules_is_real(scene):
    import slicer

    assert slicer.util.getModuleLogic("Volumes").GetClassName() == "vtkSlicerVolumesLogic"
    assert slicer.modules.sequences.logic().GetClassName() == "vtkSlicerSequencesLogic"


@pytest.mark.parametrize("name", ["nonsense", "processevents", "MRMLScene"])
def test_the_application_has_only_slicers_names(scene, name):
    import slicer

    with pytest.raises(AttributeError):
        getattr(slicer.app, name)
    with pytest.raises(AttributeError):
        setattr(slicer.app, name, 1)


def test_what_only_slicers_application_has_says_so(scene):
    import slicer

    with pytest.raises(NotImplementedError):
        slicer.app.pythonConsole()
