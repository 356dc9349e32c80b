"""From enhanced frames to images in memory: all of the output is made before a node is touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import vtk

from ..frames import Frames
from ..frames.stack import slice_view
from ..frames.validation import AXES
from .extraction import Content
from .steps import Steps, pieces
from .volumes import VolumeLayout, pixels_of


@dataclass(frozen=True, eq=False)
class Images:
    """The images of one output, an item each, and how they are laid out."""

    images: tuple[vtk.vtkImageData, ...]
    layouts: tuple[VolumeLayout, ...]


def enhanced_images(content: Content, pixels: np.ndarray) -> Steps[Images]:
    """Return, in steps, the items of `content` with new luminance `pixels`, float32 [N, H, W] in 0..1.

    Everything else is the input's: type, size, intensity range, colour, and the bits outside the sector.
    Raises USEnhanceError for NaN or infinite values.
    """
    frames = content.frames
    images = []
    for item, layout in enumerate(content.layouts):
        image = layout.new_image()
        target = slice_view(pixels_of(image), frames.axis)
        first = item * content.frames_per_item
        for begin, end in _pieces_of_item(content):
            part = _part(frames, first + begin, first + end).with_pixels(pixels[first + begin : first + end])
            target[begin:end] = slice_view(part.to_array(), frames.axis)
            yield
        images.append(image)
    return Images(tuple(images), content.layouts)


def uncertainty_images(content: Content, uncertainty: np.ndarray) -> Steps[Images]:
    """Return, in steps, the standard deviation [N, H, W] as float32 volumes where the items lie.

    Its unit is that of the intensities in 0..1; outside the sector, where nothing changes, it is 0.
    """
    frames = content.frames
    images = []
    layouts = tuple(layout.of_floats() for layout in content.layouts)
    for item, layout in enumerate(layouts):
        image = layout.new_image()
        target = slice_view(pixels_of(image), frames.axis)
        first = item * content.frames_per_item
        for begin, end in _pieces_of_item(content):
            part = _part(frames, first + begin, first + end)
            target[begin:end] = uncertainty[first + begin : first + end] * part.sector
            yield
        images.append(image)
    return Images(tuple(images), layouts)


def _pieces_of_item(content: Content) -> Iterator[tuple[int, int]]:
    frame = content.frames.pixels[0]
    # The change of luminance is computed in float64, for each component.
    components = content.layouts[0].components
    return pieces(content.frames_per_item, frame.size * components * np.dtype(np.float64).itemsize)


def _part(frames: Frames, begin: int, end: int) -> Frames:
    """Return the frames begin:end, views of all of them."""
    along = AXES.index(frames.axis)
    index = (*(slice(None),) * along, slice(begin, end))
    return replace(
        frames,
        pixels=frames.pixels[begin:end],
        source=frames.source[index],
        sector=frames.sector if frames.sector.ndim == 2 else frames.sector[begin:end],
    )
