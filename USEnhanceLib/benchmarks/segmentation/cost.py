"""Time and memory of outlining a frame, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..record import available_cores
from ..speed import Case, measure_case

CASES = (
    Case("one frame 256 x 256", shape=(1, 256, 256), repeats=10),
    Case("one frame 768 x 1024", shape=(1, 768, 1024), repeats=10),
    Case("30 frames 256 x 256", shape=(30, 256, 256), repeats=1),
)


def measure(
    model: str,
    *,
    seed: int,
    device: str,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure a segmenter, by name or folder; threads: one per core when None."""
    count = threads or available_cores()
    rows = []
    for done, case in enumerate(CASES, start=1):
        figures = measure_case(case, model, device=device, threads=count, seed=seed)
        rows.append({"case": case.name, **figures})
        if progress is not None:
            progress(done, len(CASES))
    return {"threads": count, "rows": rows}


def render(found: Mapping[str, Any]) -> str:
    """Return the section of what `measure` returned."""
    lines = [
        f"{found['threads']} threads; each row is a fresh process. Warm: median of later calls.",
        "",
        "| input | load, s | first call, s | warm, ms a frame | peak memory, MiB |",
        "|---|---|---|---|---|",
    ]
    for row in found["rows"]:
        warm = 1000 * row["seconds"] / row["frames"]
        lines.append(
            f"| {row['case']} | {row['load_seconds']:.2f} | {row['first_seconds']:.2f} | {warm:.0f} "
            f"| {row['peak_bytes'] / 2**20:.0f} |"
        )
    return "\n".join(lines)
