"""The stand-in for PythonQt refuses what PythonQt refuses."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import pytest


@pytest.fixture
def button(scene):
    import qt

    return qt.QPushButton("Enhance")


def test_properties_are_values(button):
    assert button.text == "Enhance"
    assert button.enabled is True
    button.enabled = False
    button.toolTip = "Start"
    assert (button.enabled, button.toolTip) == (False, "Start")


def test_a_property_cannot_be_called(button):
    with pytest.raises(TypeError, match="not callable"):
        button.text()


@pytest.mark.parametrize("name", ["caption", "setTextt", "Text", "foo"])
def test_unknown_attributes_are_refused(button, name):
    with pytest.raises(AttributeError):
        getattr(button, name)
    with pytest.raises(AttributeError):
        setattr(button, name, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [("enabled", "yes"), ("text", 3), ("text", Path("a")), ("click", None), ("clicked", None)],
)
def test_values_of_another_kind_and_functions_cannot_be_set(button, name, value):
    with pytest.raises(AttributeError):
        setattr(button, name, value)


def test_read_only_properties_cannot_be_set(button):
    with pytest.raises(AttributeError, match="not writable"):
        button.width = 10


@pytest.mark.parametrize("argument", [Path("a"), sys, object()])
def test_functions_refuse_what_qt_has_no_value_for(button, argument):
    with pytest.raises(TypeError):
        button.setText(argument)


def test_functions_take_no_keywords(button):
    with pytest.raises(TypeError, match="keyword"):
        button.setText(text="a")


def test_enumerators_are_integers(button):
    import qt

    assert type(qt.QMessageBox.Ok) is int
    assert type(qt.Qt.AlignRight) is int
    assert qt.QProcess().state() == qt.QProcess.NotRunning == 0
    label = qt.QLabel("a")
    label.setAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    assert label.alignment == qt.Qt.AlignRight | qt.Qt.AlignVCenter
    label.alignment = qt.Qt.AlignHCenter
    assert label.alignment == qt.Qt.AlignHCenter


def test_deriving_from_qt_classes_is_refused(scene):
    import qt

    with pytest.raises(TypeError, match="derived from QDialog"):

        class Dialog(qt.QDialog):
            pass


@pytest.mark.parametrize("name", ["QNonsense", "QRegExp", "Signal_"])
def test_the_module_qt_has_only_what_slicer_and_qt_6_have(scene, name):
    import qt

    with pytest.raises(AttributeError):
        getattr(qt, name)


def test_a_ctk_class_that_is_not_there_is_told_from_one_that_does_not_exist(scene):
    import ctk

    with pytest.raises(NotImplementedError):
        _ = ctk.ctkMatrixWidget
    with pytest.raises(AttributeError):
        _ = ctk.ctkNonsense


def test_the_same_object_is_equal_and_of_the_exact_class(scene):
    import qt

    parent = qt.QWidget()
    layout = qt.QVBoxLayout(parent)
    button = qt.QPushButton("a")
    button.objectName = "theButton"
    layout.addWidget(button)
    assert parent.findChild(qt.QPushButton, "theButton") == button
    assert parent.theButton == button
    assert button.name == "theButton"
    assert type(parent.findChildren(qt.QWidget)[0]) is qt.QPushButton
    assert isinstance(button, qt.QWidget)
    assert button.parent() == parent


def test_a_deleted_object_says_so(scene):
    import qt
    import slicer

    button = qt.QPushButton("a")
    button.deleteLater()
    slicer.app.processEvents()
    assert not button
    with pytest.raises(ValueError, match="destroyed"):
        _ = button.text


def test_dynamic_properties_become_attributes(button):
    assert button.property("SlicerParameterName") is None
    button.setProperty("SlicerParameterName", "strength")
    assert button.SlicerParameterName == "strength"


@pytest.mark.parametrize("signature", ["clicked(int)", "clicked", "valueChanged(int)", ""])
def test_unknown_signals_are_refused(button, signature):
    with pytest.raises(ValueError, match="has no signal"):
        button.connect(signature, print)


def test_signals_of_qt_5_only_are_refused(scene):
    import qt

    with pytest.raises(ValueError, match="Qt 5 only"):
        qt.QComboBox().connect("currentIndexChanged(QString)", print)


def test_what_cannot_be_called_cannot_be_connected(button):
    with pytest.raises(TypeError):
        button.connect("clicked()", None)


def test_a_slot_gets_as_many_arguments_as_it_takes(button):
    got = []
    button.checkable = True
    button.connect("toggled(bool)", lambda: got.append(()))
    button.connect("toggled(bool)", lambda state: got.append((state,)))
    button.connect("toggled(bool)", functools.partial(got.append))
    button.click()
    assert got == [(), (True,), True]


def test_disconnect(button):
    got = []

    def slot():
        got.append(1)

    button.connect("clicked()", slot)
    button.clicked.connect(slot)
    button.click()
    assert len(got) == 2
    assert button.disconnect("clicked()", slot)
    assert not button.disconnect("clicked()", slot)
    assert button.clicked.disconnect(slot)
    button.click()
    assert len(got) == 2


def test_an_exception_in_a_slot_is_recorded(button, slot_failures):
    def slot():
        raise RuntimeError("in the slot")

    button.connect("clicked()", slot)
    button.click()
    assert [str(error) for error in slot_failures.recorded()] == ["in the slot"]
    slot_failures.forget()


def test_an_exception_in_an_observer_is_recorded(scene, slot_failures):
    def observer(caller, event):
        raise RuntimeError("in the observer")

    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    node.AddObserver("ModifiedEvent", observer)
    node.Modified()
    assert [str(error) for error in slot_failures.recorded()] == ["in the observer"]
    slot_failures.forget()


def test_a_recorded_exception_fails_the_test_that_caused_it(slicer_application, pytester_run):
    outcome = pytester_run(
        """
        def test_click(scene):
            import qt
            button = qt.QPushButton("a")
            button.connect("clicked()", lambda: 1 / 0)
            button.click()
        """
    )
    assert outcome.returncode == 1
    assert "ZeroDivisionError" in outcome.stdout
    assert "1 error" in outcome.stdout


@pytest.fixture
def pytester_run(tmp_path, repository):
    """Run a test file in a process of its own, with the fixtures of this folder."""
    import os
    import subprocess
    import textwrap

    def run(source):
        (tmp_path / "test_inner.py").write_text(textwrap.dedent(source))
        conftest = repository / "Testing" / "Python" / "widget" / "conftest.py"
        environment = {**os.environ, "PYTHONPATH": str(conftest.parent), "QT_QPA_PLATFORM": "offscreen"}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", str(tmp_path)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
