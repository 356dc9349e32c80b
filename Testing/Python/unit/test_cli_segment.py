"""`usenhance segment IN OUT` and `usenhance compare IN`."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK
from PIL import Image

from USEnhanceLib.cli import main
from USEnhanceLib.segmentation import STRUCTURES, dice

SPACING = (0.5, 0.25, 1.0)


@pytest.fixture(scope="module")
def cine(drawn_structures, tmp_path_factory):
    """A calibrated cine of three drawn frames, and its labels, in one folder."""
    folder = tmp_path_factory.mktemp("cine")
    pixels, labels = drawn_structures(3, 96, 128, 7)
    for name, array in (("cine.nrrd", np.rint(pixels * 255).astype(np.uint8)), ("labels.nrrd", labels)):
        image = SimpleITK.GetImageFromArray(array)
        image.SetSpacing(SPACING)
        SimpleITK.WriteImage(image, str(folder / name))
    return folder


@pytest.fixture
def command(tiny_segmenter, capsys):
    """Runs a command with the tiny segmenter; returns its exit code, and what it printed."""

    def run(*words):
        code = main([*map(str, words), "--model", str(tiny_segmenter), "--device", "cpu"])
        return code, *capsys.readouterr()

    return run


def test_labels_lie_where_the_frames_lie(command, cine, tmp_path):
    target = tmp_path / "outlines.seg.nrrd"
    code, said, _ = command("segment", cine / "cine.nrrd", target)
    image = SimpleITK.ReadImage(str(target))
    found = SimpleITK.GetArrayFromImage(image)
    truth = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(cine / "labels.nrrd")))

    assert code == 0
    assert found.dtype == np.uint8
    assert image.GetSpacing() == SPACING
    assert min(dice(found, truth).values()) > 0.8
    assert "label 1, in 3 of 3 frames" in said
    assert image.GetMetaData("USEnhance.SegmentationModel") == "outliner"


def test_slicer_finds_names_and_colours_in_the_file(command, cine, tmp_path):
    command("segment", cine / "cine.nrrd", tmp_path / "outlines.seg.nrrd")
    image = SimpleITK.ReadImage(str(tmp_path / "outlines.seg.nrrd"))

    for index, structure in enumerate(STRUCTURES):
        assert image.GetMetaData(f"Segment{index}_Name") == structure.name
        assert image.GetMetaData(f"Segment{index}_LabelValue") == str(structure.label)
        assert len(image.GetMetaData(f"Segment{index}_Color").split()) == 3


def test_a_picture_gives_a_picture_of_labels(command, drawn_structures, tmp_path):
    pixels, labels = drawn_structures(1, 96, 128, 7)
    Image.fromarray(np.rint(pixels[0] * 255).astype(np.uint8)).save(tmp_path / "frame.png")
    assert command("segment", tmp_path / "frame.png", tmp_path / "labels.png")[0] == 0
    found = np.asarray(Image.open(tmp_path / "labels.png"))
    assert dice(found, labels[0], 2) > 0.8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("segment", "cine.nrrd", "cine.nrrd"), "is the input itself"),
        (("segment", "missing.nrrd", "out.nrrd"), "no file"),
        (("compare", "cine.nrrd", "--reference", "missing.nrrd"), "no file"),
        (("compare", "cine.nrrd", "--json", "cine.nrrd"), "is an input itself"),
        (("compare", "cine.nrrd", "--json", "no/folder.json"), "does not exist"),
        (("compare", "cine.nrrd", "--reference", "cine.nrrd"), "other numbers"),
        (("compare", "cine.nrrd", "--method", "nothing"), "Unknown method"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(command, cine, monkeypatch, words, message):
    monkeypatch.chdir(cine)
    before = sorted(path.name for path in cine.iterdir())
    code, _, errors = command(*words)
    assert code == 2
    assert message in errors
    assert errors.count("\n") == 1
    assert sorted(path.name for path in cine.iterdir()) == before


def test_a_model_for_enhancement_is_refused_as_segmenter(cine, tmp_path, capsys):
    words = ["segment", str(cine / "cine.nrrd"), str(tmp_path / "o.nrrd"), "--model", "scunet"]
    assert main(words) == 2
    assert "not for segmentation" in capsys.readouterr().err


def test_a_segmenter_is_refused_as_method(cine, tiny_segmenter, tmp_path, capsys):
    words = ["enhance", str(cine / "cine.nrrd"), str(tmp_path / "o.nrrd"), "--method", str(tiny_segmenter)]
    assert main(words) == 2
    assert "not for enhancement" in capsys.readouterr().err


def test_with_a_reference_both_are_measured_against_it(command, cine, tmp_path):
    target = tmp_path / "figures.json"
    code, said, _ = command(
        *("compare", cine / "cine.nrrd", "--method", "median"),
        *("--reference", cine / "labels.nrrd", "--json", target),
    )
    record = json.loads(target.read_text())

    assert code == 0
    assert record["has_reference"] is True
    assert record["unit"] == "mm"
    assert len(record["rows"]) == 3 * len(STRUCTURES)
    assert all(0.7 < row["dice_original"] <= 1 for row in record["rows"])
    assert f"{record['means']['Fetal head']['dice_enhanced']:.3f} after" in said
    assert "agree" not in said
    assert record["provenance"]["USEnhance.Method"] == "median"


def test_without_a_reference_nothing_is_called_right(command, cine, tmp_path):
    target = tmp_path / "figures.json"
    code, said, _ = command("compare", cine / "cine.nrrd", "--method", "median", "--json", target)
    record = json.loads(target.read_text())

    assert code == 0
    assert "agreement: Dice" in said
    assert "not which is right" in said
    assert record["has_reference"] is False
    assert not any("dice_original" in row for row in record["rows"])


def test_the_display_can_be_given(command, cine, tmp_path):
    sides = []
    for display in ("usual", "mirrored"):
        target = tmp_path / f"{display}.json"
        words = ("compare", cine / "cine.nrrd", "--method", "median", "--display", display, "--json", target)
        assert command(*words)[0] == 0
        sides.append(json.loads(target.read_text())["inferior_side"])
    assert sides == ["right", "left"]


def test_labels_of_another_size_or_place_are_refused(command, cine, tmp_path):
    image = SimpleITK.ReadImage(str(cine / "labels.nrrd"))
    image.SetOrigin((9.0, 0.0, 0.0))
    SimpleITK.WriteImage(image, str(tmp_path / "elsewhere.nrrd"))
    SimpleITK.WriteImage(image[:, :, :2], str(tmp_path / "short.nrrd"))
    for name, message in (("elsewhere.nrrd", "lies elsewhere"), ("short.nrrd", "2 x 96 x 128")):
        code, _, errors = command("compare", cine / "cine.nrrd", "--reference", tmp_path / name)
        assert code == 2
        assert message in errors
