"""What the panel says about the work: sentences and figures, without Qt."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..enhancement import EnhancementResult
    from ..worker.outcome import SegmentationResult
    from .outputs import Outputs
    from .segmentation_outputs import SegmentationOutputs


class Pace:
    """Frames per second and the time left, from the moments at which frames were done."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    def restart(self) -> None:
        """Begin to count now."""
        self._begin = time.monotonic()

    def describe(self, done: int, total: int) -> str:
        """Return, for example, "12 of 30 frames, 4.1 frames/s, 4 s left"."""
        seconds = time.monotonic() - self._begin
        text = f"{done} of {total} frames"
        if done == 0 or seconds <= 0:
            return text
        rate = done / seconds
        figure = f"{rate:.1f} frames/s" if rate >= 1 else f"{1 / rate:.1f} s/frame"
        return f"{text}, {figure}, {_duration((total - done) / rate)} left"


def sentence(text: str) -> str:
    """Return `text` with a capital letter at its beginning and a full stop at its end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def ready_sentence(node: Any) -> str:
    """Return what is said when `node` can be enhanced."""
    return f"Ready to enhance {node.GetName()}."


def started_sentence(description: Mapping[str, Any]) -> str:
    """Return the device, why that one, and the model that a worker has just begun to work with."""
    model = _model(description["method"], description["model_version"])
    return f"Enhancing with {model} on {_device(description)}."


def done_sentence(outputs: Outputs, result: EnhancementResult) -> str:
    """Return what was made, how fast, with what and on what, and what the user should know besides."""
    count = len(result.frames)
    frames = "1 frame" if count == 1 else f"{count} frames"
    device = _device({"device": result.device, "device_reason": result.device_reason})
    model = _model(result.method, result.model_version)
    said = f"Enhanced {frames} in {_duration(result.seconds)} with {model} on {device}."
    return " ".join([said, *(sentence(note) for note in outputs.notes)])


def segmenting_sentence(description: Mapping[str, Any]) -> str:
    """Return the model and the device, and why that one, with which a worker has just begun to segment."""
    model = _model(description["model"], description["model_version"])
    return f"Segmenting with {model} on {_device(description)}."


def segmented_sentence(outputs: SegmentationOutputs, results: Sequence[SegmentationResult]) -> str:
    """Return what was outlined, how fast, with what and on what, and what the user should know besides."""
    first = results[0]
    count = len(first.labels)
    frames = "1 frame" if count == 1 else f"{count} frames"
    images = " of the original and of the enhanced image" if outputs.enhanced is not None else ""
    provenance = first.provenance
    model = _model(
        provenance["USEnhance.SegmentationModel"], provenance["USEnhance.SegmentationModelVersion"]
    )
    device = _device({"device": first.device, "device_reason": first.device_reason})
    seconds = _duration(sum(result.seconds for result in results))
    said = f"Segmented {frames}{images} in {seconds} with {model} on {device}."
    return " ".join([said, *(sentence(note) for note in outputs.notes)])


def _model(method: str, version: str) -> str:
    return f"{method} {version}"


def _device(description: Mapping[str, Any]) -> str:
    reason = str(description.get("device_reason", "")).strip().rstrip(".")
    return f"{description['device']} ({reason})" if reason else str(description["device"])


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
