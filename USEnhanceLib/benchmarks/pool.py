"""Independent pieces of work on several processes, in order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

import torch

from .record import available_cores

Task = TypeVar("Task")
Result = TypeVar("Result")


def map_tasks(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    processes: int | None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Return `work(task)` of every task, in their order.

    processes: one per available core when None; 1 works in this process. The others are spawned, not forked
    (a fork of a process with torch's threads may hang), and use one thread each. The first error ends all.
    """
    count = min(processes or available_cores(), len(tasks))
    results: dict[int, Result] = {}

    def keep(index: int, result: Result) -> None:
        results[index] = result
        if progress is not None:
            progress(len(results), len(tasks))

    if count <= 1:
        for index, task in enumerate(tasks):
            keep(index, work(task))
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(count, context, torch.set_num_threads, (1,)) as pool:
            futures = {pool.submit(work, task): index for index, task in enumerate(tasks)}
            try:
                for future in as_completed(futures):
                    keep(futures[future], future.result())
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    return [results[index] for index in range(len(tasks))]
