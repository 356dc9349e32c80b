"""`usenhance enhance ... --distrust FILE`: the label image of what is not to be trusted."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import SimpleITK
import torch
from pydicom.data import get_testdata_file

from USEnhanceLib import load_enhancer, read_frames
from USEnhanceLib.cli import main
from USEnhanceLib.enhancement.distrust import distrusted
from USEnhanceLib.models import INFERENCE, save_model
from USEnhanceLib.networks import SCUNet


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a tiny untrained network, whose own threshold is the middle of its uncertainty."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    network = SCUNet(dim=8, config=[1, 0, 0, 0, 0, 0, 0], head_dim=4)
    save_model(folder, network, name="tiny", version="1", card="c", licence="l")
    spread = load_enhancer(folder, "cpu")(draw((1, 64, 72)) / np.float32(255), uncertainty=True).uncertainty
    above = float(np.median(spread[spread > 0]))
    (folder / INFERENCE).write_text(json.dumps({"distrust_above": above}))
    return folder


def draw(shape):
    """Return speckle inside a disc on black, so that there is a sector and an outside."""
    speckle = np.random.default_rng(0).rayleigh(60, shape)
    row, column = np.mgrid[: shape[-2], : shape[-1]]
    disc = np.hypot(row - shape[-2] / 2, column - shape[-1] / 2) < min(shape[-2:]) / 2 - 2
    return np.clip(speckle * disc, 0, 255).astype(np.uint8)


def write(path, array):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(path))
    return path


@pytest.fixture
def enhance(model, capsys):
    """Runs the command; returns its exit code, and what it printed on stdout and stderr."""

    def run(source, target, *words):
        code = main([str(word) for word in ("enhance", source, target, "--method", model, *words)])
        return code, *capsys.readouterr()

    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_labels_lie_where_the_frames_lie(enhance, model, tmp_path):
    source = write(tmp_path / "stack.nrrd", draw((3, 64, 72)))
    code, out, _ = enhance(source, tmp_path / "out.nrrd", "--distrust", tmp_path / "labels.nrrd")
    assert code == 0
    assert names(tmp_path) == ["labels.nrrd", "out.nrrd", "stack.nrrd"]
    frames, labels = read_frames(source), read_frames(tmp_path / "labels.nrrd")
    result = load_enhancer(model)(frames.pixels, uncertainty=True)
    above = result.parameters["distrust_above"]
    expected = distrusted(result.uncertainty, above, frames.sector)
    assert labels.source.dtype == np.uint8
    np.testing.assert_array_equal(labels.source, expected)
    assert 0 < expected.sum() < np.broadcast_to(frames.sector, expected.shape).sum()
    assert labels.geometry.spacing == pytest.approx(frames.geometry.spacing)
    assert float(labels.attributes["USEnhance.DistrustAbove"]) == pytest.approx(above, rel=1e-5)
    assert labels.attributes["USEnhance.Method"] == "tiny"
    assert "of 255 grey levels" in out
    assert f"{tmp_path / 'labels.nrrd'}\n" in out


def test_the_enhanced_frames_and_the_uncertainty_are_the_same_with_and_without(enhance, tmp_path):
    source = write(tmp_path / "stack.nrrd", draw((2, 64, 72)))
    words = ("--uncertainty", tmp_path / "u1.nrrd")
    assert enhance(source, tmp_path / "o1.nrrd", *words)[0] == 0
    words = ("--uncertainty", tmp_path / "u2.nrrd", "--distrust", tmp_path / "d2.nrrd")
    assert enhance(source, tmp_path / "o2.nrrd", *words)[0] == 0
    for name in ("o", "u"):
        first, second = (read_frames(tmp_path / f"{name}{number}.nrrd").source for number in (1, 2))
        np.testing.assert_array_equal(first, second)


def test_the_labels_of_a_single_frame_are_a_picture(enhance, tmp_path):
    source = write(tmp_path / "frame.png", draw((64, 72)))
    assert enhance(source, tmp_path / "o.png", "--distrust", tmp_path / "labels.png")[0] == 0
    labels = SimpleITK.ReadImage(str(tmp_path / "labels.png"))
    assert labels.GetSize() == (72, 64)
    assert set(np.unique(SimpleITK.GetArrayFromImage(labels))) == {0, 1}


def test_the_labels_along_another_axis_lie_like_the_volume(enhance, tmp_path):
    source = write(tmp_path / "sweep.nrrd", draw((64, 3, 72)))
    words = ("--axis", "j", "--distrust", tmp_path / "labels.nrrd")
    assert enhance(source, tmp_path / "o.nrrd", *words)[0] == 0
    assert read_frames(tmp_path / "labels.nrrd").source.shape == (64, 3, 72)


@pytest.mark.parametrize("room", [10_000, 60_000, 150_000])
def test_a_full_disk_leaves_no_file(room, enhance, tmp_path):
    """Labels take 25 kB, the uncertainty 98 kB, the enhanced frames 197 kB."""
    resource = pytest.importorskip("resource", reason="Windows has no limit on the size of files")
    source = write(tmp_path / "frames.nrrd", np.random.default_rng(0).random((6, 64, 64)))
    words = ("--uncertainty", tmp_path / "u.nrrd", "--distrust", tmp_path / "labels.nrrd")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        code, _, error = enhance(source, tmp_path / "out.nrrd", *words)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 1
    assert "could not be written" in error
    assert names(tmp_path) == ["frames.nrrd"]


def test_a_method_without_an_uncertainty_is_refused_before_the_input_is_read(enhance, tmp_path):
    words = ("--method", "lee", "--distrust", tmp_path / "labels.nrrd")
    code, _, error = enhance(tmp_path / "missing.nrrd", tmp_path / "out.nrrd", *words)
    assert code == 2
    assert "lee gives no uncertainty" in error
    assert names(tmp_path) == []


def test_labels_beside_dicom_are_refused_as_dicom_before_any_work(enhance, tmp_path):
    cine = get_testdata_file("examples_ybr_color.dcm", download=False)
    if cine is None:
        pytest.skip("this pydicom does not ship the ultrasound cine")
    source = shutil.copy(cine, tmp_path / "cine.dcm")
    code, out, error = enhance(source, tmp_path / "out.nrrd", "--distrust", tmp_path / "labels.dcm")
    assert code == 2
    assert "labels.dcm cannot be DICOM" in error
    assert out == ""
    assert names(tmp_path) == ["cine.dcm"]
