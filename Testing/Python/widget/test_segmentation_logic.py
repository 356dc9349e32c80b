"""Outlining from Slicer's Python console, with a real network."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def logic(module_widget):
    import slicer

    return slicer.util.getModuleLogic("USEnhance")


@pytest.fixture
def images(scene, drawn_structures):
    """An image, a sharper one, and the label map of what both show, as nodes."""
    import slicer

    pixels, labels = drawn_structures(2, 192, 256)
    made = []
    for name, array, class_name in (
        ("Scan", (pixels * 250).astype(np.uint8), "vtkMRMLScalarVolumeNode"),
        ("Sharp", (np.sqrt(pixels) * 250).astype(np.uint8), "vtkMRMLScalarVolumeNode"),
        ("Drawn", labels, "vtkMRMLLabelMapVolumeNode"),
    ):
        node = slicer.mrmlScene.AddNewNodeByClass(class_name, name)
        slicer.util.updateVolumeFromArray(node, array)
        node.CreateDefaultDisplayNodes()
        made.append(node)
    return made


def column(table, name):
    array = table.GetTable().GetColumnByName(name)
    return None if array is None else [array.GetValue(row) for row in range(array.GetNumberOfValues())]


def test_two_images_are_compared_with_a_reference(logic, images, tiny_segmenter):
    volume, sharp, drawn = images
    table = logic.compareSegmentation(volume, sharp, drawn, model=str(tiny_segmenter), device="cpu")
    assert table.GetClassName() == "vtkMRMLTableNode"
    assert table.GetAttribute("USEnhance.SegmentationModel") == "outliner"
    assert min(column(table, "Dice original")) > 0.5
    assert len(column(table, "Dice enhanced")) == 6
    assert column(table, "Agreement Dice") is None
    assert column(logic.compareSegmentation(volume, sharp, model=str(tiny_segmenter)), "Agreement Dice")


def test_slicer_knows_the_codes_of_what_was_outlined(logic, images, tiny_segmenter):
    import slicer

    outputs = logic.segment(images[0], model=str(tiny_segmenter), device="cpu")
    terminologies = slicer.modules.terminologies.logic()
    segmentation = outputs.segmentation.GetSegmentation()
    for number in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(number)
        entry, known = slicer.vtkSlicerTerminologyEntry(), slicer.vtkSlicerTerminologyEntry()
        assert terminologies.DeserializeTerminologyEntry(segment.GetTerminology(), entry)
        context = entry.GetTerminologyContextName()
        assert terminologies.FindTypeInTerminologyBy3dSlicerLabel(context, segment.GetName().lower(), known)
        assert terminologies.AreTerminologyEntriesEqual(entry, known)


def test_the_terminology_is_part_of_the_extension(repository):
    lists = (repository / "USEnhance" / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "Resources/USEnhance.term.json" in lists
