"""The client's half of a job: what is asked for, which files come back, and who is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..errors import USEnhanceError, WorkerError
from .outcome import SegmentationResult, enhancement_of, segmentation_of
from .protocol import DoneEvent, EnhanceRequest, JobRequest, SegmentRequest

if TYPE_CHECKING:
    from ..enhancement import EnhancementResult

Shape = tuple[int, int, int]


def _nothing(*_: object) -> None:
    pass


@dataclass(frozen=True)
class Callbacks:
    """Who is told: started(description), progress(done, total), and one of the others at the end."""

    on_started: Callable[[Mapping[str, Any]], object] = _nothing
    on_progress: Callable[[int, int], object] = _nothing
    on_done: Callable[[Any], object] = _nothing
    on_failed: Callable[[USEnhanceError], object] = _nothing
    on_cancelled: Callable[[], object] = _nothing


class Task(Protocol):
    """What the worker is to do with frames [N, H, W]."""

    verb: str
    """What it does, as in "while it enhanced"."""

    @property
    def outputs(self) -> Mapping[str, type[np.generic]]:
        """The files that come back, each [N, H, W], by name with the type of its pixels."""

    def request(self, job: int, shape: Shape, paths: Mapping[str, Path]) -> JobRequest:
        """Return the request; `paths` has "input" and the outputs."""

    def result(self, event: DoneEvent, arrays: Mapping[str, np.ndarray]) -> Any:
        """Return what `on_done` gets. Raises MalformedMessageError."""


@dataclass(frozen=True)
class Enhancing:
    """A task: enhance; the fields are those of `load_enhancer` and of the enhancer."""

    method: str | os.PathLike[str]
    device: str
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    uncertainty: bool = False
    verb = "enhanced"

    @property
    def outputs(self) -> Mapping[str, type[np.generic]]:
        """The enhanced frames, and their uncertainty where it is asked for."""
        names = ("output", "uncertainty") if self.uncertainty else ("output",)
        return dict.fromkeys(names, np.float32)

    def request(self, job: int, shape: Shape, paths: Mapping[str, Path]) -> EnhanceRequest:
        """Return the request."""
        return EnhanceRequest(
            id=job,
            method=_absolute(self.method),
            device=self.device,
            options=dict(self.options),
            seed=int(self.seed),
            uncertainty=bool(self.uncertainty),
            shape=shape,
            input=str(paths["input"]),
            output=str(paths["output"]),
            uncertainty_output=str(paths["uncertainty"]) if self.uncertainty else None,
        )

    def result(self, event: DoneEvent, arrays: Mapping[str, np.ndarray]) -> EnhancementResult:
        """Return the result as the enhancer itself would give it."""
        return enhancement_of(event, arrays["output"], arrays.get("uncertainty"))


@dataclass(frozen=True)
class Segmenting:
    """A task: outline the structures; the fields are those of `load_segmenter`."""

    model: str | os.PathLike[str]
    device: str
    verb = "segmented"

    @property
    def outputs(self) -> Mapping[str, type[np.generic]]:
        """The labels."""
        return {"output": np.uint8}

    def request(self, job: int, shape: Shape, paths: Mapping[str, Path]) -> SegmentRequest:
        """Return the request."""
        return SegmentRequest(
            id=job,
            model=_absolute(self.model),
            device=self.device,
            shape=shape,
            input=str(paths["input"]),
            output=str(paths["output"]),
        )

    def result(self, event: DoneEvent, arrays: Mapping[str, np.ndarray]) -> SegmentationResult:
        """Return the labels and how they came about."""
        return segmentation_of(event, arrays["output"])


@dataclass(eq=False)
class Job:
    """A task that the worker has been given, its files, and how it is to end."""

    id: int
    shape: Shape
    task: Task
    callbacks: Callbacks
    paths: dict[str, Path] = field(default_factory=dict)
    is_cancelled: bool = False
    failure: WorkerError | None = None


def _absolute(model: str | os.PathLike[str]) -> str:
    """A model's folder as the worker, whose current folder may differ, finds it; names stay as they are."""
    text = os.fspath(model)
    return str(Path(text).absolute()) if isinstance(model, Path) or Path(text).name != text else text
