"""The module as Slicer meets it: its file, its .ui, what it touches of Qt, its self-test."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ElementTree

import pytest

HEAVY = ("torch", "monai", "SimpleITK", "skimage", "scipy", "pydicom")
CONTRACT = (
    "inputSelector",
    "methodComboBox",
    "strengthSlider",
    "outputSelector",
    "uncertaintySelector",
    "enhanceButton",
    "progressBar",
    "statusLabel",
    "beforeAfterButton",
    "overlayCheckBox",
    "overlayOpacitySlider",
)


@pytest.fixture(scope="module")
def facts(repository):
    return json.loads(
        (repository / "Testing" / "SlicerStandIn" / "slicer-api-subset.json").read_text("utf-8")
    )


@pytest.fixture(scope="module")
def form(repository):
    return ElementTree.parse(repository / "USEnhance" / "Resources" / "UI" / "USEnhance.ui").getroot()


@pytest.fixture(scope="module")
def sources(repository):
    return {path: ast.parse(path.read_text("utf-8")) for path in (repository / "USEnhance").rglob("*.py")}


def class_facts(facts, class_name):
    """Properties, signals and attributes of a widget's class, and of QWidget, in Slicer."""
    key = next(k for k in (f"qt.{class_name}", f"ctk.{class_name}", f"slicer.{class_name}") if k in facts)
    return [facts[key], facts["QWidget"], facts["QObject"]]


def widgets(form):
    return {widget.get("name"): widget.get("class") for widget in form.iter("widget")}


def test_names_of_the_contract_are_in_the_form(form):
    assert set(CONTRACT) <= set(widgets(form))


def test_everything_has_a_tool_tip(form):
    for widget in form.iter("widget"):
        if widget.get("class") != "qMRMLWidget":
            tips = [p for p in widget.findall("property") if p.get("name") == "toolTip"]
            assert tips, f"{widget.get('name')} has no tool tip"
            assert tips[0].findtext("string")


def test_the_form_uses_only_classes_and_properties_that_slicer_has(form, facts):
    promoted = {entry.findtext("class") for entry in form.iter("customwidget")}
    for widget in form.iter("widget"):
        class_name = widget.get("class")
        assert class_name.startswith("Q") or class_name in promoted
        known = set().union(*(entry["properties"] for entry in class_facts(facts, class_name)))
        for entry in widget.findall("property"):
            if entry.get("stdset") != "0" and entry.get("name") != "buddy":
                assert entry.get("name") in known, f"{class_name} has no property {entry.get('name')}"


def test_the_form_connects_signals_and_slots_that_slicer_has(form, facts):
    classes = widgets(form)
    connections = list(form.iter("connection"))
    assert {c.findtext("receiver") for c in connections} == {
        name for name, class_name in classes.items() if class_name == "qMRMLNodeComboBox"
    }
    for connection in connections:
        sender = class_facts(facts, classes[connection.findtext("sender")])
        assert connection.findtext("signal") in sender[0]["signals"]
        receiver = class_facts(facts, classes[connection.findtext("receiver")])
        assert connection.findtext("slot").partition("(")[0] in receiver[0]["attributes"]


def test_parameters_of_the_form_are_those_of_the_parameter_node(form, module_widget):
    named = {p.findtext("string") for p in form.iter("property") if p.get("name") == "SlicerParameterName"}
    assert named <= set(type(module_widget.logic.getParameterNode()).allParameters)


def attributes_of(tree, *chain):
    """Names that are looked up in, for example, `self.ui.<widget>`: (widget, name) pairs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            owner = node.value
            if ast.unparse(owner.value) == ".".join(chain):
                yield owner.attr, node.attr


def test_what_is_touched_of_the_widgets_is_in_slicer(form, facts, sources):
    classes = widgets(form)
    chains = (("self", "ui"), ("self", "_ui"), ("ui",))
    touched = {pair for tree in sources.values() for chain in chains for pair in attributes_of(tree, *chain)}
    assert len(touched) > 10
    for name, attribute in touched:
        known = class_facts(facts, classes[name])
        assert any(attribute in {*entry["properties"], *entry["attributes"]} for entry in known), (
            f"{classes[name]} ({name}) has no {attribute} in Slicer"
        )


@pytest.mark.parametrize(("module", "names"), [("qt", "qt_names"), ("slicer", "slicer_names")])
def test_what_is_touched_of_slicers_modules_is_in_slicer(facts, sources, module, names):
    found = set()
    for tree in sources.values():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == module
            ):
                found.add(node.attr)
    assert found
    unknown = {name for name in found if name not in facts[names] and not name.startswith("vtkMRML")}
    assert not unknown


@pytest.mark.parametrize(("owner", "names"), [("slicer.util", "slicer_util"), ("slicer.app", "slicer_app")])
def test_what_is_touched_of_slicer_util_and_app_is_in_slicer(repository, facts, sources, owner, names):
    library = {
        path: ast.parse(path.read_text("utf-8")) for path in (repository / "USEnhanceLib/mrml").glob("*.py")
    }
    found = set()
    for tree in [*sources.values(), *library.values()]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == owner:
                found.add(node.attr)
    assert found
    assert found <= set(facts[names])


def test_signals_are_connected_by_signatures_that_slicer_has(facts, sources):
    known = {
        signature
        for entry in facts.values()
        if isinstance(entry, dict)
        for signature in entry.get("signals", ())
    }
    connected = {
        node.args[0].value
        for tree in sources.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "connect"
        and isinstance(node.args[0], ast.Constant)
    }
    assert len(connected) >= 6
    assert connected <= known


def test_loading_the_module_imports_nothing_heavy(repository):
    stand_in, module = repository / "Testing" / "SlicerStandIn", repository / "USEnhance" / "USEnhance.py"
    code = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(stand_in)!r})
from standin import installation
installation.install()
import slicer
before = set(sys.modules)
slicer.app.moduleManager().load(Path({str(module)!r}))
assert "USEnhance" in sys.modules
print([name for name in {HEAVY!r} if name in set(sys.modules) - before])
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip().splitlines()[-1] == "[]"


def test_the_description_names_both_papers(module_widget):
    import slicer

    module = slicer.util.getModule("USEnhance")
    assert module.title == "USEnhance"
    assert module.categories == ["Ultrasound"]
    assert "2601.21856" in module.acknowledgementText
    assert "2602.22717" in module.acknowledgementText


def test_reloading_gives_a_working_panel(panel, speckle):
    import slicer

    panel.choose(speckle())
    panel.click()
    panel.wait_for_end()
    slicer.util.reloadScriptedModule("USEnhance")
    assert panel.worker == 0
    widget = slicer.util.getModuleWidget("USEnhance")
    assert widget is not panel.widget
    assert slicer.util.getModuleLogic("USEnhance") is widget.logic


@pytest.fixture
def self_test(panel, tiny_model, monkeypatch):
    """The module's own tests, with the tiny network where the shipped one is too slow or not there."""
    import USEnhance

    logic = type(panel.widget.logic)
    enhance = logic.enhance

    def enhance_with_tiny_network(self, node, **options):
        return enhance(self, node, **{"method": str(tiny_model), **options})

    monkeypatch.setattr(logic, "enhance", enhance_with_tiny_network)
    return USEnhance.USEnhanceTest


def test_the_self_test_passes(self_test, panel, tiny_model, tiny_segmenter):
    names = unittest.TestLoader().getTestCaseNames(self_test)
    assert len(names) >= 7
    for name in names:
        case = self_test(name)
        case.messageDelay = 1
        case.setUp()
        parameters = panel.widget.logic.getParameterNode()
        parameters.method, parameters.segmentationModel = str(tiny_model), str(tiny_segmenter)
        getattr(case, name)()


def test_the_self_test_says_why_it_does_not_segment(self_test, panel):
    case = self_test("test_panel_segments_a_drawn_frame")
    panel.parameters.segmentationModel = "no-such-model"
    with pytest.raises(unittest.SkipTest, match="no-such-model"):
        case.test_panel_segments_a_drawn_frame()
