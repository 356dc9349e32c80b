"""The labels of what is not to be trusted: made, placed, shown and removed with the uncertainty."""

from __future__ import annotations

import json

import numpy as np
import pytest
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from USEnhanceLib.enhancement import load_enhancer
from USEnhanceLib.enhancement.distrust import distrusted
from USEnhanceLib.errors import OptionError, OutputError
from USEnhanceLib.mrml import EnhancementRun, Options, enhance_node, run_to_end
from USEnhanceLib.mrml.choices import has_steps, likely_input
from USEnhanceLib.mrml.display import show_overlay
from USEnhanceLib.mrml.sequences import find_browser, sequence_of, shown_volume

LABELS = "vtkMRMLLabelMapVolumeNode"


def finish(node, result_of, spread=True, above=0.08, options=None, **nodes):
    """Enhance with a known uncertainty [N, H, W]; True for .05 everywhere."""
    run = EnhancementRun(node, options or Options(uncertainty=True), **nodes)
    content = run_to_end(run.prepare())
    result = result_of(content.frames, uncertainty=spread, above=above)
    return content, run_to_end(run.finish(result))


def corner(shape):
    """An uncertainty that is high in one corner of the first of the frames [N, H, W], and low elsewhere."""
    values = np.full(shape, 0.01, np.float32)
    values[0, :12, :9] = 0.3
    return values


def entries(labels):
    volume = shown_volume(labels)
    table = volume.GetDisplayNode().GetColorNode()
    return {table.GetColorName(index) for index in range(table.GetNumberOfColors())} - {""}


def counts(scene):
    return {
        name: scene.GetNumberOfNodesByClass(name)
        for name in (LABELS, "vtkMRMLSequenceNode", "vtkMRMLColorTableNode", "vtkMRMLDisplayNode")
    }


def ids(scene):
    nodes = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
    return {node.GetID() for node in nodes if not node.IsA("vtkMRMLStorageNode")}


@pytest.fixture
def composite(scene, monkeypatch):
    from types import SimpleNamespace

    monkeypatch.setattr(slicer, "app", SimpleNamespace(layoutManager=lambda: None), raising=False)
    node = slicer.vtkMRMLSliceCompositeNode()
    node.SetLayoutName("Red")
    return scene.AddNode(node)


@pytest.mark.parametrize("components", [1, 3])
@pytest.mark.parametrize("axis", ["k", "j", "i"])
def test_labels_lie_where_the_input_lies(add_volume, speckle, result_of, axis, components):
    array = speckle((20, 24, 32) if components == 1 else (20, 24, 32, 3))
    volume = add_volume(array)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    volume.SetAndObserveTransformNodeID(transform.GetID())
    shape = {"k": (20, 24, 32), "j": (24, 20, 32), "i": (32, 20, 24)}[axis]
    spread = corner(shape)
    options = Options(uncertainty=True, axis=axis)
    content, outputs = finish(volume, result_of, spread, options=options)
    labels = outputs.distrust
    assert labels.GetClassName() == LABELS
    assert labels.GetName() == "B-mode do not trust (scunet)"
    values = slicer.util.arrayFromVolume(labels)
    assert values.dtype == np.uint8
    expected = distrusted(spread, 0.08, content.frames.sector)
    assert 0 < expected.sum() <= 12 * 9
    np.testing.assert_array_equal(values, np.moveaxis(expected, 0, "kji".index(axis)))
    own, other = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    labels.GetIJKToRASMatrix(own)
    volume.GetIJKToRASMatrix(other)
    np.testing.assert_array_equal(slicer.util.arrayFromVTKMatrix(own), slicer.util.arrayFromVTKMatrix(other))
    assert labels.GetTransformNodeID() == transform.GetID()
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(volume), array)


def test_outside_the_sector_nothing_is_labelled(add_volume, speckle, result_of):
    rows, columns = np.mgrid[:64, :64]
    disc = np.hypot(rows - 32, columns - 32) < 28
    content, outputs = finish(add_volume(np.maximum(speckle((3, 64, 64)), 5) * disc), result_of, above=0.01)
    sector = np.broadcast_to(content.frames.sector, (3, 64, 64))
    assert not sector.all()
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(outputs.distrust), sector)


def test_labels_say_what_they_are(add_volume, speckle, result_of):
    volume = add_volume(speckle((1, 40, 50)))
    _, outputs = finish(volume, result_of)
    labels = outputs.distrust
    assert entries(labels) == {"do not trust (uncertainty above 20 of 255 grey levels)"}
    assert labels.GetAttribute("USEnhance.DistrustAbove") == "0.08"
    assert labels.GetAttribute("USEnhance.Method") == "scunet"
    assert labels.GetAttribute("USEnhance.ModelVersion") == "1.0"
    assert json.loads(labels.GetAttribute("USEnhance.Parameters"))["distrust_above"] == 0.08
    assert labels.GetNodeReference("USEnhance.Input") is volume
    assert outputs.uncertainty.GetNodeReference("USEnhance.Distrust") is labels
    assert outputs.volume.GetAttribute("USEnhance.DistrustAbove") is None


def test_a_threshold_has_one_table_of_colours(scene, add_volume, speckle, result_of):
    volume = add_volume(speckle((1, 40, 50)))
    before = scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode")
    first, second = (finish(volume, result_of)[1].distrust for _ in range(2))
    assert first is not second
    assert scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode") == before + 1
    other = finish(volume, result_of, above=0.2)[1].distrust
    assert scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode") == before + 2
    assert entries(other) == {"do not trust (uncertainty above 51 of 255 grey levels)"}
    assert entries(first) == {"do not trust (uncertainty above 20 of 255 grey levels)"}


def test_trusted_pixels_are_transparent_in_the_picture(add_volume, speckle, result_of):
    spread = corner((1, 40, 40))
    content, outputs = finish(add_volume(np.maximum(speckle((1, 40, 40)), 5)), result_of, spread)
    display = outputs.distrust.GetDisplayNode()
    display.SetInputImageDataConnection(outputs.distrust.GetImageDataConnection())
    display.UpdateImageDataPipeline()
    producer = display.GetOutputImageDataConnection().GetProducer()
    producer.Update()
    image = producer.GetOutputDataObject(0)
    colours = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(40, 40, -1)
    marked = distrusted(spread, 0.08, content.frames.sector)[0].astype(bool)
    assert marked.any()
    assert colours.shape[2] == 4
    assert not colours[~marked][:, 3].any()
    assert (colours[marked][:, 3] == 255).all()
    assert (np.ptp(colours[marked][:, :3], axis=1) > 100).all()


@pytest.mark.parametrize("shape", [(1, 24, 32), (4, 24, 32, 3)])
def test_a_sequence_gives_labels_that_play_along(scene, add_sequence, speckle, result_of, shape):
    cine = add_sequence(list(speckle((4, *shape))), index_values=["0", "0.04", "0.08", "1"])
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "Player")
    browser.SetAndObserveMasterSequenceNodeID(cine.GetID())
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    spread = np.full((4 * shape[0], 24, 32), 0.01, np.float32)
    spread[-1, :12, :10] = 0.3
    content, outputs = finish(cine, result_of, spread)
    labels = outputs.distrust
    assert labels.GetClassName() == "vtkMRMLSequenceNode"
    assert labels.GetName() == "Cine do not trust (scunet)"
    assert [labels.GetNthIndexValue(index) for index in range(4)] == ["0", "0.04", "0.08", "1"]
    assert find_browser(labels) is browser
    assert sequence_of(shown_volume(labels)) is labels
    expected = distrusted(spread, 0.08, content.frames.sector).reshape(4, *shape[:3])
    for index in range(4):
        item = labels.GetNthDataNode(index)
        assert item.GetClassName() == LABELS
        assert item.GetOrigin() == cine.GetNthDataNode(index).GetOrigin()
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(item), expected[index])
    browser.SetSelectedItemNumber(3)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    proxy = shown_volume(labels)
    assert proxy.GetClassName() == LABELS
    assert slicer.util.arrayFromVolume(proxy).sum() == expected[3].sum() > 0
    assert entries(labels) == {"do not trust (uncertainty above 20 of 255 grey levels)"}
    assert likely_input() is cine


def test_without_an_uncertainty_there_are_no_labels(scene, add_volume, speckle, result_of):
    volume = add_volume(speckle((2, 24, 32)))
    before = counts(scene)
    _, outputs = finish(volume, result_of, options=Options())
    assert outputs.uncertainty is None
    assert outputs.distrust is None
    for name in (LABELS, "vtkMRMLColorTableNode"):
        assert counts(scene)[name] == before[name]


@pytest.fixture(params=["volume", "sequence"])
def node(request, add_volume, add_sequence, speckle):
    return (
        add_volume(speckle((4, 24, 32)))
        if request.param == "volume"
        else add_sequence(list(speckle((4, 1, 24, 32))))
    )


def values_of(labels, node):
    first = labels.GetNthDataNode(0) if node.IsA("vtkMRMLSequenceNode") else labels
    return slicer.util.arrayFromVolume(first)


def test_another_run_uses_the_labels_of_the_map_again(scene, node, result_of):
    _, first = finish(node, result_of, above=0.08)
    assert not values_of(first.distrust, node).any()
    first.distrust.SetName("Mine")
    before = counts(scene)
    again = {"output_node": first.volume, "uncertainty_node": first.uncertainty}
    _, second = finish(node, result_of, above=0.02, **again)
    assert second.distrust is first.distrust
    assert second.distrust.GetName() == "Mine"
    assert second.distrust.GetAttribute("USEnhance.DistrustAbove") == "0.02"
    assert entries(second.distrust) == {"do not trust (uncertainty above 5.1 of 255 grey levels)"}
    assert values_of(second.distrust, node).all()
    before["vtkMRMLColorTableNode"] += 1
    assert counts(scene) == before


def test_labels_that_were_deleted_are_made_anew(scene, node, result_of):
    _, first = finish(node, result_of)
    scene.RemoveNode(first.distrust)
    _, second = finish(node, result_of, uncertainty_node=first.uncertainty)
    assert second.distrust.GetScene() is scene
    assert first.uncertainty.GetNodeReference("USEnhance.Distrust") is second.distrust


def test_labels_of_another_input_are_left_alone(add_volume, speckle, result_of):
    first, second = add_volume(speckle((1, 24, 32)), "First"), add_volume(speckle((1, 30, 30)), "Second")
    _, outputs = finish(first, result_of, above=0.01)
    kept = slicer.util.arrayFromVolume(outputs.distrust).copy()
    _, others = finish(second, result_of, uncertainty_node=outputs.uncertainty)
    assert others.uncertainty is outputs.uncertainty
    assert others.distrust is not outputs.distrust
    assert others.uncertainty.GetNodeReference("USEnhance.Distrust") is others.distrust
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(outputs.distrust), kept)


@pytest.mark.parametrize("last", ["display_labels", "display_like"])
def test_new_labels_are_removed_when_writing_fails(scene, node, result_of, monkeypatch, last):
    mine = finish(node, result_of)[1].uncertainty
    mine.RemoveNodeReferenceIDs("USEnhance.Distrust")
    before = ids(scene)

    def full(*_):
        raise OutputError("The disk is full.")

    monkeypatch.setattr(f"USEnhanceLib.mrml.outputs.{last}", full)
    with pytest.raises(OutputError, match="disk is full"):
        finish(node, result_of, above=0.02)
    assert ids(scene) == before
    with pytest.raises(OutputError, match="disk is full"):
        finish(node, result_of, above=0.02, uncertainty_node=mine)
    assert ids(scene) == before
    assert mine.GetNodeReferenceID("USEnhance.Distrust") is None


def test_the_overlay_brings_the_labels_and_takes_them_away(composite, node, result_of):
    _, outputs = finish(node, result_of)
    assert show_overlay(outputs.uncertainty, 0.4)
    assert composite.GetLabelVolumeID() == shown_volume(outputs.distrust).GetID()
    assert composite.GetLabelOpacity() == pytest.approx(0.4)
    assert not show_overlay(None, 0.4)
    assert composite.GetLabelVolumeID() is None


def test_other_labels_than_ours_stay_in_the_views(composite, add_volume, speckle):
    theirs = add_volume(speckle((1, 24, 32)), "Theirs", class_name=LABELS)
    composite.SetLabelVolumeID(theirs.GetID())
    assert not show_overlay(None, 0.4)
    assert composite.GetLabelVolumeID() == theirs.GetID()


def test_a_map_without_labels_takes_away_those_of_another(composite, add_volume, speckle, result_of):
    _, outputs = finish(add_volume(speckle((1, 24, 32))), result_of)
    show_overlay(outputs.uncertainty, 0.4)
    older = add_volume(speckle((1, 24, 32), "float32"), "Map of an older scene")
    assert show_overlay(older, 0.4)
    assert composite.GetLabelVolumeID() is None


# Steps and samples


def test_steps_and_samples_reach_the_ensemble(add_volume, speckle, tiny_ensemble):
    array = np.maximum(speckle((2, 24, 32)), 5)
    options = Options(method=str(tiny_ensemble), uncertainty=True, device="cpu", steps=2, samples=2)
    outputs = enhance_node(EnhancementRun(add_volume(array), options))
    parameters = json.loads(outputs.volume.GetAttribute("USEnhance.Parameters"))
    assert (parameters["steps"], parameters["samples"]) == (2, 2)
    assert outputs.distrust.GetName() == "B-mode do not trust (ensemble)"
    content = run_to_end(EnhancementRun(add_volume(array), options).prepare())
    expected = load_enhancer(tiny_ensemble, "cpu", steps=2)(content.frames.pixels, uncertainty=True)
    np.testing.assert_array_equal(
        slicer.util.arrayFromVolume(outputs.uncertainty), expected.uncertainty * content.frames.sector
    )


@pytest.mark.parametrize("option", ["steps", "samples"])
def test_methods_without_steps_refuse_them_and_leave_no_node(scene, add_volume, speckle, option):
    volume = add_volume(speckle((1, 24, 32)))
    before = ids(scene)
    with pytest.raises(OptionError, match=f"lee has no option '{option}'"):
        enhance_node(EnhancementRun(volume, Options(method="lee", **{option: 2})))
    assert ids(scene) == before


@pytest.mark.parametrize("value", [0, -1, 1.5, "2"])
def test_impossible_numbers_of_steps_and_samples_are_refused(value):
    for option in ("steps", "samples"):
        with pytest.raises(OptionError, match=f"{value} {option} are impossible"):
            Options(**{option: value})
    assert Options(steps=np.int64(2)).of_enhancer == {"strength": 1.0, "steps": 2, "samples": None}


def test_which_methods_have_steps(tiny_ensemble):
    assert has_steps(str(tiny_ensemble))
    assert not has_steps("scunet")
    assert not has_steps("lee")
    assert not has_steps("a folder that is gone")
