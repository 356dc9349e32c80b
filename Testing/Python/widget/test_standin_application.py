"""Dialogs, processes, installations, slice views and node selectors of the stand-in."""

from __future__ import annotations

import sys

import numpy as np
import pytest


@pytest.fixture
def add_volume(scene):
    import slicer

    def add(name, value, class_name="vtkMRMLScalarVolumeNode"):
        volume = scene.AddNewNodeByClass(class_name, name)
        shape = (1, 8, 8, 3) if class_name == "vtkMRMLVectorVolumeNode" else (1, 8, 8)
        slicer.util.updateVolumeFromArray(volume, np.full(shape, value, np.uint8))
        volume.CreateDefaultDisplayNodes()
        return volume

    return add


def test_a_message_is_shown_to_the_test(dialogs):
    import slicer

    slicer.util.errorDisplay("The volume is empty.", windowTitle="USEnhance")
    assert [(shown.kind, shown.text) for shown in dialogs.shown] == [("critical", "The volume is empty.")]


def test_in_testing_mode_nothing_is_shown(dialogs):
    import slicer

    slicer.app.set_testing(True)
    slicer.util.errorDisplay("a")
    slicer.util.infoDisplay("b")
    slicer.util.confirmOkCancelDisplay("c")
    assert dialogs.shown == []


def test_a_question_takes_the_tests_answer(dialogs):
    import qt
    import slicer

    dialogs.answers += [qt.QMessageBox.Ok, qt.QMessageBox.Cancel]
    assert slicer.util.confirmOkCancelDisplay("a") is True
    assert slicer.util.confirmOkCancelDisplay("b") is False


def test_a_question_without_an_answer_fails_the_test(dialogs, slot_failures):
    import slicer

    assert slicer.util.confirmOkCancelDisplay("a") is False
    assert "waits for an answer" in str(slot_failures.recorded()[0])
    slot_failures.forget()


def test_the_status_bar(scene):
    import slicer

    assert slicer.util.showStatusMessage("hello")
    assert slicer.util.mainWindow().statusBar().currentMessage() == "hello"


def test_settings_are_not_the_users(scene, tmp_path):
    import qt
    import slicer

    qt.QSettings().setValue("Developer/DeveloperMode", True)
    assert slicer.util.settingsValue("Developer/DeveloperMode", False, converter=slicer.util.toBool)
    assert "slicer-stand-in-" in slicer.app.settings().fileName()


@pytest.fixture
def run_process(scene, process_events):
    import qt

    def run(program, arguments, text=None, kill=False):
        process = qt.QProcess()
        events = []
        process.connect(
            "errorOccurred(QProcess::ProcessError)", lambda error: events.append(("error", error))
        )
        process.connect(
            "finished(int,QProcess::ExitStatus)", lambda *both: events.append(("finished", *both))
        )
        process.start(program, arguments)
        started = process.waitForStarted(5000)
        if text is not None:
            process.write(text)
            process.closeWriteChannel()
        if kill:
            process.kill()
        process_events(until=lambda: process.state() == qt.QProcess.NotRunning, timeout=20)
        return started, events, process.readAllStandardOutput().data()

    return run


@pytest.mark.parametrize("text", ["ü\n", "ü\n".encode()])
def test_a_process_gets_text_and_gives_bytes(run_process, text):
    program = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    assert run_process(sys.executable, ["-c", program], text) == (True, [("finished", 0, 0)], "ü\n".encode())


def test_a_killed_process(run_process):
    started, events, _ = run_process(sys.executable, ["-c", "input()"], kill=True)
    assert started
    assert events == [("error", 1), ("finished", 9, 1)]


def test_a_program_that_does_not_exist(run_process):
    assert run_process("/nonexistent/program", []) == (False, [("error", 0)], b"")


def test_a_process_left_running_fails_the_test(scene, slot_failures):
    import qt
    from standin.process import end_leftovers

    process = qt.QProcess()
    process.start(sys.executable, ["-c", "input()"])
    assert process.waitForStarted(5000)
    end_leftovers()
    assert process.state() == qt.QProcess.NotRunning
    assert "left running" in str(slot_failures.recorded()[0])
    slot_failures.forget()


def test_installing_is_noted_and_not_done(installations, dialogs):
    import qt
    import slicer.packaging

    installations.missing.add("numpy")
    assert not slicer.packaging.pip_check("numpy")
    dialogs.answers.append(qt.QMessageBox.Ok)
    slicer.packaging.pip_ensure(["numpy>=1", "pytest"], requester="USEnhance")
    assert [request["requirements"] for request in installations.requests] == [["numpy>=1"]]
    assert slicer.packaging.pip_check("numpy")


def test_declining_to_install(installations, dialogs):
    import qt
    import slicer.packaging

    installations.missing.add("numpy")
    dialogs.answers.append(qt.QMessageBox.Cancel)
    with pytest.raises(RuntimeError, match="declined"):
        slicer.packaging.pip_ensure("numpy", requester="USEnhance")
    assert installations.requests == []


def test_pip_check_knows_versions_and_markers(installations):
    from slicer.packaging import pip_check

    assert pip_check("pytest>=1")
    assert not pip_check("pytest>=999")
    assert not pip_check("a-package-that-nobody-has")
    assert pip_check("a-package-that-nobody-has; python_version < '3'")


def test_installing_torch_is_noted(installations, dialogs):
    import qt
    from PyTorchUtils import PyTorchUtilsLogic

    installations.missing.add("torch")
    assert not PyTorchUtilsLogic.torchInstalled()
    dialogs.answers.append(qt.QMessageBox.Cancel)
    assert PyTorchUtilsLogic().installTorch(askConfirmation=True, torchVersionRequirement=">=2.4") is None
    assert installations.requests == []


def test_layers_are_set_on_real_nodes_and_blended(scene, add_volume):
    import slicer

    before, after = add_volume("before", 40), add_volume("after", 200)
    for volume in (before, after):
        volume.GetDisplayNode().AutoWindowLevelOff()
        volume.GetDisplayNode().SetWindowLevelMinMax(0, 255)
    slicer.util.setSliceViewerLayers(before, after, foregroundOpacity=0.5, fit=True, rotateToVolumePlane=True)
    widget = slicer.app.layoutManager().sliceWidget("Red")
    assert widget.mrmlSliceCompositeNode().GetForegroundVolumeID() == after.GetID()
    assert slicer.app.layoutManager().sliceWidget("Nonsense") is None
    from standin.slice_pictures import blended_image

    middle = blended_image(widget.sliceLogic())[128, 128]
    assert np.abs(middle.astype(int) - 120).max() <= 1


def test_a_slice_picture_leaves_the_scene_alone(scene, add_volume):
    from standin.slice_pictures import slice_picture

    volume = add_volume("RGB", 90, "vtkMRMLVectorVolumeNode")
    volume.GetDisplayNode().AutoWindowLevelOff()
    volume.GetDisplayNode().SetWindowLevelMinMax(0, 255)
    count = scene.GetNumberOfNodes()
    picture = slice_picture(volume, size=(64, 32))
    assert picture.shape == (32, 64, 3)
    assert np.abs(picture[16, 32].astype(int) - 90).max() <= 1
    assert scene.GetNumberOfNodes() == count


def test_colours_that_slicer_core_lacks(scene):
    node = scene.GetNodeByID("vtkMRMLColorTableNodeFileInferno.txt")
    assert node.GetNumberOfColors() == 256
    assert node.GetLookupTable().GetTableValue(0)[:3] < node.GetLookupTable().GetTableValue(255)[:3]


def test_files_are_saved_and_loaded(scene, add_volume, tmp_path):
    import slicer

    volume = add_volume("saved", 7)
    path = tmp_path / "saved.nrrd"
    assert slicer.util.saveNode(volume, str(path))
    loaded = slicer.util.loadVolume(str(path))
    assert loaded is not volume
    assert (slicer.util.arrayFromVolume(loaded) == 7).all()
    with pytest.raises(RuntimeError):
        slicer.util.loadVolume(str(tmp_path / "nothing.nrrd"))


def test_waiting_ends_with_an_error(process_events):
    with pytest.raises(TimeoutError):
        process_events(until=lambda: False, timeout=0.1)


def test_a_picture_of_a_widget(scene, grab, tmp_path):
    import qt

    label = qt.QLabel("hello")
    picture = qt.QPixmap(str(grab(label, tmp_path / "label.png")))
    assert picture.width() > 0
