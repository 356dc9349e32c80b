"""Classical filters in the panel: the list, a click, and the packages that a click asks for."""

from __future__ import annotations

import importlib.util
import time

import numpy as np
import pytest
import slicer

from USEnhanceLib.classical.filters import filter_names

OK, CANCEL = 0x00000400, 0x00400000


def choose_method(panel, name):
    """Choose a method by hand."""
    combo_box = panel.ui.methodComboBox
    combo_box.currentIndex = combo_box.findData(name)
    assert panel.parameters.method == name


@pytest.fixture
def hide(monkeypatch):
    """Make packages look as if they were not installed, to this process only."""
    find = importlib.util.find_spec

    def hide(*names):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in names else find(name))

    return hide


def test_the_list_has_the_networks_first_and_then_every_filter(module_widget):
    import qt

    combo_box = module_widget.ui.methodComboBox
    rows = range(combo_box.count)
    names = [combo_box.itemData(row) for row in rows]
    titles = [combo_box.itemText(row) for row in rows]
    networks = ["scunet", "irsde"]
    assert names == [*networks, *filter_names()]
    assert [title.startswith("Classical: ") for title in titles] == [name not in networks for name in names]
    assert all(combo_box.itemData(row, qt.Qt.ToolTipRole) for row in rows)


def test_a_click_filters_without_pytorch(panel, speckle, hide, dialogs):
    hide("torch", "safetensors", "skimage", "pywt", "bm3d")
    volume = speckle(4)
    before = slicer.util.arrayFromVolume(volume).copy()
    panel.choose(volume)
    choose_method(panel, "lee")
    panel.click()
    text = panel.wait_for_end()
    assert text.startswith("Enhanced 4 frames in ")
    assert "with lee " in text
    assert " on cpu (" in text
    assert dialogs.shown == []
    output = panel.ui.outputSelector.currentNode()
    assert output.GetName() == "Speckle enhanced (lee)"
    assert output.GetAttribute("USEnhance.Method") == "lee"
    assert (slicer.util.arrayFromVolume(output) != before).any()
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(volume), before)


def test_strength_works_on_filters(panel, speckle):
    volume = speckle()
    panel.choose(volume)
    choose_method(panel, "srad")
    panel.ui.strengthSlider.value = 0.0
    panel.click()
    panel.wait_for_end()
    np.testing.assert_array_equal(
        slicer.util.arrayFromVolume(panel.ui.outputSelector.currentNode()),
        slicer.util.arrayFromVolume(volume),
    )


def test_cancel_answers_within_a_second_and_writes_nothing(panel, speckle):
    panel.choose(speckle(400, 64, 64))
    choose_method(panel, "obnlm")
    panel.click()
    panel.wait_for_frames(2)
    begin = time.monotonic()
    panel.click()
    assert panel.wait_for_end() == "Cancelled: nothing was changed."
    assert time.monotonic() - begin < 1.0
    assert panel.ui.outputSelector.currentNode() is None


def test_an_uncertainty_is_refused_with_a_sentence(panel, speckle):
    panel.choose(speckle())
    choose_method(panel, "lee")
    panel.ui.overlayCheckBox.click()
    panel.click()
    assert "lee gives no uncertainty" in panel.wait_for_end()
    assert panel.ui.outputSelector.currentNode() is None


def test_only_the_packages_of_the_method_are_installed(panel, speckle, hide, dialogs, installations):
    hide("torch", "safetensors", "skimage")
    installations.missing = {"scikit-image"}
    dialogs.answers.append(OK)
    panel.choose(speckle())
    choose_method(panel, "nlm")
    panel.click()
    assert panel.wait_for_end().startswith("Enhanced 3 frames")
    (request,) = installations.requests
    assert [text.partition(">")[0] for text in request["requirements"]] == ["scikit-image"]
    assert "scikit-image" in dialogs.texts()[-1]
    assert "PyTorch" not in dialogs.texts()[-1]
    assert "GB" not in dialogs.texts()[-1]


def test_what_slicer_brings_is_held_at_its_version(hide, dialogs, installations, monkeypatch):
    """The file of constraints is gone after the installation: it is read during it."""
    import slicer.packaging

    from USEnhance import REQUIREMENTS
    from USEnhanceLib.mrml.dependencies import ensure_dependencies

    held = []
    ensure = slicer.packaging.pip_ensure

    def read_constraints(requirements, constraints=None, **options):
        held.extend(constraints.read_text(encoding="utf-8").split())
        return ensure(requirements, constraints=constraints, **options)

    monkeypatch.setattr(slicer.packaging, "pip_ensure", read_constraints)
    hide("skimage", "pywt")
    installations.missing = {"scikit-image", "pywavelets"}
    dialogs.answers.append(OK)
    ensure_dependencies(REQUIREMENTS, "wavelet")
    assert {line.partition("==")[0] for line in held} >= {"numpy", "scipy"}
    (request,) = installations.requests
    assert {text.partition(">")[0] for text in request["requirements"]} == {"scikit-image", "PyWavelets"}


def test_the_user_declines(panel, speckle, hide, dialogs):
    hide("skimage")
    dialogs.answers.append(CANCEL)
    panel.choose(speckle())
    choose_method(panel, "nlm")
    panel.click()
    assert panel.wait_for_end().startswith("Scikit-image is needed but was not installed")
    assert panel.worker == 0


def test_bm3d_is_left_to_the_user_to_install(panel, speckle, hide, dialogs, installations):
    panel.choose(speckle())
    choose_method(panel, "bm3d")
    hide("bm3d")
    panel.click()
    text = panel.wait_for_end()
    assert "forbids commercial use" in text
    assert "slicer.util.pip_install('bm3d')" in text
    assert dialogs.shown == []
    assert installations.requests == []
