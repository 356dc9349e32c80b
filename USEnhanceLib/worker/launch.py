"""How the worker process is started: the command and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_LIBRARY_PARENT = str(Path(__file__).resolve().parents[2])


def worker_command(python_executable: str | os.PathLike[str]) -> tuple[str, list[str]]:
    """Program and arguments; in Slicer the executable is PythonSlicer (`sys.executable`)."""
    return os.fspath(python_executable), ["-m", "USEnhanceLib.worker"]


def worker_environment(base_env: Mapping[str, str]) -> dict[str, str]:
    """`base_env` with what the worker needs to import this very USEnhanceLib and to print unbuffered."""
    paths = [_LIBRARY_PARENT, *filter(None, base_env.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **base_env,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONUNBUFFERED": "1",
        # Else files of the current folder, say a user's random.py, would hide modules of the same name.
        "PYTHONSAFEPATH": "1",
    }
