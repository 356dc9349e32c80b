"""The client's side of the worker: submit frames, be told of progress, get frames back.

The client knows neither Qt nor threads. Its owner starts the process, feeds what it prints to `receive` and
tells `process_ended`; callbacks are called from within these two. In Slicer the owner wraps a QProcess,
elsewhere `subprocess_process` does it.

    client = WorkerClient(process)
    job = client.submit(frames.pixels, method="scunet", on_progress=show, on_done=keep, on_failed=tell)
    client.cancel(job)
    client.segment(frames.pixels, model="fhps", on_done=outline)
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..errors import InputError, USEnhanceError, WorkerError
from .exchange import Exchange, byte_count
from .jobs import Callbacks, Enhancing, Job, Segmenting, Task
from .outcome import death_of_process
from .protocol import (
    CancelledEvent,
    CancelRequest,
    DoneEvent,
    Event,
    ExchangeRequest,
    FailedEvent,
    LineBuffer,
    MalformedMessageError,
    ProgressEvent,
    QuitRequest,
    ReadyEvent,
    StartedEvent,
    decode_event,
    encode,
    error_of,
)


class WorkerProcess(Protocol):
    """The process of the worker, as the client needs it."""

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended; False by the time `process_ended` is called."""

    def start(self) -> None:
        """Start `worker_command` in `worker_environment`. Raises WorkerError where it cannot."""

    def write(self, data: bytes) -> None:
        """Queue bytes for the process's stdin; works from right after `start`, and never raises."""

    def kill(self) -> None:
        """End the process at once; `process_ended` follows, now or later."""


class WorkerClient:
    """Hands jobs to the worker process, one at a time, and starts the process when there is none.

    Every job ends with exactly one of `on_done`, `on_failed` and `on_cancelled`; the client is free for the
    next job by then. A job for which `cancel` was called never ends with `on_done`.
    """

    def __init__(self, process: WorkerProcess, *, temporary_folder: Path | None = None) -> None:
        self._process = process
        self._temporary_folder = temporary_folder
        self._exchange: Exchange | None = None
        self._buffer = LineBuffer()
        self._lines: deque[bytes] = deque()
        self._job: Job | None = None
        self._last_id = 0
        self._is_ready = False
        self._is_ending = False

    @property
    def busy(self) -> bool:
        """Whether a job runs."""
        return self._job is not None

    def start(self) -> None:
        """Start the process ahead of the first job, which then need not wait for torch to be imported.

        Raises WorkerError, and OutputError where no temporary folder can be made.
        """
        if self._is_ending:
            raise WorkerError("The worker process is still ending: try again in a moment.")
        if self._exchange is None or self._exchange.closed:
            self._exchange = Exchange(self._temporary_folder)
            is_told = False
        else:
            is_told = self._process.running
        if not self._process.running:
            self._process.start()
        if not is_told:
            self._process.write(encode(ExchangeRequest(str(self._exchange.folder))))

    def submit(
        self,
        pixels: np.ndarray,
        *,
        method: str | os.PathLike[str] = "scunet",
        device: str = "auto",
        options: Mapping[str, Any] | None = None,
        seed: int = 0,
        uncertainty: bool = False,
        **callbacks: Callable[..., object],
    ) -> int:
        """Enhance `pixels`, float32 [N, H, W] in [0, 1], and give back the job's number.

        `method`, `device` and `options` are those of `load_enhancer`, `seed` and `uncertainty` those of the
        enhancer. `callbacks` are those of `Callbacks`: `on_started` gets the enhancer's description,
        `on_progress` frames done and in total, `on_done` the result as the enhancer itself would give it.

        Raises WorkerError while another job runs or where the process cannot be started, InputError for
        pixels of another shape, OutputError where the disk has no space for the frames.
        """
        return self._submit(Enhancing(method, device, options or {}, seed, uncertainty), pixels, callbacks)

    def segment(
        self,
        pixels: np.ndarray,
        *,
        model: str | os.PathLike[str] = "fhps",
        device: str = "auto",
        **callbacks: Callable[..., object],
    ) -> int:
        """Outline structures in `pixels`, float32 [N, H, W] in [0, 1], and give back the job's number.

        `model` and `device` are those of `load_segmenter`; `on_done` gets a SegmentationResult. Everything
        else is as for `submit`.
        """
        return self._submit(Segmenting(model, device), pixels, callbacks)

    def _submit(self, task: Task, pixels: np.ndarray, callbacks: Mapping[str, Callable[..., object]]) -> int:
        if self._job is not None:
            raise WorkerError("The worker still works on other frames: wait for it, or cancel it first.")
        pixels = np.asarray(pixels)
        if pixels.ndim != 3 or pixels.size == 0 or pixels.dtype.kind not in "fiub":
            raise InputError("Frames must be a non-empty array of numbers [N, H, W]: reshape them.")
        job = Job(self._last_id + 1, pixels.shape, task, Callbacks(**callbacks))
        self.start()
        self._last_id = job.id
        try:
            self._write_files(job, pixels)
        except BaseException:
            self._discard(job)
            raise
        self._job = job
        self._process.write(encode(task.request(job.id, job.shape, job.paths)))
        return job.id

    def _write_files(self, job: Job, pixels: np.ndarray) -> None:
        exchange, outputs = self._exchange, job.task.outputs
        exchange.require_space(sum(byte_count(job.shape, t) for t in (np.float32, *outputs.values())))
        job.paths["input"] = exchange.write(f"{job.id}-input.raw", pixels)
        for name, dtype in outputs.items():
            job.paths[name] = exchange.create(f"{job.id}-{name}.raw", job.shape, dtype)

    def _discard(self, job: Job) -> None:
        if self._exchange is not None:
            self._exchange.discard(*job.paths.values())

    def cancel(self, job: int) -> None:
        """Stop the job; `on_cancelled` follows. Nothing happens where it has ended already.

        Where the worker does not answer in the time that the owner grants, `kill` ends it.
        """
        if self._job is not None and self._job.id == job:
            self._job.is_cancelled = True
            self._process.write(encode(CancelRequest(job)))

    def kill(self) -> None:
        """End the process at once; a running job ends as cancelled when `process_ended` is told."""
        if self._job is not None:
            self._job.is_cancelled = True
        self._end()

    def close(self) -> None:
        """End the process, a running job as cancelled, and remove the files. The owner waits for the end."""
        if self._job is not None:
            self.kill()
        elif self._process.running and not self._is_ending:
            self._is_ending = True
            self._process.write(encode(QuitRequest()))
        if self._exchange is not None:
            self._exchange.close()

    def _end(self) -> None:
        if self._process.running:
            self._is_ending = True
            self._process.kill()
        else:
            self.process_ended(0, False)

    def receive(self, data: bytes) -> None:
        """Take in what the process printed to stdout, in pieces of any size."""
        self._lines.extend(self._buffer.feed(data))
        # Lines wait in a queue, so that a callback may raise, or run an event loop, without losing any.
        while self._lines:
            self._take_line(self._lines.popleft())

    def process_ended(self, exit_code: int, crashed: bool) -> None:
        """Be told that the process ended, or could not start, after what it printed last was fed.

        Ignored while the process runs, so that two signals for one end do no harm to a job submitted since.
        """
        if self._process.running:
            return
        was_ready, self._is_ready, self._is_ending = self._is_ready, False, False
        self._buffer.clear()
        self._lines.clear()
        job = self._job
        if job is None:
            return
        if job.is_cancelled:
            self._finish(job, job.callbacks.on_cancelled)
        elif job.failure is not None:
            self._finish(job, job.callbacks.on_failed, job.failure)
        else:
            self._finish(
                job, job.callbacks.on_failed, death_of_process(exit_code, crashed, was_ready, job.task.verb)
            )

    def _take_line(self, line: bytes) -> None:
        # Launchers and site hooks may print before the worker guards its stdout; events start with a brace.
        if self._is_ending or not line.startswith(b"{"):
            return
        try:
            event = decode_event(line)
        except MalformedMessageError as error:
            self._fail_and_end(error)
            return
        job = self._job
        if isinstance(event, ReadyEvent):
            self._is_ready = True
        elif isinstance(event, FailedEvent) and event.id is None:
            self._fail_and_end(error_of(event))
        elif job is not None and event.id == job.id:
            self._take_event(job, event)

    def _fail_and_end(self, error: USEnhanceError) -> None:
        """Only a new process helps after a misunderstanding or an unforeseen error (as in CUDA)."""
        if self._job is not None:
            self._job.failure = error
        self._end()

    def _take_event(self, job: Job, event: Event) -> None:
        if isinstance(event, StartedEvent):
            if not job.is_cancelled:
                job.callbacks.on_started(event.description)
        elif isinstance(event, ProgressEvent):
            if not job.is_cancelled:
                job.callbacks.on_progress(event.done, event.total)
        elif job.is_cancelled or isinstance(event, CancelledEvent):
            self._finish(job, job.callbacks.on_cancelled)
        elif isinstance(event, FailedEvent) and event.error == WorkerError.__name__:
            self._fail_and_end(error_of(event))
        elif isinstance(event, FailedEvent):
            self._finish(job, job.callbacks.on_failed, error_of(event))
        elif isinstance(event, DoneEvent):
            try:
                result = self._result(job, event)
            except USEnhanceError as error:
                self._finish(job, job.callbacks.on_failed, error)
            else:
                self._finish(job, job.callbacks.on_done, result)

    def _result(self, job: Job, event: DoneEvent) -> Any:
        outputs = job.task.outputs.items()
        arrays = {name: self._exchange.take(job.paths[name], job.shape, dtype) for name, dtype in outputs}
        return job.task.result(event, arrays)

    def _finish(self, job: Job, callback: Callable[..., object], *arguments: object) -> None:
        self._job = None
        self._discard(job)
        callback(*arguments)
