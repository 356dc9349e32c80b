"""Benchmarks of several tables: which are asked for, and making one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ..errors import OptionError
from .record import write_json, write_text


def chosen_tables(benchmark: str, asked: Sequence[str] | None, known: Iterable[str]) -> list[str]:
    """Return the tables asked for, each once, or all of them; raises OptionError for an unknown one."""
    names = list(known)
    for name in asked or ():
        if name not in names:
            raise OptionError(
                f"The benchmark {benchmark} has no table {name!r}: choose from {', '.join(names)}."
            )
    return list(dict.fromkeys(asked or names))


def make_tables(
    record: dict[str, Any],
    names: Sequence[str],
    make: Callable[[str], dict[str, Any]],
    json_path: str | Path,
    markdown_path: str | Path | None,
    render: Callable[[dict[str, Any]], str],
) -> dict[str, Any]:
    """Make each table, add it and its seconds to the record, and write that; return the record.

    The files are written after each table, so that a run that is interrupted leaves those that it made.
    """
    for name in names:
        started = time.perf_counter()
        record["tables"][name] = make(name)
        record["wall_seconds"][name] = round(time.perf_counter() - started, 1)
        write_json(Path(json_path), record)
        if markdown_path is not None:
            write_text(Path(markdown_path), render(record))
    return record
