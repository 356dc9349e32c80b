"""The worker process: reads requests from stdin, enhances, tells of it on stdout.

One thread reads, so that a cancel is heard while torch computes; the main thread works on one job after
the other. The log on stderr names jobs and errors, never files, pixels or patients.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import inspect
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import EnhancementCancelled, OptionError, USEnhanceError, WorkerError
from ..models import METADATA
from .exchange import map_input, map_output
from .lifetime import Lifetime
from .protocol import (
    CancelledEvent,
    CancelRequest,
    DoneEvent,
    EnhanceRequest,
    Event,
    ExchangeRequest,
    LineBuffer,
    MalformedMessageError,
    ProgressEvent,
    QuitRequest,
    ReadyEvent,
    Request,
    StartedEvent,
    decode_request,
    encode,
    failed_event,
)

if TYPE_CHECKING:
    from ..enhancement import Enhancer

# Two, so that changing to another method and back stays warm; each holds a network in (GPU) memory.
_CACHED_ENHANCERS = 2
_IDLE_SECONDS = 0.2
# How the allocators of CUDA, MPS, the CPU and cuBLAS put it, in errors of torch that are only RuntimeErrors.
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
_NO_OPTIONS = ("method", "device")


class _Job:
    def __init__(self, request: EnhanceRequest) -> None:
        self.request = request
        self.cancelled = threading.Event()

    def check(self) -> None:
        if self.cancelled.is_set():
            raise EnhancementCancelled


class Server:
    """Answers the requests of one client. `requests` and `events` are descriptors of open files."""

    def __init__(self, requests: int, events: int) -> None:
        self._requests = requests
        self._events = events
        self._sending = threading.Lock()
        self._jobs: dict[int, _Job] = {}
        self._queue: queue.Queue[_Job] = queue.Queue()
        self._enhancers: OrderedDict[tuple[Any, ...], Enhancer] = OrderedDict()
        self._lifetime = Lifetime()

    def run(self) -> None:
        """Work until the process ends; does not return."""
        self._lifetime.watch_parent()
        self._send(ReadyEvent(os.getpid(), __version__))
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        try:
            job = self._queue.get(timeout=_IDLE_SECONDS)
        except queue.Empty:
            _import_torch()
            job = self._queue.get()
        while True:
            self._work(job)
            job = self._queue.get()

    def _send(self, event: Event) -> None:
        line = encode(event)
        try:
            with self._sending:
                while line:
                    line = line[os.write(self._events, line) :]
        except OSError:
            self._lifetime.end_orphaned()

    def _read(self) -> None:
        buffer = LineBuffer()
        try:
            while chunk := os.read(self._requests, 1 << 16):
                for line in buffer.feed(chunk):
                    self._take_line(line)
        finally:
            # A worker that cannot hear would never end.
            self._lifetime.end_orphaned()

    def _take_line(self, line: bytes) -> None:
        try:
            self._take(decode_request(line))
        except MalformedMessageError as error:
            self._send(failed_event(error.job, error))

    def _take(self, request: Request) -> None:
        if isinstance(request, EnhanceRequest):
            if request.id in self._jobs:
                raise MalformedMessageError("a job's id is in use")
            job = self._jobs[request.id] = _Job(request)
            self._queue.put(job)
        elif isinstance(request, CancelRequest):
            if job := self._jobs.get(request.id):
                job.cancelled.set()
        elif isinstance(request, ExchangeRequest):
            self._lifetime.adopt(Path(request.folder))
        elif isinstance(request, QuitRequest):
            self._lifetime.end()

    def _work(self, job: _Job) -> None:
        try:
            event = self._enhance(job)
        except EnhancementCancelled:
            event = CancelledEvent(job.request.id)
        except USEnhanceError as error:
            event = failed_event(job.request.id, error)
        except Exception as error:
            event = failed_event(job.request.id, self._explain(error))
        del self._jobs[job.request.id]
        _free_memory()
        self._send(event)

    def _enhance(self, job: _Job) -> DoneEvent:
        request = job.request
        pixels = map_input(Path(request.input), request.shape)
        output = map_output(Path(request.output), request.shape)
        uncertainty = None
        if request.uncertainty_output is not None:
            uncertainty = map_output(Path(request.uncertainty_output), request.shape)
        job.check()
        enhancer = self._enhancer(request)
        job.check()
        description = enhancer.description
        self._send(StartedEvent(request.id, description))
        with _polled_between_layers(job):
            result = enhancer(
                pixels,
                progress=lambda done, total: self._send(ProgressEvent(request.id, done, total)),
                cancelled=job.cancelled.is_set,
                seed=request.seed,
                uncertainty=request.uncertainty,
            )
        if enhancer.description != description:
            # It fell back to the CPU or smaller tiles for want of memory: the next job tries anew.
            self._enhancers.popitem()
        _copy(job, result.frames, output)
        if uncertainty is not None:
            if result.uncertainty is None:
                raise OptionError(f"The method {request.method} gives no uncertainty: do not ask for it.")
            _copy(job, result.uncertainty, uncertainty)
        return DoneEvent(
            id=request.id,
            seconds=result.seconds,
            notes=tuple(result.notes),
            provenance=result.provenance(),
            device=result.device,
            device_reason=result.device_reason,
        )

    def _enhancer(self, request: EnhanceRequest) -> Enhancer:
        importlib.invalidate_caches()  # torch may have been installed since this process started
        from ..enhancement import load_enhancer

        options = dict(request.options)
        known = [name for name in inspect.signature(load_enhancer).parameters if name not in _NO_OPTIONS]
        for name in options.keys() - set(known):
            raise OptionError(f"There is no option {name!r}: choose from {', '.join(known)}.")
        key = (request.method, _age(request.method), request.device, json.dumps(options, sort_keys=True))
        if key not in self._enhancers:
            while len(self._enhancers) >= _CACHED_ENHANCERS:
                self._enhancers.popitem(last=False)
            self._enhancers[key] = load_enhancer(request.method, device=request.device, **options)
        self._enhancers.move_to_end(key)
        return self._enhancers[key]

    def _explain(self, error: Exception) -> USEnhanceError:
        """The sentence for an error that nobody foresaw; its traceback, without its message, is logged."""
        text = str(error).lower()
        if isinstance(error, MemoryError) or any(sign in text for sign in _OUT_OF_MEMORY):
            # The networks are dropped too: what they hold may be all that the next try needs.
            self._enhancers.clear()
            return USEnhanceError(
                "Memory ran out while enhancing: close other programs, shorten or crop the input, set a "
                "smaller tile, or choose the device cpu."
            )
        sys.stderr.write("".join([*traceback.format_tb(error.__traceback__), type(error).__name__, "\n"]))
        reason = (str(error).splitlines() or [""])[0][:200]
        return WorkerError(
            f"The enhancement failed unexpectedly ({type(error).__name__}: {reason}): try again, and report "
            "it if it happens again."
        )


@contextlib.contextmanager
def _polled_between_layers(job: _Job) -> Iterator[None]:
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


def _copy(job: _Job, frames: Any, target: Any) -> None:
    for frame, place in zip(frames, target, strict=True):
        job.check()
        place[...] = frame


def _age(method: str) -> int:
    """When a model given as a folder was last written, so that a retrained model is loaded anew; else 0."""
    with contextlib.suppress(OSError):
        return (Path(method) / METADATA).stat().st_mtime_ns
    return 0


def _import_torch() -> None:
    """Spare the first job the import. What is wrong with torch is told by the job that needs it."""
    with contextlib.suppress(Exception):
        importlib.import_module("torch")


def _free_memory() -> None:
    """Give memory back that torch keeps for reuse: Slicer renders on the same GPU."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def main() -> None:
    """Run the server on this process's stdin and stdout; whatever else prints to stdout goes to stderr."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the client to answer
    requests, events = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # a graphical application on Windows has no stderr
        os.dup2(nowhere, 1)
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.stdout = sys.stderr
    Server(requests, events).run()
