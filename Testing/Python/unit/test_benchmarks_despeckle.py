"""The benchmark of the diffusion, on small simulated sets and untrained networks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from USEnhanceLib.benchmarks.despeckle import calibrate, methods, run, test_sets, uncertainty
from USEnhanceLib.benchmarks.despeckle.figures import measure_frame, tissues
from USEnhanceLib.benchmarks.despeckle.real_frames import measure as measure_real
from USEnhanceLib.benchmarks.despeckle.real_frames import render as render_real
from USEnhanceLib.benchmarks.despeckle.sampling import WAYS
from USEnhanceLib.benchmarks.despeckle.spread import block_means, draw_samples, uncalibrated
from USEnhanceLib.benchmarks.despeckle.test_sets import TestPair, TestSet, simulated
from USEnhanceLib.benchmarks.registry import run_benchmark
from USEnhanceLib.enhancement import load_enhancer
from USEnhanceLib.enhancement.calibration import FLOOR, SCALE, SHIFTED
from USEnhanceLib.enhancement.domain import DOMAIN, STATISTICS
from USEnhanceLib.errors import OptionError
from USEnhanceLib.models import CARD, INFERENCE, find_model, save_model
from USEnhanceLib.networks import DiffusionEnsemble, DiffusionUNet

TINY = {"channels": [8, 16], "groups": 4, "head_channels": 8}
SETTINGS = {
    "times": 20,
    "level": 50 / 255,
    "remainder": 0.005,
    "prediction": "velocity",
    "sampler": "mean",
    "steps": 2,
    "cpu_tile": 192,
    "gpu_tile": 512,
}
PROBES = ("L11-5v", "P4-2v")


def save(folder: Path, network: torch.nn.Module) -> Path:
    save_model(
        folder,
        network,
        name="tiny",
        version="0",
        card="# Tiny\n\n## Intended use\nTests.\n",
        licence="CC BY 4.0",
        inference=SETTINGS,
        details={},
    )
    return folder


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = DiffusionEnsemble(3, **TINY)
    # A fresh U-Net answers zero: members that differ are asked for.
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    return save(tmp_path_factory.mktemp("models") / "tiny", network)


@pytest.fixture(scope="module")
def data(drawn_mri: Path) -> Path:
    return drawn_mri


@pytest.fixture(scope="module")
def small_sets() -> pytest.MonkeyPatch:
    """Sets of few pairs of 48 x 48 pixels and two probes instead of hundreds."""
    with pytest.MonkeyPatch.context() as patch:
        reference = TestSet("reference", PROBES[:1], 3, 48, "test", 1)
        others = TestSet("others", PROBES[1:], 2, 48, "test", 2)
        large = TestSet("large", PROBES, 2, 64, "test", 3)
        validation = TestSet("validation", PROBES, 4, 48, "val", 4)
        for module in (methods, uncertainty, run.probe_shift, run.sampling, calibrate):
            for name, value in (
                ("REFERENCE_SET", reference),
                ("OTHERS_SET", others),
                ("LARGE_SET", large),
                ("VALIDATION_SET", validation),
                ("SETS", (reference, others, large)),
            ):
                if hasattr(module, name):
                    patch.setattr(module, name, value)
        yield patch


@pytest.fixture(scope="module")
def record(
    ensemble: Path, data: Path, small_sets: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict, Path]:
    folder = tmp_path_factory.mktemp("out")
    torch.manual_seed(1)
    single = save(folder / "single", DiffusionUNet(**TINY))
    found = run_benchmark(
        "despeckle",
        data,
        folder / "record.json",
        markdown_path=folder / "record.md",
        tables=["methods", "sampling", "uncertainty", "shift"],
        methods=[str(ensemble), "median", "lee"],
        single=str(single),
        processes=1,
    )
    return found, folder


def test_every_method_is_measured_on_every_pair(record):
    found, _ = record
    table = found["tables"]["methods"]
    assert [key for key, _ in table["rows"]] == ["input", "tiny", "median", "lee"]
    assert {name: len(entry["probes"]) for name, entry in table["sets"].items()} == {
        "reference": 3,
        "others": 2,
        "large": 2,
    }
    for entry in table["sets"].values():
        for figures in entry["figures"].values():
            assert all(one["psnr"] > 5 and one["ssim"] is not None for one in figures)
    # Filters that were tuned for it come closer to the truth than the speckled frame.
    summary = table["summary"]["reference"]
    assert summary["median"]["L11-5v"]["psnr"]["mean"] > summary["input"]["L11-5v"]["psnr"]["mean"] + 1


def test_no_subject_of_the_tests_is_among_those_of_validation(data, small_sets, tmp_path):
    subjects = {
        split: {
            pair.subject for pair in simulated(data, TestSet(split, PROBES[:1], 4, 32, split, 9), tmp_path)
        }
        for split in ("test", "val", "train")
    }
    assert not subjects["test"] & subjects["val"]
    assert not subjects["test"] & subjects["train"]


def test_every_way_of_sampling_is_timed_and_compared(record):
    table = record[0]["tables"]["sampling"]
    assert len(table["ways"]) == len(WAYS)
    assert table["ways"]["posterior"]["evaluations"] == SETTINGS["times"]
    assert table["summary"]["posterior"]["psnr_difference"]["mean"] == 0
    assert table["summary"]["mean 1"]["speed_up"] > 2
    assert table["gigaflops"] > 0


def test_uncertainty_is_measured_by_probe_and_shifted(record):
    parts = record[0]["tables"]["uncertainty"]["parts"]
    assert set(parts) == {"all probes", *PROBES, *test_sets.SHIFTS}
    assert parts["all probes"]["count"] == 5
    assert all(parts[name]["count"] == 5 for name in test_sets.SHIFTS)
    for entry in parts.values():
        assert -1 <= entry["maps"][uncertainty.SHOWN]["pearson"]["mean"] <= 1


def test_probes_are_compared_by_their_gains(record):
    table = record[0]["tables"]["shift"]
    assert list(table["summary"]) == list(PROBES)
    gains = table["gains"]
    saved = np.array(gains["diversified"]) - np.array(gains["single"])
    assert table["summary"]["P4-2v"]["saved"]["mean"] == pytest.approx(saved[3:].mean(), abs=1e-3)


def test_the_record_and_its_tables_are_written(record):
    found, folder = record
    assert json.loads((folder / "record.json").read_text())["tables"].keys() == found["tables"].keys()
    text = (folder / "record.md").read_text()
    for title in ("Table 1", "Table 2", "Table 3", "### L11-5v, 3 pairs", "256 x 256"):
        assert title in text
    assert str(folder) not in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tables": ["speed"]}, "no table 'speed'"),
        ({"tables": ["shift"]}, "--single"),
        ({"tables": ["shift"], "single": "median"}, "median is no diffusion"),
        ({"tables": ["shift"], "single": "nowhere"}, "nowhere"),
        ({"methods": ["median"]}, "no diffusion"),
        ({"methods": ["scunet"]}, "no diffusion"),
    ],
)
def test_wrong_requests_are_refused(ensemble, data, tmp_path, options, message):
    with pytest.raises(OptionError, match=message):
        run_benchmark("despeckle", data, tmp_path / "r.json", **{"methods": [str(ensemble)], **options})


def half_and_half() -> TestPair:
    clean = np.full((40, 40), 0.2, np.float32)
    clean[:, 20:] = 0.7
    noise = np.random.default_rng(0).normal(0, 0.05, clean.shape).astype(np.float32)
    sector = np.ones((40, 40), bool)
    sector[:4] = False
    return TestPair("L11-5v", "drawn/0", clean + noise, clean, sector)


def test_figures_of_a_perfect_frame_and_of_the_speckled_one():
    pair = half_and_half()
    perfect, speckled = measure_frame(pair.clean, pair), measure_frame(pair.speckled, pair)
    assert perfect["psnr"] is None or perfect["psnr"] > 90
    assert perfect["ssim"] == pytest.approx(1)
    assert perfect["epi"] == pytest.approx(1)
    assert perfect["gcnr"] == pytest.approx(1)
    difference = (pair.speckled - pair.clean)[pair.sector]
    assert speckled["psnr"] == pytest.approx(-10 * np.log10((difference**2).mean()), abs=1e-3)
    assert 0.9 < speckled["gcnr"] <= 1
    # Means .5 apart, deviations of .05.
    assert speckled["cnr"] == pytest.approx(20, abs=1)


def test_what_lies_outside_the_sector_does_not_count():
    pair = half_and_half()
    spoilt = pair.speckled.copy()
    spoilt[:4] = 1
    kept, found = measure_frame(pair.speckled, pair), measure_frame(spoilt, pair)
    assert found["psnr"] == kept["psnr"]
    assert found["cnr"] == kept["cnr"]
    assert found["epi"] == kept["epi"]


def test_tissues_are_the_darkest_and_the_brightest_without_their_border():
    dark, bright = tissues(half_and_half())
    assert dark[20, 10]
    assert bright[20, 30]
    assert not dark[:, 18:].any()
    assert not bright[:, :22].any()
    assert not (dark | bright)[:4].any()


def test_blocks_lie_inside_the_sector():
    values = np.kron(np.arange(25, dtype=np.float32).reshape(5, 5), np.ones((8, 8), np.float32))
    sector = np.ones((40, 40), bool)
    sector[:, 35:] = False
    means = block_means(np.pad(values, ((0, 3), (0, 0))), np.pad(sector, ((0, 3), (0, 0))))
    assert means.tolist() == [value for value in range(25) if value % 5 < 4]


def test_magnified_pairs_keep_what_they_show():
    pair = half_and_half().magnified(1.5)
    assert pair.clean.shape == pair.speckled.shape == pair.sector.shape == (60, 60)
    assert pair.clean[30, 10] == pytest.approx(0.2)
    assert pair.clean[30, 50] == pytest.approx(0.7)
    assert not pair.sector[:5].any()


def test_the_ceiling_is_what_exact_deviations_reach():
    rng = np.random.default_rng(0)
    deviations = rng.gamma(2, 0.02, 400_000)
    errors = np.abs(rng.normal(0, deviations))
    assert uncertainty.ceiling(deviations) == pytest.approx(np.corrcoef(deviations, errors)[0, 1], abs=0.01)
    assert uncertainty.ceiling(np.full(10, 0.1)) == 0


def test_calibration_and_domain_are_written_where_the_enhancer_finds_them(
    ensemble, data, small_sets, tmp_path
):
    network = DiffusionEnsemble(3, **TINY)
    network.load_state_dict(load_enhancer(ensemble)._network.state_dict())
    folder = save(tmp_path / "own", network)
    small_sets.setattr(calibrate, "DOMAIN_PAIRS", 12)
    small_sets.setattr(calibrate, "PROBES", [probe for probe in test_sets.PROBES if probe.name in PROBES])
    found = run_benchmark("calibrate", data, tmp_path / "c.json", methods=[str(folder)], processes=1)
    settings = json.loads((folder / INFERENCE).read_text())
    assert settings[SCALE] == found["settings"][SCALE]
    assert settings.keys() >= {SCALE, FLOOR, SCALE + SHIFTED, FLOOR + SHIFTED, DOMAIN, *SETTINGS}
    assert settings[DOMAIN].keys() == STATISTICS.keys()
    card = (folder / CARD).read_text()
    assert card.index("## Uncertainty") < card.index("## Intended use")

    frame = np.random.default_rng(0).random((1, 64, 64), np.float32)
    plain = load_enhancer(ensemble)(frame, uncertainty=True)
    result = load_enhancer(folder)(frame, uncertainty=True)
    assert any("lies outside what own was trained on" in note for note in result.notes)
    expected = settings[SCALE + SHIFTED] * plain.uncertainty + settings[FLOOR + SHIFTED]
    np.testing.assert_allclose(result.uncertainty, expected, rtol=1e-5)
    assert result.parameters[SCALE + SHIFTED] == settings[SCALE + SHIFTED]

    model = find_model(folder)
    assert uncalibrated(model).inference.keys() == {*SETTINGS, DOMAIN}
    pair = replace(half_and_half(), sector=np.ones((40, 40), bool))
    (sample,) = draw_samples([pair], str(folder), processes=1, device="cpu")
    shown = load_enhancer(folder)(pair.speckled[None], uncertainty=True).uncertainty[0]
    np.testing.assert_allclose(sample.shown.reshape(40, 40), shown, rtol=1e-5)


def test_real_frames_are_measured(ensemble, data_folder, tmp_path):
    found = measure_real(
        data_folder, [str(ensemble)], limit=1, seed=0, processes=1, device="cpu", cache=tmp_path / "answers"
    )
    assert set(found["summary"]["input"]) == {"psfhs", "hc18"}
    assert found["summary"]["input"]["psfhs"]["mean"] > 1
    assert "SNR of even speckle" in render_real(found)
