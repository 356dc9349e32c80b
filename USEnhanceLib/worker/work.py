"""The server's half of a job: load what it needs once, apply it to the frames, hand the outputs over.

A kind of work keeps what it has loaded for the next job. All kinds share the exchange of files, the events
and the cancel.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..errors import EnhancementCancelled, OptionError
from ..models import METADATA
from .exchange import map_input, map_output
from .protocol import (
    DoneEvent,
    EnhanceRequest,
    Event,
    JobRequest,
    ProgressEvent,
    SegmentRequest,
    StartedEvent,
)

_NO_OPTIONS = ("method", "device")
Send = Callable[[Event], object]


class Job:
    """A request that waits or is worked on, and that the thread which reads requests may cancel."""

    def __init__(self, request: JobRequest) -> None:
        self.request = request
        self.cancelled = threading.Event()

    def check(self) -> None:
        """Raise EnhancementCancelled once the job is cancelled."""
        if self.cancelled.is_set():
            raise EnhancementCancelled


class Work(ABC):
    """One kind of work, with what it has loaded: the most recently used enhancers or segmenters."""

    gerund: ClassVar[str]
    """What it does, as in "memory ran out while enhancing"."""
    remedy: ClassVar[str]
    """What a user can do, besides closing programs, when memory runs out."""
    kept: ClassVar[int]
    """How many may stay loaded; each holds a network in (GPU) memory."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def forget(self) -> None:
        """Drop all that is loaded."""
        self._loaded.clear()

    def do(self, job: Job, send: Send) -> DoneEvent:
        """Do the job, and tell of its start and its progress. Raises EnhancementCancelled and what fails."""
        request = job.request
        pixels = map_input(Path(request.input), request.shape)
        targets = self._map_outputs(request)
        job.check()
        importlib.invalidate_caches()  # torch may have been installed since this process started
        model = self._load_once(request)
        job.check()
        description = model.description
        send(StartedEvent(request.id, description))

        def progress(done: int, total: int) -> None:
            send(ProgressEvent(request.id, done, total))

        with _polled_between_layers(job):
            outputs, event = self._apply(model, job, pixels, progress)
        if model.description != description:
            # It fell back to the CPU or smaller tiles for want of memory: the next job tries anew.
            self._loaded.popitem()
        for output, target in zip(outputs, targets, strict=True):
            _copy(job, output, target)
        return event

    def _load_once(self, request: JobRequest) -> Any:
        key = self._key(request)
        if key not in self._loaded:
            while len(self._loaded) >= self.kept:
                self._loaded.popitem(last=False)
            self._loaded[key] = self._load(request)
        self._loaded.move_to_end(key)
        return self._loaded[key]

    @abstractmethod
    def _map_outputs(self, request: JobRequest) -> list[np.ndarray]: ...

    @abstractmethod
    def _key(self, request: JobRequest) -> tuple[Any, ...]:
        """What must be equal for a loaded model to do."""

    @abstractmethod
    def _load(self, request: JobRequest) -> Any: ...

    @abstractmethod
    def _apply(
        self, model: Any, job: Job, pixels: np.ndarray, progress: Callable[[int, int], None]
    ) -> tuple[list[np.ndarray], DoneEvent]: ...


class Enhancement(Work):
    """Frames are enhanced."""

    gerund = "enhancing"
    remedy = "shorten or crop the input, set a smaller tile, or choose the device cpu"
    kept = 2  # so that changing to another method and back stays warm

    def _map_outputs(self, request: EnhanceRequest) -> list[np.ndarray]:
        paths = filter(None, (request.output, request.uncertainty_output))
        return [map_output(Path(path), request.shape) for path in paths]

    def _key(self, request: EnhanceRequest) -> tuple[Any, ...]:
        options = json.dumps(request.options, sort_keys=True)
        return request.method, _age(request.method), request.device, options

    def _load(self, request: EnhanceRequest) -> Any:
        from ..enhancement import load_enhancer

        known = [name for name in inspect.signature(load_enhancer).parameters if name not in _NO_OPTIONS]
        for name in request.options.keys() - set(known):
            raise OptionError(f"There is no option {name!r}: choose from {', '.join(known)}.")
        return load_enhancer(request.method, device=request.device, **request.options)

    def _apply(
        self, model: Any, job: Job, pixels: np.ndarray, progress: Callable[[int, int], None]
    ) -> tuple[list[np.ndarray], DoneEvent]:
        request = job.request
        result = model(
            pixels,
            progress=progress,
            cancelled=job.cancelled.is_set,
            seed=request.seed,
            uncertainty=request.uncertainty,
        )
        outputs = [result.frames]
        if request.uncertainty_output is not None:
            if result.uncertainty is None:
                raise OptionError(f"The method {request.method} gives no uncertainty: do not ask for it.")
            outputs.append(result.uncertainty)
        event = DoneEvent(
            id=request.id,
            seconds=result.seconds,
            notes=tuple(result.notes),
            provenance=result.provenance(),
            device=result.device,
            device_reason=result.device_reason,
        )
        return outputs, event


class Segmentation(Work):
    """Structures are outlined in frames."""

    gerund = "segmenting"
    remedy = "shorten or crop the input, or choose the device cpu"
    kept = 1

    def _map_outputs(self, request: SegmentRequest) -> list[np.ndarray]:
        return [map_output(Path(request.output), request.shape, np.uint8)]

    def _key(self, request: SegmentRequest) -> tuple[Any, ...]:
        return request.model, _age(request.model), request.device

    def _load(self, request: SegmentRequest) -> Any:
        from ..segmentation import load_segmenter

        return load_segmenter(request.model, device=request.device)

    def _apply(
        self, model: Any, job: Job, pixels: np.ndarray, progress: Callable[[int, int], None]
    ) -> tuple[list[np.ndarray], DoneEvent]:
        begin = time.perf_counter()
        labels = model(pixels, progress=progress, cancelled=job.cancelled.is_set)
        description = model.description
        event = DoneEvent(
            id=job.request.id,
            seconds=time.perf_counter() - begin,
            notes=(),
            provenance=model.provenance(),
            device=description["device"],
            device_reason=description["device_reason"],
        )
        return [labels], event


@contextlib.contextmanager
def _polled_between_layers(job: Job) -> Iterator[None]:
    """Hear a cancel ahead of every layer: one tile may take seconds on a busy CPU."""
    if "torch" not in sys.modules:
        yield
        return
    from torch.nn.modules.module import register_module_forward_pre_hook

    hook = register_module_forward_pre_hook(lambda *_: job.check())
    try:
        yield
    finally:
        hook.remove()


def _copy(job: Job, frames: np.ndarray, target: np.ndarray) -> None:
    for frame, place in zip(frames, target, strict=True):
        job.check()
        place[...] = frame


def _age(model: str) -> int:
    """When a model given as a folder was last written, so that a retrained model is loaded anew; else 0."""
    with contextlib.suppress(OSError):
        return (Path(model) / METADATA).stat().st_mtime_ns
    return 0
