"""Enhancement: networks and classical filters that work on stacks of B-mode frames, loaded by name."""

from __future__ import annotations

from .loading import (
    MethodDescription,
    check_method,
    check_uncertainty,
    is_diffusion,
    load_enhancer,
    methods,
    missing_packages,
    packages_of,
)
from .result import EnhancementResult, Enhancer

__all__ = [
    "EnhancementResult",
    "Enhancer",
    "MethodDescription",
    "check_method",
    "check_uncertainty",
    "is_diffusion",
    "load_enhancer",
    "methods",
    "missing_packages",
    "packages_of",
]
