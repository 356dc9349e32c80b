"""What is refused as B-mode frames, in one sentence that says what to do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, OptionError

AXES = ("k", "j", "i")


def check_axis(axis: str) -> str:
    """Return `axis`; raise OptionError unless it is "k", "j" or "i"."""
    if axis not in AXES:
        raise OptionError(f"The slice axis {axis!r} is unknown: choose one of k, j or i.")
    return axis


def check_dtype(dtype: np.dtype, name: str) -> None:
    """Raise InputError unless `dtype` holds real numbers."""
    if dtype.kind == "c":
        raise InputError(f"{name} holds complex numbers: take their magnitude before enhancing it.")
    if dtype.kind == "b":
        raise InputError(f"{name} is a mask of true and false, not an image: choose a B-mode image.")
    if dtype.kind not in "uif":
        raise InputError(f"{name} does not hold numbers (its type is {dtype}): choose a B-mode image.")


def check_components(count: int, name: str) -> None:
    """Raise InputError unless a pixel of `count` components is grey (1) or RGB (3)."""
    if count == 4:
        raise InputError(
            f"{name} has 4 components per pixel (RGBA): save it without its alpha channel, as grey or RGB."
        )
    if count not in (1, 3):
        raise InputError(f"{name} has {count} components per pixel: convert it to grey (1) or RGB (3).")


def check_pixels(source: np.ndarray, name: str) -> None:
    """Raise InputError if `source` has no pixels, or holds NaN or infinite values."""
    check_dtype(source.dtype, name)
    if source.size == 0:
        shape = " x ".join(str(length) for length in source.shape)
        raise InputError(f"{name} has no pixels (its size is {shape}): choose an image that is not empty.")
    # The extremes carry any NaN or infinity, so no mask of the whole stack is needed.
    if source.dtype.kind == "f" and not (np.isfinite(source.min()) and np.isfinite(source.max())):
        raise InputError(f"{name} holds NaN or infinite pixels: give those pixels finite values first.")


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
