"""Tables of resolution, harm, flicker and failures: their targets and figures, and a run on made-up scans."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from USEnhanceLib.benchmarks.contenders import CLASSICAL, INPUT, OURS
from USEnhanceLib.benchmarks.enhance import discs, real_phantoms
from USEnhanceLib.benchmarks.enhance.discs import (
    CONTRASTS,
    DYNAMIC_RANGE,
    RADIUS,
    SEARCHED,
    Ground,
    contrast_kept,
    false_discs,
    real_ground,
    response,
    simulated_grounds,
)
from USEnhanceLib.benchmarks.enhance.drawn_phantoms import LINE_WIDTH, POINT_RADIUS, Blurring, draw_phantoms
from USEnhanceLib.benchmarks.enhance.intervals import cell, interval, table
from USEnhanceLib.benchmarks.enhance.resolution import measure_drawn
from USEnhanceLib.benchmarks.images import BenchmarkImage
from USEnhanceLib.benchmarks.registry import run_benchmark
from USEnhanceLib.models import save_model
from USEnhanceLib.networks import SCUNet

TABLES = ["resolution", "harm", "cine", "failures"]
SIDE = 64
SPECKLE = 0.04


@pytest.fixture(scope="module")
def phantoms():
    return draw_phantoms(seed=0)


@pytest.fixture(scope="module")
def ground():
    return simulated_grounds(seed=0, count=1)[0]


def test_drawn_phantoms_have_their_levels_and_repeat(phantoms):
    again, other = draw_phantoms(seed=0), draw_phantoms(seed=1)

    assert len({phantom.name for phantom in phantoms}) == len(phantoms) == 13
    for first, second, different in zip(phantoms, again, other, strict=True):
        np.testing.assert_array_equal(first.pixels, second.pixels)
        assert (first.pixels != different.pixels).any()
        assert first.pixels.dtype == np.float32
    (edge,) = (phantom for phantom in phantoms if phantom.name == "vertical edge 0.10 to 0.80")
    assert edge.pixels[:, :20].max() == pytest.approx(0.1)
    assert edge.pixels[:, -40:].min() == pytest.approx(0.8)


# Variances in pixels^2 of what is drawn, along a profile; an edge has 0 to 1/4 by its place in a pixel.
PIXEL = 1 / 12
DRAWN_VARIANCE = {"point": POINT_RADIUS**2 / 4 + 2 * PIXEL, "line": (LINE_WIDTH**2 + 1) / 12, "edge": PIXEL}


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 2.7])
def test_width_of_drawn_targets_is_that_of_the_blur_and_of_what_is_drawn(phantoms, sigma):
    figures = measure_drawn(phantoms, [Blurring(sigma, 0.0).degrade(phantom, 0) for phantom in phantoms])
    for entry in figures:
        for kind in entry.keys() - {"grad_mean"}:
            expected = 2.355 * np.sqrt(sigma**2 + DRAWN_VARIANCE[kind])
            assert entry[kind]["fwhm"] == pytest.approx(expected, rel=0.06)
            assert entry[kind]["overshoot"] < 0.01


def test_a_sharpened_phantom_is_narrower_and_overshoots(phantoms):
    blurred = [Blurring(2.0, 0.0).degrade(phantom, 0) for phantom in phantoms]
    sharpened = [frame + 3 * (frame - gaussian_filter(frame, 2)) for frame in blurred]
    for before, after in zip(
        measure_drawn(phantoms, blurred), measure_drawn(phantoms, sharpened), strict=True
    ):
        for kind in before.keys() - {"grad_mean"}:
            assert after[kind]["fwhm"] < 0.9 * before[kind]["fwhm"]
            assert after[kind]["overshoot"] > before[kind]["overshoot"] + 0.03


def test_noise_depends_on_seed_and_faint_targets_are_left_out(phantoms):
    noisy = Blurring(1.0, 0.03)
    first, second = (noisy.degrade(phantoms[-1], seed) for seed in (0, 1))
    figures = measure_drawn(phantoms, [noisy.degrade(phantom, 0) for phantom in phantoms], with_faint=False)

    assert np.std(first - second) == pytest.approx(0.03 * np.sqrt(2), rel=0.05)
    assert [set(entry) == {"grad_mean"} for entry in figures] == [phantom.faint for phantom in phantoms]
    assert sum(phantom.faint for phantom in phantoms) == 3


@pytest.mark.parametrize(("crop", "scale"), [(view, scale) for scale, view in real_phantoms.WIRES_VIEWS])
def test_wire_lines_cross_the_brightest_pixels_of_the_real_scan(data_folder, crop, scale):
    frame = real_phantoms.read_crop(data_folder, real_phantoms.WIRES_FILE, crop, scale)
    lines = real_phantoms.wire_lines(crop, scale)

    assert [direction for direction, _, _ in lines].count(real_phantoms.LATERAL) == 6
    for _, start, end in lines:
        row, column = (round((first + last) / 2) for first, last in zip(start, end, strict=True))
        assert min(*start, *end) >= 0
        assert frame[row, column] > 0.85


def test_cysts_of_the_real_scans_are_darker_than_their_surroundings(data_folder):
    crops = {
        file: real_phantoms.read_crop(data_folder, file, *view) for file, view in real_phantoms.CROPS.items()
    }
    for cyst in real_phantoms.CYSTS:
        frame = crops[cyst.file]
        inside, around = real_phantoms.cyst_regions(cyst, frame.shape)
        assert frame[inside].mean() < 0.7 * frame[around].mean()
        assert not (inside & around).any()


def test_a_place_of_the_file_is_the_middle_of_its_pixel_in_a_shrunk_crop():
    assert real_phantoms.place_in_crop(107, 100, 1) == 7
    assert real_phantoms.place_in_crop(101.5, 100, 4) == 0
    assert real_phantoms.place_in_crop(105.5, 100, 4) == 1


def test_simulated_speckle_is_even_and_has_the_spread_of_rayleigh(ground):
    assert ground.pixels.mean() == pytest.approx(discs.LEVEL, abs=0.01)
    assert ground.pixels.std() == pytest.approx(5.57 / DYNAMIC_RANGE, rel=0.05)


@pytest.mark.parametrize("decibels", [3, -3, 10, -10])
def test_a_disc_has_its_contrast_in_decibels(ground, decibels):
    difference = response(ground.with_disc(decibels), RADIUS) - response(ground.pixels, RADIUS)

    assert difference[ground.centre] == pytest.approx(decibels / DYNAMIC_RANGE, rel=0.02)
    far = difference[:20, :20]
    np.testing.assert_allclose(far, 0, atol=1e-6)


def test_contrast_of_a_disc_kept_halved_and_erased(ground):
    shown = ground.with_disc(6)
    halved = ground.pixels + 0.5 * (shown - ground.pixels)

    assert contrast_kept(ground, shown, ground.pixels, shown) == (pytest.approx(1), True)
    assert contrast_kept(ground, shown, ground.pixels, halved) == (pytest.approx(0.5), True)
    assert contrast_kept(ground, shown, ground.pixels, ground.pixels) == (pytest.approx(0), False)
    smooth, smooth_shown = gaussian_filter(ground.pixels, 3), gaussian_filter(shown, 3)
    assert 0.5 < contrast_kept(ground, shown, smooth, smooth_shown)[0] < 0.9


@pytest.mark.parametrize("sign", [1, -1])
def test_a_disc_that_appears_is_counted_once_and_one_that_fades_is_not(ground, sign):
    whole = np.ones(ground.pixels.shape, bool)
    shown = ground.with_disc(sign * CONTRASTS[1])

    assert false_discs(ground.pixels, shown, RADIUS, whole) == 1
    assert false_discs(ground.pixels, ground.pixels, RADIUS, whole) == 0
    even = replace(ground, pixels=np.full_like(ground.pixels, 0.5))
    assert false_discs(even.pixels, even.with_disc(sign * CONTRASTS[0]), RADIUS, whole) == 1
    assert false_discs(even.with_disc(sign * CONTRASTS[0]), even.pixels, RADIUS, whole) == 0
    outside = whole.copy()
    outside[:, 50:80] = False
    assert false_discs(ground.pixels, shown, RADIUS, outside) == 0


def test_smoothing_speckle_makes_no_disc(ground):
    whole = np.ones(ground.pixels.shape, bool)
    for radius in SEARCHED:
        assert false_discs(ground.pixels, gaussian_filter(ground.pixels, 1.5), radius, whole) == 0


def test_discs_go_where_speckle_is_most_even():
    generator = np.random.default_rng(0)
    frame = 0.4 + SPECKLE * generator.standard_normal((200, 220))
    frame[:, :120] += 0.25 * (np.arange(120) // 10 % 2)
    frame[:90] = 0.9
    image = BenchmarkImage("psfhs", "psfhs/1", "1", np.clip(frame, 0, 1).astype(np.float32))
    chosen = real_ground(image)

    assert chosen.pixels.shape == (128, 128)
    row, column = chosen.centre
    reach = int(RADIUS + discs.MARGIN + discs.RING)
    around = chosen.pixels[row - reach : row + reach + 1, column - reach : column + reach + 1]
    assert around.shape == (2 * reach + 1,) * 2
    assert around.std() == pytest.approx(SPECKLE, rel=0.15)
    assert isinstance(chosen, Ground)


def test_intervals_leave_out_what_could_not_be_measured():
    figures = interval([1.0, None, 3.0, float("nan")], ["a", "b", "c", "d"])

    assert figures["mean"] == 2
    assert figures["count"] == 2
    assert interval([None, float("nan")]) is None
    assert cell(None, 2) == ""
    assert cell({"mean": 0.1, "low": -0.2, "high": 0.3}, 0, factor=100, sign="+") == "+10 [-20, +30]"
    assert table("A", [("k", "Title")], ["x"], lambda key, column: None, 1) == [
        "| A | x |",
        "|---|---|",
        "| Title |  |",
    ]


def _save_grey(frame, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.rint(255 * np.clip(frame, 0, 1)).astype(np.uint8)).save(path)


def _save_scan(frame, path):
    """A scan as an ultrasound DICOM file of one grey frame."""
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.6.1"
    dataset.SOPInstanceUID, dataset.Modality = generate_uid(), "US"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = frame.shape
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    data = np.rint(255 * np.clip(frame, 0, 1)).astype(np.uint8).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OB"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True, implicit_vr=False, little_endian=True)


def _speckle(shape, generator):
    return 0.4 + SPECKLE * generator.standard_normal(shape)


def _draw_cysts(frame, file):
    row, column = np.ogrid[: frame.shape[0], : frame.shape[1]]
    for cyst in real_phantoms.CYSTS:
        if cyst.file == file:
            frame[np.hypot(row - cyst.row, column - cyst.column) < cyst.radius] *= 0.3


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder of made-up frames and scans, with wires and cysts at the places of the real ones."""
    import SimpleITK

    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    row, column = np.mgrid[:SIDE, :SIDE]
    for name, group, value in (("psfhs", "group", 1), ("hc18", "prefix", 2)):
        lines = [f"id,{group},split"]
        for index in range(2):
            lines.append(f"{index:05d},{index},val")
            head = np.hypot(row - 40, column - 30 - index) < 14
            frame = _speckle((SIDE, SIDE), generator) + 0.2 * head
            _save_grey(frame, folder / name / "image" / f"{index:05d}.png")
            _save_grey(head * value / 255, folder / name / "label" / f"{index:05d}.png")
        (folder / name / "split.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for index in range(3):
        _save_grey(_speckle((SIDE, SIDE), generator), folder / "natural" / f"kodim{index:02d}.png")

    for file in (real_phantoms.WIRES_FILE, real_phantoms.CYSTS_FILE):
        frame = _speckle((1455, 2083), generator)
        _draw_cysts(frame, file)
        if file == real_phantoms.WIRES_FILE:
            points = np.zeros(frame.shape)
            for wire in real_phantoms.WIRES:
                points[wire.row, wire.column] = 1
            spread = gaussian_filter(points, (6, 12))
            frame += 0.5 * spread / spread.max()
        _save_scan(frame, folder / file)
    frame = _speckle((512, 512), generator)
    _draw_cysts(frame, real_phantoms.PLAIN_FILE)
    image = SimpleITK.GetImageFromArray(np.rint(255 * np.clip(frame, 0, 1)).astype(np.uint8))
    SimpleITK.WriteImage(image, str(folder / real_phantoms.PLAIN_FILE))
    return folder


@pytest.fixture(scope="module")
def measured(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    torch.manual_seed(0)
    network = SCUNet(dim=8, config=[1] * 7, head_dim=4)
    save_model(folder / "tiny", network, name="tiny", version="0", card="# Tiny\n", licence="Apache-2.0\n")
    record = run_benchmark(
        "enhance",
        data,
        folder / "enhance.json",
        markdown_path=folder / "enhance.md",
        tables=TABLES,
        methods=["median", str(folder / "tiny")],
        limit=2,
        processes=1,
        cache=folder / "cache",
    )
    return record, folder


def test_record_holds_all_tables_and_rows(measured):
    record, folder = measured

    assert json.loads((folder / "enhance.json").read_text(encoding="utf-8")) == record
    for name in ("resolution", "harm", "cine"):
        rows = record["tables"][name]["rows"]
        assert [key for key, _, _ in rows] == ["input", "median", "tiny"]
        assert [role for _, _, role in rows] == [INPUT, CLASSICAL, OURS]
    text = (folder / "enhance.md").read_text(encoding="utf-8")
    assert "| Median | +" in text
    for title in ("## Resolution", "## Do no harm", "## Flicker of a cine", "## Where it gains least"):
        assert title in text
    assert "None" not in text
    assert "nan" not in text.lower()


def test_the_median_erases_points_and_widens_lines(measured):
    drawn = measured[0]["tables"]["resolution"]["drawn_summary"]["blur 1.0"]

    assert drawn["median"]["line change"]["mean"] > 0.05
    assert drawn["median"]["point contrast"]["mean"] < 0.9 * drawn["input"]["point contrast"]["mean"]
    assert drawn["input"]["line change"]["mean"] == 0


def test_wires_have_the_width_that_they_were_drawn_with(measured):
    real = measured[0]["tables"]["resolution"]["real_summary"]
    for scale, figures in real.items():
        for direction, sigma in (("lateral", 12), ("axial", 6)):
            expected = np.hypot(2.355 * sigma, 2.355 * int(scale) / np.sqrt(12))
            assert figures["input"][f"{direction} fwhm"]["mean"] == pytest.approx(expected, rel=0.12)


def test_the_input_does_itself_no_harm(measured):
    harm = measured[0]["tables"]["harm"]
    summary = harm["summary"]["input"]

    assert {name: figures["mean"] for name, figures in summary["means"].items()} == dict.fromkeys(
        summary["means"], 0
    )
    assert "psfhs pubic symphysis" in summary["means"]
    assert "hc18 fetal head" in summary["means"]
    assert summary["grad_max"]["mean"] == summary["epi"]["mean"] == 1
    assert summary["first_change"]["mean"] == 0
    assert all(figures["mean"] == 1 for figures in summary["discs"].values() if figures)
    assert all(found["count"] == 0 for found in summary["false_discs"].values())
    assert all(cyst["gcnr"] > 0.9 for cyst in harm["results"]["input"]["cysts"])


def test_the_median_changes_a_frame_less_the_second_time(measured):
    median = measured[0]["tables"]["harm"]["summary"]["median"]

    assert 0 < median["second_change"]["mean"] < median["first_change"]["mean"]
    assert median["calmer"] == 4
    assert median["grad_mean"]["mean"] < 1


def test_flicker_of_the_cine_goes_down_with_the_median(measured):
    cine = measured[0]["tables"]["cine"]
    before, after = cine["results"]["input"], cine["results"]["median"]

    assert cine["frames"] == 2
    assert cine["pixels"] > 1000
    assert after["flicker"]["mean"] < before["flicker"]["mean"]
    assert after["following"] == pytest.approx(1, abs=0.01)


def test_failures_are_ranked_and_drawn(measured):
    record, folder = measured
    failures = record["tables"]["failures"]
    gains = [failures["cases"][place]["gain"] for place in failures["lowest"]]

    assert failures["method"] == "tiny"
    assert failures["count"] == len(failures["lowest"]) == 5
    assert gains == sorted(gains)
    for case in failures["cases"]:
        assert case["gain"] == pytest.approx(case["psnr_after"] - case["psnr_before"], abs=2e-4)
        assert min(other["gain"] for other in failures["cases"] if other["name"] == case["name"]) in gains
    with Image.open(folder / failures["picture"]) as sheet:
        assert sheet.width == 4 * 300
        assert sheet.height > 5 * 300
