"""The benchmarks by name: `usenhance bench NAME --data DIR --json FILE`.

    run_benchmark("enhance", data, "enhance.json", markdown_path="enhance.md", tables=["noise"])

A benchmark is a function `run(data, json_path, *, markdown_path, limit, seed, ...)` that writes its record
as JSON, its table as Markdown where asked for, and returns the record. Listing them imports none of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import InputError, OptionError


@dataclass(frozen=True)
class Benchmark:
    """A benchmark's name, its one-line description, and the module that holds its function `run`."""

    name: str
    description: str
    module: str

    def load(self) -> Callable[..., dict[str, Any]]:
        """Import the module and return its function `run`."""
        return import_module(f"{__package__}.{self.module}").run


BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("enhance", "what enhancement does, against filters and other networks", "enhance.run"),
    Benchmark("teachers", "NLLR, NLM and BM3D as makers of training targets, on speckled truth", "teachers"),
    Benchmark("tune", "search of the classical filters' parameters on training images", "tuning"),
    Benchmark("uncertainty", "whether the map of uncertainty tells where the errors are", "uncertainty"),
    Benchmark("calibrate", "calibration of a model's uncertainty on training images", "calibrate"),
    Benchmark("speed", "seconds and peak memory of the network, one frame and a cine", "speed"),
    Benchmark(
        "despeckle", "IR-SDE on simulated and real frames: fidelity, speed, uncertainty", "despeckle.run"
    ),
    Benchmark("segmentation", "outlines of head and symphysis, on enhanced frames too", "segmentation.run"),
    Benchmark("figures", "contact sheet of real frames before and after", "figures"),
)


def benchmark_names() -> tuple[str, ...]:
    """Return the names that `find_benchmark` knows."""
    return tuple(benchmark.name for benchmark in BENCHMARKS)


def find_benchmark(name: str) -> Benchmark:
    """Return the benchmark of this name, or raise OptionError."""
    for benchmark in BENCHMARKS:
        if benchmark.name == name:
            return benchmark
    raise OptionError(f"There is no benchmark {name!r}: choose from {', '.join(benchmark_names())}.")


def run_benchmark(name: str, data: str | Path, json_path: str | Path, **options: Any) -> dict[str, Any]:
    """Run the named benchmark and return the record that it wrote to `json_path`.

    data: folder with the data sets `psfhs`, `hc18`, ... .  options: `markdown_path`, `limit` (images per data
    set), `seed`, `progress(done, total)` and those of the benchmark's own function `run`. Raises OptionError
    for an unknown name, option or value, InputError where the data or the folder to write to are missing;
    nothing is computed before. An option that is None counts as not given.
    """
    options = {option: value for option, value in options.items() if value is not None}
    run = find_benchmark(name).load()
    known = list(inspect.signature(run).parameters)[2:]
    for option, value in options.items():
        if option not in known:
            raise OptionError(f"The benchmark {name} has no option {option}: choose from {', '.join(known)}.")
        if option in ("limit", "size", "processes", "threads") and value < 1:
            raise OptionError(f"The option {option} of the benchmark {name} is {value}: give 1 or more.")
    if not Path(data).is_dir():
        raise InputError(f"The data folder {data} does not exist: give the folder that holds psfhs and hc18.")
    for path in (json_path, options.get("markdown_path"), options.get("picture_path")):
        if path is not None and not Path(path).absolute().parent.is_dir():
            raise InputError(f"The folder of {path} does not exist: create it or choose another file.")
    return run(Path(data), Path(json_path), **options)
