"""What benchmarks keep between runs, and when they must not use it."""

from __future__ import annotations

import importlib
import json
import sys

import numpy as np
import pytest

from USEnhanceLib.benchmarks.kept import code_version, keep_frame
from USEnhanceLib.benchmarks.record import name_of_method, write_json


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A library with a part whose module `first` uses `second` in a function, and `third` not at all."""
    part = tmp_path / "somelibrary" / "part"
    part.mkdir(parents=True)
    (part.parent / "__init__.py").write_text("")
    (part.parent / "outside.py").write_text("VALUE = 1\n")
    (part / "__init__.py").write_text("")
    (part / "first.py").write_text(
        "from ..outside import VALUE\ndef f():\n    from .second import g\n    g()\n"
    )
    (part / "second.py").write_text("def g():\n    return 1\n")
    (part / "third.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield part
    code_version.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == "somelibrary"]:
        del sys.modules[name]


def version():
    code_version.cache_clear()
    importlib.invalidate_caches()
    return code_version("somelibrary.part.first")


@pytest.mark.parametrize("name", ["first.py", "second.py"])
def test_code_version_changes_with_what_is_used(package, name):
    before = version()
    assert version() == before
    with (package / name).open("a") as stream:
        stream.write("X = 2\n")
    assert version() != before


@pytest.mark.parametrize("name", ["third.py", "../outside.py"])
def test_code_version_stays_when_other_code_changes(package, name):
    before = version()
    with (package / name).open("a") as stream:
        stream.write("X = 2\n")
    assert version() == before


def test_code_of_a_missing_module_is_an_error(package):
    with pytest.raises(ModuleNotFoundError):
        code_version("somelibrary.part.fourth")


def test_an_answer_is_computed_once_for_the_same_question(tmp_path):
    frame = np.random.default_rng(0).random((9, 7)).astype(np.float32)
    asked = []

    def answer():
        asked.append(1)
        return frame

    first = keep_frame(tmp_path, ["mean", {"size": 3}], frame, answer)
    np.testing.assert_allclose(first, frame, atol=1e-5)
    np.testing.assert_array_equal(keep_frame(tmp_path, ["mean", {"size": 3}], frame, answer), first)
    assert len(asked) == 1
    keep_frame(tmp_path, ["mean", {"size": 5}], frame, answer)
    keep_frame(tmp_path, ["mean", {"size": 3}], 1 - frame, answer)
    keep_frame(tmp_path, ["mean", {"size": 3}], frame.T, answer)
    assert len(asked) == 4
    assert not list(tmp_path.rglob("*.tmp"))


def test_an_interrupted_answer_leaves_nothing_behind(tmp_path):
    def fail():
        raise KeyboardInterrupt

    frame = np.zeros((4, 4), np.float32)
    with pytest.raises(KeyboardInterrupt):
        keep_frame(tmp_path, ["mean"], frame, fail)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_lists_of_numbers_take_one_line_in_records(tmp_path):
    record = {
        "scores": [1.5, -2, 3e-07],
        "names": ["a", "b [\n 1, 2\n]"],
        "pairs": [[1, 2], [3, 4]],
        "none": [],
    }
    write_json(tmp_path / "record.json", record)
    text = (tmp_path / "record.json").read_text(encoding="utf-8")
    assert "[1.5, -2, 3e-07]" in text
    assert json.loads(text) == record


def test_methods_are_named_without_the_places_of_this_machine():
    assert name_of_method("scunet") == "scunet"
    assert name_of_method("/somewhere/else/dncnn/model") == "dncnn/model"
    assert name_of_method("runs/tiny") == "tiny"
