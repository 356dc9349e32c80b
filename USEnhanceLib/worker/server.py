"""The worker process: reads requests from stdin, works on frames, tells of it on stdout.

One thread reads, so that a cancel is heard while torch computes; the main thread works on one job after
the other. The log on stderr names jobs and errors, never files, pixels or patients.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path

from .. import __version__
from ..errors import EnhancementCancelled, USEnhanceError, WorkerError
from .lifetime import Lifetime
from .protocol import (
    CancelledEvent,
    CancelRequest,
    EnhanceRequest,
    Event,
    ExchangeRequest,
    JobRequest,
    LineBuffer,
    MalformedMessageError,
    QuitRequest,
    ReadyEvent,
    Request,
    SegmentRequest,
    decode_request,
    encode,
    failed_event,
)
from .work import Enhancement, Job, Segmentation, Work

_IDLE_SECONDS = 0.2
# How the allocators of CUDA, MPS, the CPU and cuBLAS put it, in errors of torch that are only RuntimeErrors.
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


class Server:
    """Answers the requests of one client. `requests` and `events` are descriptors of open files."""

    def __init__(self, requests: int, events: int) -> None:
        self._requests = requests
        self._events = events
        self._sending = threading.Lock()
        self._jobs: dict[int, Job] = {}
        self._queue: queue.Queue[Job] = queue.Queue()
        self._works: dict[type[JobRequest], Work] = {
            EnhanceRequest: Enhancement(),
            SegmentRequest: Segmentation(),
        }
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
        if isinstance(request, JobRequest):
            if request.id in self._jobs:
                raise MalformedMessageError("a job's id is in use")
            job = self._jobs[request.id] = Job(request)
            self._queue.put(job)
        elif isinstance(request, CancelRequest):
            if job := self._jobs.get(request.id):
                job.cancelled.set()
        elif isinstance(request, ExchangeRequest):
            self._lifetime.adopt(Path(request.folder))
        elif isinstance(request, QuitRequest):
            self._lifetime.end()

    def _work(self, job: Job) -> None:
        work = self._works[type(job.request)]
        try:
            event = work.do(job, self._send)
        except EnhancementCancelled:
            event = CancelledEvent(job.request.id)
        except USEnhanceError as error:
            event = failed_event(job.request.id, error)
        except Exception as error:
            event = failed_event(job.request.id, self._explain(error, work))
        del self._jobs[job.request.id]
        _free_memory()
        self._send(event)

    def _explain(self, error: Exception, work: Work) -> USEnhanceError:
        """The sentence for an error that nobody foresaw; its traceback, without its message, is logged."""
        text = str(error).lower()
        if isinstance(error, MemoryError) or any(sign in text for sign in _OUT_OF_MEMORY):
            # The networks are dropped too: what they hold may be all that the next try needs.
            for each in self._works.values():
                each.forget()
            return USEnhanceError(f"Memory ran out while {work.gerund}: close other programs, {work.remedy}.")
        sys.stderr.write("".join([*traceback.format_tb(error.__traceback__), type(error).__name__, "\n"]))
        reason = (str(error).splitlines() or [""])[0][:200]
        return WorkerError(
            f"{work.gerund.capitalize()} failed unexpectedly ({type(error).__name__}: {reason}): try again, "
            "and report it if it happens again."
        )


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
