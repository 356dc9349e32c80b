"""What the repository promises to reviewers, packagers and the Extensions Index."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image

import USEnhanceLib

REPOSITORY = Path(__file__).resolve().parents[3]
MEBIBYTE = 1024**2

# The properties of an Extensions Index entry, schema v1.0.2: name -> (required, type).
INDEX_ENTRY = {
    "$schema": (True, str),
    "category": (True, str),
    "scm_url": (True, str),
    "scm_revision": (False, str),
    "scm_type": (False, str),
    "build_dependencies": (False, list),
    "dicom_support_rule": (False, str),
    "build_subdirectory": (False, str),
    "enabled": (False, bool),
    "tier": (False, int),
}

# Spelled in pieces, so that this file does not match itself.
MACHINE_PATHS = ("/" + "work/", "/" + "root/", "/" + "home/", "/opt/" + "pypi", "C:" + "\\Users")
PACKAGE_INDEXES = ("index" + "-url", "find" + "-links", "pytorch.org/" + "whl", "files.python" + "hosted")
BINARY = {".png", ".gif", ".jpg", ".safetensors", ".dcm", ".nrrd", ".npz"}


def extension_field(name: str) -> str:
    """Return an EXTENSION_* field of the CMake project, which has to be given on one line."""
    text = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
    (value,) = re.findall(rf'^set\(EXTENSION_{name} "([^"\n]+)"\)', text, re.MULTILINE)
    return value


def python_files(*folders: str) -> list[Path]:
    """Return the Python files below some folders of the repository."""
    return sorted(path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))


@pytest.fixture(scope="module")
def tracked_files() -> list[Path]:
    """The files that git tracks and that are on the disk."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("this is not a git checkout")
    command = ["git", "-C", str(REPOSITORY), "ls-files", "-z"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    return [REPOSITORY / name for name in names if name and (REPOSITORY / name).is_file()]


@pytest.fixture(scope="module")
def index_entry() -> dict:
    """The Extensions Index entry."""
    return json.loads((REPOSITORY / "USEnhance.json").read_text(encoding="utf-8"))


def test_index_entry_has_the_properties_of_its_schema(index_entry):
    assert {name for name, (required, _) in INDEX_ENTRY.items() if required} <= set(index_entry)
    for name, value in index_entry.items():
        assert name in INDEX_ENTRY
        assert type(value) is INDEX_ENTRY[name][1], name
    assert index_entry["$schema"].endswith("/slicer-extension-catalog-entry-schema-v1.0.2.json#")
    assert 1 <= index_entry["tier"] <= 5
    assert all(isinstance(name, str) for name in index_entry["build_dependencies"])


def test_index_entry_has_unix_line_endings():
    content = (REPOSITORY / "USEnhance.json").read_bytes()
    assert b"\r" not in content
    assert content.endswith(b"}\n")


def test_index_entry_and_cmake_agree(index_entry):
    text = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
    assert re.findall(r"^project\((\w+)\)", text, re.MULTILINE) == ["USEnhance"]
    assert extension_field("CATEGORY") == index_entry["category"]
    assert extension_field("DEPENDS").split() == index_entry["build_dependencies"]
    assert index_entry["scm_url"].removesuffix(".git").endswith("/SlicerUSEnhance")
    assert extension_field("HOMEPAGE").startswith(index_entry["scm_url"].removesuffix(".git"))


def test_cmake_version_range_is_the_one_of_slicer():
    first = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8").splitlines()[0]
    assert first == "cmake_minimum_required(VERSION 3.16.3...3.28.0)"


@pytest.mark.parametrize("field", ["ICONURL", "SCREENSHOTURLS"])
def test_pictures_of_the_catalogue_are_in_the_repository(field):
    for url in extension_field(field).split():
        prefix = "https://raw.githubusercontent.com/USEnhance/SlicerUSEnhance/main/"
        assert url.startswith(prefix)
        with Image.open(REPOSITORY / url.removeprefix(prefix)) as picture:
            picture.verify()


@pytest.mark.parametrize("name", ["Resources/USEnhance.png", "USEnhance/Resources/Icons/USEnhance.png"])
def test_icons_are_square_and_transparent(name):
    with Image.open(REPOSITORY / name) as icon:
        assert (icon.size, icon.mode) == ((128, 128), "RGBA")


def test_version_is_the_same_everywhere():
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    latest = re.findall(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE)[0]
    assert USEnhanceLib.__version__ == latest


def test_installed_package_has_this_version():
    try:
        version = importlib.metadata.version("USEnhanceLib")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("USEnhanceLib is not installed as a package here")
    assert version == USEnhanceLib.__version__


def test_licence_is_apache_2():
    text = (REPOSITORY / "LICENSE.txt").read_text(encoding="utf-8")
    assert re.search(r"Apache License\s+Version 2\.0, January 2004", text)
    assert "END OF TERMS AND CONDITIONS" in text


def test_no_python_file_is_too_long_to_read():
    lengths = {
        path.relative_to(REPOSITORY).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files("USEnhance", "USEnhanceLib")
    }
    assert lengths
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_no_module_is_named_after_nothing():
    names = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [path for path in python_files("USEnhance", "USEnhanceLib") if path.stem in names] == []


def test_weights_are_small_enough_to_ship():
    weights = list((REPOSITORY / "Resources" / "Models").rglob("*.safetensors"))
    assert sum(path.stat().st_size for path in weights) <= 40 * MEBIBYTE


def test_models_are_complete():
    for model in (REPOSITORY / "Resources" / "Models").iterdir():
        if model.is_dir():
            for name in ("configs/metadata.json", "configs/inference.json", "docs/README.md", "LICENSE"):
                assert (model / name).is_file(), f"{model.name} lacks {name}"


def test_tracked_files_speak_of_no_machine(tracked_files):
    for path in tracked_files:
        if path.suffix not in BINARY:
            text = path.read_text(encoding="utf-8")
            found = [word for word in (*MACHINE_PATHS, *PACKAGE_INDEXES) if word in text]
            assert not found, f"{path.relative_to(REPOSITORY)} has {found}"


def test_tracked_text_has_unix_line_endings(tracked_files):
    for path in tracked_files:
        if path.suffix not in BINARY:
            assert b"\r\n" not in path.read_bytes(), path.relative_to(REPOSITORY)


def test_tracked_files_are_small(tracked_files):
    sizes = {path.relative_to(REPOSITORY).as_posix(): path.stat().st_size for path in tracked_files}
    assert sum(sizes.values()) < 100 * MEBIBYTE
    assert {name: size for name, size in sizes.items() if size > 25 * MEBIBYTE} == {}


def test_no_clinical_data_is_tracked(tracked_files):
    outside = [path for path in tracked_files if path.suffix in {".dcm", ".nrrd", ".mha", ".nii"}]
    assert outside == []
