"""What every enhancer offers, and what it returns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..progress import Cancelled, Progress


@dataclass(frozen=True, eq=False)
class EnhancementResult:
    """An enhanced stack and how it came about.

    Attributes:
        frames: float32 [N, H, W] in [0, 1].
        uncertainty: float32 [N, H, W], standard deviation in the same unit, or None.
        seconds: wall time of the enhancement, without loading the model.
        device: "cpu", "cuda:0" or "mps".
        device_reason: why that device, in words.
        method: "scunet", the name of a classical filter, or that of a model's folder.
        model_version: version of the weights; of the library for a filter.
        parameters: options and seed that the result depends on; with an uncertainty also "distrust_above",
            the uncertainty above which the enhanced pixels are not to be trusted.
        notes: sentences for the user.
    """

    frames: NDArray[np.float32]
    uncertainty: NDArray[np.float32] | None
    seconds: float
    device: str
    device_reason: str
    method: str
    model_version: str
    parameters: Mapping[str, Any]
    notes: tuple[str, ...] = field(default=())

    def provenance(self) -> dict[str, str]:
        """Attributes that mark an image as enhanced: method, model version and parameters."""
        return {
            "USEnhance.Enhanced": "1",
            "USEnhance.Method": self.method,
            "USEnhance.ModelVersion": self.model_version,
            "USEnhance.Parameters": json.dumps(dict(self.parameters), sort_keys=True),
        }


class Enhancer(Protocol):
    """A loaded method. Calling it twice with the same frames and seed gives the same result."""

    @property
    def description(self) -> dict[str, Any]:
        """Method, model version, device, why that device, and parameters."""
        ...

    def __call__(
        self,
        pixels: NDArray[np.float32],
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
        seed: int = 0,
        uncertainty: bool = False,
    ) -> EnhancementResult:
        """Enhance float32 [N, H, W] in [0, 1]."""
        ...
