"""The methods that users choose from, and loading one by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DependencyError, OptionError
from ..models import SHIPPED, find_model
from .device import check_device_name

if TYPE_CHECKING:
    from .result import Enhancer


@dataclass(frozen=True)
class MethodDescription:
    """A method as a list shows it: its name in code, its title, and what it does in a sentence."""

    name: str
    title: str
    description: str


_METHODS = (
    MethodDescription(
        "scunet",
        "SCUNet (despeckle and sharpen)",
        "Swin-Conv U-Net trained on ultrasound without clean targets (arXiv 2601.21856).",
    ),
)


def methods() -> list[MethodDescription]:
    """The methods whose weights are shipped, the default one first. Loads nothing heavy."""
    return [method for method in _METHODS if method.name in SHIPPED]


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
    """Load a method: verify and load its weights and choose its device.

    Args:
        method: name of a shipped method, or the folder of a model.
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
        DependencyError: torch or safetensors is not installed.
    """
    description = find_model(method)
    check_device_name(device)
    if description.architecture != "SCUNet":
        raise OptionError(f"{method} is a model for {description.task}, not for enhancement: use scunet.")
    for name, value in (("steps", steps), ("samples", samples)):
        if value is not None:
            raise OptionError(
                f"{description.name} has no option {name!r}: it needs one evaluation and no samples."
            )
    if runtime not in (None, "torch"):
        raise OptionError(f"Unknown runtime {runtime!r}: use torch.")
    try:
        from .scunet import SCUNetEnhancer
    except ImportError as error:
        raise DependencyError(
            f"The Python package {error.name} is missing: install PyTorch to run {description.name}."
        ) from error
    return SCUNetEnhancer(description, device, strength=strength, tile=tile)
