"""The pip package: the library, its models where the library finds them, and nothing of the extension."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert result.returncode == 0, result.stderr
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def files_below(folder: Path) -> set[str]:
    """Return the files below a folder as relative paths, without what Python and CMake leave there."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "CMakeLists.txt"
    }


def test_wheel_holds_the_library_and_its_models(wheel):
    library = {f"USEnhanceLib/{name}" for name in files_below(REPOSITORY / "USEnhanceLib")}
    models = {
        f"USEnhanceLib/Resources/Models/{name}" for name in files_below(REPOSITORY / "Resources" / "Models")
    }
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == library | models


def test_wheel_has_the_command_and_the_licence(wheel):
    (entry_points,) = (name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))
    assert "usenhance = USEnhanceLib.cli:main" in wheel.read(entry_points).decode()
    (licence,) = (name for name in wheel.namelist() if name.endswith("/licenses/LICENSE.txt"))
    assert wheel.read(licence) == (REPOSITORY / "LICENSE.txt").read_bytes()
