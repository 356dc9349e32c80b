"""The extension as CMake makes it: configured, built, installed, then used from the installed tree alone."""

from __future__ import annotations

import json
import re
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
# The copy to the build tree and the scripted modules' folder in it, as in a Slicer of that version.
MODULES = Path("lib/Slicer-5.13/qt-scripted-modules")
MODEL = REPOSITORY / "Resources" / "Models" / "scunet"
CLICK_PATH = ("frames", "networks", "enhancement", "worker", "mrml")

# CMake from the tests' own environment, whether or not that is activated; else the system's.
SCRIPTS = str(Path(sys.executable).parent)
CMAKE, CTEST = (shutil.which(name, path=SCRIPTS) or shutil.which(name) for name in ("cmake", "ctest"))

# These tests share one build: one process does them all.
pytestmark = pytest.mark.xdist_group("extension build")


def run(*command: str | Path, check: bool = True, **options) -> subprocess.CompletedProcess[str]:
    """Run a command, and show all that it said when it fails."""
    arguments = [str(part) for part in command]
    result = subprocess.run(arguments, capture_output=True, text=True, check=False, **options)
    if check and result.returncode:
        pytest.fail(f"{arguments} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
    return result


def configure(source: Path, build: Path, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Configure against the stand-in for Slicer. Nothing is compiled, so no compiler is needed."""
    forced = [
        f"-DCMAKE_{language}_COMPILER{suffix}"
        for language in ("C", "CXX")
        for suffix in (f"={sys.executable}", "_FORCED=ON", "_ID_RUN=ON")
    ]
    slicer = f"-DSlicer_DIR={source / 'Testing' / 'CMake' / 'Slicer'}"
    python = f"-DPython3_EXECUTABLE={sys.executable}"
    return run(CMAKE, "-S", source, "-B", build, "-G", "Unix Makefiles", slicer, python, *forced, check=check)


def build(source: Path, folder: Path) -> Path:
    """Configure and build in a folder, and return the folder of the scripted modules in it."""
    configure(source, folder)
    run(CMAKE, "--build", folder)
    return folder / MODULES


def install(built: Path, folder: Path) -> Path:
    """Install what was built, and return the folder of the scripted modules in the installed tree."""
    run(CMAKE, "--install", built, "--prefix", folder)
    return folder / MODULES


def files_below(folder: Path) -> set[str]:
    """Return the files below a folder as relative paths, without what Python and CMake leave there."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "CMakeLists.txt"
    }


def files_to_ship() -> set[str]:
    """Return what has to be in the scripted modules' folder, from the disk."""
    return (
        files_below(REPOSITORY / "USEnhance")
        | {f"USEnhanceLib/{name}" for name in files_below(REPOSITORY / "USEnhanceLib")}
        | {f"Resources/Models/{name}" for name in files_below(REPOSITORY / "Resources" / "Models")}
        | {"USEnhanceLib/LICENSE.txt"}
    )


def listed(cmake_file: Path, name: str) -> list[str]:
    """Return the entries of a list in a CMake file."""
    (entries,) = re.findall(rf"set\({name}\s([^)]*)\)", cmake_file.read_text(encoding="utf-8"))
    return entries.split()


@pytest.fixture(scope="module")
def trees(tmp_path_factory) -> tuple[Path, Path]:
    """The scripted modules' folders of one build tree and one installed tree."""
    folder = tmp_path_factory.mktemp("extension")
    return build(REPOSITORY, folder / "build"), install(folder / "build", folder / "install")


@pytest.fixture
def copied_extension(tmp_path) -> Path:
    """A copy of the extension's source that a test may damage."""
    source = tmp_path / "source"
    for folder in ("USEnhance", "USEnhanceLib", "Resources", "Testing/CMake"):
        shutil.copytree(REPOSITORY / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("CMakeLists.txt", "LICENSE.txt", "Testing/CMakeLists.txt"):
        shutil.copy(REPOSITORY / name, source / name)
    (source / "Testing" / "Python").mkdir()
    for name in ("CMakeLists.txt", "USEnhanceSelfTest.py"):
        shutil.copy(REPOSITORY / "Testing" / "Python" / name, source / "Testing" / "Python" / name)
    return source


@pytest.mark.parametrize(
    ("folder", "names", "prefix"),
    [
        ("USEnhance", ("MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES"), ""),
        ("USEnhanceLib", ("MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES"), ""),
        ("Resources", ("MODEL_FILES",), "Models/"),
    ],
)
def test_cmake_lists_every_file_on_disk_and_no_other(folder, names, prefix):
    cmake_file = REPOSITORY / folder / "CMakeLists.txt"
    entries = [entry for name in names for entry in listed(cmake_file, name)]
    on_disk = {prefix + name for name in files_below(REPOSITORY / folder / prefix)}
    assert set(entries) - on_disk == set(), "listed but not on disk: run 'make lists'"
    assert on_disk - set(entries) == set(), "on disk but not listed: run 'make lists'"
    assert len(entries) == len(set(entries))


def test_scripts_and_resources_are_told_apart():
    for folder in ("USEnhance", "USEnhanceLib"):
        cmake_file = REPOSITORY / folder / "CMakeLists.txt"
        assert all(name.endswith(".py") for name in listed(cmake_file, "MODULE_PYTHON_SCRIPTS"))
        assert not any(name.endswith(".py") for name in listed(cmake_file, "MODULE_PYTHON_RESOURCES"))


def test_both_trees_hold_exactly_the_files_to_ship(trees):
    built, installed = trees
    assert files_below(installed) == files_to_ship()
    assert files_below(built) == files_to_ship()


def test_shipped_files_are_unchanged(trees):
    for tree in trees:
        for folder in ("USEnhanceLib", "Resources/Models"):
            for name in files_below(REPOSITORY / folder):
                assert (tree / folder / name).read_bytes() == (REPOSITORY / folder / name).read_bytes()


def run_ctest(build: Path) -> subprocess.CompletedProcess[str]:
    """Run the tests that the extension registered."""
    return run(CTEST, "--test-dir", build, "--output-on-failure", "--no-tests=error", check=False)


def test_a_listed_file_that_is_missing_stops_configure(copied_extension, tmp_path):
    (copied_extension / "USEnhanceLib" / "errors.py").unlink()
    result = configure(copied_extension, tmp_path / "build", check=False)
    assert result.returncode != 0
    assert "errors.py" in result.stderr


def test_an_unlisted_file_is_left_out(copied_extension, tmp_path):
    (copied_extension / "USEnhanceLib" / "unlisted.py").write_text("", encoding="utf-8")
    built = build(copied_extension, tmp_path / "build")
    installed = install(tmp_path / "build", tmp_path / "install")
    for tree in (built, installed):
        assert (tree / "USEnhanceLib" / "errors.py").is_file()
        assert not (tree / "USEnhanceLib" / "unlisted.py").exists()


BASE = "import unittest\nclass Base(unittest.TestCase):\n    def runTest(self): pass\n"


@pytest.mark.parametrize(
    ("self_test", "passes"),
    [
        (BASE + "class USEnhanceTest(Base):\n    def test_one(self): pass\n", True),
        (BASE + "class USEnhanceTest(Base):\n    def test_one(self): self.fail()\n", False),
        (BASE + "class USEnhanceTest(Base):\n    pass\n", False),
        (BASE, False),
    ],
    ids=["one test that passes", "one test that fails", "no test", "no test class"],
)
def test_the_self_test_cannot_pass_without_testing(copied_extension, tmp_path, self_test, passes):
    (copied_extension / "USEnhance" / "USEnhance.py").write_text(self_test, encoding="utf-8")
    build(copied_extension, tmp_path / "build")
    result = run_ctest(tmp_path / "build")
    assert (result.returncode == 0) is passes, result.stdout
    assert "py_USEnhanceSelfTest" in result.stdout


def test_a_run_of_no_tests_fails_even_when_the_script_lets_it_pass(copied_extension, tmp_path):
    (copied_extension / "Testing" / "Python" / "USEnhanceSelfTest.py").write_text("", encoding="utf-8")
    build(copied_extension, tmp_path / "build")
    result = run_ctest(tmp_path / "build")
    assert "Ran 0 tests" in result.stdout
    assert result.returncode != 0


# Runs in a Python that sees its standard library, the installed tree and site-packages without their .pth
# files, so without an editable installation of this checkout.
PREAMBLE = """
import json, sys
from importlib import import_module
from pathlib import Path
installed, repository = Path(sys.argv[1]), Path(sys.argv[2])
sys.path[:0] = [str(installed)]
sys.path += sys.argv[3:]
assert repository not in [Path(entry).resolve() for entry in sys.path], sys.path
import USEnhanceLib
assert Path(USEnhanceLib.__file__).is_relative_to(installed), USEnhanceLib.__file__
"""


def run_installed(installed: Path, code: str, cwd: Path) -> dict:
    """Run code on the installed tree alone, and return what it printed last, from JSON."""
    python = (sys.executable, "-I", "-S", "-c", PREAMBLE + code, installed.resolve(), REPOSITORY)
    return json.loads(run(*python, *site.getsitepackages(), cwd=cwd).stdout.splitlines()[-1])


def test_every_module_of_the_click_path_imports_from_the_installed_tree(trees, tmp_path):
    _, installed = trees
    library = installed / "USEnhanceLib"
    paths = [path for package in CLICK_PATH for path in (library / package).rglob("*.py")]
    paths += library.glob("*.py")
    names = {
        ".".join(path.relative_to(installed).with_suffix("").parts).removesuffix(".__init__")
        for path in paths
        if path.stem != "__main__"
    }
    assert {f"USEnhanceLib.{package}" for package in CLICK_PATH} <= names
    code = f"""
modules = [import_module(name) for name in {sorted(names)}]
print(json.dumps({{module.__name__: module.__file__ for module in modules}}))
"""
    imported = run_installed(installed, code, tmp_path)
    assert set(imported) == names
    assert all(Path(path).is_relative_to(installed.resolve()) for path in imported.values())


def test_the_installed_tree_enhances_a_frame_with_the_shipped_model(trees, tmp_path):
    code = """
import numpy as np
pixels = np.random.default_rng(0).random((1, 48, 40), dtype=np.float32)
result = USEnhanceLib.load_enhancer("scunet", device="cpu")(pixels)
assert all(Path(module.__file__).is_relative_to(installed)
           for name, module in sys.modules.items() if name.split(".")[0] == "USEnhanceLib")
print(json.dumps({"shape": result.frames.shape, "dtype": str(result.frames.dtype),
                  "low": float(result.frames.min()), "high": float(result.frames.max()),
                  "change": float(np.abs(result.frames - pixels).mean()), "version": result.model_version}))
"""
    result = run_installed(trees[1], code, tmp_path)
    card = json.loads((MODEL / "configs" / "metadata.json").read_text(encoding="utf-8"))
    assert (result["shape"], result["dtype"]) == ([1, 48, 40], "float32")
    assert 0 <= result["low"] < result["high"] <= 1
    assert result["change"] > 0
    assert result["version"] == card["version"]
