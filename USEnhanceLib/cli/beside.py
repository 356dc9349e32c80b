"""Images that lie where frames lie: one value for each of their pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..frames import Frames, frames_from_array
from ..frames.stack import slice_view


def describe(frames: Frames) -> str:
    """Return name, size, kind and pixel size of frames."""
    count, height, width = frames.pixels.shape
    kind = f"{frames.source.dtype.name}, {'colour' if frames.colour else 'grey'}"
    size = frames.pixel_size
    scale = f"{size[1]:.3g} x {size[0]:.3g} mm per pixel" if size else "no physical pixel size"
    plural = "s" if count > 1 else ""
    return f"{frames.name}, {count} frame{plural} of {width} x {height} pixels, {kind}, {scale}"


def beside(frames: Frames, values: np.ndarray, name: str, attributes: Mapping[str, str]) -> Frames:
    """Return values [N, H, W], one for each pixel, as an image where `frames` lie."""
    image = np.zeros(frames.source.shape[:3], dtype=values.dtype)
    slice_view(image, frames.axis)[...] = values
    return frames_from_array(
        image[0] if frames.planar else image,
        axis=frames.axis,
        geometry=frames.geometry,
        name=name,
        sector=np.zeros(frames.pixels.shape[1:], dtype=bool),
        attributes=attributes,
    )


def without_values(frames: Frames, value: np.generic) -> Frames:
    """Return frames of the kind of `value` where `frames` lie, not from a file; they take no memory."""
    name = f"what is written beside {frames.name}"
    return replace(frames, source=np.broadcast_to(value, frames.source.shape[:3]), file=None, name=name)
