"""Classical filters on the command line and in the worker process."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK

from USEnhanceLib import load_enhancer, read_frames
from USEnhanceLib.cli import main
from USEnhanceLib.enhancement import methods
from USEnhanceLib.errors import OptionError
from USEnhanceLib.worker import SubprocessWorker


@pytest.fixture
def stack(tmp_path):
    """Three frames of speckle in a file."""
    speckle = np.clip(np.random.default_rng(0).rayleigh(60, (3, 40, 48)), 1, 255).astype(np.uint8)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(speckle), str(tmp_path / "stack.nrrd"))
    return tmp_path / "stack.nrrd"


@pytest.fixture
def call(capsys):
    """Runs the command; returns exit code, output and errors."""

    def call(*words):
        code = main([str(word) for word in words])
        return code, *capsys.readouterr()

    return call


def test_a_file_is_filtered_and_says_by_what(call, stack, tmp_path):
    target = tmp_path / "out.nrrd"
    code, output, errors = call("enhance", stack, target, "--method", "kuan", "--strength", "0.5")
    assert (code, errors) == (0, "")
    assert "kuan" in output
    written, original = read_frames(target), read_frames(stack)
    assert written.attributes["USEnhance.Method"] == "kuan"
    expected = load_enhancer("kuan", strength=0.5)(original.pixels)
    np.testing.assert_array_equal(
        written.source, original.with_pixels(expected.frames, expected.provenance()).to_array()
    )
    assert (written.source != original.source).any()


def test_the_help_has_a_line_for_each_method(call):
    code, output, _ = call("enhance", "--help")
    assert code == 0
    lines = output.splitlines()
    for method in methods():
        (line,) = (line for line in lines if line.startswith(f"  {method.name} "))
        assert method.description in line
        assert len(line) <= 110


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--method", "leee"), "Unknown method 'leee': use one of scunet, irsde, median, lee"),
        (("--method", "lee", "--uncertainty", "u.nrrd"), "lee gives no uncertainty"),
        (("--method", "lee", "--tile", "128"), "no option 'tile'"),
    ],
)
def test_what_filters_lack_is_refused_and_nothing_is_written(call, stack, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    code, _, errors = call("enhance", stack, "out.nrrd", *words)
    assert code == 2
    assert said in errors
    assert errors.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["stack.nrrd"]


def test_the_list_of_models_has_no_filters(call):
    code, output, _ = call("models", "list")
    assert code == 0
    assert "median" not in output


def test_the_worker_filters_and_refuses_like_the_library(tmp_path):
    frames = np.random.default_rng(1).uniform(0.2, 0.7, (3, 30, 41)).astype(np.float32)
    with SubprocessWorker(temporary_folder=tmp_path) as worker:
        seen = []
        result = worker.enhance(
            frames, method="lee", strength=0.5, progress=lambda done, total: seen.append((done, total))
        )
        expected = load_enhancer("lee", strength=0.5)(frames)
        np.testing.assert_array_equal(result.frames, expected.frames)
        assert result.provenance() == expected.provenance()
        assert seen == [(1, 3), (2, 3), (3, 3)]
        with pytest.raises(OptionError, match="lee gives no uncertainty"):
            worker.enhance(frames, method="lee", uncertainty=True)
        assert worker.enhance(frames, method="median").method == "median"
