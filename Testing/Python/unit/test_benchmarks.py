from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from pydicom.data import get_testdata_file

from USEnhanceLib.benchmarks import tuning
from USEnhanceLib.benchmarks.pool import map_tasks
from USEnhanceLib.benchmarks.registry import BENCHMARKS, benchmark_names, find_benchmark, run_benchmark
from USEnhanceLib.benchmarks.speed import Case, measure_case
from USEnhanceLib.errors import InputError, OptionError, USEnhanceError
from USEnhanceLib.models import save_model
from USEnhanceLib.networks import SCUNet

SIDE = 40
QUICK = ["noisy", "median", "srad"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A small data folder of made-up pictures in the layout of the real one."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)

    def draw(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        row, column = np.mgrid[:SIDE, :SIDE]
        centre, radius = generator.uniform(10, 30, 2), generator.uniform(5, 12)
        disc = (row - centre[0]) ** 2 + (column - centre[1]) ** 2 < radius**2
        picture = 60 + 90 * disc + 15 * generator.standard_normal((SIDE, SIDE))
        Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(path)

    tables = {
        "psfhs": ("id,device,group,split", "{id},{device},{group},{split}"),
        "hc18": ("id,prefix,pixel_mm,split", "{id},{group},0.1,{split}"),
    }
    for name, (header, row) in tables.items():
        lines = [header]
        for index in range(5):
            facts = {
                "id": f"{index:05d}",
                "device": ("A_bar", "B_nobar")[index % 2],
                "group": index // 2,
                "split": "train" if index < 2 else "val",
            }
            lines.append(row.format(**facts))
            draw(folder / name / "image" / f"{facts['id']}.png")
        (folder / name / "split.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for index in range(6):
        draw(folder / "natural" / f"kodim{index:02d}.png")
    (folder / "phantom").mkdir()
    still = get_testdata_file("examples_rgb_color.dcm", download=False)
    shutil.copy(still, folder / "phantom" / "sonoque_axial-lateral-resolution-2020.dcm")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a tiny untrained network."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    network = SCUNet(dim=8, config=[1] * 7, head_dim=4)
    save_model(folder, network, name="tiny", version="0", card="# Tiny\n", licence="Apache-2.0\n")
    return folder


def test_tuning_finds_the_best_size_of_the_median(data, tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "GRIDS", {"median": {"size": (1, 3, 5)}})
    record = run_benchmark("tune", data, tmp_path / "tune.json", limit=1, size=32, processes=1)

    for key, methods in record["trials"].items():
        best = max(methods["median"], key=lambda entry: entry["psnr"])
        assert record["tuned"][key]["median"] == best["settings"]
    assert record["tuned"]["psfhs, gaussian 0.20"]["median"]["size"] > 1
    text = (tmp_path / "tuned_parameters.json").read_text(encoding="utf-8")
    assert json.loads(text) == record["tuned"]
    assert len(text.splitlines()) == 2 + 3 * len(record["tuned"])


@pytest.mark.parametrize("start", [(0, 0), (3, 2), (6, 4)])
def test_search_climbs_to_the_maximum_along_a_diagonal_ridge(start):
    def score(place):
        return -10 * (place[0] - place[1]) ** 2 - (place[0] - 4) ** 2

    tried = tuning.climb(start, (7, 5), score)
    assert max(tried, key=tried.__getitem__) == (4, 4)
    assert all(0 <= row < 7 and 0 <= column < 5 for row, column in tried)


def test_search_of_nothing_tries_the_one_setting():
    assert tuning.climb((), (), lambda place: 1.0) == {(): 1.0}
    assert tuning.settings_at("nllr", ()) == {}


def test_speed_is_measured_in_a_fresh_process(model):
    case = Case("small frame", shape=(2, 64, 64), repeats=1)
    figures = measure_case(case, str(model), device="cpu", threads=1, seed=0)

    assert figures["frames"] == 2
    assert 0 < figures["seconds"] < 60
    assert 0 < figures["load_seconds"] < 60
    assert 50e6 < figures["loaded_bytes"] <= figures["peak_bytes"] < 4e9


def test_failed_measurement_names_network_and_reason(tmp_path):
    case = Case("small frame", shape=(1, 64, 64), repeats=1)

    with pytest.raises(USEnhanceError, match=r"absent on small frame failed: .*Error"):
        measure_case(case, str(tmp_path / "absent"), device="cpu", threads=1, seed=0)


def test_contact_sheet_shows_five_frames(data, model, tmp_path):
    record = run_benchmark("figures", data, tmp_path / "figures.json", methods=[str(model)])

    assert len(record["frames"]) == 5
    assert all(entry["mean_change"] > 0 for entry in record["frames"])
    with Image.open(tmp_path / "figures.png") as sheet:
        pixels = np.asarray(sheet.convert("L"), float)
    cell = sheet.width // 4
    row_height = (sheet.height - 24) // 5
    for index in range(5):
        row = pixels[24 + index * row_height + 24 :][: row_height - 24]
        assert row[:, :cell].std() > 5
        assert np.abs(row[:, :cell] - row[:, cell : 2 * cell]).max() > 0


def test_work_in_processes_comes_back_in_order():
    seen = []
    results = map_tasks(math.sqrt, [1.0, 4.0, 9.0, 16.0], 2, lambda done, total: seen.append((done, total)))

    assert results == [1, 2, 3, 4]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_first_error_of_a_process_reaches_the_caller():
    with pytest.raises(ValueError, match=r"math domain|nonnegative"):
        map_tasks(math.sqrt, [1.0, -1.0, 4.0], 2)


def test_every_benchmark_can_be_loaded():
    names = {"enhance", "tune", "speed", "figures", "teachers", "uncertainty", "calibrate", "despeckle"}
    names |= {"segmentation"}
    assert set(benchmark_names()) == names
    assert all(callable(benchmark.load()) for benchmark in BENCHMARKS)


def test_unknown_names_options_and_values_are_refused_before_any_work(data, tmp_path):
    target = tmp_path / "out.json"
    with pytest.raises(OptionError, match=r"'sharpness'.*enhance"):
        find_benchmark("sharpness")
    with pytest.raises(OptionError, match=r"colour.*limit"):
        run_benchmark("enhance", data, target, colour=True)
    with pytest.raises(OptionError, match="limit"):
        run_benchmark("enhance", data, target, limit=0)
    with pytest.raises(OptionError, match="wavelets"):
        run_benchmark("enhance", data, target, methods=["wavelets"])
    assert list(tmp_path.iterdir()) == []


def test_missing_folders_are_named(data, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        run_benchmark("enhance", tmp_path / "nowhere", tmp_path / "out.json")
    with pytest.raises(InputError, match=r"absent.*json"):
        run_benchmark("enhance", data, tmp_path / "absent" / "out.json")
