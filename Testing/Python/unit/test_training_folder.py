"""Training reads any folder: frames inside the sector, spread over files, and a fixed part held out."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from USEnhanceLib.errors import InputError
from USEnhanceLib.frames import read_frames
from USEnhanceLib.training.datasets import NamedImage
from USEnhanceLib.training.folder import folder_images
from USEnhanceLib.training.recipe import TrainingRecipe
from USEnhanceLib.training.sources import read_training_images

TEXTURE = np.random.default_rng(0).integers(20, 200, (64, 72), dtype=np.uint8)


def picture(path: Path, shift: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.roll(TEXTURE, shift, 1)).save(path)


def files_of(images: list[NamedImage]) -> set[str]:
    return {name.rsplit("/", 1)[0] for name, _ in images}


@pytest.fixture
def cine(tmp_path: Path) -> Path:
    """A folder that holds the real 30-frame cine of the pydicom wheel, under a name without extension."""
    from pydicom.data import get_testdata_file

    (tmp_path / "cine").mkdir()
    shutil.copy(get_testdata_file("examples_ybr_color.dcm", download=False), tmp_path / "cine" / "IM0001")
    return tmp_path / "cine"


def test_every_fifth_file_is_held_out_and_stays_so_when_the_folder_moves(tmp_path: Path) -> None:
    for i in range(10):
        picture(tmp_path / "a" / f"{i}.png", i)
    found = folder_images(tmp_path / "a", 100)
    assert len(files_of(found.held_out)) == 2
    assert len(files_of(found.learned)) == 8
    assert not files_of(found.learned) & files_of(found.held_out)
    assert "2 of 10 files held out" in found.notes[0]
    (tmp_path / "a").rename(tmp_path / "b")
    assert files_of(folder_images(tmp_path / "b", 100).held_out) == files_of(found.held_out)


def test_all_files_of_a_subfolder_are_held_out_together(tmp_path: Path) -> None:
    for patient in "abcde":
        for i in range(3):
            picture(tmp_path / patient / "deeper" / f"{i}.png", i)
    found = folder_images(tmp_path, 100)
    learned, held_out = (
        {name.split("/")[0] for name in files_of(x)} for x in (found.learned, found.held_out)
    )
    assert (len(learned), len(held_out)) == (4, 1)
    assert not learned & held_out
    assert "subfolders" in found.notes[0]


def test_frames_are_spread_over_files_and_limited(tmp_path: Path, cine: Path) -> None:
    for i in range(9):
        picture(cine / f"{i}.png", i)
    found = folder_images(cine, 6)
    assert len(found.learned) == 6
    assert len(files_of(found.learned)) >= 5


def test_of_a_single_cine_the_last_frames_are_held_out(cine: Path) -> None:
    found = folder_images(cine, 10)
    frames = read_frames(cine / "IM0001")
    order = [int(name.rsplit("/", 1)[1]) for name, _ in found.learned + found.held_out]
    assert order == sorted(set(order))
    assert found.held_out
    assert "too good" in found.notes[0]
    rows, columns = (np.flatnonzero(frames.sector.any(axis)) for axis in (1, 0))
    for name, image in found.learned:
        index = int(name.rsplit("/", 1)[1])
        whole = np.where(frames.sector, frames.pixels[index], 0)
        np.testing.assert_array_equal(image, whole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def test_what_is_no_ultrasound_is_left_out_and_told_of(tmp_path: Path) -> None:
    for i in range(4):
        picture(tmp_path / f"{i}.png", i)
        Image.fromarray((TEXTURE > 90).astype(np.uint8)).save(tmp_path / f"{i}-label.png")
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no image")
    picture(tmp_path / ".hidden" / "0.png")
    found = folder_images(tmp_path, 100)
    assert files_of(found.learned + found.held_out) == {f"{i}.png" for i in range(4)}
    assert "5 of 9 files left out" in found.notes[1]


def test_labels_in_a_subfolder_do_not_stop_the_hold_out(tmp_path: Path) -> None:
    for i in range(6):
        picture(tmp_path / "image" / f"{i}.png", i)
        (tmp_path / "label").mkdir(exist_ok=True)
        Image.fromarray((TEXTURE > 90).astype(np.uint8)).save(tmp_path / "label" / f"{i}.png")
    found = folder_images(tmp_path, 100)
    assert found.learned
    assert found.held_out
    assert not files_of(found.learned) & files_of(found.held_out)


@pytest.mark.parametrize("content", ["nothing", "text", "one"])
def test_a_folder_without_enough_frames_is_refused_by_name(content: str, tmp_path: Path) -> None:
    if content == "text":
        (tmp_path / "scan.dcm").write_text("no image")
    if content == "one":
        picture(tmp_path / "0.png")
    with pytest.raises(InputError, match="give a folder of DICOM") as failure:
        folder_images(tmp_path, 10)
    assert str(tmp_path) in str(failure.value)
    assert ("scan.dcm" in str(failure.value)) == (content == "text")
    assert ("only one frame" in str(failure.value)) == (content == "one")


def test_the_run_itself_is_no_data(tmp_path: Path) -> None:
    for i in range(3):
        picture(tmp_path / f"{i}.png", i)
    picture(tmp_path / "run" / "sheets" / "step-5.png")
    found = folder_images(tmp_path, 100, [tmp_path / "run"])
    assert files_of(found.learned + found.held_out) == {"0.png", "1.png", "2.png"}


def test_natural_images_are_optional(tmp_path: Path) -> None:
    for i in range(4):
        picture(tmp_path / f"{i}.png", i)
    images = read_training_images(tmp_path, TrainingRecipe())
    assert images.natural == []
    assert any("no natural images" in note for note in images.notes)
    assert len(images.scans) == 3
    assert "owners" in images.licence
    for i in range(3):
        picture(tmp_path / "natural" / f"{i}.png", i)
    images = read_training_images(tmp_path, TrainingRecipe())
    assert {"natural/0", "natural/1"} <= {name for name, _ in images.natural}
    assert [name for name, _ in images.validation_natural] == ["natural/2"]
    assert len(images.scans) == 3
    assert not any("no natural images" in note for note in images.notes)
