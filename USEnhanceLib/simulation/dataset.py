"""Simulated data sets on the disk: shards of pairs beside their manifest, made by several processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .manifest import MANIFEST, Entry, read_manifest, write_manifest
from .pair import Pair

SHARD = 16
"""Pairs of a shard: what one process does at a time, and what is lost when it is interrupted."""
SHARDS, PICTURES = "shards", "pictures"
SHOWN = 16
"""Pairs that are written as pictures too."""
LEVELS = 65535
"""Pairs are kept with 16 bits."""


@dataclass(frozen=True)
class _Task:
    mri: Path
    folder: Path
    entries: tuple[Entry, ...]


def make_data_set(
    entries: Sequence[Entry],
    mri: Path,
    folder: Path,
    *,
    processes: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Simulate a data set; what an earlier, interrupted run has made of it is kept.

    Args:
        entries: from `plan`.
        mri: folder of the MRI.
        folder: of the data set, which exists.
        processes: at work at a time; the result does not depend on their number.
        progress: is called with the pairs that are done, and all.

    Raises:
        InputError: the folder holds another data set, or an MRI cannot be used.
    """
    if (folder / MANIFEST).exists():
        if read_manifest(folder) != list(entries):
            raise InputError(f"{folder} holds another data set: choose another folder, or empty this one.")
    else:
        write_manifest(folder, entries)
    for name in (SHARDS, PICTURES):
        (folder / name).mkdir(exist_ok=True)
    tasks = [
        _Task(mri, folder, tuple(entries[start : start + SHARD])) for start in range(0, len(entries), SHARD)
    ]
    waiting = [task for task in tasks if not _shard_file(task).exists()]
    done = len(entries) - sum(len(task.entries) for task in waiting)
    for finished in _finished(waiting, processes):
        done += len(finished.entries)
        if progress is not None:
            progress(done, len(entries))


def load_pairs(
    folder: Path, *, split: str | None = None, probe: str | None = None
) -> Iterator[tuple[Entry, NDArray[np.float32], NDArray[np.float32]]]:
    """Yield the entries of a data set with their speckled and clean frames, float32 [H, W] in [0, 1].

    Args:
        folder: of the data set.
        split, probe: leave out the others.

    Raises:
        InputError: there is no data set, or it is not complete.
    """
    entries = read_manifest(folder)
    for start in range(0, len(entries), SHARD):
        members = entries[start : start + SHARD]
        wanted = [split in (None, entry.split) and probe in (None, entry.setting.probe) for entry in members]
        if not any(wanted):
            continue
        file = folder / SHARDS / f"{start // SHARD:05d}.npz"
        try:
            with np.load(file, allow_pickle=False) as shard:
                speckled, clean = shard["speckled"], shard["clean"]
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{file} cannot be read: run usenhance simulate again to complete it."
            ) from error
        for place, entry in enumerate(members):
            if wanted[place]:
                yield entry, _as_shares(speckled[place]), _as_shares(clean[place])


def quantized(frame: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return a frame in [0, 1] with 16 bits, as data sets keep it."""
    return np.rint(frame.astype(np.float64) * LEVELS).astype(np.uint16)


def write_picture(path: Path, frame: NDArray[np.float32]) -> None:
    """Write a frame [H, W] in [0, 1] as a picture with 8 bits."""
    from PIL import Image

    Image.fromarray(np.rint(frame * 255).astype(np.uint8)).save(path)


def _as_shares(kept: NDArray[np.uint16]) -> NDArray[np.float32]:
    return (kept / LEVELS).astype(np.float32)


def _shard_file(task: _Task) -> Path:
    return task.folder / SHARDS / f"{task.entries[0].index // SHARD:05d}.npz"


def _finished(tasks: Sequence[_Task], processes: int) -> Iterator[_Task]:
    """Yield the tasks as they are done; the first error ends all."""
    if processes <= 1 or len(tasks) <= 1:
        yield from map(_simulate_shard, tasks)
        return
    # Spawned, not forked: a fork of a process with torch's threads may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(tasks)), context) as pool:
        futures = [pool.submit(_simulate_shard, task) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _simulate_shard(task: _Task) -> _Task:
    """Simulate the pairs of a shard and write them, whole or not at all."""
    import torch

    threads = torch.get_num_threads()
    # Sums depend on the number of threads in their last bits, and the products are too small for several.
    torch.set_num_threads(1)
    try:
        pairs = [entry.simulate(task.mri) for entry in task.entries]
    finally:
        torch.set_num_threads(threads)
    for entry, pair in zip(task.entries, pairs, strict=True):
        if entry.index < SHOWN:
            _write_pictures(task.folder / PICTURES, entry, pair)
    file = _shard_file(task)
    temporary = file.with_name(f".{file.stem}.{os.getpid()}.npz")
    np.savez(
        temporary,
        speckled=np.stack([quantized(pair.speckled) for pair in pairs]),
        clean=np.stack([quantized(pair.clean) for pair in pairs]),
    )
    temporary.replace(file)
    return task


def _write_pictures(folder: Path, entry: Entry, pair: Pair) -> None:
    for kind, frame in (("speckled", pair.speckled), ("clean", pair.clean)):
        write_picture(folder / f"{entry.index:05d}_{entry.setting.probe}_{kind}.png", frame)
