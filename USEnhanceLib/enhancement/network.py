"""Enhancement by networks: frame by frame, large ones in tiles, smaller tiles where memory is short."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..device import choose_device
from ..errors import OptionError
from ..frames.validation import checked_pixels
from ..models import ModelDescription, shared_network
from ..progress import Cancelled, Progress, poll
from .checks import black_note, checked_strength
from .distrust import SETTING, distrust_threshold
from .domain import domain_note, domain_of
from .result import EnhancementResult
from .tiling import OVERLAP, STEP, Mosaic, split

SMALLEST_TILE = 128

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Request:
    """What a caller asked for besides the picture."""

    seed: int
    cancelled: Cancelled | None
    uncertainty: bool
    unusual: bool = False
    """Whether the frame lies outside the model's domain."""


class NetworkEnhancer(ABC):
    """What enhancers with a network have in common. Made by `load_enhancer`.

    Frames are worked on one at a time, large ones in overlapping tiles. When the memory of a GPU does not
    suffice, the tiles get smaller, and at last the CPU takes over; the result says so in its notes.

    Args:
        model: a verified or unverified model.
        device: name of a device, or "auto".
        strength: share of the enhanced frame in the result, 0 to 1.
        tile: edge of the largest tile in pixels; by default the model's own, or the class's.

    Raises:
        OptionError: a value out of range, or an unknown device.
        ModelError: the weights are damaged, or the threshold of distrust or the domain is wrong.
    """

    cpu_tile: int
    gpu_tile: int

    def __init__(
        self, model: ModelDescription, device: str = "auto", *, strength: float = 1.0, tile: int | None = None
    ) -> None:
        if tile is not None and (tile < SMALLEST_TILE or tile % STEP):
            raise OptionError(
                f"The tile is {tile}: give a multiple of {STEP} pixels from {SMALLEST_TILE} on."
            )
        self._model = model
        self._domain = domain_of(model)
        self._distrust_above = distrust_threshold(model)
        self._strength = checked_strength(strength)
        self._device = choose_device(device)
        self._network = shared_network(model, self._device.name)
        self._tile = tile or self._default_tile()

    @abstractmethod
    def _enhance(self, frame: Image, request: Request) -> tuple[Image, Image | None]:
        """Return the enhanced frame [H, W] in [0, 1] and its uncertainty, None where there is none."""

    def _gives_uncertainty(self, asked: bool) -> bool:
        """Tell whether results come with an uncertainty; OptionError where it is asked for in vain."""
        return asked

    def _parameters(self, _uncertainty: bool) -> dict[str, Any]:
        """What the result depends on besides strength, tile and seed."""
        return {}

    @property
    def description(self) -> dict[str, Any]:
        """Method, model version, device, why that device, and parameters."""
        return {
            "method": self._model.name,
            "model_version": self._model.version,
            "device": self._device.name,
            "device_reason": self._device.reason,
            "parameters": {"strength": self._strength, "tile": self._tile, **self._parameters(False)},
        }

    def _default_tile(self) -> int:
        cpu = self._device.name == "cpu"
        name, own = ("cpu_tile", self.cpu_tile) if cpu else ("gpu_tile", self.gpu_tile)
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
            seed: of what is random; the same seed gives the same result.
            uncertainty: also return the standard deviation of the enhanced pixels, see the class. The
                picture is the same with and without.

        Raises:
            InputError: `pixels` is not such a stack.
            OptionError: an uncertainty is asked for that the method has not.
            EnhancementCancelled: `cancelled` returned true.
        """
        pixels = checked_pixels(pixels)
        begin = time.perf_counter()
        request = Request(seed, cancelled, uncertainty)
        spread = np.zeros(pixels.shape, dtype=np.float32) if self._gives_uncertainty(uncertainty) else None
        enhanced = np.empty(pixels.shape, dtype=np.float32)
        notes: dict[str, None] = {}
        unusual: Counter[str] = Counter()
        black = outside = 0
        for i, frame in enumerate(pixels):
            poll(cancelled)
            if not frame.any():
                black += 1
                whole, deviation = frame, None
            else:
                names = self._domain.unusual(frame) if self._domain is not None else []
                unusual.update(names)
                outside += bool(names)
                own = replace(request, unusual=bool(names))
                whole, deviation = self._without_running_out(frame, own, notes)
            enhanced[i] = frame + self._strength * (whole - frame)
            if spread is not None and deviation is not None:
                spread[i] = self._strength * deviation
            if progress:
                progress(i + 1, len(pixels))
        if outside:
            notes[domain_note(unusual, outside, len(pixels), self._model.name)] = None
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
                **self._parameters(uncertainty),
                **({SETTING: self._distrust_above} if spread is not None else {}),
            },
            notes=tuple(notes),
        )

    def _without_running_out(
        self, frame: Image, request: Request, notes: dict[str, None]
    ) -> tuple[Image, Image | None]:
        while True:
            try:
                return self._enhance(frame, request)
            except torch.cuda.OutOfMemoryError:
                if self._device.name == "cpu":
                    raise
            # Out of the except clause, whose traceback holds on to the tensors.
            self._retreat(notes)

    def _retreat(self, notes: dict[str, None]) -> None:
        """Work on in smaller tiles, at last on the CPU."""
        torch.cuda.empty_cache()
        if self._tile >= 2 * SMALLEST_TILE:
            self._tile = self._tile // 2 // STEP * STEP
            notes[f"GPU memory was short: tiles of {self._tile} pixels were used."] = None
        else:
            self._device = choose_device("cpu")
            self._network = shared_network(self._model, self._device.name)
            self._tile = self._default_tile()
            notes["GPU memory was short: the CPU was used instead."] = None

    def _in_tiles(
        self, frame: Image, evaluate: Callable[[Image], Image], cancelled: Cancelled | None
    ) -> Image:
        """Return what `evaluate` makes of a frame's tiles [h, w], joined; black tiles stay black."""
        mosaic = Mosaic(frame.shape)
        for part in split(frame.shape, max(self._tile, OVERLAP + STEP)):
            poll(cancelled)
            piece = np.ascontiguousarray(frame[part.rows, part.columns])
            mosaic.add(part, evaluate(piece) if piece.any() else piece)
        poll(cancelled)
        return mosaic.frame()

    def _tensor(self, piece: Image) -> torch.Tensor:
        """A tile as [1, 1, h, w] on the device."""
        return torch.from_numpy(piece.copy())[None, None].to(self._device.name)
