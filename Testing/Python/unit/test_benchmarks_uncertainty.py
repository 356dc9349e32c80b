"""The benchmarks of the uncertainty map, on made-up frames and untrained networks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from USEnhanceLib import load_enhancer
from USEnhanceLib.benchmarks.calibrate import card_with_section
from USEnhanceLib.benchmarks.registry import run_benchmark
from USEnhanceLib.benchmarks.spread import CONDITIONS, ENSEMBLE, FLIPS, draw_samples
from USEnhanceLib.errors import OptionError
from USEnhanceLib.models import CARD, INFERENCE, find_model, save_model
from USEnhanceLib.networks import SCUNet

SIDE = 32


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two frames of each data set, one to fit and one to measure."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)

    def draw(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        row, column = np.mgrid[:SIDE, :SIDE]
        disc = (row - 16) ** 2 + (column - 12) ** 2 < generator.uniform(5, 10) ** 2
        picture = 60 + 90 * disc + 15 * generator.standard_normal((SIDE, SIDE))
        Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(path)

    for name, group in (("psfhs", "group"), ("hc18", "prefix")):
        rows = [f"id,{group},split", "a,1,train", "b,2,val"]
        for row in rows[1:]:
            draw(folder / name / "image" / f"{row[0]}.png")
        (folder / name / "split.csv").write_text("\n".join(rows) + "\n")
    for index in range(3):
        draw(folder / "natural" / f"kodim{index:02d}.png")
    return folder


def tiny_model(folder: Path, seed: int) -> Path:
    torch.manual_seed(seed)
    card = "# Tiny\n\n## Intended use\nTests.\n"
    save_model(folder, SCUNet(16, [1] * 7, 8), name="tiny", version="0", card=card, licence="A licence.")
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "tiny", 0)


@pytest.fixture
def options(tmp_path_factory: pytest.TempPathFactory, model: Path) -> dict[str, object]:
    cache = tmp_path_factory.getbasetemp() / "kept targets"
    return {"methods": [str(model)], "limit": 1, "size": SIDE, "processes": 1, "cache": str(cache)}


def test_samples_hold_the_plain_spread_of_flips_and_of_the_ensemble(
    data: Path, model: Path, tmp_path: Path, options: dict[str, object]
) -> None:
    other = tiny_model(tmp_path / "other", 1)
    (model / INFERENCE).write_text(json.dumps({"uncertainty_scale": 7}))
    samples = draw_samples(
        data,
        "val",
        str(model),
        [str(other)],
        limit=1,
        size=SIDE,
        seed=0,
        processes=1,
        device="cpu",
        cache=Path(str(options["cache"])),
    )
    assert {(sample.image.dataset, sample.condition) for sample in samples} == {
        (dataset, condition) for dataset in ("psfhs", "hc18") for condition in CONDITIONS
    }
    sample = next(sample for sample in samples if sample.condition == "undegraded")
    frame = sample.image.pixels[None]
    one = load_enhancer(model, "cpu")(frame, uncertainty=True)
    two = load_enhancer(other, "cpu")(frame)
    np.testing.assert_allclose(7 * sample.spreads[FLIPS], one.uncertainty[0], rtol=1e-5)
    np.testing.assert_allclose(sample.spreads[ENSEMBLE], np.abs(one.frames[0] - two.frames[0]) / 2, atol=1e-6)


def test_every_map_is_measured_raw_and_calibrated(
    data: Path, tmp_path: Path, options: dict[str, object]
) -> None:
    other = tiny_model(tmp_path / "other", 1)
    record = run_benchmark(
        "uncertainty",
        data,
        tmp_path / "u.json",
        markdown_path=tmp_path / "u.md",
        ensemble=[str(other)],
        **options,
    )
    assert json.loads((tmp_path / "u.json").read_text())["networks"] == record["networks"]
    facts = record["networks"]["tiny"]
    assert set(facts["fitted_on"]).isdisjoint(facts["measured_on"])
    rows = facts["rows"]
    assert list(rows) == [
        f"{kind}, {way}" for kind in (FLIPS, ENSEMBLE) for way in ("as it is", "calibrated")
    ]
    for kind in (FLIPS, ENSEMBLE):
        raw, fitted = rows[f"{kind}, as it is"], rows[f"{kind}, calibrated"]
        # A calibration that rises with the spread leaves the ranks as they are.
        np.testing.assert_allclose(raw["singles"]["spearman"], fitted["singles"]["spearman"], atol=1e-3)
        truth = 0.9545
        assert abs(fitted["means"]["coverage"][0] - truth) < abs(raw["means"]["coverage"][0] - truth)
        assert len(raw["singles"]["ause"]) == 2 * len(CONDITIONS)
        low, high = raw["means"]["ause"][1:]
        assert low <= raw["means"]["ause"][0] <= high
    text = (tmp_path / "u.md").read_text()
    assert all(f"| {name} |" in text for name in (*rows, *CONDITIONS, "psfhs", "hc18"))


def test_calibration_is_written_where_the_enhancer_and_the_reader_find_it(
    data: Path, model: Path, tmp_path: Path, options: dict[str, object]
) -> None:
    before = find_model(model)
    (model / INFERENCE).write_text(json.dumps({"cpu_tile": 128}))
    record = run_benchmark("calibrate", data, tmp_path / "c.json", **options)
    after = find_model(model)
    assert after.sha256 == before.sha256
    assert after.inference == {
        "cpu_tile": 128,
        "uncertainty_scale": record["uncertainty_scale"],
        "uncertainty_floor": record["uncertainty_floor"],
    }
    truth = 0.9545
    assert abs(record["coverage"]["after"] - truth) < abs(record["coverage"]["before"] - truth)
    assert all(name.endswith("/a") for name in record["images"]), "only training frames"
    card = (model / CARD).read_text()
    assert card.index("# Tiny") < card.index("## Uncertainty") < card.index("## Intended use")
    assert record["command"] in card.replace("\n", " ")

    again = run_benchmark("calibrate", data, tmp_path / "c.json", **options)
    assert again["uncertainty_scale"] == record["uncertainty_scale"]
    assert (model / CARD).read_text() == card

    measured = run_benchmark("uncertainty", data, tmp_path / "u.json", **options)
    shipped = measured["networks"]["tiny"]["rows"]["flips and turns, as the model brings it"]
    assert shipped["scale"] == pytest.approx(record["uncertainty_scale"], abs=1e-4)


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("# M\n", "# M\n\n## Uncertainty\nnew\n"),
        ("# M\n\n## Intended use\nu\n", "# M\n\n## Uncertainty\nnew\n\n## Intended use\nu\n"),
        ("# M\n\n## Uncertainty\nold\n\n## Limits\nl\n", "# M\n\n## Uncertainty\nnew\n\n## Limits\nl\n"),
        ("# M\n\n## Uncertainty\nold\n", "# M\n\n## Uncertainty\nnew\n"),
    ],
)
def test_card_has_one_section_on_uncertainty(card: str, expected: str) -> None:
    assert card_with_section(card, "## Uncertainty\nnew\n") == expected


def test_two_models_are_not_calibrated_at_once(data: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="One model"):
        run_benchmark("calibrate", data, tmp_path / "c.json", methods=["scunet", "scunet"])


def test_an_ensemble_of_a_model_with_itself_is_refused(
    data: Path, tmp_path: Path, options: dict[str, object]
) -> None:
    copy = tiny_model(tmp_path / "copy", 0)
    with pytest.raises(OptionError, match="give models that differ"):
        run_benchmark("uncertainty", data, tmp_path / "u.json", ensemble=[str(copy)], **options)
