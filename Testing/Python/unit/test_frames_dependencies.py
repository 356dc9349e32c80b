"""Packages that are absent or too old are named, with the command that installs them."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from USEnhanceLib.errors import DependencyError
from USEnhanceLib.frames import frames_from_array, read_frames, write_frames


@pytest.fixture
def frames():
    return frames_from_array(np.random.default_rng(0).integers(0, 256, (2, 10, 10), dtype=np.uint8))


def test_simpleitk_absent(tmp_path, frames, monkeypatch):
    path = write_frames(tmp_path / "a.nrrd", frames)
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(DependencyError, match=r"SimpleITK.*pip install"):
        read_frames(path)
    with pytest.raises(DependencyError, match=r"SimpleITK.*pip install"):
        write_frames(tmp_path / "b.nrrd", frames)
    assert list(tmp_path.iterdir()) == [path]


def test_pydicom_absent_or_too_old(tmp_path, monkeypatch):
    pydicom = pytest.importorskip("pydicom")
    path = tmp_path / "a.dcm"
    path.write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 100)
    monkeypatch.setattr(pydicom, "__version__", "2.4.4")
    with pytest.raises(DependencyError, match=r"pydicom 2\.4\.4 is too old.*pydicom>=3"):
        read_frames(path)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(DependencyError, match=r"without pydicom.*pydicom>=3"):
        read_frames(path)
