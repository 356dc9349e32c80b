"""USEnhance: enhancement of B-mode ultrasound, in 3D Slicer, from Python and from the command line.

    from USEnhanceLib import load_enhancer, read_frames, write_frames

    frames = read_frames("cine.dcm")
    result = load_enhancer("scunet")(frames.pixels)
    write_frames("enhanced.nrrd", frames.with_pixels(result.frames))

Importing this package loads nothing heavy: torch, monai, SimpleITK and scikit-image are imported by the
functions that need them, so that the module appears in a Slicer where none of them is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .enhancement import EnhancementResult, load_enhancer
    from .frames import Frames, read_frames, write_frames

_HOMES = {
    "load_enhancer": "enhancement",
    "EnhancementResult": "enhancement",
    "Frames": "frames",
    "read_frames": "frames",
    "write_frames": "frames",
}

__all__ = ["EnhancementResult", "Frames", "__version__", "load_enhancer", "read_frames", "write_frames"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
