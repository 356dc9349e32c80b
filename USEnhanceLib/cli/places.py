"""Places to write to, checked before any work."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import InputError


def same_file(first: Path, second: Path) -> bool:
    """Tell whether two paths mean one file, which need not exist."""
    try:
        return first.samefile(second)
    except OSError:
        return first.resolve() == second.resolve()


def make_folder(path: Path) -> Path:
    """Make the folder `path` where it is missing and return it; InputError where it cannot be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Permissions alone do not tell on network drives.
        with tempfile.TemporaryFile(dir=path):
            pass
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"{path} cannot be a folder, a file is in the way: choose another name.") from error
    except OSError as error:
        raise InputError(
            f"The folder {path} cannot be written to ({error.strerror}): choose another one."
        ) from error
    return path


@contextmanager
def folder_for_results(path: Path) -> Iterator[Path]:
    """Make the folder as `make_folder` does; an error before anything is written takes a new one away."""
    new = not path.exists()
    folder = make_folder(path)
    try:
        yield folder
    except BaseException:
        if new:
            with suppress(OSError):  # it is not empty
                folder.rmdir()
        raise
