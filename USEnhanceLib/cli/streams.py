"""Standard output and standard error for the command alone."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def silence_libraries(*, unless: bool) -> Iterator[None]:
    """Keep what libraries print off our streams, so that standard error holds nothing but our one line."""
    if unless:
        yield
        return
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), _own("stdout"), _own("stderr"):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def prepare_streams() -> None:
    """Make sure that there are streams, and that they take names of files that their encoding lacks."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started the process
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        if hasattr(stream := getattr(sys, name), "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def _own(name: str) -> Iterator[None]:
    """Give a stream of `sys` a descriptor of its own and point the usual one nowhere.

    libpng, libjpeg and MetaIO complain there about damaged files in words that are no help, and processes
    at work print tracebacks there when Ctrl-C ends them.
    """
    outer = getattr(sys, name)
    try:
        descriptor = outer.fileno()
    except (AttributeError, OSError):  # a notebook
        yield
        return
    outer.flush()
    saved = os.dup(descriptor)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
    try:
        with os.fdopen(os.dup(saved), "w", encoding=outer.encoding, errors="backslashreplace") as own:
            setattr(sys, name, own)
            yield
    finally:
        setattr(sys, name, outer)
        os.dup2(saved, descriptor)
        os.close(saved)
