"""qt.QProcess: as PySide's, but `write` takes text too, and no process outlives the tests."""

from __future__ import annotations

from PySide6 import QtCore


class Process(QtCore.QProcess):
    """The process behind qt.QProcess."""

    SLICER_CLASS = "QProcess"

    def write(self, data: str | bytes | QtCore.QByteArray) -> int:
        """Send data to the process' standard input; text as UTF-8. The number of bytes taken."""
        return super().write(data.encode() if isinstance(data, str) else data)
