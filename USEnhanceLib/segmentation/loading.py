"""Loading a segmentation model by name."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..device import check_device_name
from ..errors import DependencyError, OptionError
from ..models import ModelDescription, find_model

if TYPE_CHECKING:
    from .segmenter import Segmenter

DEFAULT = "fhps"
TASK = "segmentation"
_PACKAGES = ("torch", "safetensors", "monai")


def segmentation_packages() -> tuple[str, ...]:
    """Return the packages that outlining imports besides those of Slicer."""
    return _PACKAGES


def missing_segmentation_packages() -> list[str]:
    """Return those of `segmentation_packages` that are not installed; imports none."""
    return [name for name in _PACKAGES if find_spec(name) is None]


def check_segmenter(name: str | Path = DEFAULT) -> ModelDescription:
    """Return what `load_segmenter` would load; raise what it raises, without loading the weights.

    Raises:
        OptionError: neither the name of a model nor a folder, or a model for something else.
        ModelError: the folder is no model.
    """
    try:
        description = find_model(name)
    except OptionError as error:
        raise OptionError(
            f"Unknown segmentation model {str(name)!r}: use {DEFAULT}, or the folder of a model."
        ) from error
    if description.task != TASK:
        raise OptionError(f"{name} is a model for {description.task}, not for {TASK}: use {DEFAULT}.")
    return description


def load_segmenter(name: str | Path = DEFAULT, device: str = "auto") -> Segmenter:
    """Verify and load the weights of a model that outlines fetal head and pubic symphysis.

    Args:
        name: of a shipped model, or the folder of a model that `usenhance train fhps` wrote.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        OptionError: an unknown name or device, or a model for something else.
        ModelError: missing, damaged or altered weights.
        DependencyError: a package is not installed.
    """
    description = check_segmenter(name)
    check_device_name(device)
    try:
        from .segmenter import Segmenter

        return Segmenter(description, device)
    except ImportError as error:
        if isinstance(error, DependencyError):
            raise
        raise DependencyError(
            f"The Python package {error.name} is missing: install it to outline structures."
        ) from error
