"""The methods that users choose from, and loading one by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..device import check_device_name
from ..errors import DependencyError, OptionError
from ..models import SHIPPED, ModelDescription, find_model
from .checks import no_spread, no_uncertainty

if TYPE_CHECKING:
    from ..classical.filters import Filter
    from .result import Enhancer


@dataclass(frozen=True)
class MethodDescription:
    """A method as a list shows it: its name in code, its title, and what it does in a sentence."""

    name: str
    title: str
    description: str
    is_classical: bool = False


_NETWORKS = (
    MethodDescription(
        "scunet",
        "SCUNet (despeckle, sharpen)",
        "Swin-Conv U-Net trained on ultrasound without clean targets (arXiv 2601.21856).",
    ),
    MethodDescription(
        "irsde",
        "IR-SDE (despeckle strongly, uncertainty)",
        "Ensemble of diffusion networks trained on ultrasound simulated from MRI (arXiv 2602.22717).",
    ),
)
_NETWORK_PACKAGES = ("torch", "safetensors")
_DIFFUSION_PACKAGES = (*_NETWORK_PACKAGES, "monai", "einops")

DIFFUSIONS = ("DiffusionUNet", "DiffusionEnsemble")
"""Architectures that `IRSDEEnhancer` runs."""


def methods() -> list[MethodDescription]:
    """The networks whose weights are shipped, the default one first, then the classical filters.

    A filter whose package is licensed for non-commercial use only (BM3D) is listed where that is installed.
    Loads nothing heavy.
    """
    from ..classical.filters import FILTERS
    from ..classical.packages import NON_COMMERCIAL, is_installed

    networks = [method for method in _NETWORKS if method.name in SHIPPED]
    filters = [
        MethodDescription(entry.name, entry.title, entry.summary, is_classical=True)
        for entry in FILTERS
        if all(is_installed(package) for package in NON_COMMERCIAL.intersection(entry.packages))
    ]
    return networks + filters


def check_method(method: str | Path) -> None:
    """Raise what `load_enhancer` raises for a method that does not exist, without loading it.

    Raises:
        OptionError: neither the name of a method nor a folder.
        ModelError: the folder is no model.
    """
    _find(method)


def is_diffusion(method: str | Path) -> bool:
    """Whether a method has the options steps and samples; errors as of `check_method`."""
    return _is_diffusion(_find(method))


def check_uncertainty(method: str | Path, samples: int | None = None) -> None:
    """Raise what an enhancer raises for an uncertainty that it has not, without loading it.

    Raises:
        OptionError: a classical filter, or a single diffusion network; or as of `check_method`.
        ModelError: as of `check_method`.
    """
    found = _find(method)
    if not isinstance(found, ModelDescription):
        raise no_uncertainty(found.name)
    if _is_diffusion(found) and 1 in (samples, found.options.get("members", 1)):
        raise no_spread(found.name)


def packages_of(method: str | Path) -> tuple[str, ...]:
    """Return the packages that a method imports besides those of Slicer; errors as of `check_method`."""
    found = _find(method)
    if not isinstance(found, ModelDescription):
        return found.packages
    return _DIFFUSION_PACKAGES if _is_diffusion(found) else _NETWORK_PACKAGES


def missing_packages(method: str | Path) -> list[str]:
    """Return those of `packages_of` that are not installed, by the names that pip knows; imports none."""
    from ..classical.packages import INSTALLED_AS, is_installed

    return [INSTALLED_AS.get(name, name) for name in packages_of(method) if not is_installed(name)]


def _find(method: str | Path) -> ModelDescription | Filter:
    from ..classical.filters import FILTERS

    filters = {entry.name: entry for entry in FILTERS}
    name = str(method)
    if name in filters:
        return filters[name]
    if name in SHIPPED or Path(method).is_dir():
        return find_model(method)
    known = ", ".join([*(network.name for network in _NETWORKS), *filters])
    raise OptionError(f"Unknown method {name!r}: use one of {known}, or the folder of a model.")


def _is_diffusion(found: ModelDescription | Filter) -> bool:
    return isinstance(found, ModelDescription) and found.architecture in DIFFUSIONS


def load_enhancer(
    method: str | Path = "scunet",
    device: str = "auto",
    *,
    strength: float = 1.0,
    tile: int | None = None,
    steps: int | None = None,
    samples: int | None = None,
    runtime: str | None = None,
) -> Enhancer:
    """Load a method: verify and load the weights of a network and choose its device, or make a filter.

    Args:
        method: name of a shipped network or of a classical filter, or the folder of a model. Filters work on
            the processor, estimate the level of noise, and have no option but the strength.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        strength: share of the enhanced frame in the result, 0 (the input) to 1.
        tile: edge in pixels, a multiple of 64, of the tiles that large frames are cut into; by default the
            model's own setting, smaller where memory is short.
        steps: number of network evaluations of a diffusion method.
        samples: number of ensemble members of a diffusion method.
        runtime: "torch", the only one so far.

    Raises:
        OptionError: unknown method, device or option, or a value out of range.
        ModelError: missing, damaged or altered weights.
        DependencyError: a package that the method needs is not installed.
    """
    description = _find(method)
    check_device_name(device)
    if not isinstance(description, ModelDescription):
        _refuse(description.name, tile=tile, steps=steps, samples=samples, runtime=runtime)
        from .classical import ClassicalEnhancer

        return ClassicalEnhancer(description, device, strength=strength)
    if description.task != "enhancement":
        raise OptionError(f"{method} is a model for {description.task}, not for enhancement: use scunet.")
    if runtime not in (None, "torch"):
        raise OptionError(f"Unknown runtime {runtime!r}: use torch.")
    if not _is_diffusion(description):
        _refuse(description.name, steps=steps, samples=samples)
    try:
        if _is_diffusion(description):
            from .irsde import IRSDEEnhancer

            return IRSDEEnhancer(
                description, device, strength=strength, tile=tile, steps=steps, samples=samples
            )
        from .scunet import SCUNetEnhancer

        return SCUNetEnhancer(description, device, strength=strength, tile=tile)
    except ImportError as error:
        if isinstance(error, DependencyError):
            raise
        raise DependencyError(
            f"The Python package {error.name} is missing: install it to run {description.name}."
        ) from error


def _refuse(name: str, **options: object) -> None:
    for option, value in options.items():
        if value is not None:
            raise OptionError(f"{name} has no option {option!r}: leave it out.")
