"""The packages that read and write files, imported at the first use."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from ..errors import DependencyError

# Module: requirement for pip, and the least major version. Slicer brings both.
REQUIREMENTS = {"pydicom": ("pydicom>=3", 3), "SimpleITK": ("SimpleITK>=2", 2)}


def load(name: str) -> ModuleType:
    """Return the module `name`; raise DependencyError if it is absent or too old."""
    requirement, least = REQUIREMENTS[name]
    advice = f'install it with pip install "{requirement}".'
    try:
        module = import_module(name)
    except ImportError as error:
        raise DependencyError(f"Image files cannot be read or written without {name}: {advice}") from error
    if int(module.__version__.split(".")[0]) < least:
        raise DependencyError(f"{name} {module.__version__} is too old to read this image: {advice}")
    return module
