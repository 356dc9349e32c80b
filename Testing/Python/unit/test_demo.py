"""The demonstration: its files, its figures and what they are computed from."""

from __future__ import annotations

import hashlib
import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from pydicom.data import get_testdata_file

from USEnhanceLib import read_frames
from USEnhanceLib.cli import main
from USEnhanceLib.demo.comparison import compare, speckle_contrast, temporal_flicker
from USEnhanceLib.demo.drawing import ACCENT, DARKER, difference_colours, strip
from USEnhanceLib.demo.sheet import detail_window
from USEnhanceLib.models import save_model
from USEnhanceLib.networks import SCUNet

CINE = Path(get_testdata_file("examples_ybr_color.dcm", download=False))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a tiny network that leaves most of the picture as it is."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    network = SCUNet(dim=8, config=[1] * 7, head_dim=4)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        # The first channel carries the picture past the U-Net; a small blur makes the change.
        network.m_head[0].weight[0, 0] = 1 / 9
        network.m_tail[0].weight[0, 0, 1, 1] = 1
    save_model(folder, network, name="tiny", version="7", card="# Tiny\n", licence="Apache-2.0\n")
    return folder


@pytest.fixture(scope="module")
def demonstration(model, tmp_path_factory):
    """The folder that the demonstration made, where none was before, and what it printed."""
    out = tmp_path_factory.mktemp("out") / "new" / "demo"
    with redirect_stdout(io.StringIO()) as printed:
        assert main(["demo", "--out", str(out), "--method", str(model), "--device", "cpu"]) == 0
    return out, printed.getvalue()


@pytest.fixture(scope="module")
def demo(demonstration):
    return demonstration[0]


@pytest.fixture(scope="module")
def figures(demo):
    return json.loads((demo / "figures.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def cine():
    return read_frames(CINE)


def test_demo_writes_its_four_files_and_nothing_else(demo):
    found = sorted(path.name for path in demo.iterdir())
    assert found == ["before-after.gif", "contact-sheet.png", "enhanced.nrrd", "figures.json"]


def test_sequence_is_the_cine_enhanced_inside_the_sector(demo, cine):
    enhanced = read_frames(demo / "enhanced.nrrd")
    assert enhanced.source.shape == cine.source.shape
    assert enhanced.source.dtype == cine.source.dtype
    changed = (enhanced.source != cine.source).any(axis=-1)
    assert changed[:, cine.sector].mean() > 0.1
    assert not changed[:, ~cine.sector].any()
    assert enhanced.attributes["USEnhance.Method"] == "tiny"


def test_animation_has_every_frame_twice(demo, cine):
    count, height, width = cine.pixels.shape
    with Image.open(demo / "before-after.gif") as animation:
        assert animation.n_frames == count
        assert animation.info["loop"] == 0
        picture = np.asarray(next(ImageSequence.Iterator(animation)).convert("L"), dtype=float)
    frame_height = round(picture.shape[0] - 30)
    assert picture.shape[1] / frame_height == pytest.approx(2 * width / height, rel=0.02)
    halves = picture[30:, : picture.shape[1] // 2], picture[30:, -(picture.shape[1] // 2) :]
    shown = np.asarray(Image.fromarray(cine.source[0]).convert("L").resize((480, 360)), dtype=float)
    before, after = (
        np.corrcoef(half[:, :480].ravel(), shown[:, : half.shape[1]].ravel())[0, 1] for half in halves
    )
    assert before > after > 0.9
    assert (demo / "before-after.gif").stat().st_size < 3e6


def test_contact_sheet_shows_frames_and_captions(demo):
    with Image.open(demo / "contact-sheet.png") as sheet:
        assert sheet.mode == "RGB"
        assert min(sheet.size) > 1000
        colours = {colour for _, colour in sheet.getcolors(maxcolors=sheet.width * sheet.height)}
    assert ACCENT in colours
    assert len(colours) > 200


def test_figures_name_data_licence_machine_and_command(figures, model):
    assert figures["command"].startswith("usenhance demo")
    assert figures["input"]["sha256"] == hashlib.sha256(CINE.read_bytes()).hexdigest()
    assert "MIT" in figures["input"]["licence"]
    assert figures["input"]["frames"] == 30
    metadata = json.loads((model / "configs" / "metadata.json").read_text())
    assert figures["model"]["sha256"] == metadata["sha256"]
    assert figures["model"]["version"] == "7"
    assert figures["device"] == "cpu"
    assert figures["frames_per_second"] == pytest.approx(30 / figures["seconds"]["enhance_only"])
    assert figures["peak_memory_bytes"] > 1e7
    assert figures["machine"]["torch"] == torch.__version__


def test_figures_vouch_for_the_files(figures, demo):
    assert set(figures["files"]) == {"before-after.gif", "contact-sheet.png", "enhanced.nrrd"}
    for name, facts in figures["files"].items():
        assert facts["sha256"] == hashlib.sha256((demo / name).read_bytes()).hexdigest()


def test_figures_are_those_of_the_written_file(figures, demo, cine):
    enhanced = read_frames(demo / "enhanced.nrrd")
    outside = figures["outside_sector"]
    assert outside == {"bit_identical": True, "pixels": int(30 * (~cine.sector).sum()), "changed_pixels": 0}
    assert figures["geometry_unchanged"] is figures["colour_unchanged"] is True
    assert figures["type_and_size_unchanged"] is True
    flicker = figures["temporal_flicker"]
    assert flicker["before"] == temporal_flicker(cine.pixels, cine.sector)
    assert flicker["after"] == temporal_flicker(enhanced.pixels, cine.sector)
    # A blur lowers both.
    assert flicker["change_percent"] < 0
    assert figures["speckle_contrast"]["change_percent"] < 0


def test_demo_says_what_it_found_and_where_its_files_are(demonstration):
    folder, printed = demonstration
    for path in folder.iterdir():
        assert f"{path}\n" in printed
    assert "bit-identical outside the scan sector" in printed
    assert "cpu (CPU" in printed


# -- figures, on frames whose answer is known


def test_a_changed_pixel_outside_the_sector_is_counted(cine):
    source = cine.source.copy()
    row, column = np.argwhere(~cine.sector)[100]
    source[3, row, column, 1] ^= 1
    changed = read_frames(CINE)
    object.__setattr__(changed, "source", source)
    found = compare(cine, changed)
    assert found["outside_sector"]["changed_pixels"] == 1
    assert found["outside_sector"]["bit_identical"] is False
    assert found["colour_unchanged"] is False


def test_flicker_is_the_mean_change_from_frame_to_frame_inside_the_sector():
    pixels = np.zeros((3, 4, 4), dtype=np.float32)
    pixels[1] = 0.5
    pixels[:, 0] = np.array([0, 1, 0], dtype=np.float32)[:, None]
    sector = np.ones((4, 4), dtype=bool)
    sector[0] = False
    assert temporal_flicker(pixels, sector) == pytest.approx(0.5)


def test_speckle_contrast_of_noise_is_its_deviation_over_its_mean():
    noise = np.random.default_rng(0).normal(0.5, 0.05, (2, 80, 80)).astype(np.float32)
    sector = np.ones((80, 80), dtype=bool)
    assert speckle_contrast(noise, sector, noise) == pytest.approx(0.1, rel=0.03)
    assert speckle_contrast(np.full_like(noise, 0.5), sector, noise) == pytest.approx(0, abs=1e-6)


def test_speckle_contrast_leaves_dark_windows_out():
    noise = np.random.default_rng(0).normal(0.5, 0.05, (1, 80, 80)).astype(np.float32)
    dark = noise.copy()
    dark[:, :, 30:] = np.random.default_rng(1).random((1, 80, 50)) * 0.01
    sector = np.ones((80, 80), dtype=bool)
    assert speckle_contrast(dark, sector, dark) == pytest.approx(0.1, rel=0.15)
    assert speckle_contrast(np.zeros_like(dark), sector, np.zeros_like(dark)) == 0


def test_differences_are_blue_below_and_orange_above():
    colours = difference_colours(np.array([[-9.0, -4.0, 0.0, 4.0]]), 4.0)
    assert [tuple(colour) for colour in colours[0]] == [DARKER, DARKER, (0, 0, 0), ACCENT]


def test_detail_is_inside_the_frame_and_mostly_inside_the_sector(cine):
    rows, columns = detail_window(cine, 15)
    assert 0 <= rows.start < rows.stop <= cine.pixels.shape[1]
    assert 0 <= columns.start < columns.stop <= cine.pixels.shape[2]
    assert cine.sector[rows, columns].mean() > 0.8


def test_long_captions_stay_within_their_strip():
    picture = np.asarray(strip(300, 24, "a long caption " * 4, "and another one " * 3))
    assert len(np.unique(picture[:, -4:].reshape(-1, 3), axis=0)) == 1
