"""Enhancement: networks that work on stacks of B-mode frames, loaded by name."""

from __future__ import annotations

from .loading import MethodDescription, load_enhancer, methods
from .result import EnhancementResult, Enhancer

__all__ = ["EnhancementResult", "Enhancer", "MethodDescription", "load_enhancer", "methods"]
