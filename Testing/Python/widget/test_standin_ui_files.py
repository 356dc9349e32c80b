"""The stand-in's loader of .ui files refuses what Slicer's would drop or get wrong."""

from __future__ import annotations

import pytest

PANEL = """<?xml version="1.0" encoding="UTF-8"?>
<ui version="4.0">
 <class>Sample</class>
 <widget class="qMRMLWidget" name="Sample">
  <layout class="QVBoxLayout" name="verticalLayout">{content}</layout>
 </widget>
 <customwidgets>
  <customwidget><class>qMRMLWidget</class><extends>QWidget</extends><header>qMRMLWidget.h</header>
   <container>1</container></customwidget>
  {customwidgets}
 </customwidgets>
 <resources/>
 <connections>{connections}</connections>
</ui>
"""
SELECTOR = '<item><widget class="qMRMLNodeComboBox" name="inputSelector">{properties}</widget></item>'
SELECTOR_CLASS = """<customwidget><class>qMRMLNodeComboBox</class><extends>QWidget</extends>
<header>qMRMLNodeComboBox.h</header></customwidget>"""
SCENE_CONNECTION = """<connection><sender>Sample</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
<receiver>inputSelector</receiver><slot>{slot}</slot></connection>"""


def widget(class_name, name="thing", properties=""):
    return f'<item><widget class="{class_name}" name="{name}">{properties}</widget></item>'


def text(name, value):
    return f'<property name="{name}"><string>{value}</string></property>'


@pytest.fixture
def load(scene, tmp_path):
    import slicer

    def load_ui(content, customwidgets="", connections=""):
        path = tmp_path / "Sample.ui"
        path.write_text(
            PANEL.format(content=content, customwidgets=customwidgets, connections=connections),
            encoding="utf-8",
        )
        return slicer.util.loadUI(str(path))

    return load_ui


@pytest.fixture
def ui_error(scene):
    from standin.ui_loader import UiError

    return UiError


def test_widgets_get_their_properties_and_the_scene(load):
    import qt
    import slicer

    properties = """<property name="nodeTypes">
    <stringlist><string>vtkMRMLScalarVolumeNode</string></stringlist></property>
    <property name="noneEnabled"><bool>true</bool></property>
    <property name="SlicerParameterName" stdset="0"><string>inputVolume</string></property>"""
    top = load(
        SELECTOR.format(properties=properties)
        + widget("QPushButton", "enhanceButton", text("text", "Enhance")),
        SELECTOR_CLASS,
        SCENE_CONNECTION.format(slot="setMRMLScene(vtkMRMLScene*)"),
    )
    ui = slicer.util.childWidgetVariables(top)
    assert type(top) is slicer.qMRMLWidget
    assert type(ui.inputSelector) is slicer.qMRMLNodeComboBox
    assert type(ui.enhanceButton) is qt.QPushButton
    assert ui.enhanceButton.text == "Enhance"
    assert list(ui.inputSelector.nodeTypes) == ["vtkMRMLScalarVolumeNode"]
    assert ui.inputSelector.noneEnabled is True
    assert ui.inputSelector.property("SlicerParameterName") == "inputVolume"
    assert not ui.inputSelector.enabled
    top.setMRMLScene(slicer.mrmlScene)
    assert ui.inputSelector.mrmlScene() is slicer.mrmlScene
    assert ui.inputSelector.enabled


def test_an_unknown_promoted_class_is_refused(load, ui_error):
    unknown = SELECTOR_CLASS.replace("qMRMLNodeComboBox", "qMRMLNonsense")
    with pytest.raises(ui_error, match="qMRMLNonsense"):
        load(widget("qMRMLNonsense"), unknown)


def test_a_promoted_class_that_is_not_declared_is_refused(load, ui_error):
    with pytest.raises(ui_error, match="not declared"):
        load(SELECTOR.format(properties=""))


def test_an_unknown_class_is_refused(load, ui_error):
    with pytest.raises(ui_error, match="QNonsense"):
        load(widget("QNonsense"))


@pytest.mark.parametrize(
    ("class_name", "name"), [("QPushButton", "caption"), ("QLabel", "toolTips"), ("QPushButton", "nodeTypes")]
)
def test_an_unknown_property_is_refused(load, ui_error, class_name, name):
    with pytest.raises(ui_error, match=name):
        load(widget(class_name, properties=text(name, "a")))


def test_a_read_only_property_is_refused(load, ui_error):
    with pytest.raises(ui_error, match="cannot be written"):
        load(widget("QLabel", properties='<property name="modal"><bool>true</bool></property>'))


def test_two_objects_of_one_name_are_refused(load, ui_error):
    with pytest.raises(ui_error, match="two objects"):
        load(widget("QLabel", "a") + widget("QLabel", "a"))


@pytest.mark.parametrize("slot", ["setScene(vtkMRMLScene*)", "nonsense()"])
def test_a_connection_to_an_unknown_slot_is_refused(load, ui_error, slot):
    with pytest.raises(ui_error, match="no slot"):
        load(SELECTOR.format(properties=""), SELECTOR_CLASS, SCENE_CONNECTION.format(slot=slot))


def test_a_connection_of_an_unknown_signal_is_refused(load, ui_error):
    connection = SCENE_CONNECTION.format(slot="setMRMLScene(vtkMRMLScene*)")
    with pytest.raises(ui_error, match="no signal"):
        load(
            SELECTOR.format(properties=""),
            SELECTOR_CLASS,
            connection.replace("mrmlSceneChanged", "sceneChanged"),
        )


def test_a_connection_of_an_unknown_object_is_refused(load, ui_error):
    connection = SCENE_CONNECTION.format(slot="setMRMLScene(vtkMRMLScene*)")
    with pytest.raises(ui_error, match="inputSelector"):
        load(widget("QLabel"), SELECTOR_CLASS, connection)


def test_a_missing_file_is_refused(scene, tmp_path):
    import slicer

    with pytest.raises(RuntimeError, match="not found"):
        slicer.util.loadUI(str(tmp_path / "Nothing.ui"))
