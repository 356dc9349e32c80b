"""What the worker process and its client say to each other: one JSON object a line, in UTF-8.

Requests go to the worker's stdin, events come from its stdout. Pixels never travel here: they lie in the
files of `exchange`, which a request names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .. import errors
from ..errors import USEnhanceError, WorkerError

LONGEST_LINE = 1 << 20


class MalformedMessageError(WorkerError):
    """A line that is no message of this protocol; `job` is its job where that could still be read."""

    def __init__(self, reason: str, job: int | None = None) -> None:
        super().__init__(f"The worker process and USEnhance misunderstood each other ({reason}): try again.")
        self.job = job


@dataclass(frozen=True)
class ExchangeRequest:
    """The client's exchange folder, which the worker removes should the client die."""

    folder: str


@dataclass(frozen=True)
class EnhanceRequest:
    """One stack of frames to enhance; `input` and `output` are raw float32 files of `shape` [N, H, W]."""

    id: int
    method: str
    shape: tuple[int, int, int]
    input: str
    output: str
    device: str = "auto"
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    uncertainty: bool = False
    uncertainty_output: str | None = None


@dataclass(frozen=True)
class SegmentRequest:
    """One stack of frames to outline structures in: `input` is a raw float32 file of `shape` [N, H, W].

    `output` takes the labels, uint8 of the same shape; `model` is a shipped model's name or a folder.
    """

    id: int
    model: str
    shape: tuple[int, int, int]
    input: str
    output: str
    device: str = "auto"


@dataclass(frozen=True)
class CancelRequest:
    """Stop the job; unknown and finished jobs are ignored, since a cancel may cross the job's last event."""

    id: int


@dataclass(frozen=True)
class QuitRequest:
    """End the worker at once, also in the middle of a job."""


@dataclass(frozen=True)
class ReadyEvent:
    """The worker listens."""

    pid: int
    version: str


@dataclass(frozen=True)
class StartedEvent:
    """The model is loaded; `description` is that of the enhancer or the segmenter."""

    id: int
    description: Mapping[str, Any]


@dataclass(frozen=True)
class ProgressEvent:
    """`done` of `total` frames are enhanced or segmented."""

    id: int
    done: int
    total: int


@dataclass(frozen=True)
class DoneEvent:
    """The outputs are complete in their files."""

    id: int
    seconds: float
    notes: tuple[str, ...]
    provenance: Mapping[str, str]
    device: str
    device_reason: str


@dataclass(frozen=True)
class CancelledEvent:
    """The job was stopped; its outputs are not usable."""

    id: int


@dataclass(frozen=True)
class FailedEvent:
    """The job, or where `id` is None a line that named none, failed; `error` names a class of `errors`."""

    id: int | None
    error: str
    message: str


JobRequest = EnhanceRequest | SegmentRequest
Request = ExchangeRequest | JobRequest | CancelRequest | QuitRequest
Event = ReadyEvent | StartedEvent | ProgressEvent | DoneEvent | CancelledEvent | FailedEvent

_REQUESTS: dict[str, type] = {
    "exchange": ExchangeRequest,
    "enhance": EnhanceRequest,
    "segment": SegmentRequest,
    "cancel": CancelRequest,
    "quit": QuitRequest,
}
_EVENTS: dict[str, type] = {
    "ready": ReadyEvent,
    "started": StartedEvent,
    "progress": ProgressEvent,
    "done": DoneEvent,
    "cancelled": CancelledEvent,
    "failed": FailedEvent,
}
_NAMES = {kind: ("command", name) for name, kind in _REQUESTS.items()} | {
    kind: ("event", name) for name, kind in _EVENTS.items()
}


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(_is_int(n) and n > 0 for n in value)


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or _is_int(value)


# One rule for each field's name, whichever message it appears in.
_RULES: dict[str, Callable[[Any], bool]] = {
    "pid": _is_int,
    "version": _is_text,
    "id": _is_int,
    "method": _is_text,
    "model": _is_text,
    "device": _is_text,
    "device_reason": _is_text,
    "options": _is_mapping,
    "seed": _is_int,
    "uncertainty": lambda value: isinstance(value, bool),
    "shape": _is_shape,
    "folder": _is_text,
    "input": _is_text,
    "output": _is_text,
    "uncertainty_output": lambda value: value is None or _is_text(value),
    "description": _is_mapping,
    "done": _is_int,
    "total": _is_int,
    "seconds": _is_number,
    "notes": _is_text_list,
    "provenance": _is_mapping,
    "error": _is_text,
    "message": _is_text,
}


def _plain(value: Any) -> Any:
    """Numbers of numpy as Python's, anything else (a path, say) as text."""
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)


def encode(message: Request | Event) -> bytes:
    """The message as one line, newline included."""
    key, name = _NAMES[type(message)]
    return json.dumps({key: name, **asdict(message)}, default=_plain).encode() + b"\n"


def _decode(line: bytes, key: str, kinds: Mapping[str, type]) -> Any:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise MalformedMessageError("a line is not JSON") from None
    if not isinstance(values, dict):
        raise MalformedMessageError("a line is not a JSON object")
    job = values["id"] if _is_int(values.get("id")) else None
    name = values.pop(key, None)
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise MalformedMessageError(f"a line has no known {key}", job)
    return _checked(kind, name, values, job)


def _checked(kind: type, name: str, values: dict[str, Any], job: int | None) -> Any:
    fields = kind.__dataclass_fields__
    for unknown in values.keys() - fields.keys():
        raise MalformedMessageError(f"{name} has no field {unknown[:40]!r}", job)
    for field_name, value in values.items():
        is_absent_id = kind is FailedEvent and field_name == "id" and value is None
        if not is_absent_id and not _RULES[field_name](value):
            raise MalformedMessageError(f"the {field_name} of {name} has the wrong form", job)
        if isinstance(value, list):
            values[field_name] = tuple(value)
    try:
        return kind(**values)
    except TypeError:
        raise MalformedMessageError(f"{name} lacks a field", job) from None


def decode_request(line: bytes) -> Request:
    """The request in a line. Raises MalformedMessageError."""
    return _decode(line, "command", _REQUESTS)


def decode_event(line: bytes) -> Event:
    """The event in a line. Raises MalformedMessageError."""
    return _decode(line, "event", _EVENTS)


class LineBuffer:
    """Joins chunks of bytes, cut anywhere, to lines.

    Lines are split as bytes, so a chunk may end inside a UTF-8 character. A line longer than `longest` is
    cut there and then refused by its reader as malformed; what follows in it is not kept in memory.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._partial = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk completes, without their ends and without empty ones."""
        *ended, rest = bytes(chunk).split(b"\n")
        lines = []
        for part in ended:
            self._append(part)
            lines.append(bytes(self._partial).strip())
            self._partial.clear()
        self._append(rest)
        return [line for line in lines if line]

    def _append(self, part: bytes) -> None:
        self._partial += part[: self._longest - len(self._partial)]

    def clear(self) -> None:
        """Forget an unfinished line."""
        self._partial.clear()


def failed_event(job: int | None, error: USEnhanceError) -> FailedEvent:
    """The event for an error; a class that `errors` does not define is named by its nearest base there."""
    names = (kind.__name__ for kind in type(error).__mro__ if getattr(errors, kind.__name__, None) is kind)
    return FailedEvent(job, next(names), str(error))


def error_of(event: FailedEvent) -> USEnhanceError:
    """The error that a failed event tells of, in its class of `errors`."""
    kind = getattr(errors, event.error, None)
    if not (isinstance(kind, type) and issubclass(kind, USEnhanceError)):
        kind = WorkerError
    return kind(event.message)
