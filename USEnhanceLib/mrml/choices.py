"""What the panel offers: values with their titles and explanations, a likely input, kinds of outputs."""

from __future__ import annotations

from typing import Any

import slicer

from ..enhancement import is_diffusion, methods
from ..errors import InputError, USEnhanceError
from .display import shown_input
from .extraction import check_input
from .outputs import INPUT_ROLE
from .sequences import SEQUENCE, is_sequence, sequence_of
from .volumes import SCALAR, VOLUMES

DEVICES = (
    ("Automatic", "auto", "A graphics card that fits, else the processor."),
    ("Processor (cpu)", "cpu", "Works everywhere."),
    ("NVIDIA graphics card (cuda)", "cuda", "Needs PyTorch with CUDA."),
    ("Apple graphics (mps)", "mps", "Needs a Mac with Apple silicon."),
)
AXES = (
    ("Third axis (k)", "k", "The slices of a volume, the frames of a cine."),
    ("Second axis (j)", "j", "For sweeps whose frames lie across the rows."),
    ("First axis (i)", "i", "For sweeps whose frames lie across the columns."),
)

DISPLAYS = (
    ("Judge from the frames", "auto", "By the symphysis and the head; the status says when that is unsure."),
    ("Usual: front at the left", "usual", "The symphysis' lower end points to the right."),
    ("Mirrored: front at the right", "mirrored", "The symphysis' lower end points to the left."),
)


def choices() -> dict[str, list[tuple[str, str, str]]]:
    """Return (title, value, explanation) of all that can be chosen, by the name of the parameter."""
    offered = [
        (f"{'Classical: ' if method.is_classical else ''}{method.title}", method.name, method.description)
        for method in methods()
    ]
    return {"method": offered, "device": list(DEVICES), "axis": list(AXES), "display": list(DISPLAYS)}


def has_steps(method: str) -> bool:
    """Whether a method, which need not exist, takes steps and samples."""
    try:
        return is_diffusion(method)
    except USEnhanceError:
        return False


def likely_input() -> Any | None:
    """Return what the slice viewers show, else the first cine or volume; never a result of this module."""
    shown = shown_input()
    candidates = [] if shown is None else [sequence_of(shown) or shown]
    for class_name in (SEQUENCE, *VOLUMES):
        candidates += slicer.util.getNodesByClass(class_name)
    return next(
        (node for node in candidates if not node.GetAttribute("USEnhance.Method") and _fits(node)), None
    )


def _fits(node: Any) -> bool:
    try:
        check_input(node)
    except InputError:
        return False
    return True


def output_classes(input_node: Any) -> tuple[str, str]:
    """Return the classes of the enhanced image and of the map of its uncertainty."""
    return input_node.GetClassName(), SEQUENCE if is_sequence(input_node) else SCALAR


def is_output_for(node: Any, input_node: Any, class_name: str) -> bool:
    """Whether `node` may take a result for `input_node`: of that class, not made from another."""
    original = node.GetNodeReference(INPUT_ROLE)
    return node.GetClassName() == class_name and original in (None, input_node)


def original_of(output: Any | None) -> Any | None:
    """Return the node that `output` was made from, or None while it holds no result."""
    return None if output is None else output.GetNodeReference(INPUT_ROLE)
