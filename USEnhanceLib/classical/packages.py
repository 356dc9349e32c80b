"""Packages that single filters need besides numpy and scipy, imported at their first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import DependencyError

INSTALLED_AS = {"skimage": "scikit-image", "pywt": "PyWavelets"}
"""The names that pip knows, where they are not those that Python imports."""

_LICENCES = {"bm3d": " (for non-commercial use only)"}


def import_for(filter_name: str, module: str) -> Any:
    """Return a module that a filter needs, or raise DependencyError with the command that installs it."""
    try:
        return import_module(module)
    except ImportError as error:
        missing = (error.name or module).split(".")[0]
        package = INSTALLED_AS.get(missing, missing)
        raise DependencyError(
            f"The method {filter_name} needs the Python package {package}{_LICENCES.get(package, '')}: "
            f"run 'pip install {package}'."
        ) from error
