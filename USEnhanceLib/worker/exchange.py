"""The files through which client and worker hand frames to each other.

Each client owns one private folder (permission 0700) in the system's temporary folder and holds a lock on
a file in it for as long as it lives. The operating system drops the lock when the client ends, however it
ends, so anybody who obtains the lock may remove the folder: the worker when its client has died, the next
client when both have.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..errors import OutputError, WorkerError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

PREFIX = "usenhance-exchange-"
_LOCK_NAME = "owner.lock"

if os.name == "nt":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        # flock, not lockf: a second descriptor of the same process must not obtain the lock.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _take_lock(folder: Path) -> int | None:
    """The descriptor of the folder's locked lock file; None where somebody else holds or removed it."""
    path = folder / _LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError:
        return None
    # Between our open and our lock a sweep may have removed the file: such a lock would protect nothing.
    with contextlib.suppress(OSError):
        if _lock(descriptor) and os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    os.close(descriptor)
    return None


def _remove(folder: Path, lock: int) -> None:
    """Remove the folder whose lock is held. The lock goes last, and is closed first, as Windows wants it."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.name != _LOCK_NAME:
                with contextlib.suppress(OSError):
                    path.unlink()
    with contextlib.suppress(OSError):
        os.close(lock)
    shutil.rmtree(folder, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    is_private = os.name == "nt" or status.st_uid == os.getuid()
    return folder.name.startswith(PREFIX) and not folder.is_symlink() and folder.is_dir() and is_private


def remove_if_abandoned(folder: Path) -> bool:
    """Remove an exchange folder whose owner has ended. False where it lives or this is none."""
    if not _is_ours(folder):
        return False
    lock = _take_lock(folder)
    if lock is None:
        return False
    _remove(folder, lock)
    return not folder.exists()


def sweep(parent: Path) -> list[Path]:
    """Remove all exchange folders in `parent` whose owners have ended; gives back those removed."""
    return [folder for folder in sorted(parent.glob(f"{PREFIX}*")) if remove_if_abandoned(folder)]


def map_input(path: Path, shape: Sequence[int]) -> np.memmap:
    """The frames in a file as float32 of `shape`, read as they are used; writing changes memory only.

    Raises WorkerError where the file is missing or of another size.
    """
    return _map(path, shape, np.float32, "c")


def map_output(path: Path, shape: Sequence[int], dtype: DTypeLike = np.float32) -> np.memmap:
    """The file as pixels of `dtype` and `shape` for writing. Raises WorkerError as `map_input` does."""
    return _map(path, shape, dtype, "r+")


def _map(path: Path, shape: Sequence[int], dtype: DTypeLike, mode: str) -> np.memmap:
    expected = byte_count(shape, dtype)
    try:
        size = path.stat().st_size
        if size == expected:
            return np.memmap(path, dtype=dtype, mode=mode, shape=tuple(shape))
    except OSError as error:
        raise WorkerError(
            f"The worker process cannot open the frames handed to it ({error.strerror}): try again."
        ) from None
    raise WorkerError(f"The frames handed over have {size} bytes instead of {expected}: try again.")


def byte_count(shape: Sequence[int], dtype: DTypeLike = np.float32) -> int:
    """The size in bytes of a stack of `shape` with pixels of `dtype`."""
    size = np.dtype(dtype).itemsize
    for length in shape:
        size *= int(length)
    return size


class Exchange:
    """A client's private folder of frames; usable as a context manager.

    Raises OutputError where the temporary folder cannot be written.
    """

    def __init__(self, parent: Path | None = None) -> None:
        try:
            self._parent = Path(parent if parent is not None else tempfile.gettempdir())
            sweep(self._parent)
            self.folder, lock = _create_folder(self._parent)
        except OSError as error:
            raise OutputError(
                f"No temporary folder can be made ({error.strerror}): set the environment variable TMPDIR "
                "to a folder that can be written."
            ) from error
        self._remove = weakref.finalize(self, _remove_in_process, self.folder, lock, os.getpid())

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether the folder is gone."""
        return not self._remove.alive or not self.folder.is_dir()

    def require_space(self, size: int) -> None:
        """Raises OutputError unless `size` bytes are free where the folder lies."""
        free = shutil.disk_usage(self.folder).free
        if free < size:
            raise _disk_full(self._parent, size, free)

    def write(self, name: str, pixels: np.ndarray) -> Path:
        """A file with `pixels` [N, H, W] as float32. Raises OutputError where there is no space for it."""
        size = byte_count(pixels.shape)
        with self._new_file(name, size) as file:
            for frame in pixels:
                np.ascontiguousarray(frame, dtype=np.float32).tofile(file)
        return self.folder / name

    def create(self, name: str, shape: Sequence[int], dtype: DTypeLike = np.float32) -> Path:
        """A file for pixels of `dtype` and `shape` whose space is reserved.

        Raises OutputError where there is none.
        """
        size = byte_count(shape, dtype)
        with self._new_file(name, size) as file:
            # A file with holes would end its writer by SIGBUS when the disk fills up later.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
        return self.folder / name

    @contextlib.contextmanager
    def _new_file(self, name: str, size: int) -> Iterator[BinaryIO]:
        self.require_space(size)
        path = self.folder / name
        try:
            with path.open("xb") as file:
                yield file
        except OSError as error:
            self.discard(path)
            raise _disk_full(self._parent, size, shutil.disk_usage(self._parent).free) from error

    def take(self, path: Path, shape: Sequence[int], dtype: DTypeLike = np.float32) -> np.ndarray:
        """The pixels in a file, `dtype` of `shape`, writable; the file is deleted.

        Where the system can delete a mapped file nothing is copied: frames are read as they are used.
        Raises WorkerError where the file is missing or of another size.
        """
        mapped = _map(path, shape, dtype, "c")
        # Windows cannot delete a file that is mapped.
        frames = np.array(mapped) if os.name == "nt" else mapped.view(np.ndarray)
        del mapped
        self.discard(path)
        return frames

    def discard(self, *paths: Path | None) -> None:
        """Delete files; those that do not exist are passed over."""
        for path in paths:
            if path is not None:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the folder and all that is in it; may be called again."""
        self._remove()


def _create_folder(parent: Path) -> tuple[Path, int]:
    """A new folder and its lock. A sweep at the same moment may take it for abandoned: then another one."""
    for _ in range(100):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        lock = _take_lock(folder)
        if lock is not None:
            return folder, lock
        shutil.rmtree(folder, ignore_errors=True)
    raise OSError(0, "every folder made there vanishes")


def _remove_in_process(folder: Path, lock: int, process: int) -> None:
    # A forked child inherits this finalizer, but not the folder.
    if os.getpid() == process:
        _remove(folder, lock)


def _disk_full(parent: Path, size: int, free: int) -> OutputError:
    return OutputError(
        f"The temporary folder {parent} has {free / 1e9:.1f} GB free but {size / 1e9:.1f} GB are needed: "
        "free some space, or set the environment variable TMPDIR to a larger disk."
    )
