"""qt.QProcess: as PySide's, but `write` takes text too, and what a test leaves running fails it."""

from __future__ import annotations

import weakref

import shiboken6
from PySide6 import QtCore

from . import failures

END_MILLISECONDS = 2000
_processes: weakref.WeakSet[Process] = weakref.WeakSet()


class Process(QtCore.QProcess):
    """The process behind qt.QProcess."""

    SLICER_CLASS = "QProcess"

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        _processes.add(self)

    def write(self, data: str | bytes | QtCore.QByteArray) -> int:
        """Send data to the process' standard input; text as UTF-8. The number of bytes taken."""
        return super().write(data.encode() if isinstance(data, str) else data)


def end_leftovers() -> None:
    """Kill the processes that still run, and record a failure for each."""
    for process in list(_processes):
        if shiboken6.isValid(process) and process.state() != QtCore.QProcess.ProcessState.NotRunning:
            name = process.program()
            process.kill()
            process.waitForFinished(END_MILLISECONDS)
            failures.record(AssertionError(f"the process {name} was left running"))
