"""What the slice viewers show, rendered by MRML's own slice logic without a window."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from vtk.util.numpy_support import vtk_to_numpy

from USEnhanceLib.mrml.display import display_uncertainty, is_overlaid, show, show_overlay, shown_input


@pytest.fixture
def composite(scene, monkeypatch):
    from types import SimpleNamespace

    monkeypatch.setattr(slicer, "app", SimpleNamespace(layoutManager=lambda: None), raising=False)
    node = slicer.vtkMRMLSliceCompositeNode()
    node.SetLayoutName("Red")
    return scene.AddNode(node)


def test_before_and_after_change_the_background_only(composite, add_volume, speckle):
    before, after = add_volume(speckle((1, 24, 32)), "Before"), add_volume(speckle((1, 24, 32)), "After")
    assert show(before)
    assert composite.GetBackgroundVolumeID() == before.GetID()
    assert shown_input() is before
    assert show(after)
    assert composite.GetBackgroundVolumeID() == after.GetID()
    assert composite.GetForegroundVolumeID() is None


def test_a_sequence_is_shown_by_the_volume_that_plays_it(scene, composite, add_sequence, speckle):
    cine = add_sequence(list(speckle((2, 1, 24, 32))))
    assert not show(cine)
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode")
    browser.SetAndObserveMasterSequenceNodeID(cine.GetID())
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    assert show(cine)
    assert composite.GetBackgroundVolumeID() == browser.GetProxyNode(cine).GetID()


def test_overlay_comes_and_goes(composite, add_volume, speckle):
    uncertainty = add_volume(speckle((1, 24, 32), "float32"))
    assert show_overlay(uncertainty, 0.4)
    assert composite.GetForegroundVolumeID() == uncertainty.GetID()
    assert composite.GetForegroundOpacity() == pytest.approx(0.4)
    assert is_overlaid(uncertainty)
    assert not show_overlay(None, 0.4)
    assert composite.GetForegroundVolumeID() is None


def test_low_uncertainty_is_transparent_in_the_picture(scene, add_volume):
    values = np.zeros((1, 40, 40), np.float32)
    values[0, :, 20:] = 0.1
    volume = add_volume(values, spacing=(1, 1, 1))
    display_uncertainty(volume, volume.GetImageData())
    display = volume.GetDisplayNode()
    display.SetInputImageDataConnection(volume.GetImageDataConnection())
    display.UpdateImageDataPipeline()
    connection = display.GetOutputImageDataConnection()
    connection.GetProducer().Update()
    image = connection.GetProducer().GetOutputDataObject(0)
    rgba = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(40, 40, -1)
    assert rgba.shape[2] == 4
    assert rgba[:, :20, 3].max() == 0
    assert rgba[:, 20:, 3].min() == 255
