"""Checkpoints that survive a kill at any moment: written beside the old one, then renamed over it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError

CHECKPOINT = "checkpoint.pt"


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write `state` (tensors, numbers, strings in dicts and lists) into `folder`."""
    unfinished = folder / f"{CHECKPOINT}.tmp"
    with unfinished.open("wb") as stream:
        torch.save(state, stream)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(folder / CHECKPOINT)


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """Read the checkpoint of `folder`, or None where there is none. Unpickles tensors and plain types only.

    Raises:
        InputError: the file is damaged.
    """
    file = folder / CHECKPOINT
    if not file.is_file():
        return None
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(f"{file} is damaged ({error}): remove it to start again.") from error
