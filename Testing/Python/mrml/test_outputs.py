"""Failure and cancel: nothing half-written, the scene as it was."""

from __future__ import annotations

import numpy as np
import pytest
import slicer

from USEnhanceLib.errors import EnhancementCancelled, InputError, OutputError, USEnhanceError
from USEnhanceLib.mrml import EnhancementRun, Options, StepRunner, run_to_end


def scene_content(scene):
    nodes = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
    return {node.GetID() for node in nodes if not node.IsA("vtkMRMLStorageNode")}


def prepared(node, options=None, **nodes):
    run = EnhancementRun(node, options or Options(), **nodes)
    return run, run_to_end(run.prepare())


@pytest.fixture(params=["volume", "sequence"])
def node(request, add_volume, add_sequence, speckle):
    return (
        add_volume(speckle((4, 24, 32)))
        if request.param == "volume"
        else add_sequence(list(speckle((4, 1, 24, 32))))
    )


def test_nothing_enters_the_scene_when_frames_are_broken(scene, node, result_of):
    before = scene_content(scene)
    run, content = prepared(node)
    result = result_of(content.frames)
    result.frames[3, 5, 5] = np.nan
    with pytest.raises(USEnhanceError, match="NaN"):
        run_to_end(run.finish(result))
    assert scene_content(scene) == before


def test_cancel_between_steps_leaves_the_scene(scene, node, result_of, monkeypatch):
    monkeypatch.setattr("USEnhanceLib.mrml.steps.BYTES_PER_STEP", 1)
    before = scene_content(scene)
    run, content = prepared(node)
    polls = iter([False, True])
    with pytest.raises(EnhancementCancelled):
        run_to_end(run.finish(result_of(content.frames)), lambda: next(polls))
    assert scene_content(scene) == before


def test_new_nodes_are_removed_when_writing_fails(scene, node, result_of, monkeypatch):
    before = scene_content(scene)
    run, content = prepared(node, Options(uncertainty=True))
    result = result_of(content.frames, uncertainty=True)

    def full(*_):
        raise OutputError("The disk is full.")

    # The last thing done for the enhanced image, when the map is complete.
    monkeypatch.setattr("USEnhanceLib.mrml.outputs.display_like", full)
    with pytest.raises(OutputError, match="disk is full"):
        run_to_end(run.finish(result))
    assert scene_content(scene) == before


def test_input_deleted_while_working(scene, node, result_of):
    run, content = prepared(node)
    scene.RemoveNode(node)
    before = scene_content(scene)
    with pytest.raises(InputError, match="was deleted from the scene"):
        run_to_end(run.finish(result_of(content.frames)))
    assert scene_content(scene) == before


def test_input_deleted_while_it_is_read(scene, node, monkeypatch):
    monkeypatch.setattr("USEnhanceLib.mrml.steps.BYTES_PER_STEP", 1)
    runner = StepRunner(EnhancementRun(node, Options()).prepare())
    assert not runner.run_for(0.0)
    assert not runner.run_for(0.0)
    scene.RemoveNode(node)
    with pytest.raises(InputError, match=r"deleted|lost frames"):
        runner.run_for(10.0)


def test_given_output_deleted_while_working(scene, add_volume, speckle, result_of):
    volume = add_volume(speckle((2, 24, 32)))
    mine = add_volume(speckle((2, 24, 32)), "Mine")
    run, content = prepared(volume, Options(uncertainty=True), output_node=mine)
    scene.RemoveNode(mine)
    before = scene_content(scene)
    with pytest.raises(OutputError, match="Mine was deleted"):
        run_to_end(run.finish(result_of(content.frames, uncertainty=True)))
    assert scene_content(scene) == before


def test_given_output_is_left_as_it_was_on_failure(add_volume, speckle, result_of):
    volume = add_volume(speckle((2, 24, 32)))
    old = speckle((3, 10, 10), high=90)
    mine = add_volume(old, "Mine")
    run, content = prepared(volume, output_node=mine)
    result = result_of(content.frames)
    result.frames[1, 2, 3] = np.inf
    with pytest.raises(USEnhanceError):
        run_to_end(run.finish(result))
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(mine), old)
    assert mine.GetAttribute("USEnhance.Method") is None
