"""One measurement of speed, in a process of its own: `python -m USEnhanceLib.benchmarks.speed_case CASE`.

A fresh process has neither a warm cache of the allocator nor another case's peak memory. CASE is JSON, see
`measure`; the answer is one line of JSON on standard output.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def measure(case: Mapping[str, Any]) -> dict[str, float]:
    """Return seconds and memory of one case.

    case: `method`, `device`, `threads`, `repeats`, and either `file` (read as frames) or `shape` [N, H, W]
    with `seed` (simulated speckle).
    Result: `import_seconds` of torch and the network's code, `load_seconds` of the model, `first_seconds` of
    the first call, `seconds` the median of `repeats` further ones; `loaded_bytes` and `peak_bytes` of
    resident memory before and after the calls.
    """
    pixels = _pixels(case)
    started = time.perf_counter()
    import torch

    from ..enhancement import load_enhancer
    from ..models import find_model
    from ..segmentation import load_segmenter

    torch.set_num_threads(case["threads"])
    imported = time.perf_counter()
    # Both are called with frames alone here.
    load = load_segmenter if find_model(case["method"]).task == "segmentation" else load_enhancer
    network = load(case["method"], device=case["device"])
    loaded = time.perf_counter()
    loaded_bytes = peak_memory()
    durations = []
    for _ in range(1 + case["repeats"]):
        begun = time.perf_counter()
        network(pixels)
        durations.append(time.perf_counter() - begun)
    return {
        "import_seconds": imported - started,
        "load_seconds": loaded - imported,
        "first_seconds": durations[0],
        "seconds": statistics.median(durations[1:]),
        "loaded_bytes": loaded_bytes,
        "peak_bytes": peak_memory(),
        "frames": len(pixels),
    }


def peak_memory() -> int:
    """Return the largest resident memory of this process so far, in bytes.

    Linux hands `ru_maxrss` down from the process that started this one, so its own VmHWM is read where
    there is one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _pixels(case: Mapping[str, Any]) -> np.ndarray:
    if case.get("file"):
        from ..frames import read_frames

        return read_frames(case["file"]).pixels
    speckle = np.random.default_rng(case["seed"]).rayleigh(0.3, case["shape"])
    return np.clip(1 + np.log10(speckle) / 2.5, 0, 1).astype(np.float32)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(json.loads(sys.argv[1]))) + "\n")
