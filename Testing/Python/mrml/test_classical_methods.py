"""Classical filters on nodes: the real work, what it is called, and which packages it asks for."""

from __future__ import annotations

import json

import numpy as np
import pytest
import slicer

from USEnhanceLib.classical.filters import filter_names
from USEnhanceLib.errors import OptionError
from USEnhanceLib.mrml import EnhancementRun, Options, enhance_node
from USEnhanceLib.mrml.choices import choices


@pytest.mark.parametrize("method", ["lee", "obnlm"])
def test_a_volume_is_filtered_and_the_output_says_by_what(add_volume, speckle, method):
    array = speckle((2, 40, 50), "uint8", high=100)
    volume = add_volume(array)
    output = enhance_node(EnhancementRun(volume, Options(method=method))).volume
    assert output.GetName() == f"B-mode enhanced ({method})"
    assert output.GetAttribute("USEnhance.Method") == method
    assert json.loads(output.GetAttribute("USEnhance.Parameters"))["strength"] == 1.0
    filtered = slicer.util.arrayFromVolume(output)
    assert filtered.dtype == array.dtype
    assert filtered.shape == array.shape
    assert filtered.std() < array.std()
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(volume), array)


def test_strength_zero_gives_the_input_back(add_volume, speckle):
    volume = add_volume(speckle((2, 40, 50), "int16", high=100))
    output = enhance_node(EnhancementRun(volume, Options(method="median", strength=0.0))).volume
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(output), slicer.util.arrayFromVolume(volume))


def test_an_uncertainty_is_refused_and_leaves_no_node(add_volume, speckle):
    volume = add_volume(speckle((2, 40, 50), "uint8", high=100))
    before = slicer.mrmlScene.GetNumberOfNodes()
    with pytest.raises(OptionError, match="lee gives no uncertainty"):
        enhance_node(EnhancementRun(volume, Options(method="lee", uncertainty=True)))
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_networks_are_offered_first_then_the_filters():
    offered = choices()["method"]
    is_filter = [title.startswith("Classical: ") for title, _, _ in offered]
    assert is_filter == sorted(is_filter)
    assert [name for (_, name, _), classical in zip(offered, is_filter, strict=True) if classical] == [
        *filter_names()
    ]
    assert all(explanation for _, _, explanation in offered)
