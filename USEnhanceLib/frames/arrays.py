"""Frames from an array in memory: the one place where all readers meet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import InputError
from .intensity import find_intensity_range
from .sector import find_sector
from .stack import Frames, Geometry, stack_luminance
from .validation import check_axis, check_components, check_dtype, check_pixels

BLACK = "All pixels have the same value: there is nothing to enhance, the image comes back unchanged."
UNCALIBRATED = "The image has no physical pixel size: nothing is measured in millimetres."


def frames_from_array(
    array: np.ndarray,
    *,
    axis: str = "k",
    geometry: Geometry | None = None,
    name: str = "array",
    colour: bool | None = None,
    sector: np.ndarray | None = None,
    notes: tuple[str, ...] = (),
    attributes: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Frames:
    """Return the frames of `array`, which is kept as it is and must not be written to afterwards.

    array: [H, W], [K, J, I] or [K, J, I, 3] (RGB) of any real dtype; with `colour=True` also [H, W, 3].
    Three dimensions without `colour` are always a grey stack, also where the last one is 3 long.
    axis: the axis along which the frames of a stack are taken. geometry: without it the frames are
    uncalibrated. sector: bool [H, W] or [N, H, W]; found from the frames where it is not given.
    notes, attributes and file are carried along.
    Peak memory above the array: 4 bytes a pixel, the size of `Frames.pixels`.

    Raises InputError for what is no B-mode image (RGBA, complex, bool, NaN, empty, other dimensions) and
    OptionError for an unknown axis.
    """
    check_axis(axis)
    array = np.asarray(array)
    check_dtype(array.dtype, name)
    source, planar = _as_volume(array, name, colour)
    check_pixels(source, name)
    if planar and axis != "k":
        raise InputError(f"{name} is a single frame and has no axis {axis} to slice along: use the axis k.")
    geometry = geometry or Geometry()
    intensity_range = find_intensity_range(source)
    pixels = stack_luminance(source, axis, intensity_range)
    is_constant = bool(pixels.min() == pixels.max())
    if is_constant:
        notes = (*notes, BLACK)
    if not geometry.calibrated:
        notes = (*notes, UNCALIBRATED)
    if sector is None:
        sector = np.zeros(pixels.shape[1:], dtype=bool) if is_constant else find_sector(pixels)
    sector = np.asarray(sector, dtype=bool)
    if sector.shape not in (pixels.shape, pixels.shape[1:]):
        raise InputError(
            f"The sector mask of {name} has the shape {sector.shape}: "
            f"give one of the frames' shape {pixels.shape[1:]}."
        )
    return Frames(
        pixels=pixels,
        sector=sector,
        source=source,
        axis=axis,
        intensity_range=intensity_range,
        geometry=geometry,
        name=name,
        notes=notes,
        attributes=dict(attributes or {}),
        planar=planar,
        file=file,
    )


def _as_volume(array: np.ndarray, name: str, colour: bool | None) -> tuple[np.ndarray, bool]:
    """Return `array` as [K, J, I] or [K, J, I, 3], and whether it had two dimensions."""
    is_colour = array.ndim == 4 if colour is None else colour
    dimensions = array.ndim - 1 if is_colour else array.ndim
    if dimensions not in (2, 3):
        raise InputError(
            f"{name} has {dimensions} dimensions: give a single frame (2) or a stack of frames (3)."
        )
    if is_colour:
        check_components(array.shape[-1], name)
        if array.shape[-1] == 1:
            array = array[..., 0]
    planar = dimensions == 2
    return (array[None] if planar else array), planar
