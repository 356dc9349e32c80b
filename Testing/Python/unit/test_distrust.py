"""Regions that are not to be trusted: the threshold, what is marked, and what a result says of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from USEnhanceLib import load_enhancer
from USEnhanceLib.enhancement import check_uncertainty, is_diffusion
from USEnhanceLib.enhancement.distrust import (
    DISTRUST_ABOVE,
    GAP,
    SETTING,
    SMALLEST_REGION,
    distrust_threshold,
    distrusted,
    threshold_in_words,
)
from USEnhanceLib.errors import ModelError, OptionError
from USEnhanceLib.models import INFERENCE, find_model, save_model
from USEnhanceLib.networks import SCUNet


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    network = SCUNet(dim=8, config=[1, 0, 0, 0, 0, 0, 0], head_dim=4)
    save_model(folder, network, name="tiny", version="1", card="c", licence="l")
    return folder


@pytest.fixture
def with_setting(model, tmp_path):
    """A copy of the model whose configs/inference.json has a threshold."""

    def make(value):
        folder = tmp_path / "set"
        shutil.copytree(model, folder)
        (folder / INFERENCE).write_text(json.dumps({SETTING: value}))
        return folder

    return make


def spread(*boxes, shape=(1, 60, 60), high=0.2, low=0.01):
    """Return an uncertainty that is high in boxes (rows, columns) of each frame."""
    made = np.full(shape, low, np.float32)
    for rows, columns in boxes:
        made[:, slice(*rows), slice(*columns)] = high
    return made


def test_large_regions_are_marked_as_they_are_at_any_place():
    boxes = ((0, 20), (0, 25)), ((30, 60), (40, 60)), ((45, 52), (0, 9))
    values = spread(*boxes, shape=(2, 60, 60))
    marks = distrusted(values, 0.1)
    assert marks.dtype == np.uint8
    np.testing.assert_array_equal(marks, values > 0.1)


def test_the_threshold_itself_is_trusted():
    values = np.full((1, 20, 20), 0.1, np.float32)
    assert not distrusted(values, float(values[0, 0, 0])).any()
    assert distrusted(values, 0.0999).all()


def test_what_is_no_number_is_not_trusted():
    values = spread()
    values[0, 10:30, 10:30] = np.nan
    assert distrusted(values, 0.1).sum() == 400


@pytest.mark.parametrize(("gap", "is_closed"), [(1, True), (2 * GAP, True), (2 * GAP + 2, False)])
def test_small_gaps_are_closed(gap, is_closed):
    marks = distrusted(spread(((10, 50), (5, 20)), ((10, 50), (20 + gap, 50))), 0.1)
    # Away from the ends of the gap, which stay a little open.
    assert marks[0, 15:45, 20 : 20 + gap].all() == is_closed
    assert marks[0, 15:45, 20 : 20 + gap].any() == is_closed


def test_specks_are_removed():
    small, large = ((10, 11), (10, 10 + SMALLEST_REGION - 1)), ((40, 44), (40, 40 + SMALLEST_REGION // 4))
    marks = distrusted(spread(small, large), 0.1)
    np.testing.assert_array_equal(marks, spread(large) > 0.1)


def test_pixels_that_touch_at_a_corner_are_one_region():
    diagonal = spread()
    steps = np.arange(SMALLEST_REGION)
    diagonal[0, 20 + steps, 20 + steps] = 0.2
    assert distrusted(diagonal, 0.1)[0, 20 + steps, 20 + steps].all()


@pytest.mark.parametrize("is_each", [False, True])
def test_outside_the_sector_nothing_is_marked_and_nothing_counts(is_each):
    # The part inside is too small by itself.
    values = spread(((10, 40), (10, 33)), ((50, 60), (50, 60)), shape=(3, 60, 60))
    sector = np.zeros((60, 60), bool)
    sector[12:15, 30:] = sector[45:58, 30:] = True
    marks = distrusted(values, 0.1, np.stack([sector] * 3) if is_each else sector)
    expected = spread(((50, 58), (50, 60)), shape=(3, 60, 60)) > 0.1
    np.testing.assert_array_equal(marks, expected)


def test_frames_do_not_touch_each_other():
    values = np.random.default_rng(0).random((4, 40, 50), dtype=np.float32)
    marks = distrusted(values, 0.9)
    assert 0 < marks.mean() < 1
    for index in range(4):
        np.testing.assert_array_equal(marks[index : index + 1], distrusted(values[index : index + 1], 0.9))


def test_the_threshold_in_words():
    assert threshold_in_words(DISTRUST_ABOVE) == "uncertainty above 20 of 255 grey levels"
    assert threshold_in_words(0.02) == "uncertainty above 5.1 of 255 grey levels"
    assert threshold_in_words(1) == "uncertainty above 255 of 255 grey levels"


def test_a_result_with_an_uncertainty_brings_its_threshold(model):
    frames = np.random.default_rng(0).random((1, 24, 24), dtype=np.float32)
    enhancer = load_enhancer(model, "cpu")
    assert SETTING not in enhancer(frames).parameters
    result = enhancer(frames, uncertainty=True)
    assert result.parameters[SETTING] == DISTRUST_ABOVE
    assert json.loads(result.provenance()["USEnhance.Parameters"])[SETTING] == DISTRUST_ABOVE


@pytest.mark.parametrize("value", [0.03, 1, 1e-6])
def test_a_model_may_have_a_threshold_of_its_own(with_setting, value):
    folder = with_setting(value)
    assert distrust_threshold(find_model(folder)) == value
    frames = np.random.default_rng(0).random((1, 16, 16), dtype=np.float32)
    assert load_enhancer(folder, "cpu")(frames, uncertainty=True).parameters[SETTING] == value


@pytest.mark.parametrize("value", [0, -0.1, 1.01, "0.1", True, None, [0.1], float("nan"), float("inf")])
def test_a_wrong_threshold_is_refused_with_the_name_of_its_file(with_setting, value):
    folder = with_setting(value)
    with pytest.raises(ModelError) as caught:
        load_enhancer(folder, "cpu")
    assert str(folder / INFERENCE) in str(caught.value)
    assert SETTING in str(caught.value)


def test_methods_without_an_uncertainty_are_told_without_loading_them(model, tiny_ensemble):
    check_uncertainty(model)
    check_uncertainty(tiny_ensemble)
    check_uncertainty(tiny_ensemble, samples=2)
    with pytest.raises(OptionError, match="lee gives no uncertainty"):
        check_uncertainty("lee")
    with pytest.raises(OptionError, match="One member of ensemble gives no uncertainty"):
        check_uncertainty(tiny_ensemble, samples=1)


def test_methods_of_diffusion_are_told_from_others(model, tiny_ensemble):
    assert is_diffusion(tiny_ensemble)
    assert not is_diffusion(model)
    assert not is_diffusion("lee")
    with pytest.raises(OptionError, match="Unknown method"):
        is_diffusion("magic")


def test_an_ensemble_brings_its_threshold_too(tiny_ensemble):
    frames = np.random.default_rng(0).random((1, 16, 16), dtype=np.float32)
    result = load_enhancer(tiny_ensemble, "cpu", steps=1)(frames, uncertainty=True)
    assert result.parameters[SETTING] == DISTRUST_ABOVE
    assert distrusted(result.uncertainty, result.parameters[SETTING]).shape == frames.shape
