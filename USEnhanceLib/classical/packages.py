"""Packages that single filters need besides numpy and scipy, imported at their first use."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from ..errors import DependencyError

INSTALLED_AS = {"skimage": "scikit-image", "pywt": "PyWavelets"}
"""The names that pip knows, where they are not those that Python imports."""

NON_COMMERCIAL = frozenset({"bm3d"})
"""Packages whose licence forbids commercial use: installing them is left to the user."""


def is_installed(package: str) -> bool:
    """Tell whether Python finds a package, without importing it."""
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # a module without a specification, such as one that failed halfway
        return False


def import_for(filter_name: str, module: str) -> Any:
    """Return a module that a filter needs, or raise DependencyError with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = (error.name or module).split(".")[0]
        name = INSTALLED_AS.get(package, package)
        licence = " (for non-commercial use only)" if package in NON_COMMERCIAL else ""
        raise DependencyError(
            f"The method {filter_name} needs the Python package {name}{licence}: run 'pip install {name}', "
            f"or slicer.util.pip_install('{name}') in Slicer."
        ) from error
