"""The command `usenhance`, called in this process: what it does, what it refuses, how it ends."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import torch
from PIL import Image
from pydicom.data import get_testdata_file

from USEnhanceLib import load_enhancer, read_frames
from USEnhanceLib.cli import main
from USEnhanceLib.cli.failures import exit_code, sentence
from USEnhanceLib.models import SHIPPED, WEIGHTS, save_model
from USEnhanceLib.networks import SCUNet


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a tiny untrained network."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    network = SCUNet(dim=8, config=[1] * 7, head_dim=4)
    save_model(folder, network, name="tiny", version="7", card="# Tiny\n", licence="Apache-2.0\n")
    return folder


def draw(shape, dtype=np.uint8):
    """Return speckle inside a disc on black, so that there is a sector and an outside."""
    speckle = np.random.default_rng(0).rayleigh(60, shape)
    row, column = np.mgrid[: shape[-2], : shape[-1]]
    disc = np.hypot(row - shape[-2] / 2, column - shape[-1] / 2) < min(shape[-2:]) / 2 - 2
    return np.clip(speckle * disc, 0, 255).astype(dtype)


def write(path, array, spacing=None):
    """Write an array with SimpleITK."""
    image = SimpleITK.GetImageFromArray(array)
    if spacing is not None:
        image.SetSpacing(spacing)
    SimpleITK.WriteImage(image, str(path))
    return path


@pytest.fixture
def stack(tmp_path):
    """Three small frames in a file."""
    return write(tmp_path / "stack.nrrd", draw((3, 64, 72)), spacing=(0.3, 0.4, 1.5))


def assert_same_place(first, second):
    """Check that frames lie where others do, but for the rounding of numbers that NRRD holds as text."""
    for name in ("spacing", "origin", "direction"):
        values = [getattr(frames.geometry, name) for frames in (first, second)]
        np.testing.assert_allclose(*values, rtol=1e-12, atol=1e-12)
    assert first.geometry.calibrated == second.geometry.calibrated


class Call:
    """Runs the command and keeps what it printed."""

    def __init__(self, capsys):
        self._capsys = capsys

    def __call__(self, *words):
        self.code = main([str(word) for word in words])
        self.out, self.err = self._capsys.readouterr()
        return self.code

    def expect_failure(self, code, *words):
        """Check the exit code, and that all that was printed about it is one sentence; return that."""
        assert self(*words) == code, self.err
        assert self.err.startswith("usenhance: ")
        assert self.err.endswith(".\n")
        assert self.err.count("\n") == 1
        assert "Traceback" not in self.err + self.out
        return self.err


@pytest.fixture
def call(capsys):
    return Call(capsys)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# -- enhance: what it does


def test_enhance_writes_what_the_library_returns(call, stack, model, tmp_path):
    assert call("enhance", stack, tmp_path / "out.nrrd", "--method", model, "--strength", "0.5") == 0
    frames = read_frames(stack)
    result = load_enhancer(model, strength=0.5)(frames.pixels)
    written = read_frames(tmp_path / "out.nrrd")
    np.testing.assert_array_equal(written.source, frames.with_pixels(result.frames).to_array())
    assert (written.source != frames.source).any()
    assert_same_place(written, frames)
    assert written.attributes["USEnhance.Method"] == "tiny"
    assert json.loads(written.attributes["USEnhance.Parameters"])["strength"] == 0.5
    assert call.err == ""


def test_enhance_says_what_ran_where_and_why(call, stack, model, tmp_path):
    call("enhance", stack, tmp_path / "out.nrrd", "--method", model, "--device", "cpu")
    assert "tiny 7" in call.out
    assert "cpu (CPU" in call.out
    assert "as asked for" in call.out
    assert "3 frames of 72 x 64 pixels" in call.out
    assert f"{tmp_path / 'out.nrrd'}\n" in call.out


@pytest.mark.parametrize("axis", ["k", "j", "i"])
def test_enhance_along_an_axis_keeps_the_volume_as_it_lies(axis, call, model, tmp_path):
    source = write(tmp_path / "sweep.nrrd", draw((20, 24, 28)))
    assert call("enhance", source, tmp_path / "out.mha", "--method", model, "--axis", axis, "--quiet") == 0
    assert read_frames(tmp_path / "out.mha").source.shape == (20, 24, 28)


def test_same_seed_gives_the_same_bytes(call, stack, model, tmp_path):
    for name in ("first", "second"):
        assert call("enhance", stack, tmp_path / f"{name}.nrrd", "--method", model, "--seed", "5") == 0
    assert (tmp_path / "first.nrrd").read_bytes() == (tmp_path / "second.nrrd").read_bytes()


def test_uncertainty_lies_where_the_frames_lie_and_is_zero_outside_the_sector(call, stack, model, tmp_path):
    out, uncertainty = tmp_path / "out.nrrd", tmp_path / "uncertainty.nrrd"
    assert call("enhance", stack, out, "--method", model, "--uncertainty", uncertainty) == 0
    frames, spread = read_frames(stack), read_frames(uncertainty)
    expected = load_enhancer(model)(frames.pixels, uncertainty=True).uncertainty
    assert spread.source.dtype == np.float32
    assert_same_place(spread, frames)
    np.testing.assert_array_equal(spread.source, expected * frames.sector)
    assert spread.source[:, frames.sector].any()
    assert not frames.sector.all()


def test_uncertainty_of_a_single_frame_is_a_single_frame(call, model, tmp_path):
    source = write(tmp_path / "frame.png", draw((64, 72)))
    assert (
        call("enhance", source, tmp_path / "o.png", "--method", model, "--uncertainty", tmp_path / "u.mha")
        == 0
    )
    assert SimpleITK.ReadImage(str(tmp_path / "u.mha")).GetSize() == (72, 64)


def test_uncertainty_along_another_axis_lies_like_the_volume(call, model, tmp_path):
    source = write(tmp_path / "sweep.nrrd", draw((64, 3, 72)))
    words = ("enhance", source, tmp_path / "o.nrrd", "--method", model, "--axis", "j")
    assert call(*words, "--uncertainty", tmp_path / "u.nrrd") == 0
    assert read_frames(tmp_path / "u.nrrd").source.shape == (64, 3, 72)


def test_quiet_prints_nothing(call, stack, model, tmp_path):
    assert call("enhance", stack, tmp_path / "out.nrrd", "--method", model, "--quiet") == 0
    assert call.out == call.err == ""
    assert call("--quiet", "enhance", stack, tmp_path / "out.nrrd", "--method", model) == 0
    assert call.out == call.err == ""


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (7, 3)])
def test_tiny_frames_work(shape, call, model, tmp_path):
    source = write(tmp_path / "tiny.nrrd", np.arange(np.prod(shape), dtype=np.uint8).reshape(shape) * 11)
    assert call("enhance", source, tmp_path / "out.nrrd", "--method", model) == 0
    assert SimpleITK.ReadImage(str(tmp_path / "out.nrrd")).GetSize() == shape[::-1]


def test_black_frames_come_back_unchanged_with_a_note(call, model, tmp_path):
    source = write(tmp_path / "black.nrrd", np.zeros((2, 64, 64), dtype=np.int16))
    assert call("enhance", source, tmp_path / "out.nrrd", "--method", model) == 0
    assert "unchanged" in call.out
    written = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "out.nrrd")))
    assert written.dtype == np.int16
    assert not written.any()


def test_an_existing_output_is_replaced(call, stack, model, tmp_path):
    out = tmp_path / "out.nrrd"
    out.write_text("old")
    assert call("enhance", stack, out, "--method", model) == 0
    assert read_frames(out).source.shape == (3, 64, 72)
    assert names(tmp_path) == ["out.nrrd", "stack.nrrd"]


# -- enhance: what it refuses


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("dance",),
        ("enhance",),
        ("enhance", "IN"),
        ("enhance", "IN", "OUT", "more"),
        ("enhance", "IN", "OUT", "--unknown"),
        ("enhance", "IN", "OUT", "--meth", "scunet"),
        ("enhance", "IN", "OUT", "--strength", "1.1"),
        ("enhance", "IN", "OUT", "--strength", "-0.1"),
        ("enhance", "IN", "OUT", "--strength", "nan"),
        ("enhance", "IN", "OUT", "--strength", "much"),
        ("enhance", "IN", "OUT", "--seed", "-1"),
        ("enhance", "IN", "OUT", "--seed", "1e3"),
        ("enhance", "IN", "OUT", "--seed", str(2**32)),
        ("enhance", "IN", "OUT", "--axis", "z"),
        ("enhance", "IN", "OUT", "--tile", "0"),
        ("enhance", "IN", "OUT", "--tile", "100"),
        ("enhance", "IN", "OUT", "--steps", "0"),
        ("enhance", "IN", "OUT", "--steps", "3"),
        ("enhance", "IN", "OUT", "--samples", "3"),
        ("enhance", "IN", "OUT", "--device", "gpu"),
        ("enhance", "IN", "OUT", "--device", "cuda:99"),
        ("enhance", "IN", "OUT", "--method", "magic"),
        ("enhance", "IN", "IN"),
        ("enhance", "IN", "OUT", "--uncertainty", "IN"),
        ("enhance", "IN", "OUT", "--uncertainty", "OUT"),
        ("enhance", "IN", "OUT", "--uncertainty", "u.png"),
        ("enhance", "IN", "OUT", "--uncertainty", "missing/u.nrrd"),
        ("enhance", "IN", "OUT", "--distrust", "IN"),
        ("enhance", "IN", "OUT", "--distrust", "OUT"),
        ("enhance", "IN", "OUT", "--distrust", "labels.png"),
        ("enhance", "IN", "OUT", "--distrust", "labels.dcm"),
        ("enhance", "IN", "OUT", "--distrust", "missing/labels.nrrd"),
        ("enhance", "IN", "OUT", "--uncertainty", "u.nrrd", "--distrust", "u.nrrd"),
        ("enhance", "IN", "OUT", "--distrust", "labels.nrrd", "--method", "lee"),
        ("enhance", "IN", "OUT", "--distrust", "labels.nrrd", "--method", "ENSEMBLE", "--samples", "1"),
        ("enhance", "IN", "out.jpg"),
        ("enhance", "IN", "out.png"),
        ("enhance", "IN", "out.dcm"),
        ("enhance", "IN", "out"),
        ("enhance", "IN", "missing/out.nrrd"),
        ("enhance", "IN", "stack.nrrd/out.nrrd"),
        ("enhance", "IN", "."),
        ("models",),
        ("models", "burn"),
        ("models", "verify", "nothing-of-that-name"),
        ("train", "scunet"),
        ("train", "nothing", "--data", ".", "--out", "run"),
        ("train", "scunet", "--data", "missing", "--out", "run"),
        ("train", "scunet", "--data", ".", "--out", "stack.nrrd"),
        ("train", "scunet", "--data", ".", "--out", "run", "--recipe", "missing.json"),
        ("train", "scunet", "--data", ".", "--out", "run", "--recipe", "r.json", "--resume"),
        ("bench",),
        ("bench", "nothing", "--data", ".", "--json", "b.json"),
        ("bench", "enhance", "--data", "missing", "--json", "b.json"),
        ("bench", "enhance", "--data", ".", "--json", "missing/b.json"),
        ("bench", "enhance", "--data", ".", "--json", "b.json", "--limit", "0"),
        ("bench", "speed", "--data", ".", "--json", "b.json", "--limit", "3"),
        ("demo", "--method", "magic"),
        ("demo", "--device", "gpu"),
        ("demo", "--out", "stack.nrrd", "--method", "MODEL"),
    ],
    ids=" ".join,
)
def test_bad_arguments_are_refused_before_anything_is_written(
    words, call, stack, model, tiny_ensemble, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    before = stack.read_bytes()
    if words[:1] == ("enhance",) and "--method" not in words and len(words) > 2:
        words = (*words, "--method", "MODEL")
    stand_for = {"IN": stack, "OUT": tmp_path / "out.nrrd", "MODEL": model, "ENSEMBLE": tiny_ensemble}
    message = call.expect_failure(2, *(stand_for.get(word, word) for word in words))
    assert names(tmp_path) == ["stack.nrrd"]
    assert stack.read_bytes() == before
    assert ":" in message.removeprefix("usenhance: ") or "; see usenhance" in message


def test_a_link_to_the_input_is_the_input(call, stack, model, tmp_path):
    (tmp_path / "link.nrrd").symlink_to(stack)
    before = stack.read_bytes()
    assert "is the input itself" in call.expect_failure(
        2, "enhance", stack, tmp_path / "link.nrrd", "--method", model
    )
    assert stack.read_bytes() == before


def test_a_read_only_folder_is_refused(call, stack, model, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):  # permissions do not bind an administrator, but some folders do
        folder = Path("/proc/self")
        if not folder.is_dir():
            pytest.skip("an administrator of this system may write everywhere")
    message = call.expect_failure(2, "enhance", stack, folder / "out.nrrd", "--method", model)
    assert str(folder) in message


def damaged(folder, name):
    """Make one of the files that cannot be enhanced, and return its path."""
    path = folder / name
    kind, _, extension = name.partition(".")
    array = draw((4, 64, 72))
    if kind == "missing":
        return path
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("These are no pixels.\n" * 40)
    elif kind in ("truncated", "header"):
        if extension == "dcm":
            shutil.copy(get_testdata_file("examples_ybr_color.dcm", download=False), path)
        else:
            write(path, array[0] if extension in ("png", "jpg") else array)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) * 2 // 3] if kind == "truncated" else content[:60])
    elif kind in ("nan", "infinite"):
        values = array.astype(np.float32)
        values[2, 30, 30] = np.nan if kind == "nan" else np.inf
        write(path, values)
    elif kind == "rgba":
        Image.fromarray(np.dstack([array[0]] * 4)).save(path)
    elif kind == "complex":
        write(path, (array * (1 + 1j)).astype(np.complex64))
    else:
        shutil.copy(get_testdata_file(f"{kind}.dcm", download=False), path)
    return path


@pytest.mark.parametrize(
    "name",
    [
        *("missing.dcm", "missing.nrrd", "folder.nrrd", "empty.png", "empty.dcm"),
        *("text.txt", "text.dcm", "text.png", "text.nrrd", "text.nii.gz"),
        *(f"truncated.{kind}" for kind in ("dcm", "nrrd", "mha", "nii", "nii.gz", "png", "jpg", "tif")),
        *(f"header.{kind}" for kind in ("dcm", "nrrd", "mha", "nii", "nii.gz", "png", "jpg", "tif")),
        *("nan.nrrd", "nan.mha", "infinite.mha", "rgba.png", "complex.nii", "complex.mha"),
        *("rtplan.dcm", "reportsi.dcm", "badVR.dcm"),
    ],
)
def test_bad_input_is_refused_and_left_alone(name, call, model, tmp_path):
    source = damaged(tmp_path, name)
    before = source.read_bytes() if source.is_file() else None
    entries = names(tmp_path)
    message = call.expect_failure(2, "enhance", source, tmp_path / "out.nrrd", "--method", model)
    assert name in message
    assert names(tmp_path) == entries
    assert before is None or source.read_bytes() == before


@pytest.mark.parametrize("harm", ["missing", "truncated", "altered", "empty"])
@pytest.mark.parametrize("command", ["enhance", "verify"])
def test_damaged_weights_are_refused(harm, command, call, stack, model, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(model, copy)
    weights = copy / WEIGHTS
    content = weights.read_bytes()
    if harm == "missing":
        weights.unlink()
    elif harm == "altered":
        weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        weights.write_bytes(content[: len(content) // 2 if harm == "truncated" else 0])
    words = {"enhance": ("enhance", stack, tmp_path / "out.nrrd", "--method", copy)}
    message = call.expect_failure(1, *words.get(command, ("models", "verify", copy)))
    assert "copy" in message
    assert not (tmp_path / "out.nrrd").exists()


def test_a_folder_that_is_no_model_is_refused(call, stack, tmp_path):
    (tmp_path / "empty").mkdir()
    message = call.expect_failure(1, "enhance", stack, tmp_path / "o.nrrd", "--method", tmp_path / "empty")
    assert "metadata.json" in message


@pytest.mark.parametrize("room", [60_000, 150_000])
def test_a_full_disk_leaves_neither_file(room, call, model, tmp_path):
    """The smaller room is short for the uncertainty (98 kB), the larger for the enhanced frames (197 kB)."""
    resource = pytest.importorskip("resource", reason="Windows has no limit on the size of files")
    source = write(tmp_path / "frames.nrrd", np.random.default_rng(0).random((6, 64, 64)))
    uncertainty = tmp_path / "uncertainty.nrrd"
    words = ("enhance", source, tmp_path / "out.nrrd", "--method", model, "--uncertainty", uncertainty)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        message = call.expect_failure(1, *words)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "could not be written" in message
    assert names(tmp_path) == ["frames.nrrd"]


# -- errors that nobody expects


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (RuntimeError("pixel 12 of Jane Doe"), 1, "unexpected RuntimeError in cli/enhance.py, line"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 1, "not enough memory"),
        (MemoryError(), 1, "not enough memory"),
        (KeyboardInterrupt(), 130, "Cancelled"),
        (ModuleNotFoundError("no", name="torch"), 1, "pip install torch"),
        (OSError(28, "No space left on device", "file.nrrd"), 1, "file.nrrd: No space left on device"),
        (PermissionError(13, "Permission denied", "file.nrrd"), 1, "check the path"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_unexpected_errors_are_one_line(error, code, words, call, stack, model, tmp_path, monkeypatch):
    def fail(*_arguments):
        raise error

    monkeypatch.setattr("USEnhanceLib.cli.enhance.read_frames", fail)
    message = call.expect_failure(code, "enhance", stack, tmp_path / "out.nrrd", "--method", model)
    assert words in message
    assert "Jane" not in message
    assert names(tmp_path) == ["stack.nrrd"]


def test_debug_prints_the_traceback_before_the_line(call, tmp_path, model):
    words = ("enhance", tmp_path / "missing.dcm", tmp_path / "out.nrrd", "--method", model, "--debug")
    assert call(*words) == 2
    assert call.err.startswith("Traceback")
    assert "There is no file" in call.err.splitlines()[-1]


def test_an_interrupt_that_a_library_wrapped_is_still_one():
    error = ImportError("initialization failed")
    error.__cause__ = KeyboardInterrupt()
    assert sentence(error).startswith("Cancelled")
    assert exit_code(error) == 130


# -- the other commands


def test_models_are_listed_and_verified(call, model):
    assert call("models", "list", model) == 0
    heading, row = call.out.splitlines()
    assert heading.split() == ["name", "version", "task", "weights", "SHA-256"]
    assert row.split()[:3] == ["tiny", "7", "enhancement"]
    assert call("models", "verify", model) == 0
    assert "as recorded" in call.out


def test_a_good_model_is_verified_after_a_damaged_one(call, model, tmp_path):
    shutil.copytree(model, tmp_path / "copy")
    (tmp_path / "copy" / WEIGHTS).unlink()
    call.expect_failure(1, "models", "verify", tmp_path / "copy", model)
    assert "tiny 7: the weights are as recorded" in call.out
    assert "2 of 3" in call.expect_failure(
        1, "models", "verify", tmp_path / "copy", model, tmp_path / "copy" / ".." / "copy"
    )


def test_shipped_models_are_as_recorded(call):
    assert call("models", "verify") == 0
    assert call("models", "list") == 0
    assert {line.split()[0] for line in call.out.splitlines()[1:]} == set(SHIPPED)


def test_training_into_a_folder_with_a_run_is_refused(call, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.json").write_text("{}")
    (tmp_path / "recipe.json").write_text('{"steps": 3}')
    words = ("train", "scunet", "--data", tmp_path, "--out", tmp_path / "run")
    message = call.expect_failure(2, *words, "--recipe", tmp_path / "recipe.json")
    assert "--resume" in message
    assert (tmp_path / "run" / "recipe.json").read_text() == "{}"


@pytest.mark.parametrize("recipe", ["{", '{"stepps": 3}', "[1]"])
def test_a_wrong_recipe_is_refused(recipe, call, tmp_path):
    (tmp_path / "recipe.json").write_text(recipe)
    words = ("train", "scunet", "--data", tmp_path, "--out", tmp_path / "run")
    assert "recipe.json" in call.expect_failure(2, *words, "--recipe", tmp_path / "recipe.json")


def test_a_refused_training_leaves_no_folder(call, tmp_path):
    (tmp_path / "data").mkdir()
    call.expect_failure(2, "train", "scunet", "--data", tmp_path / "data", "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_bench_writes_record_and_table(call, tmp_path):
    for name, prefix in (("psfhs", "group"), ("hc18", "prefix")):
        (tmp_path / name / "image").mkdir(parents=True)
        Image.fromarray(draw((40, 40))).save(tmp_path / name / "image" / "1.png")
        (tmp_path / name / "split.csv").write_text(f"id,{prefix},split\n1,1,val\n")
    (tmp_path / "natural").mkdir()
    for index in range(3):
        Image.fromarray(draw((40, 40))).save(tmp_path / "natural" / f"{index}.png")
    record, table = tmp_path / "record.json", tmp_path / "table.md"
    words = ("bench", "enhance", "--data", tmp_path, "--json", record, "--markdown", table)
    words += ("--tables", "noise", "--methods", "median", "--limit", "1", "--processes", "1")
    assert call(*words) == 0, call.err
    assert json.loads(record.read_text())["benchmark"] == "enhance"
    assert "| Median |" in table.read_text()
    assert str(record) in call.out


@pytest.mark.parametrize("command", [(), ("enhance",), ("models",), ("train",), ("bench",), ("demo",)])
def test_help_explains_every_option(command, call):
    assert call(*command, "--help") == 0
    assert call.out.startswith("usage: usenhance")
    assert call.err == ""
