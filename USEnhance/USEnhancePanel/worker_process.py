"""The worker process over QProcess."""

from __future__ import annotations

import shutil
from typing import Any

import qt

from USEnhanceLib.errors import WorkerError
from USEnhanceLib.mrml.dependencies import python_program
from USEnhanceLib.worker.client import WorkerClient
from USEnhanceLib.worker.launch import worker_command, worker_environment


class QtWorkerProcess:
    """A `WorkerProcess` whose signals feed `client`: nothing here waits, but for `wait_for_end`."""

    def __init__(self) -> None:
        self.client: WorkerClient | None = None
        self._process: Any = None
        # Made ahead of the first click: the first use of a Qt class from Python takes its time.
        self._prepared: Any = self._prepare()

    @property
    def running(self) -> bool:
        """Whether the process was started and its end has not been told to the client yet."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """The number of the process; 0 when there is none."""
        return 0 if self._process is None else int(self._process.processId())

    def start(self) -> None:
        """Start the process. Raises WorkerError where it cannot be started."""
        program, arguments = worker_command(python_program())
        if shutil.which(program) is None:
            raise WorkerError(f"The worker process cannot be started, there is no {program}: repair Slicer.")
        self._process, self._prepared = self._prepared or self._prepare(), None
        self._process.start(program, arguments)

    def _prepare(self) -> Any:
        environment = qt.QProcessEnvironment.systemEnvironment()
        inherited = {"PYTHONPATH": environment.value("PYTHONPATH", "")}
        for name, value in worker_environment(inherited).items():
            environment.insert(name, value)
        process = qt.QProcess()
        process.setProcessEnvironment(environment)
        process.setProcessChannelMode(qt.QProcess.ForwardedErrorChannel)
        process.connect("readyReadStandardOutput()", self._on_output)
        process.connect("finished(int,QProcess::ExitStatus)", self._on_finished)
        process.connect("errorOccurred(QProcess::ProcessError)", self._on_error)
        return process

    def write(self, data: bytes) -> None:
        """Queue bytes for the process, which Qt sends when it can take them."""
        if self._process is not None:
            self._process.write(data)

    def kill(self) -> None:
        """End the process at once; its end is told as usual."""
        if self._process is not None:
            self._process.kill()

    def wait_for_end(self, milliseconds: int) -> None:
        """Wait for the process to end, and end it when it does not; for when the panel goes away."""
        process = self._process
        if process is not None and not process.waitForFinished(milliseconds):
            process.kill()
            process.waitForFinished(milliseconds)

    def _on_output(self) -> None:
        if self._process is not None:
            self.client.receive(self._process.readAllStandardOutput().data())

    def _on_finished(self, exit_code: int, exit_status: int) -> None:
        self._on_output()
        self._end(exit_code, exit_status == qt.QProcess.CrashExit)

    def _on_error(self, error: int) -> None:
        # Other errors are followed by `finished`.
        if error == qt.QProcess.FailedToStart:
            self._end(1, False)

    def _end(self, exit_code: int, has_crashed: bool) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
            self.client.process_ended(exit_code, has_crashed)
