"""From enhanced frames to images in memory: all of the output is made before a node is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import vtk

from ..enhancement.distrust import distrusted
from ..frames import Frames
from ..frames.stack import slice_view
from ..frames.validation import AXES
from .extraction import Content
from .steps import Steps, in_thread, pieces
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

    def fill(begin: int, end: int) -> np.ndarray:
        return _part(frames, begin, end).with_pixels(pixels[begin:end]).to_array()

    return (yield from in_thread(lambda: _make_images(content, content.layouts, fill)))


def uncertainty_images(content: Content, uncertainty: np.ndarray) -> Steps[Images]:
    """Return, in steps, the standard deviation [N, H, W] as float32 volumes where the items lie.

    Its unit is that of the intensities in 0..1; outside the sector, where nothing changes, it is 0.
    """
    frames = content.frames

    def fill(begin: int, end: int) -> np.ndarray:
        values = uncertainty[begin:end] * _part(frames, begin, end).sector
        return np.moveaxis(values, 0, AXES.index(frames.axis))

    layouts = tuple(layout.of_floats() for layout in content.layouts)
    return (yield from in_thread(lambda: _make_images(content, layouts, fill)))


def distrust_images(content: Content, uncertainty: np.ndarray, above: float) -> Steps[Images]:
    """Return, in steps, the regions whose standard deviation [N, H, W] is above a threshold: 1, elsewhere 0.

    They are uint8 label volumes where the items lie.
    """
    frames = content.frames

    def fill(begin: int, end: int) -> np.ndarray:
        labels = distrusted(uncertainty[begin:end], above, _part(frames, begin, end).sector)
        return np.moveaxis(labels, 0, AXES.index(frames.axis))

    layouts = tuple(layout.of_labels() for layout in content.layouts)
    return (yield from in_thread(lambda: _make_images(content, layouts, fill)))


def label_images(content: Content, labels: np.ndarray) -> Steps[Images]:
    """Return, in steps, labels, uint8 [N, H, W], as label volumes where the items lie."""
    axis = AXES.index(content.frames.axis)

    def fill(begin: int, end: int) -> np.ndarray:
        return np.moveaxis(labels[begin:end], 0, axis)

    layouts = tuple(layout.of_labels() for layout in content.layouts)
    return (yield from in_thread(lambda: _make_images(content, layouts, fill)))


def _make_images(
    content: Content, layouts: tuple[VolumeLayout, ...], fill: Callable[[int, int], np.ndarray]
) -> Images:
    """Return images with the pixels that `fill(begin, end)` gives for frames begin:end, a few at a time."""
    count, axis = content.frames_per_item, content.frames.axis
    # Changes of luminance are computed in float64.
    bytes_each = content.frames.source.nbytes // len(content.frames.pixels) * np.dtype(np.float64).itemsize
    images = []
    for item, layout in enumerate(layouts):
        image = layout.new_image()
        target = slice_view(pixels_of(image), axis)
        for begin, end in pieces(count, bytes_each):
            target[begin:end] = slice_view(fill(item * count + begin, item * count + end), axis)
        images.append(image)
    return Images(tuple(images), layouts)


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
