"""Reading a label image that lies where frames lie."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from ..errors import InputError
from .reading import read_frames
from .stack import Frames, slice_view

TOLERANCE = 1e-3
"""Of spacings, origins and directions, as a share of a pixel."""


def read_labels(path: Path, frames: Frames, known: Collection[int]) -> np.ndarray:
    """Return labels, uint8 [N, H, W], of the pixels of `frames`.

    path: an image file of the same size as that of `frames`, with one channel of whole numbers.
    known: the labels that there are.

    Raises:
        InputError: the file cannot be read, has another size or lies elsewhere, or holds other numbers.
    """
    found = read_frames(path, frames.axis)
    name = found.name
    if found.colour:
        raise InputError(f"{name} is a coloured image: give one channel of labels.")
    values = slice_view(found.source, found.axis)
    if values.shape != frames.pixels.shape:
        own, wanted = (" x ".join(map(str, shape)) for shape in (values.shape, frames.pixels.shape))
        raise InputError(f"{name} is of {own} and {frames.name} of {wanted}: give labels of these frames.")
    if not _same_place(found, frames):
        raise InputError(f"{name} lies elsewhere than {frames.name}: give labels of these frames.")
    if not set(np.unique(values).tolist()) <= set(known):
        named = ", ".join(str(label) for label in sorted(known))
        raise InputError(f"{name} holds other numbers than the labels {named}: export it as a label image.")
    return np.ascontiguousarray(values).astype(np.uint8)


def _same_place(first: Frames, second: Frames) -> bool:
    """Whether two images lie at one place; pictures without a calibration lie anywhere."""
    one, other = first.geometry, second.geometry
    if not (one.calibrated and other.calibrated):
        return True
    pixel = min(one.spacing)
    return all(
        np.allclose(getattr(one, name), getattr(other, name), rtol=0, atol=TOLERANCE * pixel)
        for name in ("spacing", "origin")
    ) and np.allclose(one.direction, other.direction, rtol=0, atol=TOLERANCE)
