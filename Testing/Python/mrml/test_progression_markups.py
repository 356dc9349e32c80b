"""The angle of progression in the scene: three points that lie where they were measured and may be moved."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import slicer
import vtk

from USEnhanceLib.mrml import run_to_end
from USEnhanceLib.mrml.extraction import extract
from USEnhanceLib.mrml.progression_markups import POINTS, angle_of, to_pixels, to_ras
from USEnhanceLib.mrml.segmentation_outputs import MOST_ANGLES, SegmentationWriter
from USEnhanceLib.mrml.segmentations import LOOK_OF_ORIGINAL
from USEnhanceLib.mrml.sequences import find_browser, shown_volume
from USEnhanceLib.mrml.volumes import layout_of
from USEnhanceLib.segmentation.progression import angle_between

MARKUP = "vtkMRMLMarkupsAngleNode"


def measured(superior=(4.0, 3.0), inferior=(10.0, 5.5), tangent=(13.25, 15.0)):
    return SimpleNamespace(superior=superior, inferior=inferior, tangent=tangent)


def write(node, angles, axis="k", attributes=None):
    content = run_to_end(extract(node, axis))
    assert len(angles) == len(content.frames.pixels)
    size = content.frames.pixel_size
    attributes = {"USEnhance.SliceAxis": axis} | (attributes or {})
    if size is not None:
        attributes["USEnhance.PixelSizeMillimetres"] = f"{size[1]} {size[0]}"
    writer = SegmentationWriter(node, content, attributes)
    return run_to_end(writer.write_angles(angles, node, LOOK_OF_ORIGINAL))


def positions(markup):
    return np.array([markup.GetNthControlPointPosition(number) for number in range(3)])


def voxel_of(volume, position):
    """The voxel (i, j, k) at a position, as Slicer tells it."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetRASToIJKMatrix(matrix)
    return matrix.MultiplyPoint([*position, 1.0])[:3]


@pytest.mark.parametrize(("axis", "shape"), [("k", (5, 24, 32)), ("j", (24, 5, 32)), ("i", (24, 32, 5))])
def test_points_lie_in_the_plane_of_their_frame(add_volume, speckle, axis, shape):
    volume = add_volume(speckle(shape))
    (markup,) = write(volume, [None, None, measured(), None, None], axis)
    assert markup.GetClassName() == MARKUP
    assert markup.GetNumberOfControlPoints() == len(POINTS)
    for position, (x, y) in zip(positions(markup), vars(measured()).values(), strict=True):
        expected = {"k": (x, y, 2), "j": (x, 2, y), "i": (2, x, y)}[axis]
        np.testing.assert_allclose(voxel_of(volume, position), expected, atol=1e-6)


@pytest.mark.parametrize("axis", ["k", "j", "i"])
def test_positions_and_pixels_are_inverse_also_where_the_extent_begins_elsewhere(add_volume, speckle, axis):
    volume = add_volume(speckle((6, 7, 8)))
    volume.GetImageData().SetExtent(2, 9, -3, 3, 4, 9)
    volume.SetIJKToRASDirections(0.6, 0.8, 0, -0.8, 0.6, 0, 0, 0, -1)
    layout = layout_of(volume)
    points = np.array([(1.0, 2.0), (0.0, 0.0), (4.5, 3.25)])
    np.testing.assert_allclose(to_pixels(to_ras(points, layout, axis, 3), layout, axis), points, atol=1e-9)
    corner = to_ras([(0, 0)], layout, axis, 0)[0]
    np.testing.assert_allclose(voxel_of(volume, corner), (2, -3, 4), atol=1e-9)


def test_a_markup_says_what_its_points_are_and_can_be_moved(add_volume, speckle):
    volume = add_volume(speckle((1, 24, 32)), "Scan")
    (markup,) = write(volume, [measured()])
    assert markup.GetName() == "Scan angle of progression"
    assert tuple(markup.GetNthControlPointLabel(number) for number in range(3)) == POINTS
    assert not markup.GetLocked()
    assert not any(markup.GetNthControlPointLocked(number) for number in range(3))
    display = markup.GetDisplayNode()
    assert display.GetVisibility()
    assert display.GetVisibility2D()
    assert display.GetPropertiesLabelVisibility()
    assert display.GetSelectedColor() == pytest.approx(LOOK_OF_ORIGINAL.angle)


def test_the_value_is_read_back_from_moved_points(add_volume, speckle):
    volume = add_volume(speckle((1, 24, 32)), spacing=(0.4, 0.3, 1.0))
    (markup,) = write(volume, [measured()])
    points = list(vars(measured()).values())
    assert angle_of(markup) == pytest.approx(angle_between(*points, (0.3, 0.4)))
    assert angle_of(markup) == pytest.approx(markup.GetAngleDegrees())
    layout = layout_of(volume)
    markup.SetNthControlPointPosition(2, to_ras([(20.0, 9.0)], layout, "k", 0)[0])
    moved = angle_between(points[0], points[1], (20.0, 9.0), (0.3, 0.4))
    assert angle_of(markup) == pytest.approx(moved)
    assert moved != pytest.approx(angle_between(*points, (0.3, 0.4)), abs=5)


def test_the_middle_point_is_the_vertex(add_volume, speckle):
    (markup,) = write(add_volume(speckle((1, 24, 32)), spacing=(0.3, 0.3, 1.0)), [
        measured((5.0, 5.0), (10.0, 5.0), (10.0, 12.0))
    ])  # fmt: skip
    assert markup.GetAngleDegrees() == pytest.approx(90.0)


def test_a_pixel_size_that_was_lost_in_loading_counts(add_volume, speckle):
    """A DICOM file that is loaded as a volume has spacing 1: its pixels may be no squares all the same."""
    volume = add_volume(speckle((1, 24, 32)), spacing=(1.0, 1.0, 1.0))
    (markup,) = write(volume, [measured()], attributes={"USEnhance.PixelSizeMillimetres": "0.5 0.25"})
    points = vars(measured()).values()
    assert angle_of(markup) == pytest.approx(angle_between(*points, (0.25, 0.5)))
    assert angle_of(markup) != pytest.approx(markup.GetAngleDegrees(), abs=1)


def test_without_its_image_a_markup_still_has_a_value(scene, add_volume, speckle):
    volume = add_volume(speckle((1, 24, 32)), spacing=(0.4, 0.3, 1.0))
    (markup,) = write(volume, [measured()])
    scene.RemoveNode(volume)
    assert angle_of(markup) == pytest.approx(angle_between(*vars(measured()).values(), (0.3, 0.4)))


def test_no_points_have_no_value(scene):
    assert angle_of(None) is None
    assert angle_of(scene.AddNewNodeByClass(MARKUP)) is None


def test_a_markup_moves_with_the_transform_of_its_volume(scene, add_volume, speckle):
    volume = add_volume(speckle((1, 24, 32)))
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    volume.SetAndObserveTransformNodeID(transform.GetID())
    (markup,) = write(volume, [measured()])
    assert markup.GetTransformNodeID() == transform.GetID()


def test_a_volume_has_not_more_angles_than_can_be_looked_at(add_volume, speckle):
    volume = add_volume(speckle((MOST_ANGLES + 3, 24, 32)))
    markups = write(volume, [None, *[measured()] * (MOST_ANGLES + 2)])
    assert len(markups) == MOST_ANGLES
    assert markups[0].GetName().endswith("frame 2")


# Cines


@pytest.fixture
def cine(add_sequence, speckle):
    return add_sequence(list(speckle((3, 1, 24, 32))), spacing=(0.4, 0.3, 1.0))


def turn_to(browser, number):
    browser.SetSelectedItemNumber(number)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)


def test_a_cine_has_an_angle_in_each_measured_frame(cine):
    other = measured(tangent=(20.0, 9.0))
    (sequence,) = write(cine, [measured(), None, other])
    browser = find_browser(cine)
    assert find_browser(sequence) is browser
    for number, angle in enumerate((measured(), None, other)):
        turn_to(browser, number)
        markup = shown_volume(sequence)
        assert markup.GetClassName() == MARKUP
        if angle is None:
            assert angle_of(markup) is None
        else:
            assert angle_of(markup) == pytest.approx(angle_between(*vars(angle).values(), (0.3, 0.4)))
            assert positions(markup)[:, 2] == pytest.approx([number] * 3)


def test_what_was_moved_in_a_cine_is_kept(cine):
    (sequence,) = write(cine, [measured(), None, measured()])
    browser = find_browser(cine)
    turn_to(browser, 2)
    markup = shown_volume(sequence)
    layout = layout_of(shown_volume(cine))
    markup.SetNthControlPointPosition(2, to_ras([(20.0, 9.0)], layout, "k", 0)[0])
    moved = angle_of(markup)
    turn_to(browser, 0)
    assert angle_of(markup) == pytest.approx(angle_between(*vars(measured()).values(), (0.3, 0.4)))
    turn_to(browser, 2)
    assert angle_of(markup) == pytest.approx(moved)
    assert moved == pytest.approx(angle_between((4.0, 3.0), (10.0, 5.5), (20.0, 9.0), (0.3, 0.4)))


def test_of_items_of_several_frames_the_first_measured_one_is_drawn(add_sequence, speckle):
    cine = add_sequence(list(speckle((2, 3, 24, 32))))
    (sequence,) = write(cine, [None, measured(), measured(), None, None, None])
    first, second = (sequence.GetNthDataNode(number) for number in range(2))
    assert first.GetNumberOfControlPoints() == len(POINTS)
    np.testing.assert_allclose(voxel_of(cine.GetNthDataNode(0), positions(first)[0])[2], 1, atol=1e-6)
    assert second.GetNumberOfControlPoints() == 0


def test_a_cine_without_angles_has_no_markups(cine, scene):
    before = scene.GetNumberOfNodes()
    assert write(cine, [None] * 3) == ()
    assert scene.GetNumberOfNodes() == before
