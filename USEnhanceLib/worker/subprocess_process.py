"""The worker outside of Slicer: over `subprocess`, and as one blocking call."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EnhancementCancelled, USEnhanceError, WorkerError
from .client import WorkerClient
from .launch import worker_command, worker_environment

if TYPE_CHECKING:
    from ..enhancement import EnhancementResult
    from .outcome import SegmentationResult

_POLL_SECONDS = 0.1
_QUIT_SECONDS = 3.0


class SubprocessProcess:
    """A `WorkerProcess` over `subprocess.Popen`; what it prints waits until `pump` hands it to a client.

    `stderr` is that of `Popen`: None shows the worker's log in the terminal.
    """

    def __init__(self, python_executable: str = sys.executable, *, stderr: int | None = None) -> None:
        self._command = worker_command(python_executable)
        self._stderr = stderr
        self._process: subprocess.Popen[bytes] | None = None
        self._output: queue.Queue[bytes] = queue.Queue()
        self._is_ended = True

    @property
    def running(self) -> bool:
        """Whether the process was started and its end has not been pumped yet."""
        return not self._is_ended

    @property
    def pid(self) -> int | None:
        """The number of the process that was started last."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process. Raises WorkerError where it cannot be started."""
        program, arguments = self._command
        try:
            self._process = subprocess.Popen(
                [program, *arguments],
                env=worker_environment(os.environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                bufsize=0,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise WorkerError(
                f"The worker process cannot be started with {program} ({error.strerror}): check that this "
                "Python runs."
            ) from error
        self._is_ended = False
        self._output = queue.Queue()
        threading.Thread(
            target=_read, args=(self._process, self._output), name="worker output", daemon=True
        ).start()

    def write(self, data: bytes) -> None:
        """Write to the process's stdin; a process that has ended is told of by `pump`."""
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(data)

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()

    def pump(self, client: WorkerClient, timeout: float = 0.0) -> None:
        """Hand to `client` what the process printed, or its end; waits up to `timeout` seconds for either."""
        if self._is_ended:
            return
        try:
            chunk = self._output.get(timeout=timeout) if timeout > 0 else self._output.get_nowait()
        except queue.Empty:
            return
        if chunk:
            client.receive(chunk)
            return
        code = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                stream.close()
        self._is_ended = True
        client.process_ended(abs(code), code < 0)


def _read(process: subprocess.Popen[bytes], output: queue.Queue[bytes]) -> None:
    """Queue all that the process prints; its end as an empty chunk."""
    chunk = b"start"
    while chunk:
        try:
            chunk = os.read(process.stdout.fileno(), 1 << 16)
        except (OSError, ValueError):
            chunk = b""
        output.put(chunk)


class SubprocessWorker:
    """The worker as a blocking call, for Python's console and scripts.

        with SubprocessWorker() as worker:
            result = worker.enhance(frames.pixels, method="scunet", progress=print)
            labels = worker.segment(result.frames).labels

    The process stays for the next call and ends with `close`, the `with` block, or this Python.
    """

    def __init__(
        self,
        python_executable: str = sys.executable,
        *,
        temporary_folder: Path | None = None,
        stderr: int | None = None,
    ) -> None:
        self.process = SubprocessProcess(python_executable, stderr=stderr)
        self.client = WorkerClient(self.process, temporary_folder=temporary_folder)

    def __enter__(self) -> SubprocessWorker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def enhance(
        self,
        pixels: np.ndarray,
        *,
        method: str = "scunet",
        device: str = "auto",
        progress: Callable[[int, int], object] | None = None,
        cancelled: Callable[[], bool] | None = None,
        cancel_seconds: float = 10.0,
        seed: int = 0,
        uncertainty: bool = False,
        **options: Any,
    ) -> EnhancementResult:
        """Enhance float32 [N, H, W] in [0, 1] and wait; keywords as `load_enhancer` and `Enhancer`.

        A worker that does not answer a cancel within `cancel_seconds` is killed. Raises EnhancementCancelled,
        WorkerError where the process dies, and whatever the enhancer raises of `USEnhanceLib.errors`.
        """
        submit = partial(
            self.client.submit,
            pixels,
            method=method,
            device=device,
            options=options,
            seed=seed,
            uncertainty=uncertainty,
        )
        return self._end_of(submit, progress, cancelled, cancel_seconds)

    def segment(
        self,
        pixels: np.ndarray,
        *,
        model: str = "fhps",
        device: str = "auto",
        progress: Callable[[int, int], object] | None = None,
        cancelled: Callable[[], bool] | None = None,
        cancel_seconds: float = 10.0,
    ) -> SegmentationResult:
        """Outline structures in float32 [N, H, W] in [0, 1] and wait; `model` as `load_segmenter`.

        Cancels and raises as `enhance` does.
        """
        submit = partial(self.client.segment, pixels, model=model, device=device)
        return self._end_of(submit, progress, cancelled, cancel_seconds)

    def _end_of(
        self,
        submit: Callable[..., int],
        progress: Callable[[int, int], object] | None,
        cancelled: Callable[[], bool] | None,
        cancel_seconds: float,
    ) -> Any:
        outcome: list[Any] = []
        job = submit(
            on_done=outcome.append,
            on_failed=outcome.append,
            on_cancelled=lambda: outcome.append(EnhancementCancelled()),
            **({"on_progress": progress} if progress else {}),
        )
        try:
            self._wait(outcome, job, cancelled, cancel_seconds)
        except BaseException:  # an interrupt, or an error of a callback: nobody waits for the job any more
            self.close()
            raise
        if isinstance(outcome[0], USEnhanceError):
            raise outcome[0]
        return outcome[0]

    def _wait(
        self, outcome: list[Any], job: int, cancelled: Callable[[], bool] | None, cancel_seconds: float
    ) -> None:
        deadline = None
        while not outcome:
            self.process.pump(self.client, _POLL_SECONDS)
            if deadline is None and cancelled is not None and cancelled():
                self.client.cancel(job)
                deadline = time.monotonic() + cancel_seconds
            elif deadline is not None and time.monotonic() > deadline:
                self.client.kill()

    def close(self) -> None:
        """End the process and remove its files."""
        self.client.close()
        deadline = time.monotonic() + _QUIT_SECONDS
        while self.process.running:
            if time.monotonic() > deadline:
                self.process.kill()
            self.process.pump(self.client, _POLL_SECONDS)
