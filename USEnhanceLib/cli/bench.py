"""`usenhance bench NAME`."""

from __future__ import annotations

import argparse
from pathlib import Path

from .console import Console

# Arguments of the command by the names that benchmarks have for them.
OPTIONS = {
    "markdown_path": "markdown",
    "picture_path": "picture",
    **{name: name for name in ("limit", "seed", "tables", "methods", "ensemble", "single", "size")},
    **{name: name for name in ("segmenter", "plain")},
    **{name: name for name in ("processes", "threads", "device", "cache")},
}


def run(arguments: argparse.Namespace, console: Console) -> None:
    """Run a benchmark and say what it wrote."""
    from ..benchmarks.registry import find_benchmark, run_benchmark

    console.fact("Benchmark", find_benchmark(arguments.name).description)
    options = {option: getattr(arguments, name) for option, name in OPTIONS.items()}
    progress = console.progress("steps")
    run_benchmark(arguments.name, Path(arguments.data), Path(arguments.json), progress=progress, **options)
    for path in (arguments.json, arguments.markdown, arguments.picture):
        if path is not None:
            console.fact("Written", path)
