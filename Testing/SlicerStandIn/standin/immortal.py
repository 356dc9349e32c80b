"""Keep PySide from freeing None, True and False.

PySide 6.12 gives back references to them that it never took, since they are immortal from Python 3.12 on;
Python 3.10 and 3.11 count, and abort when the count reaches zero.
"""

from __future__ import annotations

import ctypes
import sys

ENOUGH = 2**40


def keep_singletons() -> None:
    """Raise the reference counts of None, True and False out of reach, where Python counts them."""
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython":
        return
    for singleton in (None, True, False):
        count = ctypes.c_ssize_t.from_address(id(singleton))
        if count.value < ENOUGH:
            count.value += ENOUGH
