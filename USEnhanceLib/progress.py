"""How work on a stack of frames tells how far it is, and hears that it is no longer wanted."""

from __future__ import annotations

from collections.abc import Callable

from .errors import EnhancementCancelled

Progress = Callable[[int, int], None]
"""Called with the number of frames done and their total."""

Cancelled = Callable[[], bool]
"""Polled at least twice a second while frames of ordinary size are worked on; True ends the work."""


def poll(cancelled: Cancelled | None) -> None:
    """Raise EnhancementCancelled once `cancelled` says so."""
    if cancelled and cancelled():
        raise EnhancementCancelled
