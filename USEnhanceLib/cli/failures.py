"""What the user is told when a command fails: one line that says what is wrong and what to do."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from pathlib import Path

from ..errors import USEnhanceError

CANCELLED = 130
"""Exit code of a process that ended by Ctrl-C, as shells count it."""

# How the allocators of torch and of GPUs put it.
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
LIBRARY = Path(__file__).resolve().parents[1]


def exit_code(error: BaseException) -> int:
    """Return the exit code of the process: that of our own errors, 130 for Ctrl-C, otherwise 1."""
    if isinstance(error, USEnhanceError):
        return error.exit_code
    return CANCELLED if is_interrupt(error) else 1


def print_failure(error: BaseException, debug: bool) -> None:
    """Print `error` on standard error as one line; with `debug` its traceback first."""
    if isinstance(error, BrokenPipeError):
        # Whoever read the output has gone, for example `head`; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    if debug:
        sys.stderr.write("".join(traceback.format_exception(error)))
    sys.stderr.write(f"usenhance: {one_line(sentence(error))}\n")
    sys.stderr.flush()


def sentence(error: BaseException) -> str:
    """Return what is wrong and what to do."""
    if isinstance(error, USEnhanceError):
        return str(error)
    if is_interrupt(error):
        return "Cancelled: no file was left half-written."
    if is_out_of_memory(error):
        return "There is not enough memory: close other programs, use fewer frames or a smaller --tile."
    if isinstance(error, ModuleNotFoundError):
        return f"The Python package {error.name} is missing: install it with pip install {error.name}."
    if isinstance(error, OSError) and error.strerror:
        return _system_sentence(error)
    # Messages of other libraries may quote pixels or DICOM elements: without --debug only the place is named.
    return (
        f"An unexpected {type(error).__name__} in {_place(error)}: run the command again with --debug and "
        "report what it prints."
    )


def one_line(text: str) -> str:
    """Return `text` without line breaks, ended by a full stop."""
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."


def is_interrupt(error: BaseException) -> bool:
    """Tell whether `error` is Ctrl-C, or what a library made of it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, KeyboardInterrupt):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether `error` means that memory was short; torch has no class of its own for that on a CPU."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error).lower() for words in OUT_OF_MEMORY)
    )


def _system_sentence(error: OSError) -> str:
    file = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{file}{error.strerror}: free some space and try again."
    return f"{file}{error.strerror}: check the path, its permissions and the drive."


def _place(error: BaseException) -> str:
    """Return the deepest line of our own code that `error` came through."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(LIBRARY):
            return f"{path.relative_to(LIBRARY).as_posix()}, line {frame.lineno}"
    return "Python"
