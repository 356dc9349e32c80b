"""Errors that a user may see.

Every message is one sentence that names the node or file and says what to do. The command line prints
it as it is and leaves with `exit_code`; the panel shows it in its status line.
"""

from __future__ import annotations


class USEnhanceError(Exception):
    """Base of all errors that USEnhance raises on purpose."""

    exit_code = 1


class InputError(USEnhanceError, ValueError):
    """The given data, or the place to write to, cannot be used as it is."""

    exit_code = 2


class OptionError(USEnhanceError, ValueError):
    """An unknown method, device or option, or a value out of its range."""

    exit_code = 2


class OutputError(USEnhanceError, OSError):
    """Writing a result failed midway, for example because the disk is full."""


class ModelError(USEnhanceError):
    """A model's files are missing, truncated, altered or not laid out as a model."""


class DependencyError(USEnhanceError, ImportError):
    """A Python package that the work needs is not installed."""


class EnhancementCancelled(USEnhanceError):
    """The user cancelled; nothing was written."""

    def __init__(self, message: str = "Cancelled: nothing was changed.") -> None:
        super().__init__(message)


class WorkerError(USEnhanceError):
    """The worker process could not be started, or ended while it worked."""


class MeasurementRefused(USEnhanceError, ValueError):
    """Something cannot be measured in a frame, and the message is the reason."""
