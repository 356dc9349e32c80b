"""Labels become segmentations: names, colours, codes, places, outlines; sequences of them play along."""

from __future__ import annotations

import json

import numpy as np
import pytest
import slicer
import vtk

from USEnhanceLib.mrml import run_to_end
from USEnhanceLib.mrml.extraction import extract
from USEnhanceLib.mrml.results import label_images
from USEnhanceLib.mrml.segmentation_outputs import SegmentationWriter
from USEnhanceLib.mrml.segmentations import LOOK_OF_ENHANCED, LOOK_OF_ORIGINAL, SEGMENT_IDS
from USEnhanceLib.mrml.sequences import find_browser, shown_volume
from USEnhanceLib.mrml.terminology import (
    CONTEXT,
    load_terminology,
    structure_of_name,
    structure_of_tag,
    terminology_tag,
)
from USEnhanceLib.segmentation.structures import FETAL_HEAD, PUBIC_SYMPHYSIS, STRUCTURES

SEQUENCE = "vtkMRMLSequenceNode"


def some_labels(shape):
    """Labels [N, H, W] that differ from frame to frame, of a symphysis and a head."""
    labels = np.zeros(shape, np.uint8)
    for number, frame in enumerate(labels):
        frame[2:6, 3 : 9 + number % 4] = PUBIC_SYMPHYSIS.label
        frame[9 : 17 + number % 3, 10:19] = FETAL_HEAD.label
    return labels


def write(node, labels, axis="k", image_node=None, look=LOOK_OF_ORIGINAL):
    content = run_to_end(extract(node, axis))
    assert content.frames.pixels.shape == labels.shape
    writer = SegmentationWriter(node, content, {"USEnhance.SegmentationModel": "fhps"})
    images = run_to_end(label_images(content, labels))
    return writer, run_to_end(writer.write_segmentation(images, image_node or node, look))


def matrix_of(volume):
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


@pytest.mark.parametrize("components", [1, 3])
@pytest.mark.parametrize("axis", ["k", "j", "i"])
def test_segments_lie_where_the_labels_are(add_volume, speckle, axis, components):
    volume = add_volume(speckle((20, 24, 32) if components == 1 else (20, 24, 32, 3)))
    shape = {"k": (20, 24, 32), "j": (24, 20, 32), "i": (32, 20, 24)}[axis]
    labels = some_labels(shape)
    _, node = write(volume, labels, axis)
    assert node.GetClassName() == "vtkMRMLSegmentationNode"
    stored = np.moveaxis(labels, 0, "kji".index(axis))
    for structure in STRUCTURES:
        array = slicer.util.arrayFromSegmentBinaryLabelmap(node, SEGMENT_IDS[structure.label], volume)
        np.testing.assert_array_equal(array > 0, stored == structure.label)


def test_a_segmentation_has_the_geometry_and_the_transform_of_its_volume(add_volume, speckle):
    volume = add_volume(speckle((3, 24, 32)))
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    volume.SetAndObserveTransformNodeID(transform.GetID())
    _, node = write(volume, some_labels((3, 24, 32)))
    assert node.GetTransformNodeID() == transform.GetID()
    role = node.GetReferenceImageGeometryReferenceRole()
    assert node.GetNodeReference(role) is volume
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    geometry = slicer.vtkOrientedImageData()
    text = node.GetSegmentation().GetConversionParameter(name)
    assert slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, geometry, False)
    matrix = vtk.vtkMatrix4x4()
    geometry.GetImageToWorldMatrix(matrix)
    np.testing.assert_allclose(slicer.util.arrayFromVTKMatrix(matrix), matrix_of(volume), atol=1e-6)
    assert geometry.GetExtent() == volume.GetImageData().GetExtent()


def test_segments_have_names_colours_and_codes(add_volume, speckle):
    volume = add_volume(speckle((1, 24, 32)), "Scan")
    _, node = write(volume, some_labels((1, 24, 32)))
    assert node.GetName() == "Scan structures"
    assert node.GetAttribute("USEnhance.SegmentationModel") == "fhps"
    assert node.GetNodeReference("USEnhance.Input") is volume
    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfSegments() == len(STRUCTURES)
    for number, structure in enumerate(STRUCTURES):
        segment = segmentation.GetNthSegment(number)
        assert segment.GetName() == structure.name
        np.testing.assert_allclose(segment.GetColor(), structure.colour)
        tag = vtk.reference("")
        assert segment.GetTag(segment.GetTerminologyEntryTagName(), tag)
        assert structure_of_tag(str(tag)) is structure


def test_outlines_are_shown_and_nothing_else(add_volume, speckle):
    _, node = write(add_volume(speckle((1, 24, 32))), some_labels((1, 24, 32)))
    display = node.GetDisplayNode()
    assert display.GetVisibility()
    assert display.GetVisibility2D()
    assert display.GetVisibility2DOutline()
    assert not display.GetVisibility2DFill()
    assert not display.GetVisibility3D()


def test_original_and_enhanced_are_told_apart(add_volume, speckle):
    volume = add_volume(speckle((1, 24, 32)), "Scan")
    enhanced = add_volume(speckle((1, 24, 32)), "Scan enhanced")
    labels = some_labels((1, 24, 32))
    _, first = write(volume, labels)
    _, second = write(volume, labels, image_node=enhanced, look=LOOK_OF_ENHANCED)
    assert second.GetName() == "Scan enhanced structures"
    assert second.GetNodeReference("USEnhance.Input") is enhanced
    for number in range(len(STRUCTURES)):
        colours = [
            np.array(node.GetSegmentation().GetNthSegment(number).GetColor()) for node in (first, second)
        ]
        assert np.abs(colours[0] - colours[1]).max() > 0.3
    thickness = [node.GetDisplayNode().GetSliceIntersectionThickness() for node in (first, second)]
    assert thickness[0] > thickness[1]


@pytest.mark.parametrize("has_browser", [True, False])
@pytest.mark.parametrize("shape", [(1, 24, 32), (3, 24, 32)])
def test_a_sequence_gives_segmentations_that_play_along(scene, add_sequence, speckle, shape, has_browser):
    cine = add_sequence(list(speckle((4, *shape))), index_values=["0", "0.04", "0.08", "1"])
    browser = None
    if has_browser:
        browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "Player")
        browser.SetAndObserveMasterSequenceNodeID(cine.GetID())
        slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    labels = some_labels((4 * shape[0], 24, 32))
    _, node = write(cine, labels)
    assert node.GetClassName() == SEQUENCE
    assert node.GetName() == "Cine structures"
    assert [node.GetNthIndexValue(index) for index in range(4)] == ["0", "0.04", "0.08", "1"]
    assert find_browser(node) is find_browser(cine)
    assert browser is None or find_browser(node) is browser
    browser = find_browser(node)
    proxy = shown_volume(node)
    assert proxy.GetDisplayNode().GetVisibility2DOutline()
    assert not proxy.GetDisplayNode().GetVisibility2DFill()
    for index in (3, 1, 2, 0):
        browser.SetSelectedItemNumber(index)
        slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
        assert shown_volume(node) is proxy
        expected = labels.reshape(4, *shape)[index]
        for structure in STRUCTURES:
            array = slicer.util.arrayFromSegmentBinaryLabelmap(
                proxy, SEGMENT_IDS[structure.label], shown_volume(cine)
            )
            np.testing.assert_array_equal(array > 0, expected == structure.label)
    assert not proxy.GetDisplayNode().GetVisibility2DFill()


def test_a_structure_that_is_not_seen_has_an_empty_segment(add_volume, speckle):
    labels = np.zeros((1, 24, 32), np.uint8)
    labels[0, 5:9, 5:9] = FETAL_HEAD.label
    volume = add_volume(speckle((1, 24, 32)))
    _, node = write(volume, labels)
    assert node.GetSegmentation().GetNumberOfSegments() == len(STRUCTURES)
    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, SEGMENT_IDS[PUBIC_SYMPHYSIS.label], volume)
    assert not array.any()


@pytest.mark.parametrize("kind", ["volume", "sequence"])
def test_what_was_made_is_taken_back(scene, add_volume, add_sequence, speckle, kind):
    array = speckle((3, 24, 32))
    node = add_volume(array) if kind == "volume" else add_sequence(list(array[:, None]))
    before = {scene.GetNthNode(i).GetID() for i in range(scene.GetNumberOfNodes())}
    writer, _ = write(node, some_labels((3, 24, 32)))
    assert writer.created
    writer.roll_back()
    after = [scene.GetNthNode(i) for i in range(scene.GetNumberOfNodes())]
    assert {n.GetID() for n in after if not n.IsA("vtkMRMLStorageNode")} == before


def test_segments_survive_a_file(add_volume, speckle, tmp_path):
    volume = add_volume(speckle((2, 24, 32)))
    labels = some_labels((2, 24, 32))
    _, node = write(volume, labels)
    path = str(tmp_path / "structures.seg.nrrd")
    node.AddDefaultStorageNode(path)
    assert node.GetStorageNode().WriteData(node)
    again = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    again.AddDefaultStorageNode(path)
    assert again.GetStorageNode().ReadData(again)
    for structure in STRUCTURES:
        segment = again.GetSegmentation().GetSegment(SEGMENT_IDS[structure.label])
        tag = vtk.reference("")
        assert segment.GetTag(segment.GetTerminologyEntryTagName(), tag)
        assert structure_of_tag(str(tag)) is structure
        array = slicer.util.arrayFromSegmentBinaryLabelmap(again, SEGMENT_IDS[structure.label], volume)
        np.testing.assert_array_equal(array > 0, labels == structure.label)


# The terminology


@pytest.fixture
def term_file(repository):
    return repository / "USEnhance" / "Resources" / "USEnhance.term.json"


def test_slicer_reads_the_terminology_and_finds_our_tags_in_it(scene, term_file):
    assert load_terminology(term_file)
    logic = slicer.modules.terminologies.logic()
    for structure in STRUCTURES:
        entry = slicer.vtkSlicerTerminologyEntry()
        assert logic.DeserializeTerminologyEntry(terminology_tag(structure), entry)
        assert entry.GetTerminologyContextName() == CONTEXT
        found = slicer.vtkSlicerTerminologyEntry()
        assert logic.FindTypeInTerminologyBy3dSlicerLabel(CONTEXT, structure.name.lower(), found)
        assert logic.AreTerminologyEntriesEqual(found, entry)
        assert logic.SerializeTerminologyEntry(found).rstrip("~^") == terminology_tag(structure).rstrip("~^")
        colour = np.array(found.GetTypeObject().GetRecommendedDisplayRGBValue())
        assert np.abs(colour / 255 - structure.colour).max() <= 0.5 / 255 + 1e-9


def test_a_missing_terminology_is_told(scene, tmp_path, capfd):
    assert not load_terminology(tmp_path / "nothing.term.json")


def test_the_codes_are_well_formed_snomed_ct(term_file):
    """SNOMED CT identifiers end in a check digit after Verhoeff; the symphysis is DICOM's code."""
    from pydicom.sr.codedict import codes

    content = json.loads(term_file.read_text(encoding="utf-8"))
    (category,) = content["SegmentationCodes"]["Category"]
    entries = [category, *category["Type"]]
    assert [entry["CodeValue"] for entry in entries if not passes_verhoeff(entry["CodeValue"])] == []
    assert all(entry["CodingSchemeDesignator"] == "SCT" for entry in entries)
    assert category["Type"][0]["CodeValue"] == codes.SCT.SymphysisPubis.value


def passes_verhoeff(digits):
    dihedral = [[(i + j) % 5 if i < 5 and j < 5 else None for j in range(10)] for i in range(10)]
    for i in range(10):
        for j in range(10):
            if i < 5 <= j:
                dihedral[i][j] = 5 + (i + j - 5) % 5
            elif j < 5 <= i:
                dihedral[i][j] = 5 + (i - 5 - j) % 5
            elif i >= 5 and j >= 5:
                dihedral[i][j] = (i - j) % 5
    base = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    check = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        for _ in range(place % 8):
            value = base[value]
        check = dihedral[check][value]
    return check == 0


def test_the_check_digit_finds_a_wrong_code():
    assert passes_verhoeff("82561000")
    assert not passes_verhoeff("82561001")
    assert not passes_verhoeff("85261000")


@pytest.mark.parametrize(
    ("name", "structure"),
    [
        ("Fetal head", FETAL_HEAD),
        ("FETAL_HEAD", FETAL_HEAD),
        ("FH", FETAL_HEAD),
        ("foetal-head", FETAL_HEAD),
        ("Symphysis pubis", PUBIC_SYMPHYSIS),
        ("ps", PUBIC_SYMPHYSIS),
        ("Segment_1", None),
        ("", None),
    ],
)
def test_names_are_recognised(name, structure):
    assert structure_of_name(name) is structure


@pytest.mark.parametrize("tag", ["", "~", "a~b~c", "x~SCT^1^y~SCT^69536005^Head~^^~~^^~^^"])
def test_other_tags_are_not_recognised(tag):
    assert structure_of_tag(tag) is None
