"""Clicks on the real panel: choose an input, enhance, look."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
import slicer


def volumes():
    return {node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLVolumeNode")}


def add_cine(frames, name="Cine", browser=True):
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    for index, frame in enumerate(frames):
        item = slicer.vtkMRMLScalarVolumeNode()
        slicer.util.updateVolumeFromArray(item, frame[np.newaxis])
        sequence.SetDataNodeAtValue(item, f"{index * 0.04:g}")
    if browser:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", f"{name} browser")
        node.SetAndObserveMasterSequenceNodeID(sequence.GetID())
        slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(node)
    return sequence


def test_an_empty_scene_says_what_to_do(module_widget):
    assert not module_widget.ui.enhanceButton.enabled
    assert module_widget.ui.statusLabel.text == "No input is chosen: choose a volume or a sequence first."
    assert not module_widget.ui.beforeAfterButton.enabled


def test_a_click_enhances_and_says_what_it_did(panel, speckle):
    volume = speckle(4)
    before = slicer.util.arrayFromVolume(volume).copy()
    panel.choose(volume)
    assert panel.text == "Ready to enhance Speckle."
    assert panel.ui.enhanceButton.enabled
    panel.click()
    assert panel.ui.enhanceButton.text == "Cancel"
    assert not panel.ui.inputCollapsibleButton.enabled
    shown = set()
    panel.wait(
        lambda: shown.add((panel.ui.progressBar.value, panel.ui.progressBar.format)) or not panel.working
    )
    text = panel.wait_for_end()
    assert text.startswith("Enhanced 4 frames in ")
    assert "tiny 1.0" in text
    assert " on cpu (" in text
    assert any("of 4 frames" in said and "left" in said for _, said in shown)
    assert panel.ui.inputCollapsibleButton.enabled
    output = panel.ui.outputSelector.currentNode()
    assert output.GetName() == "Speckle enhanced (tiny)"
    enhanced = slicer.util.arrayFromVolume(output)
    assert enhanced.shape == before.shape
    assert (enhanced != before).any()
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(volume), before)


def test_the_second_click_is_warm(panel, speckle):
    panel.choose(speckle())
    seconds = []
    workers = []
    for _ in range(2):
        begin = time.monotonic()
        panel.click()
        panel.wait_for_end()
        seconds.append(time.monotonic() - begin)
        workers.append(panel.worker)
    assert workers[0] == workers[1] > 0
    assert seconds[1] < 0.8 * seconds[0]


def test_a_cine_gives_a_cine_that_plays_along(panel):
    pixels = np.random.default_rng(0).rayleigh(60, (5, 48, 64)).clip(5, 250).astype(np.uint8)
    cine = add_cine(pixels)
    panel.choose(cine)
    assert tuple(panel.ui.outputSelector.nodeTypes) == ("vtkMRMLSequenceNode",)
    panel.click()
    assert "5 frames" in panel.wait_for_end()
    output = panel.ui.outputSelector.currentNode()
    assert [output.GetNthIndexValue(i) for i in range(5)] == [cine.GetNthIndexValue(i) for i in range(5)]
    browser = slicer.util.getNode("Cine browser")
    assert browser.IsSynchronizedSequenceNode(output, True)
    for index in range(5):
        np.testing.assert_array_equal(
            slicer.util.arrayFromVolume(cine.GetNthDataNode(index))[0], pixels[index]
        )


def test_before_and_after(panel, speckle):
    volume = speckle()
    slicer.util.setSliceViewerLayers(background=volume)
    panel.choose(volume)
    panel.click()
    panel.wait_for_end()
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")[0]
    assert composite.GetBackgroundVolumeID() == panel.ui.outputSelector.currentNodeID
    panel.ui.beforeAfterButton.click()
    assert composite.GetBackgroundVolumeID() == volume.GetID()
    panel.ui.beforeAfterButton.click()
    assert composite.GetBackgroundVolumeID() == panel.ui.outputSelector.currentNodeID


def test_overlay_of_the_uncertainty(panel, speckle):
    panel.choose(speckle())
    panel.ui.overlayCheckBox.click()
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")[0]
    assert composite.GetForegroundVolumeID() is None
    panel.click()
    panel.wait_for_end()
    uncertainty = panel.ui.uncertaintySelector.currentNode()
    assert uncertainty.GetName() == "Speckle uncertainty (tiny)"
    assert composite.GetForegroundVolumeID() == uncertainty.GetID()
    panel.ui.overlayOpacitySlider.value = 0.25
    assert composite.GetForegroundOpacity() == pytest.approx(0.25)
    panel.ui.overlayCheckBox.click()
    assert composite.GetForegroundVolumeID() is None


def test_strength_zero_gives_the_input_back(panel, speckle):
    volume = speckle()
    panel.choose(volume)
    panel.ui.strengthSlider.value = 0.0
    panel.click()
    panel.wait_for_end()
    np.testing.assert_array_equal(
        slicer.util.arrayFromVolume(panel.ui.outputSelector.currentNode()),
        slicer.util.arrayFromVolume(volume),
    )


def test_another_input_gets_another_output(panel, speckle):
    first, second = speckle(name="First"), speckle(name="Second")
    panel.choose(first)
    panel.click()
    panel.wait_for_end()
    kept = panel.ui.outputSelector.currentNode()
    pixels = slicer.util.arrayFromVolume(kept).copy()
    panel.choose(second)
    assert panel.ui.outputSelector.currentNode() is None
    panel.click()
    panel.wait_for_end()
    assert panel.ui.outputSelector.currentNode().GetName() == "Second enhanced (tiny)"
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(kept), pixels)


def test_deleting_the_output_does_not_choose_another_volume(panel, speckle):
    speckle(name="Other")
    panel.choose(speckle())
    panel.click()
    panel.wait_for_end()
    slicer.mrmlScene.RemoveNode(panel.ui.outputSelector.currentNode())
    assert panel.parameters.outputNode is None
    assert panel.ui.outputSelector.currentNode() is None


def test_what_was_chosen_is_saved_and_shown_again(panel, speckle):
    panel.choose(speckle())
    panel.ui.strengthSlider.value = 0.35
    panel.ui.seedSpinBox.value = 12
    panel.ui.deviceComboBox.currentIndex = panel.ui.deviceComboBox.findData("cpu")
    panel.ui.axisComboBox.currentIndex = panel.ui.axisComboBox.findData("j")
    parameters = panel.parameters
    assert (parameters.strength, parameters.seed, parameters.device, parameters.axis) == (
        0.35,
        12,
        "cpu",
        "j",
    )
    panel.widget.exit()
    parameters.strength = 0.6
    panel.widget.enter()
    assert panel.ui.strengthSlider.value == pytest.approx(0.6)
    assert panel.ui.axisComboBox.currentData == "j"


METRONOME = """
import sys, time
longest, last = 0.0, time.perf_counter()
sys.stdin.close()
while True:
    time.sleep(0.005)
    now = time.perf_counter()
    if now - last > longest:
        longest = now - last
        print(f"{longest:.4f}", flush=True)
    last = now
"""


def test_slicer_stays_responsive(panel, speckle):
    """One run, the first click: what is slow only once counts as well."""
    import qt

    panel.choose(speckle(12, 240, 320))
    ticks = []
    timer = qt.QTimer()
    timer.interval = 5
    timer.connect("timeout()", lambda: ticks.append((time.perf_counter(), time.thread_time())))
    # What the computer does at the same time to a process that only sleeps.
    metronome = subprocess.Popen(
        [sys.executable, "-c", METRONOME], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    timer.start()
    panel.click()
    panel.wait(lambda: not panel.working, timeout=120.0)
    timer.stop()
    metronome.kill()
    computer = float(metronome.communicate()[0].split()[-1])
    assert panel.text.startswith("Enhanced")
    assert len(ticks) > 50
    wall, own = np.diff(np.array(ticks), axis=0).max(axis=0)
    figures = (
        f"longest gap {1000 * wall:.0f} ms, of computing in Slicer's thread {1000 * own:.0f} ms, "
        f"of a sleeping process at the same time {1000 * computer:.0f} ms"
    )
    print(figures)
    # No stall of Slicer over a tenth of a second, besides those of a computer that is busy with other tests.
    assert own < 0.1, figures
    assert wall < 0.1 + computer, figures
