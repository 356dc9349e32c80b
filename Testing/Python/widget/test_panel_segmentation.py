"""The section "Segmentation and Dice": choose, click, read; with the real worker and a real network."""

from __future__ import annotations

import time

import numpy as np
import pytest
import slicer

KINDS = (
    *("vtkMRMLVolumeNode", "vtkMRMLSequenceNode", "vtkMRMLSequenceBrowserNode", "vtkMRMLDisplayNode"),
    *("vtkMRMLSegmentationNode", "vtkMRMLTableNode", "vtkMRMLMarkupsNode", "vtkMRMLPlotChartNode"),
    "vtkMRMLPlotSeriesNode",
)


def nodes():
    return {node.GetID() for kind in KINDS for node in slicer.mrmlScene.GetNodesByClass(kind)}


def names():
    """The names that the user sees: display nodes have names too, which nobody does."""
    found = map(slicer.mrmlScene.GetNodeByID, nodes())
    return sorted(node.GetName() for node in found if not node.IsA("vtkMRMLDisplayNode"))


def nodes_of(image, class_name):
    """The nodes of a class that were made from an image."""
    found = slicer.util.getNodesByClass(class_name)
    return [node for node in found if node.GetNodeReference("USEnhance.Input") is image]


@pytest.fixture
def outlines(panel, tiny_segmenter):
    """The panel with the tiny segmenter, and what its user does in the section."""
    panel.parameters.segmentationModel = str(tiny_segmenter)
    return Outlines(panel)


class Outlines:
    def __init__(self, panel):
        self.panel = panel
        self.ui = panel.ui
        self.parameters = panel.parameters

    @property
    def working(self):
        return self.ui.segmentButton.text == "Cancel"

    def click(self):
        self.ui.segmentButton.click()

    def wait_for_frames(self, count):
        self.panel.wait(lambda: self.ui.progressBar.value >= count or not self.working)
        assert self.working, self.panel.text

    def wait_for_end(self):
        self.panel.wait(lambda: not self.working)
        assert self.ui.segmentButton.text == "Segment"
        assert self.ui.enhanceButton.text == "Enhance"
        return self.panel.text

    def segment(self):
        self.click()
        assert self.working, self.panel.text
        return self.wait_for_end()

    def header(self):
        import qt

        model = self.ui.diceTableView.model()
        return [model.headerData(column, qt.Qt.Horizontal) for column in range(model.columnCount())]


@pytest.fixture
def add_drawn(scene, drawn_structures):
    """add_drawn(frames): adds a volume of drawn structures and returns it with their labels."""

    def add(frames=1, rows=96, columns=128, name="Drawn"):
        pixels, labels = drawn_structures(frames, rows, columns)
        volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        slicer.util.updateVolumeFromArray(volume, (255 * pixels).astype(np.uint8))
        volume.SetSpacing(0.5, 0.5, 1.0)
        volume.CreateDefaultDisplayNodes()
        return volume, labels

    return add


def add_enhanced(volume, noise=3):
    """A copy of a volume that counts as its enhanced image."""
    copy = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"{volume.GetName()} enhanced")
    pixels = slicer.util.arrayFromVolume(volume).astype(int)
    pixels = (pixels + np.random.default_rng(0).integers(-noise, noise + 1, pixels.shape)).clip(1, 255)
    slicer.util.updateVolumeFromArray(copy, pixels.astype(np.uint8))
    copy.SetSpacing(volume.GetSpacing())
    copy.SetNodeReferenceID("USEnhance.Input", volume.GetID())
    return copy


def add_reference(volume, labels):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "By hand")
    slicer.util.updateVolumeFromArray(node, labels)
    node.SetSpacing(volume.GetSpacing())
    return node


def add_cine(drawn_structures, frames=3):
    pixels, _ = drawn_structures(frames)
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "Cine")
    for index, frame in enumerate((255 * pixels).astype(np.uint8)):
        item = slicer.vtkMRMLScalarVolumeNode()
        slicer.util.updateVolumeFromArray(item, frame[np.newaxis])
        item.SetSpacing(0.5, 0.5, 1.0)
        sequence.SetDataNodeAtValue(item, str(index))
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "Browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    return sequence, browser


def test_an_empty_scene_offers_nothing_to_segment(module_widget):
    ui = module_widget.ui
    assert not ui.segmentButton.enabled
    assert ui.segmentButton.text == "Segment"
    assert ui.progressionLabel.text == ui.circumferenceLabel.text == "none yet"
    assert "Agreement is not accuracy" in ui.agreementLabel.text
    assert ui.diceTableView.mrmlTableNode() is None
    assert not ui.chartsButton.enabled


def test_a_click_outlines_the_input_and_says_what_it_did(outlines, add_drawn):
    volume, drawn = add_drawn()
    before = slicer.util.arrayFromVolume(volume).copy()
    outlines.panel.choose(volume)
    assert outlines.ui.segmentButton.enabled
    outlines.click()
    assert outlines.working
    assert not outlines.ui.enhanceButton.enabled
    assert not outlines.ui.referenceSelector.enabled
    assert not outlines.ui.inputCollapsibleButton.enabled
    text = outlines.wait_for_end()
    assert text.startswith("Segmented 1 frame in ")
    assert "outliner 1" in text
    assert " on cpu (" in text
    for widget in (outlines.ui.enhanceButton, outlines.ui.segmentButton, outlines.ui.referenceSelector):
        assert widget.enabled
    assert not outlines.ui.progressBar.visible
    (segmentation,) = nodes_of(volume, "vtkMRMLSegmentationNode")
    found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "FetalHead", volume)
    assert 2 * (found.astype(bool) & (drawn == 2)).sum() / (found.sum() + (drawn == 2).sum()) > 0.9
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(volume), before)


def test_the_measurements_are_read_from_the_outlines(outlines, add_drawn):
    volume, _ = add_drawn()
    outlines.panel.choose(volume)
    outlines.segment()
    assert outlines.ui.progressionLabel.text.endswith("°"), outlines.ui.progressionLabel.text
    # The ellipse that was drawn: half axes of 0.34 and 0.26 of 96 rows of half a millimetre.
    a, b = 0.34 * 48, 0.26 * 48
    expected = np.pi * (3 * (a + b) - np.sqrt((3 * a + b) * (a + 3 * b)))
    assert float(outlines.ui.circumferenceLabel.text.split()[0]) == pytest.approx(expected, rel=0.1)


def test_the_angle_follows_when_the_user_moves_a_point(outlines, add_drawn):
    volume, _ = add_drawn()
    outlines.panel.choose(volume)
    outlines.segment()
    before = float(outlines.ui.progressionLabel.text.rstrip("°"))
    (markup,) = nodes_of(volume, "vtkMRMLMarkupsAngleNode")
    inferior, tangent = np.array(markup.GetNthControlPointPosition(1)), markup.GetNthControlPointPosition(2)
    direction = np.array(tangent) - inferior
    turned = inferior + np.array([direction[0] - 0.2 * direction[1], direction[1] + 0.2 * direction[0], 0.0])
    markup.SetNthControlPointPosition(2, *turned)
    after = float(outlines.ui.progressionLabel.text.rstrip("°"))
    assert abs(abs(after - before) - np.degrees(np.arctan(0.2))) < 0.3


def test_original_and_enhanced_are_compared_as_agreement(outlines, add_drawn):
    volume, _ = add_drawn()
    outlines.panel.choose(volume)
    enhanced = add_enhanced(volume)
    outlines.parameters.outputNode = enhanced
    assert "Agreement is not accuracy" in outlines.ui.agreementLabel.text
    shown = set()
    outlines.click()
    outlines.panel.wait(
        lambda: (
            shown.add((outlines.ui.progressBar.value, outlines.ui.progressBar.maximum))
            or not outlines.working
        )
    )
    assert outlines.wait_for_end().startswith("Segmented 1 frame of the original and of the enhanced image")
    assert any(maximum == 2 for _, maximum in shown)
    for image in (volume, enhanced):
        assert len(nodes_of(image, "vtkMRMLSegmentationNode")) == 1
    header = " ".join(outlines.header())
    assert "Agreement Dice" in header
    assert "reference" not in header
    said = outlines.ui.progressionLabel.text
    assert said.startswith("original ")
    assert "enhanced " in said


def test_a_reference_gives_dice_of_both(outlines, add_drawn):
    volume, drawn = add_drawn(2)
    outlines.panel.choose(volume)
    outlines.parameters.outputNode = add_enhanced(volume)
    outlines.ui.referenceSelector.setCurrentNode(add_reference(volume, drawn))
    assert "accurate" in outlines.ui.agreementLabel.text
    outlines.segment()
    header = outlines.header()
    assert {"Dice original", "Dice enhanced"} <= set(header)
    table = outlines.ui.diceTableView.mrmlTableNode()
    dice = table.GetTable().GetColumnByName("Dice original")
    assert min(dice.GetValue(row) for row in range(dice.GetNumberOfValues())) > 0.8


def test_the_output_of_another_input_is_not_segmented(outlines, add_drawn):
    first, _ = add_drawn(name="First")
    second, _ = add_drawn(name="Second")
    outlines.panel.choose(first)
    outlines.parameters.outputNode = add_enhanced(second)
    text = outlines.segment()
    assert text.startswith("Segmented 1 frame in ")


def test_a_cine_is_outlined_frame_by_frame(outlines, drawn_structures):
    cine, browser = add_cine(drawn_structures)
    outlines.panel.choose(cine)
    assert outlines.segment().startswith("Segmented 3 frames in ")
    said = []
    for frame in range(3):
        browser.SetSelectedItemNumber(frame)
        slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
        said.append((outlines.ui.progressionLabel.text, outlines.ui.circumferenceLabel.text))
    assert all(angle.endswith("°") for angle, _ in said)
    angles = [float(angle.rstrip("°")) for angle, _ in said]
    assert angles[0] < angles[1] < angles[2], "the drawn head descends"
    assert all(circumference.endswith(" mm") for _, circumference in said)


def test_outlines_can_be_hidden_and_stay_hidden(outlines, add_drawn):
    volume, _ = add_drawn()
    outlines.panel.choose(volume)
    outlines.segment()

    def visible():
        made = nodes_of(volume, "vtkMRMLSegmentationNode") + nodes_of(volume, "vtkMRMLMarkupsAngleNode")
        return {bool(node.GetDisplayNode().GetVisibility()) for node in made}

    assert visible() == {True}
    outlines.ui.outlinesCheckBox.click()
    assert visible() == {False}
    outlines.segment()
    assert visible() == {False}
    outlines.ui.outlinesCheckBox.click()
    assert visible() == {True}


def test_the_next_click_replaces_what_the_last_one_made(outlines, add_drawn):
    volume, _ = add_drawn()
    outlines.panel.choose(volume)
    outlines.segment()
    before, called = nodes(), names()
    for _ in range(2):
        outlines.segment()
        assert len(nodes()) == len(before)
        assert nodes() != before
        assert names() == called
    assert outlines.ui.diceTableView.mrmlTableNode().GetScene() is slicer.mrmlScene


def test_a_cine_can_be_segmented_again(outlines, drawn_structures):
    cine, browser = add_cine(drawn_structures)
    outlines.panel.choose(cine)
    outlines.segment()
    called = names()
    for _ in range(2):
        outlines.segment()
        assert names() == called
    assert browser.GetScene() is slicer.mrmlScene
    assert outlines.ui.progressionLabel.text.endswith("°")


def test_outlines_made_the_reference_are_kept(outlines, add_drawn):
    volume, _ = add_drawn()
    outlines.panel.choose(volume)
    outlines.segment()
    (drawn,) = nodes_of(volume, "vtkMRMLSegmentationNode")
    outlines.ui.referenceSelector.setCurrentNode(drawn)
    outlines.segment()
    assert drawn.GetScene() is slicer.mrmlScene
    assert len({node.GetName() for node in nodes_of(volume, "vtkMRMLSegmentationNode")}) == 2
    dice = outlines.ui.diceTableView.mrmlTableNode().GetTable().GetColumnByName("Dice original")
    assert dice.GetValue(0) == pytest.approx(1.0)


def test_the_worker_of_enhancing_segments_too(outlines, add_drawn):
    volume, _ = add_drawn()
    outlines.panel.choose(volume)
    outlines.panel.click()
    assert not outlines.ui.segmentButton.enabled
    outlines.panel.wait_for_end()
    worker = outlines.panel.worker
    assert outlines.ui.segmentButton.enabled
    text = outlines.segment()
    assert text.startswith("Segmented 1 frame of the original and of the enhanced image")
    assert outlines.panel.worker == worker > 0


def test_clicks_show_one_chart_after_another(outlines, add_drawn):
    volume, drawn = add_drawn(3)
    outlines.panel.choose(volume)
    assert not outlines.ui.chartsButton.enabled
    outlines.ui.referenceSelector.setCurrentNode(add_reference(volume, drawn))
    outlines.segment()
    assert outlines.ui.chartsButton.enabled
    selection = slicer.app.applicationLogic().GetSelectionNode()
    titles = []
    for _ in range(3):
        outlines.ui.chartsButton.click()
        titles.append(slicer.mrmlScene.GetNodeByID(selection.GetActivePlotChartID()).GetTitle())
    assert titles == ["Dice with the reference", "Angle of progression", "Dice with the reference"]
    outlines.panel.choose(add_drawn(name="Other")[0])
    assert not outlines.ui.chartsButton.enabled
    outlines.panel.choose(volume)
    assert outlines.ui.chartsButton.enabled
    for chart in slicer.util.getNodesByClass("vtkMRMLPlotChartNode"):
        assert outlines.ui.chartsButton.enabled
        slicer.mrmlScene.RemoveNode(chart)
    assert not outlines.ui.chartsButton.enabled


@pytest.mark.parametrize(("row", "side"), [(0, "right"), (1, "right"), (2, "left")])
def test_the_display_can_be_chosen(outlines, add_drawn, row, side):
    outlines.panel.choose(add_drawn()[0])
    box = outlines.ui.displayComboBox
    assert (box.count, box.currentIndex) == (3, 0)
    box.currentIndex = row
    outlines.click()
    assert not box.enabled
    outlines.wait_for_end()
    assert box.enabled
    assert outlines.parameters.tableNode.GetAttribute("USEnhance.InferiorSide") == side
    outlines.panel.widget.exit()
    outlines.panel.widget.enter()
    assert box.currentIndex == row


def test_an_unsure_display_is_told_in_the_status(outlines, add_drawn):
    volume, _ = add_drawn()
    array = slicer.util.arrayFromVolume(volume)
    array[...] = np.roll(array, 16, axis=2)
    slicer.util.arrayFromVolumeModified(volume)
    outlines.panel.choose(volume)
    assert "at the right, which is unsure" in outlines.segment()
    outlines.ui.displayComboBox.currentIndex = 1
    assert "unsure" not in outlines.segment()


# What goes wrong


@pytest.mark.parametrize("frames_done", [0, 1, 70])
def test_cancel_answers_within_a_second_and_writes_nothing(outlines, add_drawn, frames_done):
    """Of 60 frames twice: while reading, in the first image and in the second."""
    volume, _ = add_drawn(60)
    outlines.panel.choose(volume)
    outlines.parameters.outputNode = add_enhanced(volume)
    before = nodes()
    outlines.click()
    outlines.wait_for_frames(frames_done)
    begin = time.monotonic()
    outlines.click()
    assert outlines.wait_for_end() == "Cancelled: nothing was changed."
    assert time.monotonic() - begin < 1.0
    assert nodes() == before
    assert outlines.ui.segmentButton.enabled
    assert outlines.ui.enhanceButton.enabled


def test_after_a_cancel_the_next_click_works(outlines, add_drawn):
    outlines.panel.choose(add_drawn(60)[0])
    outlines.click()
    outlines.wait_for_frames(1)
    outlines.click()
    outlines.wait_for_end()
    outlines.panel.choose(add_drawn(name="Small")[0])
    assert outlines.segment().startswith("Segmented 1 frame in ")


def test_an_unknown_model_is_told_in_a_sentence(outlines, add_drawn):
    outlines.parameters.segmentationModel = "no-such-model"
    outlines.panel.choose(add_drawn()[0])
    before = nodes()
    outlines.click()
    text = outlines.wait_for_end()
    assert "no-such-model" in text
    assert outlines.ui.statusLabel.styleSheet
    assert nodes() == before


def test_a_reference_of_other_pixels_is_refused_by_name(outlines, add_drawn):
    volume, drawn = add_drawn()
    outlines.panel.choose(volume)
    outlines.ui.referenceSelector.setCurrentNode(add_reference(volume, drawn[:, ::2]))
    before = nodes()
    outlines.click()
    assert "By hand" in outlines.wait_for_end()
    assert nodes() == before


@pytest.mark.parametrize("what", ["input", "enhanced", "reference"])
def test_deleting_a_node_while_it_works(outlines, add_drawn, what):
    volume, drawn = add_drawn(60)
    given = {
        "input": volume,
        "enhanced": add_enhanced(volume),
        "reference": add_reference(volume, drawn),
    }
    outlines.panel.choose(volume)
    outlines.parameters.outputNode = given["enhanced"]
    outlines.parameters.referenceNode = given["reference"]
    before = nodes()
    outlines.click()
    outlines.wait_for_frames(2)
    name = given[what].GetName()
    slicer.mrmlScene.RemoveNode(given[what])
    text = outlines.wait_for_end()
    assert text == f"{name} was deleted from the scene while it was being worked on: nothing was written."
    assert nodes() < before


def test_closing_the_scene_while_it_works(outlines, add_drawn, process_events):
    outlines.panel.choose(add_drawn(60)[0])
    outlines.click()
    outlines.wait_for_frames(2)
    slicer.mrmlScene.Clear(0)
    assert "scene was closed" in outlines.wait_for_end()
    process_events()
    assert not outlines.ui.segmentButton.enabled
    assert slicer.util.getNodesByClass("vtkMRMLVolumeNode") == []
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == []


def test_the_death_of_the_worker_is_told_and_survived(outlines, add_drawn):
    import os
    import signal

    outlines.panel.choose(add_drawn(60)[0])
    outlines.click()
    outlines.wait_for_frames(2)
    os.kill(outlines.panel.worker, signal.SIGKILL)
    assert "while it segmented" in outlines.wait_for_end()
    outlines.panel.choose(add_drawn(name="Small")[0])
    assert outlines.segment().startswith("Segmented 1 frame in ")


# The scene


def test_another_input_shows_nothing_of_the_last_one(outlines, add_drawn):
    first, _ = add_drawn(name="First")
    second, _ = add_drawn(name="Second")
    outlines.panel.choose(first)
    outlines.segment()
    outlines.panel.choose(second)
    assert outlines.ui.diceTableView.mrmlTableNode() is None
    assert outlines.ui.progressionLabel.text == "none yet"
    assert outlines.ui.circumferenceLabel.text == "none yet"
    outlines.panel.choose(first)
    assert outlines.ui.diceTableView.mrmlTableNode() is not None
    assert outlines.ui.progressionLabel.text.endswith("°")


def test_deleting_the_table_empties_the_view(outlines, add_drawn):
    outlines.panel.choose(add_drawn()[0])
    outlines.segment()
    slicer.mrmlScene.RemoveNode(outlines.ui.diceTableView.mrmlTableNode())
    assert outlines.ui.diceTableView.mrmlTableNode() is None
    assert outlines.parameters.tableNode is None


def test_what_was_chosen_comes_back_with_the_scene(outlines, add_drawn, tmp_path, process_events):
    volume, drawn = add_drawn()
    outlines.panel.choose(volume)
    outlines.ui.referenceSelector.setCurrentNode(add_reference(volume, drawn))
    outlines.segment()
    outlines.ui.outlinesCheckBox.click()
    outlines.ui.displayComboBox.currentIndex = 2
    saved = {"input": volume, "hand": slicer.util.getNode("By hand"), "table": outlines.parameters.tableNode}
    saved |= {"outlines": nodes_of(volume, "vtkMRMLSegmentationNode")[0]}
    saved |= {"angle": nodes_of(volume, "vtkMRMLMarkupsAngleNode")[0]}
    endings = {"table": "tsv", "angle": "mrk.json", "outlines": "seg.nrrd"}
    for name, node in saved.items():
        assert slicer.util.saveNode(node, str(tmp_path / f"{name}.{endings.get(name, 'nrrd')}"))
    path = tmp_path / "scene.mrml"
    assert slicer.util.saveScene(str(path))
    slicer.mrmlScene.Clear(0)
    process_events()
    slicer.util.loadScene(str(path))
    process_events()
    outlines.panel.widget.enter()
    ui = outlines.ui
    assert ui.referenceSelector.currentNode().GetName() == "By hand"
    assert not ui.outlinesCheckBox.checked
    assert ui.displayComboBox.currentIndex == 2
    assert ui.chartsButton.enabled == bool(slicer.util.getNodesByClass("vtkMRMLPlotChartNode"))
    assert ui.diceTableView.mrmlTableNode() is not None
    assert ui.progressionLabel.text.endswith("°")


# The console


def test_the_console_compares(outlines, add_drawn, tiny_segmenter):
    volume, drawn = add_drawn()
    logic = outlines.panel.widget.logic
    outputs = logic.segment(
        volume, add_enhanced(volume), add_reference(volume, drawn), model=str(tiny_segmenter), device="cpu"
    )
    assert outputs.table.GetTable().GetColumnByName("Dice enhanced") is not None
    assert outputs.segmentation in nodes_of(volume, "vtkMRMLSegmentationNode")
