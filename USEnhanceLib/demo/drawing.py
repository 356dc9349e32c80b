"""Strips of text, tiles and colours that the pictures of the demonstration are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

Colour = tuple[int, int, int]

BACKGROUND: Colour = (17, 20, 26)
PANEL: Colour = (28, 33, 42)
TEXT: Colour = (236, 239, 244)
FAINT: Colour = (150, 160, 176)
ACCENT: Colour = (255, 178, 62)
DARKER: Colour = (64, 156, 255)


def font(size: int) -> FreeTypeFont:
    """Return the font that ships inside Pillow."""
    from PIL import ImageFont

    return ImageFont.load_default(size=size)


def strip(
    width: int, height: int, left: str, right: str = "", size: int = 15, colour: Colour = TEXT
) -> Image:
    """Return a strip with text at its left and right ends; text that is too long is set smaller."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    while size > 8 and draw.textlength(left + right, font(size)) > width - 40:
        size -= 1
    draw.text((8, height / 2), left, colour, font(size), anchor="lm")
    draw.text((width - 8, height / 2), right, FAINT, font(size), anchor="rm")
    return picture


def enlarged(frame: np.ndarray, size: tuple[int, int]) -> Image:
    """Return a frame, uint8 [H, W, 3], at another size (width, height)."""
    from PIL import Image

    return Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC)


def stacked(pictures: list[Image], *, across: bool, gap: int) -> Image:
    """Return pictures side by side (`across`) or on top of each other, with gaps between them."""
    from PIL import Image

    widths, heights = zip(*(picture.size for picture in pictures), strict=True)
    gaps = gap * (len(pictures) - 1)
    size = (sum(widths) + gaps, max(heights)) if across else (max(widths), sum(heights) + gaps)
    whole = Image.new("RGB", size, BACKGROUND)
    at = 0
    for picture in pictures:
        whole.paste(picture, (at, 0) if across else (0, at))
        at += (picture.width if across else picture.height) + gap
    return whole


def difference_colours(difference: np.ndarray, reach: float) -> np.ndarray:
    """Return a signed difference [H, W] in colours, uint8 [H, W, 3]: darker is blue, brighter is orange.

    `reach`: the difference that is shown in full colour.
    """
    amount = np.clip(difference / reach, -1, 1)[..., None]
    colours = np.where(amount < 0, np.array(DARKER), np.array(ACCENT)) * np.abs(amount)
    return np.rint(colours).astype(np.uint8)


def colour_bar(width: int, height: int, reach: float, unit: str) -> Image:
    """Return a legend of `difference_colours`."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    labels = f"darker by {reach:g} {unit}", f"brighter by {reach:g} {unit}"
    edges = [draw.textlength(label, font(13)) + 18 for label in labels]
    ramp = np.linspace(-1, 1, max(2, int(width - sum(edges))))
    bar = np.repeat(difference_colours(ramp[None], 1.0), 10, axis=0)
    picture.paste(Image.fromarray(bar), (int(edges[0]), height // 2 - 5))
    draw.text((8, height / 2), labels[0], FAINT, font(13), anchor="lm")
    draw.text((width - 8, height / 2), labels[1], FAINT, font(13), anchor="rm")
    return picture
