"""Volume nodes in, volume nodes out: what changes and what must not."""

from __future__ import annotations

import numpy as np
import pytest
import slicer

from USEnhanceLib.errors import InputError, OptionError
from USEnhanceLib.frames import frames_from_array
from USEnhanceLib.mrml import EnhancementRun, Options, extract, run_to_end

DTYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]


def enhance(volume, result_of, options=None, **nodes):
    run = EnhancementRun(volume, options or Options(), **nodes)
    content = run_to_end(run.prepare())
    result = result_of(content.frames, uncertainty=run.wants_uncertainty)
    return content, run_to_end(run.finish(result))


def matrix_of(volume):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


@pytest.mark.parametrize("dtype", [*DTYPES, "int64", "uint64"])
def test_same_dtype_size_geometry_and_range_and_input_untouched(add_volume, speckle, result_of, dtype):
    array = speckle((3, 40, 50), dtype, high=100)
    volume = add_volume(array)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    volume.SetAndObserveTransformNodeID(transform.GetID())
    content, outputs = enhance(volume, result_of)
    output = outputs.volume
    assert output.GetClassName() == "vtkMRMLScalarVolumeNode"
    assert output.GetName() == "B-mode enhanced (scunet)"
    enhanced = slicer.util.arrayFromVolume(output)
    assert enhanced.dtype == array.dtype
    assert enhanced.shape == array.shape
    assert output.GetImageData().GetScalarType() == volume.GetImageData().GetScalarType()
    np.testing.assert_array_equal(matrix_of(output), matrix_of(volume))
    assert output.GetTransformNodeID() == transform.GetID()
    low, high = content.frames.intensity_range
    assert enhanced.min() >= low
    assert enhanced.max() <= high
    assert (enhanced != array).any()
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(volume), array)


@pytest.mark.parametrize("axis", ["k", "j", "i"])
@pytest.mark.parametrize(
    ("shape", "dtype"), [((1, 40, 50), "uint8"), ((9, 40, 50), "int16"), ((4, 40, 50, 3), "uint8")]
)
def test_frames_in_steps_are_those_of_the_library(add_volume, speckle, shape, dtype, axis):
    array = speckle(shape, dtype)
    content = run_to_end(extract(add_volume(array), axis))
    expected = frames_from_array(array, axis=axis)
    np.testing.assert_array_equal(content.frames.pixels, expected.pixels)
    np.testing.assert_array_equal(content.frames.sector, expected.sector)
    np.testing.assert_array_equal(content.frames.to_array(), expected.to_array())
    assert content.frames.intensity_range == expected.intensity_range


def test_many_steps_give_what_few_steps_give(add_volume, speckle, result_of, monkeypatch):
    array = speckle((30, 64, 64, 3))
    volume = add_volume(array)
    _, in_large_steps = enhance(volume, result_of)
    monkeypatch.setattr("USEnhanceLib.mrml.steps.BYTES_PER_STEP", 25_000)
    assert sum(1 for _ in extract(volume)) > 30 // 2
    _, in_small_steps = enhance(volume, result_of)
    np.testing.assert_array_equal(
        slicer.util.arrayFromVolume(in_small_steps.volume), slicer.util.arrayFromVolume(in_large_steps.volume)
    )


def test_colour_keeps_its_chroma(add_volume, speckle, result_of):
    array = np.repeat(speckle((2, 40, 50, 1), high=150), 3, axis=3)
    array[:, 10:20, 10:20] = (120, 30, 60)
    volume = add_volume(array)
    _, outputs = enhance(volume, result_of)
    assert outputs.volume.GetClassName() == "vtkMRMLVectorVolumeNode"
    change = slicer.util.arrayFromVolume(outputs.volume).astype(int) - array
    np.testing.assert_array_equal(change[..., 0], change[..., 1])
    np.testing.assert_array_equal(change[..., 0], change[..., 2])
    assert change.any()


def test_geometry_reaches_the_library_in_lps(add_volume, speckle):
    frames = run_to_end(extract(add_volume(speckle((2, 30, 40))))).frames
    assert frames.geometry.spacing == pytest.approx((0.4, 0.3, 1.0))
    assert frames.geometry.origin == pytest.approx((-5.0, 7.0, 11.0))
    assert frames.geometry.direction == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0, 1))
    assert frames.geometry.calibrated
    assert frames.pixel_size == pytest.approx((0.3, 0.4))


def test_provenance_is_on_the_node(add_volume, speckle, result_of):
    volume = add_volume(speckle((1, 40, 50)))
    _, outputs = enhance(volume, result_of)
    node = outputs.volume
    assert node.GetAttribute("USEnhance.Method") == "scunet"
    assert node.GetAttribute("USEnhance.ModelVersion") == "1.0"
    assert '"strength": 1.0' in node.GetAttribute("USEnhance.Parameters")
    assert node.GetAttribute("USEnhance.PixelSizeMillimetres") == "0.4 0.3"
    assert node.GetNodeReference("USEnhance.Input") is volume
    assert "A note of the enhancer." in outputs.notes


def test_uncertainty_is_a_float_volume_in_the_same_place(add_volume, speckle, result_of):
    volume = add_volume(speckle((3, 40, 50, 3)))
    content, outputs = enhance(volume, result_of, Options(uncertainty=True))
    map_node = outputs.uncertainty
    assert map_node.GetClassName() == "vtkMRMLScalarVolumeNode"
    values = slicer.util.arrayFromVolume(map_node)
    assert values.dtype == np.float32
    assert values.shape == (3, 40, 50)
    sector = np.broadcast_to(content.frames.sector, values.shape)
    np.testing.assert_array_equal(values, np.where(sector, np.float32(0.05), 0))
    np.testing.assert_array_equal(matrix_of(map_node), matrix_of(volume))
    display = map_node.GetDisplayNode()
    assert display.GetApplyThreshold()
    assert display.GetLowerThreshold() == pytest.approx(0.01)
    assert not display.GetAutoWindowLevel()
    assert display.GetColorNodeID() == "vtkMRMLColorTableNodeFileInferno.txt"


def test_display_is_that_of_the_input(add_volume, speckle, result_of):
    volume = add_volume(speckle((1, 40, 50)))
    volume.GetDisplayNode().SetAutoWindowLevel(False)
    volume.GetDisplayNode().SetWindowLevel(77, 44)
    _, outputs = enhance(volume, result_of)
    display = outputs.volume.GetDisplayNode()
    assert not display.GetAutoWindowLevel()
    assert (display.GetWindow(), display.GetLevel()) == (77, 44)
    assert display.GetColorNodeID() == volume.GetDisplayNode().GetColorNodeID()


def test_given_outputs_are_used(scene, add_volume, speckle, result_of):
    array = speckle((2, 40, 50))
    volume = add_volume(array)
    output = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Mine")
    map_node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Map")
    _, outputs = enhance(volume, result_of, output_node=output, uncertainty_node=map_node)
    assert outputs.volume is output
    assert outputs.uncertainty is map_node
    assert output.GetName() == "Mine"
    assert slicer.util.arrayFromVolume(output).shape == array.shape


def test_names_stay_unique(add_volume, speckle, result_of):
    volume = add_volume(speckle((1, 40, 50)))
    names = {enhance(volume, result_of)[1].volume.GetName() for _ in range(3)}
    assert len(names) == 3


def test_all_black_comes_back_unchanged_with_a_note(add_volume, result_of):
    array = np.zeros((2, 40, 50), np.uint8)
    _, outputs = enhance(add_volume(array), result_of)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(outputs.volume), array)
    assert any("nothing to enhance" in note for note in outputs.notes)


def test_missing_calibration_is_told(add_volume, speckle, result_of):
    _, outputs = enhance(add_volume(speckle((1, 40, 50)), spacing=(1, 1, 1)), result_of)
    assert any("no physical pixel size" in note for note in outputs.notes)


def test_calibration_lost_by_loading_comes_back_from_the_file(scene, result_of):
    data = pytest.importorskip("pydicom.data")
    path = data.get_testdata_file("examples_ybr_color.dcm", download=False)
    if path is None:
        pytest.skip("this pydicom does not ship the ultrasound cine")
    volume = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "Cine")
    storage = scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(path)
    storage.SetSingleFile(True)
    volume.SetAndObserveStorageNodeID(storage.GetID())
    assert storage.ReadData(volume)
    volume.SetSpacing(1, 1, 1)
    content, outputs = enhance(volume, result_of)
    assert content.frames.geometry.calibrated
    assert content.frames.pixel_size == pytest.approx((0.5105, 0.5105), rel=1e-3)
    assert outputs.volume.GetSpacing() == (1, 1, 1)
    assert any("0.51" in note for note in outputs.notes)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_refuses_nan_and_infinity(add_volume, speckle, value):
    array = speckle((2, 40, 50), "float32")
    array[1, 3, 4] = value
    with pytest.raises(InputError, match="B-mode holds NaN or infinite"):
        run_to_end(extract(add_volume(array)))


def test_refuses_what_is_no_image(scene, add_volume, speckle):
    with pytest.raises(InputError, match="No input is chosen"):
        EnhancementRun(None, Options())
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    with pytest.raises(InputError, match="Empty has no pixels"):
        EnhancementRun(empty, Options())
    labels = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Labels")
    slicer.util.updateVolumeFromArray(labels, speckle((1, 30, 40)))
    with pytest.raises(InputError, match="Labels is a label map"):
        EnhancementRun(labels, Options())
    model = scene.AddNewNodeByClass("vtkMRMLModelNode", "Model")
    with pytest.raises(InputError, match="Model is no image"):
        EnhancementRun(model, Options())
    with pytest.raises(InputError, match="4 components"):
        EnhancementRun(add_volume(speckle((1, 30, 40, 4))), Options())
    tensors = scene.AddNewNodeByClass("vtkMRMLDiffusionWeightedVolumeNode", "Diffusion")
    with pytest.raises(InputError, match="Diffusion is not a greyscale or colour volume"):
        EnhancementRun(tensors, Options())


def test_refuses_unknown_options(add_volume, speckle):
    volume = add_volume(speckle((1, 30, 40)))
    with pytest.raises(OptionError, match="slice axis"):
        EnhancementRun(volume, Options(axis="z"))
    with pytest.raises(OptionError, match="strength"):
        Options(strength=1.5)


def test_refuses_outputs_that_cannot_hold_the_result(scene, add_volume, speckle):
    grey = add_volume(speckle((1, 30, 40)), "Grey")
    colour = add_volume(speckle((1, 30, 40, 3)), "Colour")
    with pytest.raises(InputError, match="Grey is the input and is never changed"):
        EnhancementRun(grey, Options(), grey)
    with pytest.raises(InputError, match=r"Colour .* cannot hold the enhanced image"):
        EnhancementRun(grey, Options(), colour)
    with pytest.raises(InputError, match=r"Grey .* cannot hold the enhanced image"):
        EnhancementRun(colour, Options(), grey)
    with pytest.raises(InputError, match=r"Colour .* cannot hold the uncertainty"):
        EnhancementRun(grey, Options(), None, colour)
    other = add_volume(speckle((1, 30, 40)), "Other")
    with pytest.raises(InputError, match="two different nodes"):
        EnhancementRun(grey, Options(), other, other)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 3, 7), (5, 3, 7)])
def test_tiny_volumes_work(add_volume, speckle, result_of, shape):
    array = speckle(shape)
    _, outputs = enhance(add_volume(array), result_of)
    assert slicer.util.arrayFromVolume(outputs.volume).shape == array.shape
