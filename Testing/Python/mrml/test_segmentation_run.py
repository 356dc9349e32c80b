"""From an image, its enhanced one and a reference to segmentations, angles, table and charts, or nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import slicer

from USEnhanceLib.errors import EnhancementCancelled, InputError, ModelError, OutputError
from USEnhanceLib.mrml import run_to_end
from USEnhanceLib.mrml.figures_plots import charts_of, show_next_chart
from USEnhanceLib.mrml.segmentation_run import SegmentationOptions, SegmentationRun, segment_node
from USEnhanceLib.mrml.sequences import find_browser, shown_volume
from USEnhanceLib.segmentation.comparison import compare
from USEnhanceLib.segmentation.overlap import dice
from USEnhanceLib.segmentation.structures import FETAL_HEAD, PUBIC_SYMPHYSIS, STRUCTURES

LABELMAP = "vtkMRMLLabelMapVolumeNode"
SEQUENCE = "vtkMRMLSequenceNode"
ANGLE = "vtkMRMLMarkupsAngleNode"
SIZE = (96, 128)


def ellipse(centre, semi_axes, degrees):
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    turn = np.radians(degrees)
    x, y = columns - centre[0], rows - centre[1]
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    return (along / semi_axes[0]) ** 2 + (across / semi_axes[1]) ** 2 <= 1


def draw(count, grow=0.0):
    """Labels [N, H, W] of a symphysis and of a head that comes down from frame to frame."""
    labels = np.zeros((count, *SIZE), np.uint8)
    for number, frame in enumerate(labels):
        frame[ellipse((58 + 3 * number, 68 + number), (26 + grow, 20 + grow), 20)] = FETAL_HEAD.label
        frame[ellipse((35, 28), (13, 6), 20)] = PUBIC_SYMPHYSIS.label
    return labels


def as_image(labels):
    """Frames whose grey levels tell the label, and no black border that might be outside of a sector."""
    return np.array([60, 140, 220], np.uint8)[labels]


class Threshold:
    """Outlines what `as_image` drew."""

    def __call__(self, pixels, *, progress=None, cancelled=None):
        labels = np.zeros(pixels.shape, np.uint8)
        for number, frame in enumerate(pixels):
            if cancelled is not None and cancelled():
                raise EnhancementCancelled
            labels[number] = np.digitize(frame * 255, [100, 180])
            if progress is not None:
                progress(number + 1, len(pixels))
        return labels

    def provenance(self):
        return {"USEnhance.SegmentationModel": "threshold", "USEnhance.SegmentationModelVersion": "1"}


@pytest.fixture
def volume(add_volume):
    return add_volume(as_image(draw(3)), "Scan", (0.4, 0.3, 1.0))


@pytest.fixture
def enhanced(add_volume):
    return add_volume(as_image(draw(3, grow=1.0)), "Sharp", (0.4, 0.3, 1.0))


@pytest.fixture
def reference(add_volume):
    return add_volume(draw(3, grow=2.0), "Drawn", (0.4, 0.3, 1.0), LABELMAP)


@pytest.fixture
def add_cine(add_sequence):
    def add(labels, name="Cine", spacing=(0.4, 0.4, 1.0)):
        return add_sequence(
            list(as_image(labels)[:, None]), name, ["0", "0.1", "0.2"][: len(labels)], spacing
        )

    return add


def segment(node, **options):
    nodes = {name: options.pop(name) for name in ("enhanced_node", "reference_node") if name in options}
    return segment_node(SegmentationRun(node, SegmentationOptions(**options), **nodes), Threshold())


def table_of(node):
    """The table as a dictionary of columns."""
    table = node.GetTable()
    columns = {}
    for index in range(table.GetNumberOfColumns()):
        column = table.GetColumn(index)
        columns[column.GetName()] = [column.GetValue(row) for row in range(column.GetNumberOfTuples())]
    return columns


def by_structure(columns, name, structure):
    return [
        value
        for value, title in zip(columns[name], columns["Structure"], strict=True)
        if title == structure.name
    ]


def scene_content(scene):
    nodes = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
    return {node.GetID() for node in nodes if not node.IsA("vtkMRMLStorageNode")}


def pixels_of_item(node, index=0):
    item = node.GetNthDataNode(index) if node.IsA(SEQUENCE) else node
    return slicer.util.arrayFromVolume(item).copy()


# With a reference


def test_figures_against_a_reference_stand_side_by_side(volume, enhanced, reference):
    outputs = segment(volume, enhanced_node=enhanced, reference_node=reference)
    assert outputs.table.GetClassName() == "vtkMRMLTableNode"
    columns = table_of(outputs.table)
    assert columns["Frame"] == ["mean", "mean", "1", "1", "2", "2", "3", "3"]
    assert columns["Structure"] == [PUBIC_SYMPHYSIS.name, FETAL_HEAD.name] * 4
    truth, first, second = draw(3, 2.0), draw(3), draw(3, 1.0)
    for structure in STRUCTURES:
        for role, labels in (("original", first), ("enhanced", second)):
            values = by_structure(columns, f"Dice {role}", structure)
            expected = [dice(labels[frame], truth[frame], structure.label) for frame in range(3)]
            np.testing.assert_allclose(values[1:], expected)
            assert values[0] == pytest.approx(np.mean(expected))
    figures = compare(first, second, truth, np.ones(SIZE, bool), (0.3, 0.4))
    for name, member in (("HD95", "hd95"), ("ASD", "asd"), ("Area", "area")):
        unit = "mm²" if name == "Area" else "mm"
        for role in ("original", "enhanced"):
            expected = [getattr(row, f"{member}_{role}") for row in figures.rows]
            np.testing.assert_allclose(columns[f"{name} {role} ({unit})"][2:], expected)
    assert columns["Dice enhanced"][1] > columns["Dice original"][1]
    names = list(columns)
    assert names.index("Dice enhanced") == names.index("Dice original") + 1
    assert not any("greement" in name for name in names)
    assert outputs.comparison.has_reference


def test_the_table_says_how_it_was_made(volume, enhanced, reference):
    table = segment(volume, enhanced_node=enhanced, reference_node=reference).table
    assert table.GetName() == "Scan against Drawn"
    assert table.GetAttribute("USEnhance.SegmentationModel") == "threshold"
    assert table.GetAttribute("USEnhance.InferiorSide") == "right"
    assert table.GetNodeReference("USEnhance.Input") is volume
    assert table.GetNodeReference("USEnhance.Enhanced") is enhanced
    assert table.GetNodeReference("USEnhance.Reference") is reference
    assert "reference" in table.GetColumnDescription("Dice original")
    # Slicer's view of a table puts the unit behind the title.
    assert table.GetUseColumnTitleAsColumnHeader()
    assert table.GetColumnUnitLabel("HD95 original (mm)") == "mm"
    assert table.GetColumnTitle("HD95 original (mm)") == "HD95 original"


def test_dice_is_drawn_over_the_frames(volume, enhanced, reference):
    outputs = segment(volume, enhanced_node=enhanced, reference_node=reference)
    assert [chart.GetClassName() for chart in outputs.plots] == ["vtkMRMLPlotChartNode"] * 2
    dice_chart, angles = outputs.plots
    assert dice_chart.GetTitle() == "Dice with the reference"
    assert angles.GetTitle() == "Angle of progression"
    columns = table_of(outputs.table)
    drawn = {}
    for chart in outputs.plots:
        for index in range(chart.GetNumberOfPlotSeriesNodes()):
            series = chart.GetNthPlotSeriesNode(index)
            curves = table_of(series.GetTableNode())
            assert curves[series.GetXColumnName()] == [1.0, 2.0, 3.0]
            drawn[series.GetYColumnName()] = curves[series.GetYColumnName()]
    for structure in STRUCTURES:
        for role in ("original", "enhanced"):
            expected = by_structure(columns, f"Dice {role}", structure)[1:]
            np.testing.assert_allclose(drawn.pop(f"{structure.name} Dice {role}"), expected)
    for role in ("original", "enhanced", "reference"):
        expected = by_structure(columns, f"AoP {role} (°)", FETAL_HEAD)[1:]
        np.testing.assert_allclose(drawn.pop(f"AoP {role}"), expected)
    assert drawn == {}


def test_an_original_alone_can_be_compared_with_a_reference(volume, reference):
    outputs = segment(volume, reference_node=reference)
    columns = table_of(outputs.table)
    assert outputs.enhanced is None
    assert not any("enhanced" in name for name in columns)
    np.testing.assert_allclose(
        by_structure(columns, "Dice original", FETAL_HEAD)[1:],
        [dice(own, truth, FETAL_HEAD.label) for own, truth in zip(draw(3), draw(3, 2.0), strict=True)],
    )


# Without


def test_without_a_reference_it_is_agreement(volume, enhanced):
    outputs = segment(volume, enhanced_node=enhanced)
    assert outputs.table.GetName() == "Scan agreement with Sharp"
    columns = table_of(outputs.table)
    named = [name for name in columns if any(word in name for word in ("Dice", "HD95", "ASD"))]
    assert named == ["Agreement Dice", "Agreement HD95 (mm)", "Agreement ASD (mm)"]
    expected = [dice(own, other, FETAL_HEAD.label) for own, other in zip(draw(3), draw(3, 1.0), strict=True)]
    np.testing.assert_allclose(by_structure(columns, "Agreement Dice", FETAL_HEAD)[1:], expected)
    areas = by_structure(columns, "Area enhanced (mm²)", FETAL_HEAD)
    counts = [0.4 * 0.3 * np.count_nonzero(frame == FETAL_HEAD.label) for frame in draw(3, 1.0)]
    np.testing.assert_allclose(areas, [np.mean(counts), *counts])
    assert [chart.GetTitle() for chart in outputs.plots] == [
        "Agreement of original and enhanced (Dice)",
        "Angle of progression",
        "Area",
    ]
    assert "not accuracy" in outputs.table.GetColumnDescription("Agreement Dice")


def test_one_image_is_measured(volume):
    outputs = segment(volume)
    assert outputs.enhanced is None
    assert outputs.comparison is None
    assert outputs.segmentation.GetName() == "Scan structures"
    columns = table_of(outputs.table)
    assert list(columns) == [
        *("Frame", "Structure", "Area original (mm²)", "AoP original (°)", "HC original (mm)", "AoP remark"),
    ]
    around = by_structure(columns, "HC original (mm)", FETAL_HEAD)
    long, short = 26, 20  # in pixels of .4 x .3 mm
    assert 2 * math.pi * short * 0.3 < around[0] < 2 * math.pi * long * 0.4
    assert all(math.isnan(value) for value in by_structure(columns, "HC original (mm)", PUBIC_SYMPHYSIS))


def test_without_calibration_nothing_is_in_millimetres(add_volume):
    volume = add_volume(as_image(draw(2)), "Scan", (1.0, 1.0, 1.0))
    other = add_volume(as_image(draw(2, 1.0)), "Sharp", (1.0, 1.0, 1.0))
    outputs = segment(volume, enhanced_node=other)
    columns = table_of(outputs.table)
    assert not any("mm" in name or "HC" in name for name in columns)
    areas = by_structure(columns, "Area original (pixels)", PUBIC_SYMPHYSIS)
    assert areas[0] == np.count_nonzero(draw(2)[0] == PUBIC_SYMPHYSIS.label)
    assert "Agreement HD95 (pixels)" in columns


# The angle of progression


def test_an_angle_that_is_refused_has_a_reason(add_volume):
    labels = draw(3)
    labels[1][labels[1] == PUBIC_SYMPHYSIS.label] = 0
    volume = add_volume(as_image(labels), "Scan")
    outputs = segment(volume)
    columns = table_of(outputs.table)
    degrees = by_structure(columns, "AoP original (°)", FETAL_HEAD)
    assert [math.isnan(value) for value in degrees] == [False, False, True, False]
    assert degrees[0] == pytest.approx((degrees[1] + degrees[3]) / 2)
    remarks = by_structure(columns, "AoP remark", FETAL_HEAD)
    assert "pubic symphysis is missing" in remarks[2]
    assert (remarks[0], remarks[1], remarks[3]) == ("", "", "")
    assert len(outputs.original.angles) == 2


def test_a_frame_says_in_which_image_the_angle_is_refused(add_volume, volume):
    labels = draw(3)
    labels[2][labels[2] == FETAL_HEAD.label] = 0
    other = add_volume(as_image(labels), "Sharp")
    remark = table_of(segment(volume, enhanced_node=other).table)["AoP remark"][6]
    assert remark == "Enhanced: The fetal head is missing in this frame."


def test_without_any_angle_there_is_no_chart_of_it(add_volume):
    labels = draw(2)
    labels[labels == PUBIC_SYMPHYSIS.label] = 0
    outputs = segment(add_volume(as_image(labels)))
    assert outputs.original.angles == ()
    assert [chart.GetTitle() for chart in outputs.plots] == ["Area"]


def draw_symmetric(count):
    labels = np.zeros((count, *SIZE), np.uint8)
    labels[:, ellipse((63.5, 68), (26, 20), 0)] = FETAL_HEAD.label
    labels[:, ellipse((63.5, 28), (13, 6), 0)] = PUBIC_SYMPHYSIS.label
    return labels


def test_an_unsure_display_is_noted_unless_it_is_given(add_volume, volume):
    symmetric = add_volume(as_image(draw_symmetric(2)), "Symmetric")
    notes = [note for note in segment(symmetric).notes if "inferior end" in note]
    assert len(notes) == 1
    assert "at the right" in notes[0]
    assert any("choose the display" in note for note in segment(symmetric).notes)
    for outputs in (segment(symmetric, inferior_side="left"), segment(volume)):
        assert not any("inferior end" in note or "display" in note for note in outputs.notes)


def test_an_unsure_display_is_noted_where_only_the_enhanced_image_tells_it(add_volume):
    labels = draw_symmetric(2)
    symmetric = add_volume(as_image(labels), "Symmetric")
    labels[labels == PUBIC_SYMPHYSIS.label] = 0
    headed = add_volume(as_image(labels), "Head alone")
    notes = segment(headed, enhanced_node=symmetric).notes
    assert len([note for note in notes if "inferior end" in note]) == 1


def test_a_given_display_is_measured_in(volume):
    usual, mirrored = segment(volume, inferior_side="right"), segment(volume, inferior_side="left")
    assert mirrored.table.GetAttribute("USEnhance.InferiorSide") == "left"
    first, second = (outputs.original.angles[0] for outputs in (usual, mirrored))
    np.testing.assert_allclose(
        first.GetNthControlPointPosition(0), second.GetNthControlPointPosition(1), atol=0.01
    )


def shown_chart(scene):
    selection = scene.GetFirstNodeByClass("vtkMRMLSelectionNode")
    return scene.GetNodeByID(selection.GetActivePlotChartID() or "")


def test_charts_are_shown_one_after_another(scene, volume, enhanced):
    outputs = segment(volume, enhanced_node=enhanced)
    assert charts_of(outputs.table) == list(outputs.plots)
    for chart in (*outputs.plots, outputs.plots[0]):
        assert show_next_chart(outputs.table) is chart
        assert shown_chart(scene) is chart
    other = segment(enhanced)
    assert show_next_chart(other.table) is other.plots[0], "that of another table is no beginning"
    scene.RemoveNode(other.plots[0])
    assert show_next_chart(other.table) is other.plots[1]


def test_a_layout_without_a_plot_gives_way_and_the_main_chart_comes_first_again(scene, volume):
    layout = scene.AddNewNodeByClass("vtkMRMLLayoutNode")
    for plot_view in (layout.SlicerLayoutFourUpPlotView, layout.SlicerLayoutFourUpPlotTableView):
        layout.AddLayoutDescription(plot_view, "<layout/>")
    for slices in (layout.SlicerLayoutFourUpView, layout.SlicerLayoutFourUpTableView):
        layout.AddLayoutDescription(slices, "<layout/>")
    layout.SetViewArrangement(layout.SlicerLayoutFourUpView)
    outputs = segment(volume)
    assert show_next_chart(outputs.table) is outputs.plots[0]
    assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpPlotView
    layout.SetViewArrangement(layout.SlicerLayoutFourUpTableView)
    assert show_next_chart(outputs.table) is outputs.plots[0]
    assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpPlotTableView
    assert show_next_chart(outputs.table) is outputs.plots[1]


def test_without_a_table_no_chart_is_shown(scene):
    assert show_next_chart(None) is None


# Nodes


def test_both_images_have_segmentations_and_angles(volume, enhanced):
    outputs = segment(volume, enhanced_node=enhanced)
    assert outputs.original.node is volume
    assert outputs.enhanced.node is enhanced
    assert outputs.enhanced.segmentation.GetName() == "Sharp structures"
    assert outputs.enhanced.segmentation.GetNodeReference("USEnhance.Input") is enhanced
    for made, labels in ((outputs.original, draw(3)), (outputs.enhanced, draw(3, 1.0))):
        for identifier, structure in (("PubicSymphysis", PUBIC_SYMPHYSIS), ("FetalHead", FETAL_HEAD)):
            array = slicer.util.arrayFromSegmentBinaryLabelmap(made.segmentation, identifier, volume)
            np.testing.assert_array_equal(array > 0, labels == structure.label)
        assert [angle.GetClassName() for angle in made.angles] == [ANGLE] * 3
    names = [angle.GetName() for angle in outputs.original.angles]
    assert names == [f"Scan angle of progression, frame {number}" for number in (1, 2, 3)]
    assert len(outputs.created) == len(set(outputs.created))


@pytest.mark.parametrize("reference_too", [False, True])
def test_a_cine_gives_sequences_that_play_along(scene, add_cine, add_volume, reference_too):
    cine, sharp = add_cine(draw(3)), add_cine(draw(3, 1.0), "Sharp")
    nodes = {"enhanced_node": sharp}
    if reference_too:
        nodes["reference_node"] = drawn = scene.AddNewNodeByClass(SEQUENCE, "Drawn")
        for number, labels in enumerate(draw(3, 2.0)):
            item = add_volume(labels[None], "Item", (0.4, 0.4, 1.0), LABELMAP)
            item.SetOrigin(0.0, 0.0, float(number))
            drawn.SetDataNodeAtValue(item, str(number))
    outputs = segment(cine, **nodes)
    browser = find_browser(cine)
    for made in (outputs.original, outputs.enhanced):
        (angles,) = made.angles
        for sequence, class_name in ((made.segmentation, "vtkMRMLSegmentationNode"), (angles, ANGLE)):
            assert sequence.GetClassName() == SEQUENCE
            assert find_browser(sequence) is browser
            assert [sequence.GetNthIndexValue(index) for index in range(3)] == ["0", "0.1", "0.2"]
            assert shown_volume(sequence).GetClassName() == class_name
    assert table_of(outputs.table)["Frame"][1:] == ["mean", "1", "1", "2", "2", "3", "3"]
    assert ("Dice original" in table_of(outputs.table)) == reference_too


def test_nothing_given_is_changed(scene, volume, enhanced, reference):
    nodes = (volume, enhanced, reference)
    before = [(pixels_of_item(node), node.GetMTime(), node.GetDisplayNode().GetMTime()) for node in nodes]
    segment(volume, enhanced_node=enhanced, reference_node=reference)
    for node, (pixels, time, display_time) in zip(nodes, before, strict=True):
        np.testing.assert_array_equal(pixels_of_item(node), pixels)
        assert node.GetDisplayNode().GetMTime() == display_time
        assert node.GetMTime() == time


def test_outputs_can_be_removed(scene, volume, enhanced, reference):
    before = scene_content(scene)
    segment(volume, enhanced_node=enhanced, reference_node=reference).remove()
    assert scene_content(scene) == before


def test_progress_counts_the_frames_of_both_images(volume, enhanced):
    told = []
    run = SegmentationRun(volume, enhanced_node=enhanced)
    segment_node(run, Threshold(), progress=lambda *numbers: told.append(numbers))
    assert told == [(number, 6) for number in range(1, 7)]


def test_the_frame_of_a_cine_stands_for_the_enhanced_cine(scene, add_cine):
    cine, sharp = add_cine(draw(3)), add_cine(draw(3, 1.0), "Sharp")
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode")
    browser.SetAndObserveMasterSequenceNodeID(sharp.GetID())
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    assert SegmentationRun(cine, enhanced_node=browser.GetProxyNode(sharp)).enhanced_node is sharp


# Refusals, failure and cancel


def test_images_that_do_not_belong_together_are_refused(scene, volume, add_volume, add_cine):
    before = scene_content(scene)
    with pytest.raises(InputError, match="Scan is chosen both as original and as enhanced"):
        SegmentationRun(volume, enhanced_node=volume)
    assert scene_content(scene) == before
    for other, message in (
        (add_volume(as_image(draw(2)), "Short"), "Short has other frames than Scan"),
        (add_volume(as_image(draw(3)), "Wide", (0.5, 0.3, 1.0)), "Wide does not lie where Scan does"),
        (add_cine(draw(3), "Cine", (0.4, 0.3, 1.0)), "Cine has other frames than Scan"),
    ):
        with pytest.raises(InputError, match=message):
            segment(volume, enhanced_node=other)


def test_labels_of_a_strange_model_are_refused(scene, volume):
    before = scene_content(scene)
    for labels in (
        np.zeros((3, 5, 5), np.uint8),
        np.zeros((3, *SIZE), np.float32),
        np.full((3, *SIZE), 3, np.uint8),
    ):
        run = SegmentationRun(volume, SegmentationOptions(model="mine"))
        run_to_end(run.prepare())
        with pytest.raises(ModelError, match="The model mine gave labels that do not fit the frames of Scan"):
            run_to_end(run.finish([labels], {}))
    assert scene_content(scene) == before


@pytest.fixture(params=["volume", "cine"])
def pair(request, volume, enhanced, add_cine):
    if request.param == "volume":
        return volume, enhanced
    return add_cine(draw(3)), add_cine(draw(3, 1.0), "Sharp")


FAILING = (
    "segmentation_outputs.display_outlines",
    "segmentation_outputs.display_angle",
    "segmentation_run.new_figures_table",
    "figures_plots.new_curves_table",
    "figures_plots._write_chart",
)


@pytest.mark.parametrize("place", FAILING)
def test_what_was_made_is_removed_when_writing_fails(scene, pair, monkeypatch, place):
    before = scene_content(scene)

    def full(*_):
        raise OutputError("The disk is full.")

    monkeypatch.setattr(f"USEnhanceLib.mrml.{place}", full)
    with pytest.raises(OutputError, match="disk is full"):
        segment(pair[0], enhanced_node=pair[1])
    assert scene_content(scene) == before


@pytest.mark.parametrize("polls", [0, 1, 4, 7])
def test_cancel_leaves_the_scene(scene, pair, polls):
    before = scene_content(scene)
    left = iter([False] * polls)
    with pytest.raises(EnhancementCancelled):
        segment_node(
            SegmentationRun(pair[0], enhanced_node=pair[1]), Threshold(), cancelled=lambda: next(left, True)
        )
    assert scene_content(scene) == before


def test_steps_given_up_while_writing_take_everything_back(scene, pair):
    before = scene_content(scene)
    run = SegmentationRun(pair[0], enhanced_node=pair[1])
    stacks = run_to_end(run.prepare())
    steps = run.finish([Threshold()(stack) for stack in stacks], {})
    while scene_content(scene) == before:
        next(steps)
    assert run.is_writing
    steps.close()
    assert scene_content(scene) == before
    assert not run.is_writing


@pytest.mark.parametrize("number", [0, 1])
def test_an_image_deleted_meanwhile_is_told(scene, pair, number):
    run = SegmentationRun(pair[0], enhanced_node=pair[1])
    stacks = run_to_end(run.prepare())
    name = pair[number].GetName()
    scene.RemoveNode(pair[number])
    before = scene_content(scene)
    with pytest.raises(InputError, match=f"{name} was deleted"):
        run_to_end(run.finish([Threshold()(stack) for stack in stacks], {}))
    assert scene_content(scene) == before
