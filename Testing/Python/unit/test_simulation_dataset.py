"""Simulated data sets: views of MRI, splits, manifests, shards, and the command that makes them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from USEnhanceLib.cli import main
from USEnhanceLib.errors import InputError, OptionError
from USEnhanceLib.simulation.dataset import LEVELS, PICTURES, SHARDS, load_pairs, make_data_set, quantized
from USEnhanceLib.simulation.echogenicity import (
    View,
    draw_view,
    echogenicity_of,
    find_mri,
    imaged_plane,
    read_tissue,
    subject_of,
)
from USEnhanceLib.simulation.manifest import MANIFEST, SPLITS, divide_subjects, plan, read_manifest

SIZE = 32


@pytest.fixture
def mri(tmp_path):
    """A folder of slices of six subjects."""
    folder = tmp_path / "mri" / "knees"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for subject in range(6):
        for place in (3, 12):
            coarse = Image.fromarray(rng.integers(40, 255, (12, 10), np.uint8))
            coarse.resize((100, 120), Image.Resampling.BICUBIC).save(folder / f"{subject + 100}_{place}.png")
    return folder.parent


def whole(**changes) -> View:
    """Return the view of a whole slice."""
    values = {"axis": "k", "index": 0, "row": 0.5, "column": 0.5, "extent": 1.0, "angle": 0.0}
    return View(**{**values, "mirrored": False, "tone": 1.0, **changes})


def test_slices_of_a_subject_have_one_name(mri):
    names = {subject_of(file) for file in find_mri(mri)}
    assert names == {f"knees/{number}" for number in range(100, 106)}
    assert subject_of(mri / "head.nii.gz") == "mri/head"


def test_a_folder_without_mri_is_told(tmp_path):
    with pytest.raises(InputError, match=r"\.nii\.gz"):
        find_mri(tmp_path)


def test_a_subject_is_in_one_split_whatever_else_there_is():
    subjects = [f"hearts/{number}" for number in range(20)]
    division = divide_subjects([*subjects, "brain/one"])
    assert [list(division.values()).count(split) for split in SPLITS] == [15, 3, 3]
    assert division["brain/one"] == "train"
    assert divide_subjects(subjects[::-1]) == {name: division[name] for name in subjects}


def test_a_few_subjects_are_divided_too():
    division = divide_subjects([f"hearts/{number}" for number in range(3)])
    assert sorted(division.values()) == sorted(SPLITS)


def test_the_plane_is_what_the_view_says(mri):
    tissue = read_tissue(find_mri(mri)[0])
    plain = imaged_plane(tissue, whole(), 50)
    # 100 of 120 rows, two to a pixel.
    expected = tissue.values[0][10:110].reshape(50, 2, 50, 2).mean(axis=(1, 3))
    assert np.corrcoef(plain.ravel(), expected.ravel())[0, 1] > 0.98
    mirrored = imaged_plane(tissue, whole(mirrored=True), 50)
    np.testing.assert_allclose(mirrored, plain[:, ::-1], atol=1e-4)
    np.testing.assert_allclose(imaged_plane(tissue, whole(tone=2.0), 50), plain**2, atol=1e-5)
    turned = imaged_plane(tissue, whole(angle=90.0), 50)
    np.testing.assert_allclose(turned, np.rot90(plain), atol=1e-4)


def test_slices_of_a_volume_are_taken_along_its_axes(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    values = np.zeros((20, 30, 40), np.uint8)
    values[15:, :, :20] = 200  # the head's end, on one side
    values[0, 0, 0] = 100
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((1.0, 1.0, 2.0))
    sitk.WriteImage(image, str(tmp_path / "volume.nrrd"))
    tissue = read_tissue(tmp_path / "volume.nrrd")
    assert tissue.spacing == (2.0, 1.0, 1.0)
    plane = imaged_plane(tissue, whole(axis="j", index=10), 40)
    assert plane[:8, :18].mean() > 0.9
    assert plane[14:].mean() < 0.05
    assert plane[:, 24:].mean() < 0.05


def test_views_show_tissue(mri):
    tissue = read_tissue(find_mri(mri)[0])
    rng = np.random.default_rng(1)
    views = [draw_view(tissue, rng) for _ in range(5)]
    assert len(set(views)) == 5
    assert all((imaged_plane(tissue, view, 32) > 0.08).mean() > 0.6 for view in views)


def test_black_is_as_dark_as_the_contrast():
    found = 10 * np.log10(echogenicity_of(np.array([[0, 0.5, 1]], np.float32), 40.0))
    np.testing.assert_allclose(found, [[-40, -20, 0]], atol=1e-4)


def test_a_plan_is_the_same_again_and_other_with_another_seed(mri):
    options = {"seed": 3, "engine": "fast", "size": SIZE, "diversified": True}
    entries = plan(mri, ["P6-3", "C5-2v"], 6, **options)
    assert entries == plan(mri, ["P6-3", "C5-2v"], 6, **options)
    assert entries != plan(mri, ["P6-3", "C5-2v"], 6, **{**options, "seed": 4})
    assert [entry.setting.probe for entry in entries] == ["P6-3", "C5-2v"] * 3
    assert len({entry.setting.seed for entry in entries}) == 6


def test_a_single_volume_is_as_likely_as_a_folder_of_slices(mri):
    brain = mri / "brain"
    brain.mkdir()
    find_mri(mri)[0].rename(brain / "one_3.png")
    seen = [entry.subject for entry in plan(mri, ["P6-3"], 60, engine="fast", size=SIZE)]
    assert 15 < seen.count("brain/one") < 45
    assert len(set(seen)) == 7


def test_a_split_holds_its_subjects_only(mri):
    seen = {
        split: {entry.subject for entry in plan(mri, ["P6-3"], 20, size=SIZE, split=split)}
        for split in SPLITS
    }
    assert all(seen.values())
    assert not (seen["train"] & seen["val"] | seen["train"] & seen["test"] | seen["val"] & seen["test"])
    assert {entry.split for entry in plan(mri, ["P6-3"], 20, size=SIZE, split="val")} == {"val"}


@pytest.mark.parametrize("wrong", [{"engine": "slow"}, {"split": "all"}, {"size": 4}])
def test_a_plan_with_wrong_options_is_refused(mri, wrong):
    with pytest.raises(OptionError):
        plan(mri, ["P6-3"], 1, **wrong)


@pytest.fixture
def data_set(mri, tmp_path):
    """A small data set and its entries."""
    entries = plan(mri, ["P6-3"], 20, engine="fast", size=SIZE)
    folder = tmp_path / "pairs"
    folder.mkdir()
    make_data_set(entries, mri, folder)
    return folder, entries


def test_a_data_set_is_read_back(data_set, mri):
    folder, entries = data_set
    found = list(load_pairs(folder))
    assert [entry for entry, _, _ in found] == entries == read_manifest(folder)
    for place in (0, 19):
        pair = entries[place].simulate(mri)
        for kept, frame in zip(found[place][1:], (pair.speckled, pair.clean), strict=True):
            np.testing.assert_allclose(kept, frame, atol=0.6 / LEVELS)
    assert {entry.split for entry, _, _ in load_pairs(folder, split="val")} == {"val"}
    assert list(load_pairs(folder, probe="L11-5v")) == []
    assert len(list((folder / PICTURES).glob("*_P6-3_speckled.png"))) == 16


@pytest.mark.parametrize("engine", ["simus", "fast"])
def test_processes_make_the_same_bits(mri, tmp_path, engine):
    entries = plan(mri, ["P6-3"], 18, engine=engine, size=16)
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        make_data_set(entries, mri, folder, processes=processes)
    for name in ("00000.npz", "00001.npz"):
        first, second = (np.load(tmp_path / str(number) / SHARDS / name) for number in (1, 2))
        assert np.array_equal(first["speckled"], second["speckled"])
        assert np.array_equal(first["clean"], second["clean"])
    line = read_manifest(tmp_path / "1")[17]
    assert np.array_equal(quantized(line.simulate(mri).speckled), second["speckled"][1])


def test_an_interrupted_run_goes_on(data_set, mri):
    folder, entries = data_set
    first, second = sorted((folder / SHARDS).iterdir())
    kept, lost = first.stat().st_mtime_ns, second.read_bytes()
    second.unlink()
    with pytest.raises(InputError, match="00001"):
        list(load_pairs(folder))
    seen = []
    make_data_set(entries, mri, folder, progress=lambda *state: seen.append(state))
    assert seen == [(20, 20)]
    assert first.stat().st_mtime_ns == kept
    assert second.read_bytes() == lost


def test_another_data_set_is_not_mixed_in(data_set, mri):
    folder, entries = data_set
    with pytest.raises(InputError, match="another"):
        make_data_set(entries[:5], mri, folder)


def test_an_altered_mri_is_noticed(mri, tmp_path):
    (entry,) = plan(mri, ["P6-3"], 1, engine="fast", size=SIZE)
    other = tmp_path / "other"
    (other / entry.source).parent.mkdir(parents=True)
    with pytest.raises(InputError, match="missing"):
        entry.simulate(other)
    Image.fromarray(np.full((9, 9), 7, np.uint8)).save(other / entry.source)
    with pytest.raises(InputError, match="restore"):
        entry.simulate(other)


def test_a_broken_manifest_is_told(data_set):
    folder, _ = data_set
    (folder / MANIFEST).write_text('{"index": 0}\n', encoding="utf-8")
    with pytest.raises(InputError, match="no manifest"):
        read_manifest(folder)


def test_the_command_simulates_a_file(mri, tmp_path, capsys):
    file, out = find_mri(mri)[0], tmp_path / "out"
    words = ["simulate", str(file), str(out), "--probe", "P4-2v", "--engine", "fast", "--size", "32"]
    assert main([*words, "--count", "2", "--seed", "7"]) == 0
    assert "2 of 1 subject" in capsys.readouterr().out
    lines = [json.loads(line) for line in (out / MANIFEST).read_text(encoding="utf-8").splitlines()]
    assert [line["source"] for line in lines] == [file.name] * 2
    with Image.open(out / PICTURES / "00000_P4-2v_clean.png") as picture:
        assert picture.size == (32, 32)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--probe", "L99"], "L11-5v"),
        (["--probe", "P6-3", "--engine", "slow"], "simus"),
        (["--probe", "P6-3", "--split", "all"], "train"),
    ],
)
def test_the_command_tells_what_is_wrong(mri, tmp_path, capsys, words, told):
    assert main(["simulate", str(mri), str(tmp_path / "out"), *words]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_command_tells_of_missing_mri(tmp_path, capsys):
    assert main(["simulate", str(tmp_path / "none"), str(tmp_path / "out"), "--probe", "P6-3"]) == 2
    assert "none" in capsys.readouterr().err
