"""Speed: seconds and peak memory of the networks on one small frame, one large frame and a real cine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import USEnhanceError
from .images import cine_file
from .record import available_cores, provenance, write_json, write_text

DEFAULT_METHODS = ("scunet",)


@dataclass(frozen=True)
class Case:
    """What is enhanced: simulated speckle of a shape, or the frames of a file; and how often."""

    name: str
    shape: tuple[int, int, int] | None = None
    file: str | None = None
    repeats: int = 3


def run(
    data: Path,
    json_path: Path,
    *,
    markdown_path: str | Path | None = None,
    seed: int = 0,
    methods: Sequence[str] | None = None,
    threads: int | None = None,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure every method on every case in a fresh process; write the record and, where asked, the table.

    data is only named in the record: the cine ships inside pydicom and the single frames are simulated, so
    that the figures can be repeated anywhere. methods: networks, by name or folder.  threads: of torch, one
    per available core when None. Raises USEnhanceError where a measurement fails.
    """
    count = threads or available_cores()
    chosen = tuple(methods or DEFAULT_METHODS)
    jobs = [(method, case) for method in chosen for case in cases()]
    rows = []
    for done, (method, case) in enumerate(jobs, start=1):
        rows.append(
            {
                "method": Path(method).name,
                "case": case.name,
                **measure_case(case, method, device=device, threads=count, seed=seed),
            }
        )
        if progress is not None:
            progress(done, len(jobs))
    record = provenance("speed", data, seed=seed, methods=list(chosen), threads=count, device=device)
    record["rows"] = rows
    write_json(Path(json_path), record)
    if markdown_path is not None:
        write_text(Path(markdown_path), render_markdown(record))
    return record


def cases() -> tuple[Case, ...]:
    """Return the cases of the table."""
    return (
        Case("one frame 256 x 256", shape=(1, 256, 256)),
        Case("one frame 768 x 1024", shape=(1, 768, 1024)),
        Case("cine of 30 frames 240 x 320", file=str(cine_file()), repeats=1),
    )


def measure_case(case: Case, method: str, *, device: str, threads: int, seed: int) -> dict[str, float]:
    """Return the figures of `speed_case.measure`, taken in a fresh process of `threads` threads."""
    request = {
        "method": method,
        "device": device,
        "threads": threads,
        "seed": seed,
        "shape": case.shape,
        "file": case.file,
        "repeats": case.repeats,
    }
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    finished = subprocess.run(
        [sys.executable, "-m", f"{__package__}.speed_case", json.dumps(request)],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
            "PYTHONPATH": os.pathsep.join(paths),
        },
    )
    if finished.returncode:
        reason = (finished.stderr.strip().splitlines() or [f"exit code {finished.returncode}"])[-1]
        raise USEnhanceError(f"The measurement of {Path(method).name} on {case.name} failed: {reason}")
    return json.loads(finished.stdout.splitlines()[-1])


def render_markdown(record: dict[str, Any]) -> str:
    """Return the table of a record."""
    machine = record["machine"]
    meaning = (
        "Each row is a fresh process. First: the first enhancement after loading; warm: median of later "
        "ones; peak: largest resident memory of the process, of which before: with the model loaded."
    )
    made_on = (
        f"Commit {record['commit']}, torch {machine['torch']}, {machine['processor']}, "
        f"{record['options']['threads']} threads of {machine['cores']} cores, "
        f"device {record['options']['device']}."
    )
    lines = [
        "# Speed and memory",
        "",
        meaning,
        "",
        f"`{record['command']}`",
        "",
        made_on,
        "",
        "| network | input | import, s | load, s | first, s | warm, s | frames/s | before, MiB | peak, MiB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in record["rows"]:
        seconds = (row["import_seconds"], row["load_seconds"], row["first_seconds"], row["seconds"])
        cells = [row["method"], row["case"], *(f"{value:.2f}" for value in seconds)]
        cells.append(f"{row['frames'] / row['seconds']:.2f}")
        cells += [f"{row[name] / 2**20:.0f}" for name in ("loaded_bytes", "peak_bytes")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
