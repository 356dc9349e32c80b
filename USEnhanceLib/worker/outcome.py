"""How a job ended: its result, or why the process died over it."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import WorkerError
from .protocol import DoneEvent, MalformedMessageError

if TYPE_CHECKING:
    from ..enhancement import EnhancementResult


@dataclass(frozen=True, eq=False)
class SegmentationResult:
    """Labels of frames: `labels` uint8 [N, H, W], how long they took in seconds, and where they come from.

    provenance: attributes of the segmenter, for the nodes and files that hold the labels
    """

    labels: np.ndarray
    seconds: float
    device: str
    device_reason: str
    provenance: Mapping[str, str]
    notes: tuple[str, ...] = ()


def enhancement_of(event: DoneEvent, frames: np.ndarray, uncertainty: np.ndarray | None) -> EnhancementResult:
    """The result that the enhancer gave in the worker; frames and uncertainty are float32 [N, H, W].

    Raises MalformedMessageError where the provenance lacks what `EnhancementResult.provenance` writes.
    """
    from ..enhancement import EnhancementResult

    try:
        return EnhancementResult(
            frames=frames,
            uncertainty=uncertainty,
            seconds=event.seconds,
            device=event.device,
            device_reason=event.device_reason,
            method=event.provenance["USEnhance.Method"],
            model_version=event.provenance["USEnhance.ModelVersion"],
            parameters=json.loads(event.provenance["USEnhance.Parameters"]),
            notes=event.notes,
        )
    except (KeyError, TypeError, ValueError):
        raise MalformedMessageError("the provenance of a result is incomplete", event.id) from None


def segmentation_of(event: DoneEvent, labels: np.ndarray) -> SegmentationResult:
    """The labels, uint8 [N, H, W], that the segmenter gave in the worker."""
    return SegmentationResult(
        labels, event.seconds, event.device, event.device_reason, event.provenance, event.notes
    )


def death_of_process(exit_code: int, crashed: bool, was_ready: bool, verb: str) -> WorkerError:
    """The error for a process that ended with a job; `exit_code` is the signal where it `crashed`.

    `verb` tells what the job did, as in "while it enhanced".
    """
    when = f"while it {verb}" if was_ready else "before it was ready"
    if crashed and exit_code == getattr(signal, "SIGKILL", None):
        return WorkerError(
            f"The worker process was killed {when}, most likely because memory ran out: close other programs "
            "or shorten the input, then try again."
        )
    how = f"crashed {when} (code {exit_code})" if crashed else f"ended {when} (exit code {exit_code})"
    advice = (
        "try again, and choose the device cpu if it happens again"
        if was_ready
        else "check that USEnhance's Python packages are installed, then try again"
    )
    return WorkerError(f"The worker process {how}: {advice}.")
