"""Steps and samples in the panel, and the regions that are not to be trusted in the slice views."""

from __future__ import annotations

import json

import pytest
import slicer

from USEnhanceLib.errors import OptionError


def choose_method(panel, name):
    """Choose a method by hand; a folder is offered once a script has chosen it."""
    combo_box = panel.ui.methodComboBox
    combo_box.currentIndex = combo_box.findData(name)
    assert panel.parameters.method == name


def spin_boxes(panel):
    return panel.ui.stepsSpinBox, panel.ui.samplesSpinBox


def parameters_of(node):
    return json.loads(node.GetAttribute("USEnhance.Parameters"))


def composites():
    return slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")


def test_steps_and_samples_can_be_set_for_diffusion_methods_only(panel, tiny_ensemble):
    assert not any(box.enabled for box in spin_boxes(panel))
    panel.parameters.method = str(tiny_ensemble)
    assert all(box.enabled for box in spin_boxes(panel))
    assert panel.ui.stepsLabel.enabled
    choose_method(panel, "lee")
    assert not any(box.enabled for box in spin_boxes(panel))
    assert not panel.ui.samplesLabel.enabled


def test_nothing_chosen_means_the_models_own(panel):
    assert [box.value for box in spin_boxes(panel)] == [0, 0]
    assert [box.text for box in spin_boxes(panel)] == ["model's own"] * 2


def test_steps_and_samples_are_saved_and_shown_again(panel, tiny_ensemble):
    panel.parameters.method = str(tiny_ensemble)
    panel.ui.stepsSpinBox.value = 4
    panel.ui.samplesSpinBox.value = 2
    assert (panel.parameters.steps, panel.parameters.samples) == (4, 2)
    panel.widget.exit()
    panel.parameters.steps = 5
    panel.widget.enter()
    assert [box.value for box in spin_boxes(panel)] == [5, 2]


def test_a_click_takes_as_many_steps_and_samples_as_chosen(panel, speckle, tiny_ensemble):
    panel.parameters.method = str(tiny_ensemble)
    panel.choose(speckle(1))
    panel.ui.overlayCheckBox.click()
    panel.ui.stepsSpinBox.value = 3
    panel.ui.samplesSpinBox.value = 2
    panel.click()
    assert panel.wait_for_end().startswith("Enhanced 1 frame ")
    output = panel.ui.outputSelector.currentNode()
    assert (parameters_of(output)["steps"], parameters_of(output)["samples"]) == (3, 2)
    panel.ui.stepsSpinBox.value = panel.ui.samplesSpinBox.value = 0
    panel.click()
    assert panel.wait_for_end().startswith("Enhanced 1 frame ")
    assert (parameters_of(output)["steps"], parameters_of(output)["samples"]) == (1, 2)
    panel.ui.samplesSpinBox.value = 1
    panel.click()
    assert "One member of ensemble gives no uncertainty" in panel.wait_for_end()


@pytest.mark.parametrize("method", ["lee", "tiny"])
def test_other_methods_do_not_care_about_hidden_values(panel, speckle, tiny_model, method):
    panel.parameters.steps = 3
    panel.parameters.samples = 2
    panel.parameters.method = str(tiny_model) if method == "tiny" else method
    panel.choose(speckle(1))
    panel.click()
    assert panel.wait_for_end().startswith("Enhanced 1 frame ")


def test_the_console_refuses_what_a_method_has_not(panel, speckle, tiny_model):
    volume = speckle(1)
    for method in ("lee", str(tiny_model)):
        with pytest.raises(OptionError, match="has no option 'steps'"):
            panel.widget.logic.enhance(volume, method=method, steps=3)


def test_the_console_takes_steps_and_samples_and_gives_labels(panel, speckle, tiny_ensemble):
    volume = speckle(1)
    outputs = panel.widget.logic.enhance(volume, str(tiny_ensemble), True, device="cpu", steps=2, samples=2)
    assert (parameters_of(outputs.volume)["steps"], parameters_of(outputs.volume)["samples"]) == (2, 2)
    assert outputs.distrust.GetName() == "Speckle do not trust (ensemble)"
    again = panel.widget.logic.enhance(
        volume, str(tiny_ensemble), device="cpu", uncertaintyNode=outputs.uncertainty
    )
    assert again.distrust is outputs.distrust


def test_the_overlay_shows_what_is_not_to_be_trusted(panel, speckle):
    panel.choose(speckle())
    panel.ui.overlayCheckBox.click()
    panel.click()
    panel.wait_for_end()
    uncertainty = panel.ui.uncertaintySelector.currentNode()
    labels = slicer.util.getNode("Speckle do not trust (tiny)")
    assert labels.GetClassName() == "vtkMRMLLabelMapVolumeNode"
    assert uncertainty.GetNodeReference("USEnhance.Distrust") is labels
    assert {composite.GetLabelVolumeID() for composite in composites()} == {labels.GetID()}
    panel.ui.overlayOpacitySlider.value = 0.25
    assert composites()[0].GetLabelOpacity() == pytest.approx(0.25)
    panel.ui.overlayCheckBox.click()
    assert {composite.GetLabelVolumeID() for composite in composites()} == {None}
    panel.ui.overlayCheckBox.click()
    assert composites()[0].GetLabelVolumeID() == labels.GetID()


def test_another_click_uses_the_labels_again_or_makes_them_anew(panel, speckle):
    panel.choose(speckle())
    panel.ui.overlayCheckBox.click()
    panel.click()
    panel.wait_for_end()
    labels = slicer.util.getNode("Speckle do not trust (tiny)")
    panel.click()
    panel.wait_for_end()
    assert slicer.util.getNodesByClass("vtkMRMLLabelMapVolumeNode") == [labels]
    slicer.mrmlScene.RemoveNode(labels)
    panel.click()
    panel.wait_for_end()
    (made,) = slicer.util.getNodesByClass("vtkMRMLLabelMapVolumeNode")
    assert composites()[0].GetLabelVolumeID() == made.GetID()


def test_deleting_the_map_takes_its_labels_from_the_views(panel, speckle):
    panel.choose(speckle())
    panel.ui.overlayCheckBox.click()
    panel.click()
    panel.wait_for_end()
    slicer.mrmlScene.RemoveNode(panel.ui.uncertaintySelector.currentNode())
    assert composites()[0].GetLabelVolumeID() is None
