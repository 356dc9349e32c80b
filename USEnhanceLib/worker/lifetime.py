"""When the worker process ends: on request, at the end of its stdin, and with its parent."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .exchange import remove_if_abandoned

_POLL_SECONDS = 0.5
# A dying client loses its pipes and its locks within moments of each other, in no certain order.
_OWNER_DEATH_SECONDS = 0.5

if sys.platform == "win32":
    import ctypes

    def _parent_watch() -> Callable[[], bool]:
        """A function that tells whether the parent has ended, by a handle since numbers are reused."""
        synchronize, is_signalled = 0x00100000, 0
        handle = ctypes.windll.kernel32.OpenProcess(synchronize, False, os.getppid())
        return lambda: not handle or ctypes.windll.kernel32.WaitForSingleObject(handle, 0) == is_signalled

else:

    def _parent_watch() -> Callable[[], bool]:
        """A function that tells whether the parent has ended: an orphan gets another parent."""
        parent = os.getppid()
        return lambda: os.getppid() != parent


class Lifetime:
    """Ends this process, whatever its main thread is doing, and leaves no frames of a dead client behind."""

    def __init__(self) -> None:
        self._folders: list[Path] = []
        self._parent_has_ended = _parent_watch()

    def watch_parent(self) -> None:
        """Start the thread that ends this process when its parent has ended."""
        threading.Thread(target=self._watch, name="parent watch", daemon=True).start()

    def _watch(self) -> None:
        while not self._parent_has_ended():
            time.sleep(_POLL_SECONDS)
        self.end_orphaned()

    def adopt(self, folder: Path) -> None:
        """Remove this exchange folder at the end, should its owner have ended by then."""
        if folder not in self._folders:
            self._folders.append(folder)

    def end_orphaned(self) -> None:
        """End, once the folders of a client that dies at this moment are removed."""
        patience = time.monotonic() + _OWNER_DEATH_SECONDS
        left = list(self._folders)
        while left and time.monotonic() < patience:
            left = [folder for folder in left if not remove_if_abandoned(folder) and folder.exists()]
            time.sleep(0.02 if left else 0)
        self.end()

    def end(self) -> None:
        """End at once. A normal exit would wait for torch and for the thread that reads stdin."""
        os._exit(0)
