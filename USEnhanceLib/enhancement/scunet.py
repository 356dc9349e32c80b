"""Enhancement of B-mode frames by SCUNet (arXiv 2601.21856)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..models import ModelDescription
from ..progress import Cancelled
from .calibration import FLOOR, SCALE, calibration
from .network import Image, NetworkEnhancer, Request

CPU_TILE = 320
"""Edge of the largest tile on a CPU: about .3 s on two cores, so that Cancel is heard twice a second."""

GPU_TILE = 1024


class SCUNetEnhancer(NetworkEnhancer):
    """Enhances stacks of frames with a loaded SCUNet, one evaluation a tile. Nothing is random.

    Its uncertainty, on request, is the standard deviation over the eight flips and quarter turns of the
    frame, which takes eight times as long. Where the model's configs/inference.json has an
    `uncertainty_scale` and an `uncertainty_floor`, it is scale * deviation + floor: the expected error, as
    measured on training images.
    """

    cpu_tile, gpu_tile = CPU_TILE, GPU_TILE

    def __init__(
        self, model: ModelDescription, device: str = "auto", *, strength: float = 1.0, tile: int | None = None
    ) -> None:
        self._calibration = calibration(model)
        super().__init__(model, device, strength=strength, tile=tile)

    def _parameters(self, uncertainty: bool) -> dict[str, Any]:
        return dict(zip((SCALE, FLOOR), self._calibration, strict=True)) if uncertainty else {}

    def _enhance(self, frame: Image, request: Request) -> tuple[Image, Image | None]:
        whole = self._in_tiles(frame, self._evaluate, request.cancelled)
        if not request.uncertainty:
            return whole, None
        scale, floor = self._calibration
        return whole, scale * self._spread(frame, whole, request.cancelled) + floor

    def _evaluate(self, piece: Image) -> Image:
        with torch.inference_mode():
            return self._network(self._tensor(piece))[0, 0].clamp_(0, 1).cpu().numpy()

    def _spread(
        self, frame: NDArray[np.float32], first: NDArray[np.float32], cancelled: Cancelled | None
    ) -> NDArray[np.float32]:
        """Standard deviation over the eight symmetries of the square, [H, W]."""
        total, squares = first.astype(np.float64), np.square(first, dtype=np.float64)
        for symmetry in range(1, 8):
            turns, mirrored = symmetry % 4, symmetry >= 4
            turned = np.rot90(frame[:, ::-1] if mirrored else frame, turns)
            result = np.rot90(self._in_tiles(np.ascontiguousarray(turned), self._evaluate, cancelled), -turns)
            result = result[:, ::-1] if mirrored else result
            total += result
            squares += np.square(result, dtype=np.float64)
        mean = total / 8
        return np.sqrt(np.maximum(squares / 8 - mean**2, 0)).astype(np.float32)
