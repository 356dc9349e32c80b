"""The animation: the cine before and after, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .drawing import enlarged, stacked, strip

if TYPE_CHECKING:
    from PIL.Image import Image

FRAME_MILLISECONDS = 70
GREYS = 192
COLOURS = 64
CAPTION_HEIGHT = 30
FRAME_WIDTH = 480
GAP = 4


def draw_animation(before: np.ndarray, after: np.ndarray, caption: str) -> list[Image]:
    """Return the pictures of the animation, one per frame, in one palette.

    before, after: the stored frames, uint8 [N, H, W, 3].
    """
    height, width = before.shape[1:3]
    size = FRAME_WIDTH, round(FRAME_WIDTH * height / width)
    head = strip(FRAME_WIDTH, CAPTION_HEIGHT, "After", caption)
    pictures = []
    for index, pair in enumerate(zip(before, after, strict=True), start=1):
        # The number makes every picture another, or the file would join frames that are alike.
        numbered = strip(FRAME_WIDTH, CAPTION_HEIGHT, "Before", f"frame {index} of {len(before)}")
        heads = stacked([numbered, head], across=True, gap=GAP)
        frames = stacked([enlarged(frame, size) for frame in pair], across=True, gap=GAP)
        pictures.append(stacked([heads, frames], across=False, gap=0))
    palette = _palette(pictures[len(pictures) // 2])
    # Without dithering, which would look like noise and spoil the compression.
    return [picture.quantize(palette=palette, dither=0) for picture in pictures]


def _palette(picture: Image) -> Image:
    """Return a picture of evenly spaced greys, so that no steps show, and of the colours of `picture`."""
    from PIL import Image

    greys = np.linspace(0, 255, GREYS).round().astype(np.uint8).repeat(3).tolist()
    colours = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE).getpalette()
    palette = Image.new("P", (1, 1))
    palette.putpalette((greys + colours)[: 3 * (GREYS + COLOURS)])
    return palette
