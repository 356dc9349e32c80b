"""What goes wrong in the panel: a sentence, the scene as it was, and Slicer lives on."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import time

import numpy as np
import pytest
import slicer


def nodes():
    scene = slicer.mrmlScene
    kinds = ("vtkMRMLVolumeNode", "vtkMRMLSequenceNode", "vtkMRMLSequenceBrowserNode", "vtkMRMLDisplayNode")
    return {node.GetID() for kind in kinds for node in scene.GetNodesByClass(kind)}


def add_volume(array, name="Bad", class_name="vtkMRMLScalarVolumeNode"):
    volume = slicer.mrmlScene.AddNewNodeByClass(class_name, name)
    slicer.util.updateVolumeFromArray(volume, array)
    volume.CreateDefaultDisplayNodes()
    return volume


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# Cancel


@pytest.mark.parametrize("frames_done", [0, 1, 20])
def test_cancel_answers_within_a_second_and_writes_nothing(panel, speckle, frames_done):
    panel.choose(speckle(400, 64, 64))
    before = nodes()
    panel.click()
    panel.wait_for_frames(frames_done)
    begin = time.monotonic()
    panel.click()
    assert panel.wait_for_end() == "Cancelled: nothing was changed."
    assert time.monotonic() - begin < 1.0
    assert nodes() == before
    assert not panel.ui.progressBar.visible


def test_cancel_while_frames_are_read(panel, speckle, monkeypatch):
    monkeypatch.setattr("USEnhanceLib.mrml.background.TURN_SECONDS", 0.0)
    panel.choose(speckle(200, 64, 64))
    before = nodes()
    panel.click()
    panel.click()
    assert panel.wait_for_end() == "Cancelled: nothing was changed."
    assert nodes() == before


def test_cancel_at_the_last_frame(panel, speckle):
    panel.choose(speckle(12))
    before = nodes()
    panel.click()
    panel.wait_for_frames(12)
    panel.click()
    assert panel.wait_for_end() == "Cancelled: nothing was changed."
    assert nodes() == before


def test_after_a_cancel_the_next_click_works(panel, speckle):
    panel.choose(speckle(200, 64, 64))
    panel.click()
    panel.wait_for_frames(2)
    panel.click()
    panel.wait_for_end()
    panel.choose(speckle(2, name="Small"))
    panel.click()
    assert panel.wait_for_end().startswith("Enhanced 2 frames")


def test_two_clicks_at_once_start_and_cancel(panel, speckle):
    panel.choose(speckle(20))
    before = nodes()
    panel.click()
    panel.click()
    assert panel.wait_for_end() == "Cancelled: nothing was changed."
    assert nodes() == before


def test_the_deadline_of_a_cancel_spares_the_next_work(panel, speckle):
    volume = speckle(60, 64, 64)
    panel.choose(volume)
    panel.click()
    panel.wait_for_frames(1)
    panel.click()
    panel.wait_for_end()
    panel.click()
    assert panel.wait_for_end().startswith("Enhanced 60 frames")


# The worker process


def test_a_worker_that_is_killed_gives_a_sentence_and_the_next_click_works(panel, speckle):
    panel.choose(speckle(400, 64, 64))
    before = nodes()
    panel.click()
    panel.wait_for_frames(3)
    os.kill(panel.worker, signal.SIGKILL)
    text = panel.wait_for_end()
    assert "worker" in text.lower()
    assert nodes() == before
    assert panel.ui.statusLabel.styleSheet
    panel.choose(speckle(2, name="Small"))
    panel.click()
    assert panel.wait_for_end().startswith("Enhanced 2 frames")


def test_a_worker_that_cannot_start(panel, speckle, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/PythonSlicer")
    panel.choose(speckle())
    panel.click()
    text = panel.wait_for_end()
    assert "cannot be started" in text
    assert "/nowhere/PythonSlicer" in text


def test_reload_and_unload_leave_no_process(panel, speckle):
    panel.choose(speckle())
    panel.click()
    panel.wait_for_end()
    worker = panel.worker
    assert is_alive(worker)
    panel.widget.cleanup()
    assert panel.worker == 0
    assert not is_alive(worker)


def test_unload_in_the_middle_of_the_work(panel, speckle):
    panel.choose(speckle(400, 64, 64))
    panel.click()
    panel.wait_for_frames(2)
    worker = panel.worker
    panel.widget.cleanup()
    assert not is_alive(worker)


# The scene


def test_closing_the_scene_while_it_works(panel, speckle, process_events):
    panel.choose(speckle(400, 64, 64))
    panel.click()
    panel.wait_for_frames(2)
    slicer.mrmlScene.Clear(0)
    text = panel.wait_for_end()
    assert slicer.util.getNodesByClass("vtkMRMLVolumeNode") == []
    assert "scene was closed" in text
    process_events()
    assert not panel.ui.enhanceButton.enabled


def test_deleting_the_input_while_it_works(panel, speckle):
    volume = speckle(400, 64, 64)
    panel.choose(volume)
    panel.click()
    panel.wait_for_frames(2)
    slicer.mrmlScene.RemoveNode(volume)
    assert panel.wait_for_end() == (
        "Speckle was deleted from the scene while it was being worked on: nothing was written."
    )
    assert slicer.util.getNodesByClass("vtkMRMLVolumeNode") == []


def test_deleting_the_output_while_it_works(panel, speckle):
    mine = speckle(1, name="Mine")
    panel.choose(speckle(60, 64, 64))
    panel.ui.outputSelector.setCurrentNode(mine)
    panel.click()
    panel.wait_for_frames(2)
    slicer.mrmlScene.RemoveNode(mine)
    assert "Mine was deleted meanwhile" in panel.wait_for_end()


# Input


@pytest.mark.parametrize(
    ("array", "class_name", "said"),
    [
        (np.full((2, 32, 32), np.nan, np.float32), "vtkMRMLScalarVolumeNode", "NaN or infinite"),
        (np.ones((2, 32, 32, 4), np.uint8), "vtkMRMLVectorVolumeNode", "4 components per pixel"),
    ],
)
def test_bad_pixels_are_refused(panel, array, class_name, said):
    volume = add_volume(array, class_name=class_name)
    panel.choose(volume)
    before = nodes()
    panel.click()
    text = panel.wait_for_end()
    assert said in text
    assert text.startswith("Bad ")
    assert nodes() == before


def test_an_empty_volume_is_refused(panel):
    panel.choose(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty"))
    said = "Empty has no pixels: load or choose a volume that is not empty."
    assert panel.text == said
    panel.click()
    assert panel.wait_for_end() == said
    assert panel.worker == 0


def test_label_maps_are_not_offered(panel):
    labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Labels")
    slicer.util.updateVolumeFromArray(labels, np.ones((1, 8, 8), np.uint8))
    panel.ui.inputSelector.setCurrentNode(labels)
    assert panel.ui.inputSelector.currentNode() is None


def test_an_all_black_volume_comes_back_unchanged_with_a_note(panel):
    black = add_volume(np.zeros((2, 32, 32), np.uint8), "Black")
    panel.choose(black)
    panel.click()
    assert "nothing to enhance" in panel.wait_for_end()
    assert slicer.util.arrayFromVolume(panel.ui.outputSelector.currentNode()).max() == 0


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (1, 3, 7)])
def test_tiny_frames_work(panel, shape):
    array = np.random.default_rng(0).integers(1, 250, shape, np.uint8)
    panel.choose(add_volume(array, "Tiny"))
    panel.click()
    assert panel.wait_for_end().startswith("Enhanced 1 frame ")
    assert slicer.util.arrayFromVolume(panel.ui.outputSelector.currentNode()).shape == shape


def test_missing_calibration_is_said(panel, speckle):
    volume = speckle()
    volume.SetSpacing(1, 1, 1)
    panel.choose(volume)
    panel.click()
    assert "no physical pixel size" in panel.wait_for_end()


def test_an_unknown_method_is_refused(panel, speckle):
    panel.choose(speckle())
    panel.parameters.method = "unheard-of"
    before = nodes()
    panel.click()
    assert "unheard-of" in panel.wait_for_end()
    assert nodes() == before


# Packages


def hide(monkeypatch, *names):
    """Make packages look as if they were not installed, to this process only."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in names else find(name))


def test_missing_packages_and_the_user_declines(panel, speckle, monkeypatch, dialogs):
    hide(monkeypatch, "torch")
    dialogs.answers.append(0x00400000)
    panel.choose(speckle())
    before = nodes()
    panel.click()
    assert panel.wait_for_end() == (
        "PyTorch is needed but was not installed: click Enhance again to install it."
    )
    assert "GB" in dialogs.texts()[-1]
    assert nodes() == before
    assert panel.worker == 0


def test_nothing_is_installed_in_testing_mode(panel, speckle, monkeypatch, dialogs):
    hide(monkeypatch, "safetensors")
    slicer.app.set_testing(True)
    panel.choose(speckle())
    panel.click()
    assert "not installed" in panel.wait_for_end()
    assert dialogs.shown == []


def test_missing_packages_are_installed_when_the_user_agrees(
    panel, speckle, monkeypatch, dialogs, installations
):
    hide(monkeypatch, "torch", "safetensors")
    installations.missing = {"torch", "safetensors"}
    dialogs.answers.append(0x00000400)
    panel.choose(speckle())
    panel.click()
    assert panel.wait_for_end().startswith("Enhanced 3 frames")
    torch_request, others = installations.requests
    assert "torch" in str(torch_request["requirements"])
    assert others["requirements"] == ["safetensors>=0.4"]
    assert others["constraints"] is not None


def test_an_installation_that_fails_says_what_to_try(panel, speckle, monkeypatch, dialogs, installations):
    hide(monkeypatch, "torch")
    installations.missing = {"torch"}
    installations.failure = RuntimeError("no network")
    dialogs.answers.append(0x00000400)
    panel.choose(speckle())
    panel.click()
    assert "PIP_FIND_LINKS" in panel.wait_for_end()
    assert panel.worker == 0
