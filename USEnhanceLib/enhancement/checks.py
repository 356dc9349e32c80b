"""What every enhancer checks and tells in the same words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import EnhancementCancelled, InputError, OptionError
from .result import Cancelled


def checked_strength(strength: float) -> float:
    """Return the strength, or raise OptionError where it is no number from 0 to 1."""
    if not 0 <= strength <= 1:
        raise OptionError(
            f"The strength is {strength}: give a number from 0 (the input) to 1 (fully enhanced)."
        )
    return float(strength)


def checked_pixels(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the stack, or raise InputError where it is not float32 [N, H, W] in [0, 1]."""
    pixels = np.asarray(pixels)
    if pixels.ndim != 3 or 0 in pixels.shape:
        raise InputError(
            f"Frames must be an array [N, H, W] with at least one pixel, not {list(pixels.shape)}."
        )
    if pixels.dtype != np.float32:
        raise InputError(
            f"Frames must be float32 in [0, 1], not {pixels.dtype}: use read_frames or convert them."
        )
    for frame in pixels:
        low, high = float(frame.min()), float(frame.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            raise InputError("Frames hold NaN or infinite values: replace them first.")
        if low < 0 or high > 1:
            raise InputError(f"Frames must lie in [0, 1], not in [{low:g}, {high:g}]: scale them first.")
    return pixels


def poll(cancelled: Cancelled | None) -> None:
    """Raise EnhancementCancelled once `cancelled` says so."""
    if cancelled and cancelled():
        raise EnhancementCancelled


def black_note(black: int, total: int) -> str:
    """Return the note that says how many frames were all black, and so left alone."""
    which = "The frame is" if total == 1 else f"{black} of {total} frames are"
    return f"{which} all black and came back unchanged."


def no_uncertainty(name: str) -> OptionError:
    """Return what is raised where a filter is asked for its uncertainty."""
    return OptionError(
        f"The method {name} gives no uncertainty: choose scunet or irsde, or do not ask for the uncertainty."
    )


def no_spread(name: str) -> OptionError:
    """Return what is raised where one member of an ensemble is asked for an uncertainty."""
    return OptionError(f"One member of {name} gives no uncertainty: ask for more samples, or do without.")
