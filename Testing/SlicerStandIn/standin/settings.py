"""qt.QSettings: in a folder of the tests, never the user's own settings."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PySide6 import QtCore

_folder: list[tempfile.TemporaryDirectory[str]] = []


def settings_file() -> Path:
    """The file that holds the settings of this run."""
    if not _folder:
        _folder.append(tempfile.TemporaryDirectory(prefix="slicer-stand-in-"))
    return Path(_folder[0].name) / "Slicer.ini"


class Settings(QtCore.QSettings):
    """The settings behind qt.QSettings and slicer.app.settings()."""

    SLICER_CLASS = "QSettings"

    def __init__(self) -> None:
        super().__init__(str(settings_file()), QtCore.QSettings.Format.IniFormat)
