"""Enhancement of B-mode frames by SCUNet (arXiv 2601.21856)."""

from __future__ import annotations

import math
import time
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import ModelError, OptionError
from ..models import INFERENCE, ModelDescription, load_network, verify
from .checks import black_note, checked_pixels, checked_strength, poll
from .device import choose_device
from .result import Cancelled, EnhancementResult, Progress
from .tiling import OVERLAP, STEP, Mosaic, split

CPU_TILE = 320
"""Edge of the largest tile on a CPU: about .3 s on two cores, so that Cancel is heard twice a second."""

GPU_TILE = 1024
SMALLEST_TILE = 128

SCALE, FLOOR = "uncertainty_scale", "uncertainty_floor"
"""Names in configs/inference.json, written by `usenhance bench calibrate`."""

_loaded: WeakValueDictionary[tuple[str, str], torch.nn.Module] = WeakValueDictionary()
"""Networks in use, by SHA-256 and device: another strength or tile needs no second copy."""


class SCUNetEnhancer:
    """Enhances stacks of frames with a loaded SCUNet. Made by `load_enhancer`.

    Frames are worked on one at a time, large ones in overlapping tiles. When the memory of a GPU does not
    suffice, the tiles get smaller, and at last the CPU takes over; the result says so in its notes.
    """

    def __init__(
        self, model: ModelDescription, device: str = "auto", *, strength: float = 1.0, tile: int | None = None
    ) -> None:
        if tile is not None and (tile < SMALLEST_TILE or tile % STEP):
            raise OptionError(
                f"The tile is {tile}: give a multiple of {STEP} pixels from {SMALLEST_TILE} on."
            )
        self._model = model
        self._calibration = _calibration(model)
        self._strength = checked_strength(strength)
        self._device = choose_device(device)
        self._network = _shared_network(model, self._device.name)
        self._tile = tile or self._default_tile()

    @property
    def description(self) -> dict[str, Any]:
        """Method, model version, device, why that device, and parameters."""
        return {
            "method": self._model.name,
            "model_version": self._model.version,
            "device": self._device.name,
            "device_reason": self._device.reason,
            "parameters": {"strength": self._strength, "tile": self._tile},
        }

    def _default_tile(self) -> int:
        name, own = ("cpu_tile", CPU_TILE) if self._device.name == "cpu" else ("gpu_tile", GPU_TILE)
        return int(self._model.inference.get(name, own))

    def __call__(
        self,
        pixels: NDArray[np.float32],
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
        seed: int = 0,
        uncertainty: bool = False,
    ) -> EnhancementResult:
        """Enhance a stack of frames.

        Args:
            pixels: [N, H, W] in [0, 1]; never written to.
            progress: called with (frames done, frames in all) after each frame.
            cancelled: polled after each tile.
            seed: recorded with the result; nothing is random here.
            uncertainty: also return the standard deviation over the eight flips and quarter turns of the
                frame, which takes eight times as long. Where the model's configs/inference.json has an
                `uncertainty_scale` and an `uncertainty_floor`, it is scale * deviation + floor: the expected
                error, as measured on training images. The picture is the same with and without.

        Raises:
            InputError: `pixels` is not such a stack.
            EnhancementCancelled: `cancelled` returned true.
        """
        pixels = checked_pixels(pixels)
        begin = time.perf_counter()
        enhanced = np.empty(pixels.shape, dtype=np.float32)
        spread = np.empty(pixels.shape, dtype=np.float32) if uncertainty else None
        scale, floor = self._calibration
        notes: dict[str, None] = {}
        black = 0
        for i, frame in enumerate(pixels):
            poll(cancelled)
            if not frame.any():
                black += 1
                enhanced[i] = frame
                if spread is not None:
                    spread[i] = 0
            else:
                whole, deviation = self._enhance_frame(frame, cancelled, uncertainty, notes)
                enhanced[i] = frame + self._strength * (whole - frame)
                if spread is not None and deviation is not None:
                    spread[i] = self._strength * (scale * deviation + floor)
            if progress:
                progress(i + 1, len(pixels))
        if black:
            notes[black_note(black, len(pixels))] = None
        return EnhancementResult(
            frames=enhanced,
            uncertainty=spread,
            seconds=time.perf_counter() - begin,
            device=self._device.name,
            device_reason=self._device.reason,
            method=self._model.name,
            model_version=self._model.version,
            parameters={
                "strength": self._strength,
                "tile": self._tile,
                "seed": seed,
                **({"uncertainty_scale": scale, "uncertainty_floor": floor} if uncertainty else {}),
            },
            notes=tuple(notes),
        )

    def _enhance_frame(
        self,
        frame: NDArray[np.float32],
        cancelled: Cancelled | None,
        uncertainty: bool,
        notes: dict[str, None],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        while (outcome := self._try_frame(frame, cancelled, uncertainty)) is None:
            self._retreat(notes)
        return outcome

    def _try_frame(
        self, frame: NDArray[np.float32], cancelled: Cancelled | None, uncertainty: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None] | None:
        """The enhanced frame and its spread, or None where the memory of the GPU did not suffice."""
        try:
            whole = self._run(frame, self._tile, cancelled)
            return whole, self._spread(frame, whole, self._tile, cancelled) if uncertainty else None
        except torch.cuda.OutOfMemoryError:
            if self._device.name == "cpu":
                raise
            return None

    def _retreat(self, notes: dict[str, None]) -> None:
        """Work on in smaller tiles, at last on the CPU."""
        torch.cuda.empty_cache()
        if self._tile >= 2 * SMALLEST_TILE:
            self._tile = self._tile // 2 // STEP * STEP
            notes[f"GPU memory was short: tiles of {self._tile} pixels were used."] = None
        else:
            self._device = choose_device("cpu")
            self._network = _shared_network(self._model, self._device.name)
            self._tile = self._default_tile()
            notes["GPU memory was short: the CPU was used instead."] = None

    def _run(self, frame: NDArray[np.float32], tile: int, cancelled: Cancelled | None) -> NDArray[np.float32]:
        mosaic = Mosaic(frame.shape)
        for part in split(frame.shape, max(tile, OVERLAP + STEP)):
            poll(cancelled)
            piece = np.ascontiguousarray(frame[part.rows, part.columns])
            mosaic.add(part, self._evaluate(piece) if piece.any() else piece)
        poll(cancelled)
        return mosaic.frame()

    def _evaluate(self, piece: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            batch = torch.from_numpy(piece.copy())[None, None].to(self._device.name)
            return self._network(batch)[0, 0].clamp_(0, 1).cpu().numpy()

    def _spread(
        self, frame: NDArray[np.float32], first: NDArray[np.float32], tile: int, cancelled: Cancelled | None
    ) -> NDArray[np.float32]:
        """Standard deviation over the eight symmetries of the square, [H, W]."""
        total, squares = first.astype(np.float64), np.square(first, dtype=np.float64)
        for symmetry in range(1, 8):
            turns, mirrored = symmetry % 4, symmetry >= 4
            turned = np.rot90(frame[:, ::-1] if mirrored else frame, turns)
            result = np.rot90(self._run(np.ascontiguousarray(turned), tile, cancelled), -turns)
            result = result[:, ::-1] if mirrored else result
            total += result
            squares += np.square(result, dtype=np.float64)
        mean = total / 8
        return np.sqrt(np.maximum(squares / 8 - mean**2, 0)).astype(np.float32)


def _calibration(model: ModelDescription) -> tuple[float, float]:
    """What turns the spread over the symmetries into an expected error: a factor, and an addend."""
    try:
        scale = float(model.inference.get(SCALE, 1.0))
        floor = float(model.inference.get(FLOOR, 0.0))
    except (TypeError, ValueError):
        scale = floor = math.nan
    if not (0 <= scale < math.inf and 0 <= floor < math.inf):
        raise ModelError(
            f"The calibration of the uncertainty in {model.folder / INFERENCE} is no pair of numbers from 0 "
            "on: install the model again."
        )
    return scale, floor


def _shared_network(model: ModelDescription, device: str) -> torch.nn.Module:
    verify(model)
    key = (model.sha256, device)
    network = _loaded.get(key)
    if network is None:
        network = load_network(model, device).to(memory_format=torch.channels_last)
        _loaded[key] = network
    return network
