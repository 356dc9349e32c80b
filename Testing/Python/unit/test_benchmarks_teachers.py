"""Comparison of teachers: known truth, the same speckle for all, tables that follow from the scores."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from USEnhanceLib.benchmarks import teachers
from USEnhanceLib.benchmarks.registry import run_benchmark
from USEnhanceLib.errors import InputError

CONDITION = teachers.SpeckleCondition(45.0, 1.2)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder of made-up photographs and of slices of four subjects."""
    folder = tmp_path_factory.mktemp("data")
    rows, columns = np.mgrid[:40, :48]
    files = [f"natural/kodim{index}.png" for index in range(6)]
    files += [f"mri/spine/{1000 + subject}_{piece}.png" for subject in range(4) for piece in range(2)]
    for index, name in enumerate(files):
        disc = (rows - 20) ** 2 + (columns - 24) ** 2 < (6 + index % 5) ** 2
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((80 + 90 * disc).astype(np.uint8)).save(folder / name)
    return folder


def test_no_subject_is_in_both_splits(data):
    train, val = (teachers.load_truth(data, split, 4, 0) for split in ("train", "val"))

    assert {image.dataset for image in train} == set(teachers.SOURCES)
    assert not {image.group for image in train} & {image.group for image in val}
    for image in [*train, *val]:
        assert image.pixels.dtype == np.float32
        assert max(image.pixels.shape) <= teachers.CROP


def test_data_without_slices_are_refused(tmp_path, data):
    (tmp_path / "natural").symlink_to(data / "natural")
    with pytest.raises(InputError, match="mri"):
        teachers.load_truth(tmp_path, "val", 2, 0)


def test_speckle_depends_on_image_condition_and_seed_alone(data):
    first, second = teachers.load_truth(data, "val", 2, 0)[-2:]

    again = CONDITION.speckle(first, 0)
    assert np.array_equal(CONDITION.speckle(first, 0), again)
    assert not np.array_equal(CONDITION.speckle(first, 1), again)
    noise = [CONDITION.speckle(image, 0) - image.pixels for image in (first, second)]
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.2


@pytest.mark.parametrize("method", teachers.GRIDS)
def test_every_filter_removes_speckle_in_both_domains(method, data, monkeypatch):
    if method == "bm3d":
        pytest.importorskip("bm3d")
    monkeypatch.setattr(teachers, "CROP", 64)
    phantom = teachers.load_truth(data, "val", 2, 0)[-1]
    speckled = CONDITION.speckle(phantom, 0)
    for log in (False, True):
        settings = next(entry for entry in teachers.combinations(method) if entry["log"] == log)
        restored = teachers.restore(method, settings, speckled, CONDITION.noise)
        assert restored.shape == speckled.shape
        assert 0 <= restored.min() <= restored.max() <= 1
        error = np.square(restored - phantom.pixels).mean()
        assert error < np.square(speckled - phantom.pixels).mean()


def test_record_and_tables_are_written(data, tmp_path, monkeypatch):
    pytest.importorskip("bm3d")
    one = {
        method: ({key: values[:1] for key, values in grids[0].items()},)
        for method, grids in teachers.GRIDS.items()
    }
    monkeypatch.setattr(teachers, "GRIDS", one)
    monkeypatch.setattr(teachers, "CONDITIONS", (CONDITION,))
    monkeypatch.setattr(teachers, "CROP", 40)
    record = run_benchmark(
        "teachers", data, tmp_path / "t.json", markdown_path=tmp_path / "t.md", limit=1, processes=1
    )

    assert json.loads((tmp_path / "t.json").read_text(encoding="utf-8")) == record
    assert len(record["scores"]) == 3
    column = record["summary"]["all"][CONDITION.name]
    mean = np.mean([score["rows"][teachers.TEACHER]["psnr"] for score in record["scores"]])
    assert column[teachers.TEACHER]["psnr"]["mean"] == pytest.approx(mean)
    assert column["teacher minus nlm"]["psnr"]["mean"] == pytest.approx(mean - column["nlm"]["psnr"]["mean"])
    text = (tmp_path / "t.md").read_text(encoding="utf-8")
    assert f"{mean:.2f} [" in text
    assert "noise_factor" in text
    assert str(data) not in text
