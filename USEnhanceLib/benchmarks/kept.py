"""Answers of slow methods, kept in a folder, so that a benchmark can be interrupted and repeated.

A file's name holds a hash of everything that the answer depends on: the method, its parameters, the frame,
and the code. Values are kept as 16-bit integers, exact to 7.6e-6; they are rounded so before they are
scored, too, so that figures do not depend on what was kept.
"""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec, resolve_name
from pathlib import Path
from typing import Any

import numpy as np

SCALE = 65535
# The packages that compute for us, whose releases may differ in their results.
PACKAGES = ("bm3d", "PyWavelets", "scikit-image", "SimpleITK")


def keep_frame(
    folder: Path, what: Sequence[Any], frame: np.ndarray, compute: Callable[[], np.ndarray]
) -> np.ndarray:
    """Return `compute()`, float32 [...] in [0, 1], or what it returned before for the same `what` and frame.

    folder: made when missing.  what: method, parameters and code version, as values with a stable `repr`.
    """
    digest = hashlib.sha256(repr((frame.shape, *what)).encode())
    digest.update(np.ascontiguousarray(frame, dtype=np.float32).tobytes())
    name = digest.hexdigest()[:32]
    file = folder / name[:2] / f"{name}.npy"
    if not file.is_file():
        rounded = np.rint(np.clip(compute(), 0, 1) * SCALE).astype(np.uint16)
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(f".{os.getpid()}.tmp")
        with unfinished.open("wb") as stream:
            np.save(stream, rounded)
        unfinished.replace(file)
    return np.load(file).astype(np.float32) / SCALE


@lru_cache(maxsize=64)
def code_version(*modules: str) -> str:
    """Return a hash of the modules' sources, of what they use of their own packages, and of `PACKAGES`."""
    digest = hashlib.sha256(repr([_release(package) for package in PACKAGES]).encode())
    seen: dict[str, bytes] = {}
    for module in modules:
        _collect(module, module, seen)
    for source in sorted(seen.values()):
        digest.update(source)
    return digest.hexdigest()[:16]


def _collect(name: str, start: str, seen: dict[str, bytes]) -> None:
    """Add a module's source, and those of the modules beside it that it imports anywhere, to `seen`."""
    if name in seen:
        return
    specification = find_spec(name)
    if specification is None or specification.origin is None:
        raise ModuleNotFoundError(f"The module {name} has no source.")
    source = Path(specification.origin).read_bytes()
    seen[name] = source
    package = name if specification.submodule_search_locations else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            origin = resolve_name("." * node.level + (node.module or ""), package)
            for target in (origin, *(f"{origin}.{alias.name}" for alias in node.names)):
                if target.startswith(f"{_package_of(start)}.") and _is_module(target):
                    _collect(target, start, seen)


def _package_of(module: str) -> str:
    """Return the part of the library that a module belongs to, such as USEnhanceLib.classical."""
    return ".".join(module.split(".")[:2])


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is a module, and the name is a function in it
        return False


def _release(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
