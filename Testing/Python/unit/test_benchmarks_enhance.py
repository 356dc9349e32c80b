"""The benchmark enhance and its table under noise, on a small made-up data folder."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from PIL import Image

from USEnhanceLib.benchmarks import contenders as contenders_module
from USEnhanceLib.benchmarks.conditions import (
    CONDITIONS,
    FOURIER,
    GAUSSIAN,
    LEVELS,
    SPECKLE,
    SPECKLE_DEVIATION,
    Condition,
)
from USEnhanceLib.benchmarks.contenders import (
    CLASSICAL,
    INPUT,
    LEARNED,
    OURS,
    Contender,
    contenders,
    restore,
    tuned_key,
    tuned_table,
)
from USEnhanceLib.benchmarks.crops import crop_window
from USEnhanceLib.benchmarks.enhance.noise_summary import judge, summarise
from USEnhanceLib.benchmarks.enhance.run import TABLES
from USEnhanceLib.benchmarks.images import DATASETS, BenchmarkImage, load_images
from USEnhanceLib.benchmarks.registry import run_benchmark
from USEnhanceLib.classical.filters import filter_names
from USEnhanceLib.degradation import blur, gaussian_psf
from USEnhanceLib.errors import OptionError
from USEnhanceLib.models import save_model
from USEnhanceLib.networks import DnCNN, SCUNet

SIDE = 40


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder of made-up pictures in the layout of the real one."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)

    def draw(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        row, column = np.mgrid[:SIDE, :SIDE]
        disc = (row - 20) ** 2 + (column - generator.uniform(10, 30)) ** 2 < 80
        picture = 60 + 90 * disc + 15 * generator.standard_normal((SIDE, SIDE))
        Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(path)

    for name, column in (("psfhs", "group"), ("hc18", "prefix")):
        lines = [f"id,{column},split"]
        for index in range(3):
            lines.append(f"{index:05d},{index // 2},val")
            draw(folder / name / "image" / f"{index:05d}.png")
        (folder / name / "split.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for index in range(6):
        draw(folder / "natural" / f"kodim{index:02d}.png")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a tiny untrained network, as a training run leaves it."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("run") / "model"
    network = SCUNet(dim=8, config=[1] * 7, head_dim=4)
    save_model(folder, network, name="tiny", version="0", card="# Tiny\n", licence="Apache-2.0\n")
    return folder


@pytest.fixture(scope="module")
def measured(data, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("enhance")
    record = run_benchmark(
        "enhance",
        data,
        folder / "enhance.json",
        markdown_path=folder / "enhance.md",
        tables=["noise"],
        methods=["median", "lee", str(model)],
        limit=2,
        size=32,
        processes=1,
    )
    return record, folder


def test_record_is_complete_and_says_how_it_was_made(measured, model):
    record, folder = measured
    noise = record["tables"]["noise"]

    assert json.loads((folder / "enhance.json").read_text(encoding="utf-8")) == record
    assert record["command"].endswith(f"--tables noise --methods median lee {model.parent.name}/model")
    assert record["networks"][model.parent.name]["sha256"]
    assert [row["role"] for row in noise["rows"]] == [INPUT, CLASSICAL, CLASSICAL, OURS]
    assert {name: len(facts["names"]) for name, facts in noise["images"].items()} == {
        dataset.name: 2 for dataset in DATASETS
    }
    for dataset in DATASETS:
        assert set(noise["scores"][dataset.name]) == {condition.name for condition in CONDITIONS}
        assert len(noise["scores"][dataset.name]["speckle 25 dB, blur 9"]["median"]["psnr"]) == 2
    text = json.dumps({key: value for key, value in record.items() if key != "options"})
    assert str(folder.parent) not in text


def test_scores_of_the_input_agree_with_the_formula(measured, data):
    record, _ = measured
    image = load_images(data, "natural", "val", 2, 0)[0]
    frame = image.pixels[crop_window(image, 32)]
    for condition in CONDITIONS:
        degraded = condition.degrade(frame, image.name, 0)
        error = np.mean((degraded.pixels.astype(float) - frame) ** 2)
        figures = record["tables"]["noise"]["scores"]["natural"][condition.name][INPUT]["psnr"]
        assert figures[0] == pytest.approx(-10 * math.log10(error), abs=2e-3)


def test_known_gain_undoes_the_dimming_of_the_same_answer(measured):
    record, _ = measured
    scores = record["tables"]["noise"]["scores"]["natural"]
    heavy = scores["fourier 0.40"]
    assert np.mean(heavy["median, told gain"]["psnr"]) > np.mean(heavy["median"]["psnr"])
    assert not [row for row in scores["gaussian 0.20"] if "told gain" in row]
    assert "told gain" not in json.dumps([row for row in heavy if row.endswith("model")])


def test_tables_show_every_row_and_mark_the_best(measured):
    record, folder = measured
    text = (folder / "enhance.md").read_text(encoding="utf-8")
    for row in record["tables"]["noise"]["rows"]:
        assert text.count(f"| {row['title']} |") == 9 * len(DATASETS), row["title"]
    assert text.count("| best filter told the gain |") == 3 * len(DATASETS)
    for line in text.splitlines():
        if line.startswith("| input |"):
            assert line.count("|") in {2 + len(levels) for levels in LEVELS.values()}
    assert text.count("**") >= 2 * 2 * len(CONDITIONS) * len(DATASETS)
    assert "first in PSNR" in text


def test_kept_answers_are_not_computed_again(measured, data, model, tmp_path, monkeypatch):
    record, folder = measured
    kept = sorted((folder / "cache" / "answers").rglob("*.npy"))
    assert len(kept) == 3 * 6 * len(CONDITIONS)

    def refuse(*_, **__):
        raise AssertionError("computed again")

    monkeypatch.setattr(contenders_module, "apply_filter", refuse)
    again = run_benchmark(
        "enhance",
        data,
        tmp_path / "again.json",
        tables=["noise"],
        methods=["median", "lee", str(model)],
        limit=2,
        size=32,
        processes=1,
        cache=folder / "cache",
    )
    assert again["tables"]["noise"]["scores"] == record["tables"]["noise"]["scores"]
    kept[0].unlink()
    with pytest.raises(AssertionError, match="computed again"):
        run_benchmark(
            "enhance",
            data,
            tmp_path / "once_more.json",
            tables=["noise"],
            methods=["median", "lee"],
            limit=2,
            size=33,
            processes=1,
            cache=folder / "cache",
        )


def test_unknown_tables_and_methods_are_refused_before_any_work(data, model, tmp_path):
    target = tmp_path / "out.json"
    with pytest.raises(OptionError, match=r"sharpness.*noise"):
        run_benchmark("enhance", data, target, tables=["noise", "sharpness"])
    with pytest.raises(OptionError, match="wavelets"):
        run_benchmark("enhance", data, target, tables=["noise"], methods=["wavelets"])
    with pytest.raises(OptionError, match="size"):
        run_benchmark("enhance", data, target, size=0)
    twice = f"{model.parent}/../{model.parent.name}/model"
    with pytest.raises(OptionError, match=r"Two of the methods"):
        run_benchmark("enhance", data, target, methods=[str(model), twice])
    assert list(tmp_path.iterdir()) == []


def test_every_table_has_its_two_functions():
    for table in TABLES:
        module = table.load()
        assert callable(module.measure)
        assert callable(module.render)


def test_by_default_all_filters_and_the_shipped_network_take_part():
    rows = contenders()
    assert [row.key for row in rows] == [INPUT, *filter_names(), "scunet"]
    assert rows[-1].role == OURS


def test_networks_of_other_architectures_are_learned_rivals(tmp_path):
    folder = tmp_path / "small" / "model"
    network = DnCNN(depth=3, channels=4)
    save_model(folder, network, name="tiny", version="0", card="# Tiny\n", licence="Apache-2.0\n")
    _, row = contenders([str(folder)])
    assert (row.key, row.role, row.title) == ("small", LEARNED, "DnCNN, small")
    condition = Condition(GAUSSIAN, 0.1)
    degraded = condition.degrade(np.full((64, 64), 0.4, np.float32), "flat", 0)
    answer = restore(row, degraded, "psfhs", condition, "cpu", tmp_path / "cache")
    assert answer.shape == (64, 64)
    assert not np.array_equal(answer, degraded.pixels)


def test_every_filter_has_tuned_parameters_for_every_noise(tmp_path):
    expected = {tuned_key(dataset.name, condition) for dataset in DATASETS for condition in CONDITIONS}
    assert set(tuned_table()) == expected
    frame = np.full((64, 64), 0.4, np.float32)
    for methods in tuned_table().values():
        assert set(methods) == set(filter_names())
    cheap = [name for name in filter_names() if name not in ("bm3d", "nllr")]
    condition = Condition(SPECKLE, 40)
    degraded = condition.degrade(frame, "flat", 0)
    for name in cheap:
        row = next(row for row in contenders([name]) if row.key == name)
        answer = restore(row, degraded, "psfhs", condition, "cpu", tmp_path)
        assert np.abs(answer - 0.4).mean() < np.abs(degraded.pixels - 0.4).mean()


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_oracle_knows_noise_and_gain_after_blur(condition):
    generator = np.random.default_rng(1)
    frame = (0.5 + 0.05 * generator.standard_normal((128, 128))).astype(np.float32)
    degraded = condition.degrade(frame, "texture", 0)
    seen = blur(torch.from_numpy(frame)[None], gaussian_psf(condition.blur_size))[0].numpy()
    residual = degraded.pixels - degraded.gain * seen
    # What is clipped at 0 and 1 is missing from heavy noise: less than nominal, never more.
    assert residual.std() <= degraded.noise * 1.03
    assert residual.std() > degraded.noise * (0.97 if not condition.is_heavy else 0.8)
    assert degraded.gain == (1 - condition.level if condition.family == FOURIER else 1)
    if condition.family == SPECKLE:
        assert degraded.noise == SPECKLE_DEVIATION / condition.level


def test_conditions_go_from_mild_to_heavy_in_each_family():
    assert len({condition.name for condition in CONDITIONS}) == len(CONDITIONS) == 39
    heavy = [condition.name for condition in CONDITIONS if condition.is_heavy and condition.blur_size == 1]
    assert heavy == ["gaussian 0.20", "gaussian 0.25", "fourier 0.30", "fourier 0.40", "speckle 25 dB"]
    frame = np.full((64, 64), 0.5, np.float32)
    for family, levels in LEVELS.items():
        spread = [Condition(family, level).degrade(frame, "flat", 0).noise for level in levels]
        assert spread == sorted(spread)


def test_noise_differs_between_images_blurs_and_seeds_and_is_repeatable():
    frame = np.full((16, 16), 0.5, np.float32)
    condition = Condition(GAUSSIAN, 0.1)
    first = condition.degrade(frame, "a", 0).pixels
    np.testing.assert_array_equal(first, condition.degrade(frame, "a", 0).pixels)
    for other in (
        condition.degrade(frame, "b", 0),
        condition.degrade(frame, "a", 1),
        Condition(GAUSSIAN, 0.1, 5).degrade(frame, "a", 0),
    ):
        assert not np.array_equal(first, other.pixels)


def test_crops_lie_around_the_sector_and_inside_the_image():
    pixels = np.zeros((200, 300), np.float32)
    pixels[60:160, 170:290] = 0.5 + 0.1 * np.random.default_rng(0).standard_normal((100, 120))
    rows, columns = crop_window(BenchmarkImage("hc18", "a", "a", pixels), 64)
    assert abs((rows.start + rows.stop) / 2 - 110) < 12
    assert abs((columns.start + columns.stop) / 2 - 230) < 12
    rows, columns = crop_window(BenchmarkImage("natural", "a", "a", pixels[:50]), 64)
    assert (rows.start, columns.start) == (0, 118)


def figures(**means):
    """Return scores of one condition, the same for all three images, and a little spread."""
    return {
        row: {"psnr": [mean - 0.1, mean, mean + 0.1], "ssim": [mean / 100] * 3} for row, mean in means.items()
    }


def test_summary_compares_ours_with_the_best_of_each_kind_and_judges_the_goals():
    rows = [
        Contender("input", "input", INPUT, "input"),
        Contender("bm3d", "bm3d", CLASSICAL, "BM3D"),
        Contender("run/model", "dncnn", LEARNED, "DnCNN"),
        Contender("scunet", "scunet", OURS, "USEnhance"),
        Contender("big", "big", OURS, "USEnhance, big"),
    ]
    scores = {
        "psfhs": {
            "gaussian 0.20": figures(input=15, bm3d=24, dncnn=28, scunet=30, big=31),
            "gaussian 0.25, blur 5": figures(input=14, bm3d=29, dncnn=29.5, scunet=30, big=20),
            "gaussian 0.05": figures(input=26, bm3d=36, dncnn=35, scunet=34, big=34),
        }
    }
    summary = summarise(scores, {"psfhs": ["a", "a", "b"]}, rows, 0)

    assert summary["ours"] == "scunet"
    first = summary["cells"]["psfhs"]["gaussian 0.20"]["differences"]
    assert first["all"]["psnr"]["best"] == "dncnn"
    assert first["all"]["psnr"]["mean"] == pytest.approx(2)
    assert first["classical"]["psnr"]["mean"] == pytest.approx(6)
    assert summary["cells"]["psfhs"]["gaussian 0.05"]["differences"]["all"]["psnr"]["mean"] < 0
    goals = {(goal["where"], goal["metric"]): goal for goal in judge(summary["cells"])}
    networks = goals["heavy Gaussian noise, best other network", "psnr"]
    assert (networks["cells"], networks["reached"]) == (2, 1)
    assert networks["least"]["condition"] == "gaussian 0.25, blur 5"
    filters = goals["heavy end of every family, best filter", "psnr"]
    assert (filters["cells"], filters["reached"]) == (2, 1)
    assert not [where for where, _ in goals if "speckle" in where]
