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
from USEnhanceLib.benchmarks.conditions import CONDITIONS, FOURIER, GAUSSIAN, Condition
from USEnhanceLib.benchmarks.contenders import contenders, restore_all, tuned_key
from USEnhanceLib.benchmarks.images import DATASETS, load_images
from USEnhanceLib.benchmarks.pool import map_tasks
from USEnhanceLib.benchmarks.registry import BENCHMARKS, benchmark_names, find_benchmark, run_benchmark
from USEnhanceLib.benchmarks.speed import Case, measure_case
from USEnhanceLib.benchmarks.tuned_parameters import TUNED
from USEnhanceLib.classical.filters import filter_names
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


@pytest.fixture(scope="module")
def denoised(data, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("denoise")
    record = run_benchmark(
        "denoise",
        data,
        folder / "denoise.json",
        markdown_path=folder / "denoise.md",
        limit=3,
        methods=[*QUICK, str(model)],
        processes=1,
    )
    return record, folder


def test_denoising_record_is_complete_and_says_how_it_was_made(denoised, model):
    record, folder = denoised

    assert json.loads((folder / "denoise.json").read_text(encoding="utf-8")) == record
    assert record["options"] == {"limit": 3, "seed": 0, "methods": [*QUICK, str(model)]}
    assert record["machine"]["torch"] == torch.__version__
    assert record["networks"]["tiny"]["model_version"] == "0"
    assert [len(record["images"][dataset.name]["names"]) for dataset in DATASETS] == [3, 3, 2]
    assert record["images"]["psfhs"]["groups"] == 2
    text = json.dumps({key: record[key] for key in ("command", "data", "images", "summary", "scores")})
    assert str(folder.parent) not in text


def test_scores_of_the_noisy_input_agree_with_the_formula(denoised, data):
    record, _ = denoised
    image = load_images(data, "natural", "val", 3, 0)[0]
    (score,) = (entry for entry in record["scores"] if entry["name"] == image.name)

    for condition in CONDITIONS:
        degraded = condition.degrade(image.pixels, image.name, 0)
        error = np.mean((degraded.pixels.astype(float) - image.pixels) ** 2)
        assert score["conditions"][condition.name]["noisy"]["psnr"] == pytest.approx(
            -10 * math.log10(error), abs=2e-3
        )


def test_summary_holds_means_intervals_and_paired_differences(denoised):
    record, _ = denoised
    values = [entry for entry in record["scores"] if entry["dataset"] == "psfhs"]
    column = record["summary"]["psfhs"]["fourier 0.20"]

    def scores(row):
        return np.array([entry["conditions"]["fourier 0.20"][row]["psnr"] for entry in values])

    for row, summary in column["rows"].items():
        assert summary["psnr"]["mean"] == pytest.approx(scores(row).mean())
        assert summary["psnr"]["low"] <= summary["psnr"]["mean"] <= summary["psnr"]["high"]
    difference = column["differences"]["tiny, known gain"]["psnr"]
    others = [row for row in column["rows"] if row != "tiny"]
    assert difference["best_other"] == max(others, key=lambda row: scores(row).mean())
    assert difference["mean"] == pytest.approx((scores("tiny") - scores(difference["best_other"])).mean())
    blind = column["differences"]["tiny"]["psnr"]
    assert "known gain" not in blind["best_other"]
    assert blind["mean"] >= difference["mean"]


def test_tables_show_every_row_and_both_metrics(denoised):
    _, folder = denoised
    text = (folder / "denoise.md").read_text(encoding="utf-8")

    for row in (
        "noisy input",
        "Median",
        "SRAD",
        "USEnhance, tiny",
        "SRAD, known gain",
        "tiny minus best other",
    ):
        assert text.count(f"| {row}") >= 2 * len(DATASETS), row
    table_lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table_lines} == {len(CONDITIONS) + 2}


def test_same_seed_repeats_the_scores_whatever_other_images_are_drawn(denoised, data, tmp_path):
    record, folder = denoised
    again = run_benchmark(
        "denoise",
        data,
        tmp_path / "again.json",
        limit=2,
        methods=["noisy", "median"],
        processes=1,
        cache=folder / "targets",
    )
    assert [len(again["images"][dataset.name]["names"]) for dataset in DATASETS] == [2, 2, 2]
    before = {entry["name"]: entry["conditions"] for entry in record["scores"]}
    for entry in again["scores"]:
        for condition, rows in entry["conditions"].items():
            assert rows["median"]["psnr"] == before[entry["name"]][condition]["median"]["psnr"]


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_oracle_knows_noise_and_gain(condition):
    frame = np.full((128, 128), 0.5, np.float32)
    degraded = condition.degrade(frame, "flat", 0)

    residual = degraded.pixels - degraded.gain * frame
    assert residual.std() == pytest.approx(degraded.noise, rel=0.05)
    assert degraded.gain == (1 if condition.family == GAUSSIAN else 1 - condition.level)
    if condition.family == FOURIER:  # half of the power of the complex noise lies along the real axis
        assert degraded.noise == pytest.approx(condition.level * 0.5 / math.sqrt(2), rel=0.05)


def test_noise_differs_between_images_and_seeds_and_is_repeatable():
    frame = np.full((16, 16), 0.5, np.float32)
    condition = Condition(GAUSSIAN, 0.1)
    first = condition.degrade(frame, "a", 0).pixels

    np.testing.assert_array_equal(first, condition.degrade(frame, "a", 0).pixels)
    assert not np.array_equal(first, condition.degrade(frame, "b", 0).pixels)
    assert not np.array_equal(first, condition.degrade(frame, "a", 1).pixels)


def test_published_tables_have_tuned_parameters_from_the_documented_grid():
    expected = {
        tuned_key(dataset.name, condition, row.knows_gain)
        for dataset in DATASETS
        for condition in CONDITIONS
        for row in contenders(["median"], condition.family)
    }
    assert set(TUNED) == expected
    for methods in TUNED.values():
        assert set(methods) == set(tuning.GRIDS) == set(filter_names())
        for method, settings in methods.items():
            assert settings in tuning.combinations(method)


def test_tuning_finds_the_best_size_of_the_median(data, tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "GRIDS", {"median": {"size": (1, 3, 5)}})
    record = run_benchmark("tune", data, tmp_path / "tune.json", limit=1, processes=1)

    for key, methods in record["trials"].items():
        best = max(methods["median"], key=lambda entry: entry["psnr"])
        assert record["tuned"][key]["median"] == best["settings"]
    assert record["tuned"]["psfhs, gaussian 0.20"]["median"]["size"] > 1
    names = {}
    exec((tmp_path / "tuned_parameters.py").read_text(encoding="utf-8"), names)
    assert names["TUNED"] == record["tuned"]


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
    assert set(benchmark_names()) == {"denoise", "tune", "speed", "figures"}
    assert all(callable(benchmark.load()) for benchmark in BENCHMARKS)


def test_unknown_names_options_and_values_are_refused_before_any_work(data, tmp_path):
    target = tmp_path / "out.json"
    with pytest.raises(OptionError, match=r"'sharpness'.*denoise"):
        find_benchmark("sharpness")
    with pytest.raises(OptionError, match=r"colour.*limit"):
        run_benchmark("denoise", data, target, colour=True)
    with pytest.raises(OptionError, match="limit"):
        run_benchmark("denoise", data, target, limit=0)
    with pytest.raises(OptionError, match="wavelets"):
        run_benchmark("denoise", data, target, methods=["wavelets"], processes=1)
    assert list(tmp_path.iterdir()) == []


def test_missing_folders_are_named(data, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        run_benchmark("denoise", tmp_path / "nowhere", tmp_path / "out.json")
    with pytest.raises(InputError, match=r"absent.*json"):
        run_benchmark("denoise", data, tmp_path / "absent" / "out.json")


def test_known_gain_restores_the_brightness_of_the_same_answer():
    frame = np.linspace(0.1, 0.7, 64 * 64, dtype=np.float32).reshape(64, 64)
    condition = Condition(FOURIER, 0.2)
    degraded = condition.degrade(frame, "ramp", 0)

    answers = {
        answer.contender.key: answer.pixels
        for answer in restore_all(["noisy", "median"], degraded, "natural", condition, "cpu")
    }

    np.testing.assert_allclose(answers["noisy, known gain"], np.clip(degraded.pixels / 0.8, 0, 1), rtol=1e-6)
    assert abs(answers["median, known gain"].mean() - frame.mean()) < 0.02
    assert frame.mean() - answers["median"].mean() > 0.06
