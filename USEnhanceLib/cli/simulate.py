"""`usenhance simulate MRI OUT --probe NAME`."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from ..errors import InputError
from ..simulation.dataset import PICTURES, SHARDS, make_data_set
from ..simulation.manifest import MANIFEST, mri_folder, plan
from .console import Console
from .places import folder_for_results


def run(arguments: argparse.Namespace, console: Console) -> None:
    """Simulate a data set and say what is in it."""
    mri, out = Path(arguments.mri), Path(arguments.output)
    if not mri.exists():
        raise InputError(f"There is no MRI {mri}: give a file or a folder.")
    entries = plan(
        mri,
        arguments.probe,
        arguments.count,
        seed=arguments.seed,
        engine=arguments.engine,
        size=arguments.size,
        diversified=arguments.diversified,
        split=arguments.split,
    )
    pairs = Counter(entry.split for entry in entries)
    subjects = len({entry.subject for entry in entries})
    parts = ", ".join(f"{number} {split}" for split, number in pairs.items())
    console.fact("Pairs", f"{len(entries)} of {subjects} subject{'s' if subjects > 1 else ''}: {parts}")
    with folder_for_results(out) as folder:
        progress = console.progress("pairs")
        progress(0, len(entries))
        make_data_set(entries, mri_folder(mri), folder, processes=arguments.processes, progress=progress)
    for name in (MANIFEST, SHARDS, PICTURES):
        console.fact("Written", str(out / name))
