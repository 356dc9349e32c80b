"""How a job ended: its result, or why the process died over it."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import numpy as np

from ..errors import WorkerError
from .protocol import DoneEvent, MalformedMessageError

if TYPE_CHECKING:
    from ..enhancement import EnhancementResult


def result_of(event: DoneEvent, frames: np.ndarray, uncertainty: np.ndarray | None) -> EnhancementResult:
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


def death_of_process(exit_code: int, crashed: bool, was_ready: bool) -> WorkerError:
    """The error for a process that ended with a job; `exit_code` is the signal where it `crashed`."""
    when = "while it enhanced" if was_ready else "before it was ready"
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
