"""The answers of all methods to a list of frames, as a user gets them: nobody is told anything about a frame.

Answers are kept by method, code, weights and frame, so that a run can be interrupted, and a new network needs
no filter to run again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...classical.filters import find_filter
from ..contenders import CLASSICAL, INPUT, NETWORK_CODE, Contender, enhancer
from ..kept import code_version, keep_frame
from ..pool import map_tasks

FILTER_CODE = ("USEnhanceLib.classical.noise_level", "USEnhanceLib.enhancement.classical")


@dataclass(frozen=True, eq=False)
class _Task:
    row: Contender
    frame: np.ndarray
    device: str
    cache: Path


def answer_all(
    rows: Sequence[Contender],
    frames: Sequence[np.ndarray],
    *,
    processes: int | None,
    device: str,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, list[np.ndarray]]:
    """Return what each contender makes of each frame, float32 [H, W] in [0, 1], by the contender's key.

    rows: as `contenders` returns them; "input" answers with the frames themselves.  frames: float32 [H, W] in
    [0, 1] each; shapes may differ.  cache: folder that keeps the answers.
    """
    working = [row for row in rows if row.role != INPUT]
    tasks = [_Task(row, frame, device, Path(cache)) for row in working for frame in frames]
    answers = map_tasks(_answer, tasks, processes, progress)
    results = {row.key: list(frames) for row in rows if row.role == INPUT}
    for index, row in enumerate(working):
        results[row.key] = answers[index * len(frames) : (index + 1) * len(frames)]
    return results


def answer_again(
    rows: Sequence[Contender],
    answers: Mapping[str, Sequence[np.ndarray]],
    *,
    processes: int | None,
    device: str,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, list[np.ndarray]]:
    """Return what each contender makes of its own answers; other parameters as of `answer_all`."""
    tasks = [
        _Task(row, np.ascontiguousarray(frame), device, Path(cache))
        for row in rows
        for frame in answers[row.key]
    ]
    again = iter(map_tasks(_answer, tasks, processes, progress))
    return {row.key: [next(again) for _ in answers[row.key]] for row in rows}


def _answer(task: _Task) -> np.ndarray:
    row = task.row
    if row.role == INPUT:
        return task.frame
    if row.role == CLASSICAL:
        code = code_version(find_filter(row.method).function.__module__, *FILTER_CODE)
        what = ["blind", row.method, code]
    else:
        what = ["blind network", row.sha256, task.device, code_version(*NETWORK_CODE)]
    return keep_frame(
        task.cache, what, task.frame, lambda: enhancer(row.method, task.device)(task.frame[None]).frames[0]
    )
