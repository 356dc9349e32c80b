"""MRML nodes <-> frames: the only package of the library that imports slicer. It never imports qt.

run = EnhancementRun(volumeNode, Options(method="scunet"))
outputs = enhance_node(run)
"""

from __future__ import annotations

from .extraction import check_input, extract
from .outputs import Outputs
from .run import EnhancementRun, Options, enhance_node
from .steps import StepRunner, run_to_end

__all__ = [
    "EnhancementRun",
    "Options",
    "Outputs",
    "StepRunner",
    "check_input",
    "enhance_node",
    "extract",
    "run_to_end",
]
