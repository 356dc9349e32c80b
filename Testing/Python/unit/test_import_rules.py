"""The dependency rules of the house, from the imports: who may use whom, and what loads nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
LIBRARY = REPOSITORY / "USEnhanceLib"
MODULE = REPOSITORY / "USEnhance" / "USEnhance.py"

# What each part of the library may use of the others; every part may use `errors`. An arrow that is not
# here is against the design: USEnhance.py -> mrml -> enhancement, segmentation, quality -> networks, frames,
# with the worker between Slicer and the networks.
MAY_USE = {
    "errors": set(),
    "device": set(),
    "progress": set(),
    "frames": set(),
    "networks": set(),
    "models": {"networks"},
    "quality": {"frames"},
    "enhancement": {"classical", "device", "diffusion", "frames", "models", "networks", "progress"},
    "diffusion": set(),
    "segmentation": {"device", "frames", "models", "networks", "progress"},
    "worker": {"enhancement", "frames", "models", "segmentation"},
    "mrml": {"enhancement", "frames", "models", "quality", "segmentation", "worker"},
    "classical": {"frames"},
    "degradation": set(),
    "simulation": {"degradation", "frames"},
    "training": {
        *(
            "classical",
            "degradation",
            "diffusion",
            "enhancement",
            "frames",
            "models",
            "networks",
            "quality",
            "segmentation",
        ),
        "simulation",
    },
    "benchmarks": {
        *(
            "classical",
            "degradation",
            "diffusion",
            "enhancement",
            "frames",
            "models",
            "networks",
            "quality",
            "segmentation",
        ),
        *("simulation", "training"),
    },
    "cli": {
        *("benchmarks", "classical", "degradation", "enhancement", "frames", "models", "networks", "quality"),
        *("demo", "device", "segmentation", "simulation", "training", "worker"),
    },
    "demo": {"benchmarks", "enhancement", "frames", "models"},
}
MODULE_MAY_USE = {"enhancement", "errors", "frames", "models", "mrml", "quality", "segmentation", "worker"}
EXISTING = {"cli", "enhancement", "errors", "frames", "models", "mrml", "networks", "training", "worker"}

HEAVY = {"torch", "monai", "SimpleITK", "skimage"}
# Packages that functions import when they need them, so that no module needs them to be loaded.
LAZY = HEAVY | {"PIL", "bm3d", "matplotlib", "pydicom", "pywt", "safetensors", "scipy"}
# Modules that are about torch, and that others import only inside functions: they have it at the top.
ABOUT_TORCH = {"networks", "degradation", "diffusion", "training", "benchmarks"}
ABOUT_TORCH_MODULES = {
    *("classical/nllr.py", "classical/nllr_noise.py"),
    *("enhancement/network.py", "enhancement/scunet.py", "enhancement/irsde.py"),
    "segmentation/segmenter.py",
    "simulation/fast.py",
}


def python_files() -> list[str]:
    """Return the Python files of the library, relative to it."""
    return sorted(path.relative_to(LIBRARY).as_posix() for path in LIBRARY.rglob("*.py"))


def part_of(name: str) -> str:
    """Return the part of the library that a file belongs to: its package, or the module at the top."""
    return Path(name).parts[0].removesuffix(".py")


def imported_names(tree: ast.AST, package: list[str]) -> Iterator[str]:
    """Yield the full dotted name of everything that is imported below a node, given the package it is in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = package[: len(package) - node.level + 1] if node.level else []
            origin = [*origin, *(node.module.split(".") if node.module else [])]
            yield from (".".join([*origin, alias.name]) for alias in node.names)


def is_about_torch(name: str) -> bool:
    """Tell whether a file is one of those that have torch at the top."""
    return part_of(name) in ABOUT_TORCH or name in ABOUT_TORCH_MODULES


def parse(name: str) -> tuple[ast.Module, list[str]]:
    """Return the syntax tree of a file of the library and the package that it is in."""
    tree = ast.parse((LIBRARY / name).read_text(encoding="utf-8"), name)
    return tree, ["USEnhanceLib", *Path(name).parts[:-1]]


def parts_used(tree: ast.AST, package: list[str]) -> set[str]:
    """Return the parts of the library that are imported below a node."""
    names = (name.split(".") for name in imported_names(tree, package))
    return {name[1] for name in names if name[0] == "USEnhanceLib" and len(name) > 1 and name[1] in MAY_USE}


def at_file_scope(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements that run when a file is loaded, without those for the type checker."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting += node.orelse
        elif isinstance(
            node, (ast.If, ast.Try, ast.ExceptHandler, ast.With, ast.For, ast.While, ast.ClassDef)
        ):
            inner = ast.iter_child_nodes(node)
            waiting += [child for child in inner if isinstance(child, (ast.stmt, ast.ExceptHandler))]
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_the_library_has_the_parts_that_the_rules_speak_of():
    parts = {part_of(name) for name in python_files()} - {"__init__"}
    assert {*python_files()} >= ABOUT_TORCH_MODULES
    assert parts >= EXISTING
    assert parts <= set(MAY_USE), "a part without a rule: add it to MAY_USE"


@pytest.mark.parametrize("name", python_files())
def test_arrows_point_one_way(name):
    part = part_of(name)
    allowed = {"errors", "enhancement", "frames"} if part == "__init__" else {"errors", part, *MAY_USE[part]}
    assert parts_used(*parse(name)) <= allowed


@pytest.mark.parametrize("name", python_files())
def test_only_mrml_knows_slicer_and_nothing_knows_qt(name):
    tree, package = parse(name)
    roots = {imported.split(".")[0] for imported in imported_names(tree, package)}
    assert not roots & {"qt", "ctk", "PythonQt", "PySide6"}
    if part_of(name) != "mrml":
        assert not roots & {"slicer", "vtk", "vtkmodules", "PyTorchUtils"}


@pytest.mark.parametrize("name", python_files())
def test_heavy_packages_are_imported_where_they_are_needed(name):
    tree, package = parse(name)
    roots = {
        imported.split(".")[0] for node in at_file_scope(tree) for imported in imported_names(node, package)
    }
    assert not roots & (LAZY - {"torch"} if is_about_torch(name) else LAZY)


@pytest.mark.parametrize("name", [name for name in python_files() if not is_about_torch(name)])
def test_modules_about_torch_are_imported_inside_functions(name):
    modules = {f"USEnhanceLib.{path.removesuffix('.py').replace('/', '.')}" for path in ABOUT_TORCH_MODULES}
    tree, package = parse(name)
    for node in at_file_scope(tree):
        assert not parts_used(node, package) & ABOUT_TORCH
        names = set(imported_names(node, package))
        assert not (names | {imported.rpartition(".")[0] for imported in names}) & modules


def test_the_module_uses_what_a_click_may_use():
    used = {
        path.relative_to(MODULE.parent).as_posix(): parts_used(
            ast.parse(path.read_text(encoding="utf-8"), str(path)), []
        )
        for path in MODULE.parent.rglob("*.py")
    }
    assert "mrml" in set().union(*used.values())
    assert {name: parts - MODULE_MAY_USE for name, parts in used.items() if parts - MODULE_MAY_USE} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import torch",
        "if True:\n    from torch import nn",
        "try:\n    import torch\nexcept ImportError:\n    pass",
        "class A:\n    import torch",
    ],
)
def test_imports_at_file_scope_are_found(source):
    names = [name for node in at_file_scope(ast.parse(source)) for name in imported_names(node, [])]
    assert {name.split(".")[0] for name in names} == {"torch"}


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    import torch",
        "class A:\n    def f(self):\n        import torch",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
    ],
)
def test_imports_that_do_not_run_on_loading_are_not_found(source):
    names = [name for node in at_file_scope(ast.parse(source)) for name in imported_names(node, [])]
    assert "torch" not in {name.split(".")[0] for name in names}


def test_relative_imports_are_resolved():
    tree = ast.parse("from ..frames import Frames\nfrom . import tiling\nfrom .. import cli")
    names = set(imported_names(tree, ["USEnhanceLib", "enhancement"]))
    assert names == {"USEnhanceLib.frames.Frames", "USEnhanceLib.enhancement.tiling", "USEnhanceLib.cli"}


def loaded_by(code: str) -> set[str]:
    """Return the top-level packages that a fresh Python has loaded after running some code."""
    code = f"{code}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-c", code, str(MODULE)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "name", ["", ".errors", ".frames", ".enhancement", ".worker", ".models", ".mrml", ".cli"]
)
def test_importing_a_light_part_loads_nothing_heavy(name):
    loaded = loaded_by(f"import USEnhanceLib{name}")
    assert "USEnhanceLib" in loaded
    assert not loaded & HEAVY


# What only the application has, each name in it an empty class; MRML and slicer.util are the real ones.
LOAD_MODULE = """
import importlib.util, sys, types
import slicer
class Application(types.ModuleType):
    __path__ = []
    __all__ = ["ScriptedLoadableModule", "ScriptedLoadableModuleWidget", "ScriptedLoadableModuleLogic",
               "ScriptedLoadableModuleTest"]
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": lambda self, *arguments, **options: None})
for name in ("qt", "ctk", "slicer.ScriptedLoadableModule", "slicer.parameterNodeWrapper", "slicer.i18n"):
    sys.modules[name] = Application(name)
slicer.i18n = sys.modules["slicer.i18n"]
slicer.i18n.tr = slicer.i18n.translate = lambda *texts: texts[-1]
specification = importlib.util.spec_from_file_location("USEnhance", sys.argv[1])
module = sys.modules["USEnhance"] = importlib.util.module_from_spec(specification)
specification.loader.exec_module(module)
assert all(hasattr(module, "USEnhance" + part) for part in ("", "Widget", "Logic", "Test"))
"""


def test_loading_the_module_loads_nothing_heavy():
    loaded = loaded_by(LOAD_MODULE)
    assert {"USEnhance", "USEnhanceLib"} <= loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("package", sorted(HEAVY))
def test_a_heavy_package_would_be_noticed(package):
    assert package in loaded_by(
        f"import types, sys\nsys.modules['{package}.part'] = types.ModuleType('part')"
    )
