"""Sequences in, sequences out, playing in step."""

from __future__ import annotations

import numpy as np
import pytest
import slicer

from USEnhanceLib.errors import InputError
from USEnhanceLib.mrml import EnhancementRun, Options, run_to_end
from USEnhanceLib.mrml.sequences import find_browser, sequence_of, shown_volume


def enhance(node, result_of, options=None, **nodes):
    run = EnhancementRun(node, options or Options(), **nodes)
    content = run_to_end(run.prepare())
    return content, run_to_end(run.finish(result_of(content.frames, uncertainty=run.wants_uncertainty)))


def items(sequence):
    return [sequence.GetNthDataNode(index) for index in range(sequence.GetNumberOfDataNodes())]


def index_values(sequence):
    return [sequence.GetNthIndexValue(index) for index in range(sequence.GetNumberOfDataNodes())]


@pytest.mark.parametrize("shape", [(1, 24, 32), (1, 24, 32, 3), (4, 24, 32)])
@pytest.mark.parametrize("axis", ["k", "j", "i"])
def test_a_sequence_gives_a_sequence_with_the_same_index(add_sequence, speckle, result_of, shape, axis):
    arrays = list(speckle((5, *shape)))
    values = ["0", "0.04", "0.08", "0.5", "12"]
    cine = add_sequence(arrays, index_values=values)
    cine.SetIndexName("time")
    cine.SetIndexUnit("s")
    content, outputs = enhance(cine, result_of, Options(axis=axis))
    output = outputs.volume
    assert output.GetClassName() == "vtkMRMLSequenceNode"
    assert output.GetName() == "Cine enhanced (scunet)"
    assert index_values(output) == values
    assert (output.GetIndexName(), output.GetIndexUnit()) == ("time", "s")
    assert output.GetIndexType() == cine.GetIndexType()
    along = "kji".index(axis)
    assert content.frames.pixels.shape[0] == 5 * shape[along]
    for old, new, array in zip(items(cine), items(output), arrays, strict=True):
        assert new.GetClassName() == old.GetClassName()
        assert new.GetOrigin() == old.GetOrigin()
        assert new.GetSpacing() == old.GetSpacing()
        enhanced = slicer.util.arrayFromVolume(new)
        assert enhanced.dtype == array.dtype
        # 0.1 of 255, where nothing clips.
        middle = slice(None) if array.ndim == 3 else (..., 0)
        inside = array[middle] < 150
        assert np.abs(enhanced[middle].astype(int) - array[middle] - 26)[inside].max() <= 1
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(old), array)
    assert output.GetAttribute("USEnhance.Method") == "scunet"


def test_text_index_keeps_its_order(add_sequence, speckle, result_of):
    cine = add_sequence(list(speckle((3, 1, 24, 32))), index_values=["systole", "diastole", "apex"])
    cine.SetIndexTypeFromString("text")
    _, outputs = enhance(cine, result_of)
    assert index_values(outputs.volume) == index_values(cine)
    assert outputs.volume.GetIndexTypeAsString() == "text"


def test_the_enhanced_cine_plays_in_step(scene, add_sequence, speckle, result_of):
    cine = add_sequence(list(speckle((4, 1, 24, 32))))
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "Player")
    browser.SetAndObserveMasterSequenceNodeID(cine.GetID())
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    _, outputs = enhance(cine, result_of, Options(uncertainty=True))
    assert scene.GetNumberOfNodesByClass("vtkMRMLSequenceBrowserNode") == 1
    for sequence in (outputs.volume, outputs.uncertainty):
        assert find_browser(sequence) is browser
        assert sequence_of(shown_volume(sequence)) is sequence
    browser.SetSelectedItemNumber(2)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    np.testing.assert_array_equal(
        slicer.util.arrayFromVolume(shown_volume(outputs.volume)),
        slicer.util.arrayFromVolume(outputs.volume.GetNthDataNode(2)),
    )
    assert items(outputs.uncertainty)[0].GetImageData().GetScalarTypeAsString() == "float"


def test_a_cine_without_browser_gets_one(add_sequence, speckle, result_of):
    cine = add_sequence(list(speckle((2, 1, 24, 32))))
    _, outputs = enhance(cine, result_of)
    assert find_browser(cine) is find_browser(outputs.volume)
    assert shown_volume(cine) is not None


def test_given_sequences_are_filled(scene, add_sequence, speckle, result_of):
    cine = add_sequence(list(speckle((3, 1, 24, 32))))
    mine = add_sequence(list(speckle((7, 1, 10, 10))), "Mine")
    _, outputs = enhance(cine, result_of, output_node=mine)
    assert outputs.volume is mine
    assert mine.GetName() == "Mine"
    assert index_values(mine) == index_values(cine)


def test_refuses_sequences_that_are_no_cine(scene, add_sequence, add_volume, speckle):
    empty = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "Empty")
    with pytest.raises(InputError, match="Empty is an empty sequence"):
        EnhancementRun(empty, Options())
    uneven = add_sequence([speckle((1, 24, 32)), speckle((1, 24, 31))], "Uneven")
    with pytest.raises(InputError, match="Frame 2 of Uneven has another size"):
        run_to_end(EnhancementRun(uneven, Options()).prepare())
    transforms = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "Transforms")
    transforms.SetDataNodeAtValue(slicer.vtkMRMLLinearTransformNode(), "0")
    with pytest.raises(InputError, match="Frame 1 of Transforms is not a greyscale"):
        EnhancementRun(transforms, Options())
    cine, volume = add_sequence([speckle((1, 24, 32))]), add_volume(speckle((1, 24, 32)))
    with pytest.raises(InputError, match="cannot hold the enhanced image"):
        EnhancementRun(cine, Options(), volume)


def test_playing_nodes_of_the_input_are_refused_as_output(scene, add_sequence, speckle):
    cine = add_sequence(list(speckle((2, 1, 24, 32))))
    with pytest.raises(InputError, match="Cine is the input"):
        EnhancementRun(cine, Options(), cine)
