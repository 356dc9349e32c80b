"""References that somebody drew: read on the input's pixels, or refused with the node's name."""

from __future__ import annotations

import numpy as np
import pytest
import slicer

from USEnhanceLib.errors import InputError
from USEnhanceLib.mrml import run_to_end
from USEnhanceLib.mrml.extraction import extract
from USEnhanceLib.mrml.references import check_reference, read_reference
from USEnhanceLib.segmentation.structures import FETAL_HEAD, PUBIC_SYMPHYSIS

SHAPE = (3, 24, 32)
LABELMAP = "vtkMRMLLabelMapVolumeNode"


@pytest.fixture
def drawn():
    labels = np.zeros(SHAPE, np.uint8)
    for number, frame in enumerate(labels):
        frame[2:6, 3 : 9 + number] = PUBIC_SYMPHYSIS.label
        frame[9 : 17 + number, 10:19] = FETAL_HEAD.label
    return labels


@pytest.fixture
def volume(add_volume, speckle):
    return add_volume(speckle(SHAPE), "Scan")


@pytest.fixture
def add_segmentation(scene):
    """Adds a segmentation with a segment, drawn on `volume`, for each name: a mask [K, J, I]."""

    def add(volume, masks, name="Drawn", in_scene=True):
        node = slicer.vtkMRMLSegmentationNode()
        node.SetName(name)
        scene.AddNode(node)
        node.CreateDefaultDisplayNodes()
        if volume is not None:
            node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        for title, mask in masks.items():
            identifier = node.GetSegmentation().AddEmptySegment("", title)
            slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), node, identifier, volume)
        if not in_scene:
            display = node.GetDisplayNode()
            scene.RemoveNode(node)
            scene.RemoveNode(display)
        return node

    return add


@pytest.fixture
def sequence_of_nodes(scene):
    """Makes a sequence of copies of nodes."""

    def make(nodes, name="Drawn cine"):
        sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
        for number, node in enumerate(nodes):
            sequence.SetDataNodeAtValue(node, str(number))
        return sequence

    return make


def masks_of(labels):
    return {structure.name: labels == structure.label for structure in (PUBIC_SYMPHYSIS, FETAL_HEAD)}


def read(node, input_node, axis="k"):
    content = run_to_end(extract(input_node, axis))
    check_reference(node, input_node)
    reference = run_to_end(read_reference(node, input_node, content))
    assert reference.labels.dtype == np.uint8
    assert reference.labels.shape == content.frames.pixels.shape
    return reference


def copy_of_scene(scene):
    return [
        (scene.GetNthNode(index).GetID(), scene.GetNthNode(index).GetMTime())
        for index in range(scene.GetNumberOfNodes())
    ]


@pytest.mark.parametrize("axis", ["k", "j", "i"])
def test_segments_are_read_along_any_axis(volume, add_segmentation, drawn, axis):
    node = add_segmentation(volume, masks_of(drawn))
    expected = np.moveaxis(drawn, "kji".index(axis), 0)
    reference = read(node, volume, axis)
    np.testing.assert_array_equal(reference.labels, expected)
    assert reference.notes == ()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("class_name", [LABELMAP, "vtkMRMLScalarVolumeNode"])
def test_label_maps_and_greyscale_volumes_of_labels_are_read(
    scene, volume, add_volume, drawn, class_name, dtype
):
    node = add_volume(drawn.astype(dtype), "Drawn", class_name=class_name)
    np.testing.assert_array_equal(read(node, volume).labels, drawn)


def test_a_colour_image_takes_a_reference_too(add_volume, speckle, drawn):
    volume = add_volume(speckle((*SHAPE, 3)))
    np.testing.assert_array_equal(read(add_volume(drawn, "D", class_name=LABELMAP), volume).labels, drawn)


def test_nothing_in_the_scene_changes_by_reading(scene, volume, add_segmentation, drawn):
    node = add_segmentation(volume, masks_of(drawn))
    before = copy_of_scene(scene)
    read(node, volume)
    assert copy_of_scene(scene) == before


@pytest.mark.parametrize("names", [("PS", "FH"), ("Symphysis_pubis", "foetal head"), ("FH", "PS")])
def test_segments_are_known_by_name(volume, add_segmentation, drawn, names):
    by_name = {"PS": 1, "Symphysis_pubis": 1, "FH": 2, "foetal head": 2}
    node = add_segmentation(volume, {name: drawn == by_name[name] for name in names})
    np.testing.assert_array_equal(read(node, volume).labels, drawn)


def test_segments_are_known_by_terminology_before_their_name(volume, add_segmentation, drawn):
    from USEnhanceLib.mrml.terminology import terminology_tag

    node = add_segmentation(volume, {"First": drawn == 2, "Head": drawn == 1})
    for number, structure in enumerate((FETAL_HEAD, PUBIC_SYMPHYSIS)):
        segment = node.GetSegmentation().GetNthSegment(number)
        segment.SetTag(segment.GetTerminologyEntryTagName(), terminology_tag(structure))
    np.testing.assert_array_equal(read(node, volume).labels, drawn)


def test_segments_without_a_name_are_known_by_their_label(volume, add_volume, scene, drawn):
    """What Slicer makes of a label map: segments of one layer, named by their labels."""
    labelmap = add_volume(drawn, "Labels", class_name=LABELMAP)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Imported")
    logic = slicer.modules.segmentations.logic()
    assert logic.ImportLabelmapToSegmentationNode(labelmap, node)
    for number in range(2):
        node.GetSegmentation().GetNthSegment(number).SetName(f"Segment_{number + 1}")
    assert node.GetSegmentation().GetNumberOfLayers() == 1
    np.testing.assert_array_equal(read(node, volume).labels, drawn)


def test_our_own_segmentations_can_be_references(volume, drawn):
    from USEnhanceLib.mrml.results import label_images
    from USEnhanceLib.mrml.segmentation_outputs import SegmentationWriter
    from USEnhanceLib.mrml.segmentations import LOOK_OF_ORIGINAL

    content = run_to_end(extract(volume))
    images = run_to_end(label_images(content, drawn))
    node = run_to_end(
        SegmentationWriter(volume, content, {}).write_segmentation(images, volume, LOOK_OF_ORIGINAL)
    )
    np.testing.assert_array_equal(read(node, volume).labels, drawn)


def test_an_empty_segment_is_a_structure_that_is_not_seen(volume, add_segmentation, drawn):
    node = add_segmentation(volume, {"FH": drawn == 2})
    node.GetSegmentation().AddEmptySegment("", "PS")
    np.testing.assert_array_equal(read(node, volume).labels, np.where(drawn == 2, drawn, 0))


def test_overlaps_are_told(volume, add_segmentation, drawn):
    masks = masks_of(drawn)
    masks[PUBIC_SYMPHYSIS.name] = masks[PUBIC_SYMPHYSIS.name].copy()
    masks[PUBIC_SYMPHYSIS.name][0, 10, 10:13] = True
    reference = read(add_segmentation(volume, masks), volume)
    np.testing.assert_array_equal(reference.labels, drawn)
    (note,) = reference.notes
    assert "3 pixels" in note
    assert "Drawn" in note


def test_a_reference_moves_with_its_transform(scene, volume, add_segmentation, drawn):
    node = add_segmentation(volume, masks_of(drawn))
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[:3, 3] = 4, 5, 6
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    volume.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(InputError, match="The reference Drawn lies on other pixels"):
        read(node, volume)
    node.SetAndObserveTransformNodeID(transform.GetID())
    np.testing.assert_array_equal(read(node, volume).labels, drawn)


def test_transforms_that_move_by_whole_voxels_are_followed(scene, volume, add_segmentation, drawn):
    node = add_segmentation(volume, masks_of(drawn))
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[0, 3] = 2 * volume.GetSpacing()[0]  # i runs against R
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    node.SetAndObserveTransformNodeID(transform.GetID())
    np.testing.assert_array_equal(read(node, volume).labels, np.roll(drawn, -2, axis=2))


# Sequences


@pytest.fixture
def cine(add_sequence, speckle):
    return add_sequence(list(speckle((3, 1, 24, 32))))


def test_a_sequence_of_label_maps_is_read(cine, add_sequence, add_volume, drawn, sequence_of_nodes, scene):
    items = []
    for number, frame in enumerate(drawn):
        item = add_volume(frame[None], "Item", (0.51, 0.51, 1.0), LABELMAP)
        item.SetOrigin(0.0, 0.0, float(number))
        items.append(item)
    np.testing.assert_array_equal(read(sequence_of_nodes(items), cine).labels, drawn)


def place(scene, cine, number):
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    volume.Copy(cine.GetNthDataNode(number))
    return volume


def test_a_sequence_of_segmentations_is_read_also_by_its_current_frame(
    scene, cine, add_segmentation, drawn, sequence_of_nodes
):
    items = [
        add_segmentation(place(scene, cine, number), masks_of(frame[None]))
        for number, frame in enumerate(drawn)
    ]
    sequence = sequence_of_nodes(items)
    np.testing.assert_array_equal(read(sequence, cine).labels, drawn)
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    np.testing.assert_array_equal(read(browser.GetProxyNode(sequence), cine).labels, drawn)


def test_another_number_of_frames_is_refused(cine, add_volume, drawn, sequence_of_nodes):
    item = add_volume(drawn[:1], "Item", (0.51, 0.51, 1.0), LABELMAP)
    with pytest.raises(InputError, match=r"The reference Short has 2 items, but Cine has 3 items: choose"):
        read(sequence_of_nodes([item, item], "Short"), cine)
    with pytest.raises(InputError, match=r"The reference Item has 1 item, but Cine has 3 items"):
        read(item, cine)


def test_a_frame_that_does_not_fit_is_named(cine, add_volume, drawn, sequence_of_nodes):
    items = []
    for number, frame in enumerate(drawn):
        item = add_volume(frame[None], "Item", (0.51, 0.51, 1.0), LABELMAP)
        item.SetOrigin(5.0 * (number == 2), 0.0, float(number))
        items.append(item)
    with pytest.raises(InputError, match="Frame 3 of the reference Drawn cine lies on other pixels"):
        read(sequence_of_nodes(items), cine)


# Refusals


def test_other_kinds_of_nodes_are_refused(scene, volume, add_volume, speckle):
    model = scene.AddNewNodeByClass("vtkMRMLModelNode", "Surface")
    with pytest.raises(InputError, match=r"Surface \(Model\) is no reference"):
        check_reference(model, volume)
    with pytest.raises(InputError, match=r"Colour \(VectorVolume\) is no reference"):
        check_reference(add_volume(speckle((*SHAPE, 3)), "Colour"), volume)
    with pytest.raises(InputError, match="Scan is the input itself"):
        check_reference(volume, volume)
    gone = add_volume(speckle(SHAPE), "Gone")
    scene.RemoveNode(gone)
    with pytest.raises(InputError, match="Gone is no longer in the scene"):
        check_reference(gone, volume)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda node: node.SetSpacing(0.8, 0.3, 1.0), "Drawn lies on other pixels"),
        (lambda node: node.SetOrigin(5.3, -7.0, 11.0), "Drawn lies on other pixels"),
        (lambda node: node.SetIJKToRASDirections(1, 0, 0, 0, -1, 0, 0, 0, 1), "Drawn lies on other pixels"),
    ],
)
def test_another_geometry_is_refused(volume, add_volume, drawn, change, message):
    node = add_volume(drawn, "Drawn", class_name=LABELMAP)
    change(node)
    with pytest.raises(InputError, match=message):
        read(node, volume)


def test_a_rounded_geometry_is_accepted(volume, add_volume, drawn):
    node = add_volume(drawn, "Drawn", class_name=LABELMAP)
    node.SetSpacing(0.4002, 0.2999, 1.0)
    np.testing.assert_array_equal(read(node, volume).labels, drawn)


def test_another_size_is_refused(volume, add_volume, drawn):
    node = add_volume(drawn[:, :20], "Drawn", class_name=LABELMAP)
    with pytest.raises(InputError, match="Drawn has 32 x 20 x 3 pixels, not 32 x 24 x 3 as the input"):
        read(node, volume)


@pytest.mark.parametrize("value", [3, 255, -1, 0.5, np.nan])
def test_other_values_than_labels_are_refused(volume, add_volume, drawn, value):
    values = drawn.astype(np.float32)
    values[1, 2, 3] = value
    with pytest.raises(InputError, match="Drawn has other values than the labels 0, 1"):
        read(add_volume(values, "Drawn"), volume)


def test_segments_on_another_grid_are_refused(volume, add_volume, add_segmentation, speckle, drawn):
    other = add_volume(speckle(SHAPE), spacing=(0.41, 0.3, 1.0))
    with pytest.raises(InputError, match="Drawn lies on other pixels"):
        read(add_segmentation(other, masks_of(drawn)), volume)


def test_segments_beyond_the_image_are_refused(volume, add_volume, add_segmentation, speckle, drawn):
    other = add_volume(speckle((3, 24, 40)))
    masks = {name: np.pad(mask, ((0, 0), (0, 0), (0, 8))) for name, mask in masks_of(drawn).items()}
    np.testing.assert_array_equal(read(add_segmentation(other, masks), volume).labels, drawn)
    masks[FETAL_HEAD.name][0, 3, 36] = True
    with pytest.raises(InputError, match="Drawn lies on other pixels"):
        read(add_segmentation(other, masks), volume)


def test_segments_must_tell_what_they_are(volume, add_segmentation, drawn):
    with pytest.raises(InputError, match="Drawn has no segment that is the pubic symphysis"):
        read(add_segmentation(volume, {"Segment_1": drawn == 1, "Segment_2": drawn == 2}), volume)
    with pytest.raises(InputError, match="Drawn has no segment that is the fetal head"):
        read(add_segmentation(volume, {"PS": drawn == 1}), volume)
    with pytest.raises(InputError, match="Drawn has several segments that are the pubic symphysis"):
        read(add_segmentation(volume, {"PS": drawn == 1, "Symphysis": drawn == 1, "FH": drawn == 2}), volume)
    with pytest.raises(InputError, match="Drawn has no segment that is the pubic symphysis"):
        read(add_segmentation(None, {}), volume)
