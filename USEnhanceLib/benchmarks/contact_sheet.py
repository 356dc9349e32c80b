"""Contact sheets: titled rows of pictures, one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

CELL = 320
STRIP = 24


def title_strip(text: str, width: int) -> Image:
    """Return a dark strip with light text."""
    from PIL import Image, ImageDraw, ImageFont

    strip = Image.new("RGB", (width, STRIP), (32, 36, 44))
    ImageDraw.Draw(strip).text((8, 4), text, fill=(235, 235, 235), font=ImageFont.load_default(size=14))
    return strip


def picture_row(title: str, pictures: Sequence[np.ndarray], *, magnified: int = 0, cell: int = CELL) -> Image:
    """Return a titled row.

    pictures: uint8 [H, W] or [H, W, 3] each.  magnified: so many of the last ones are details, which are
    shown pixel by pixel.  cell: width of a picture, and the height that it fits in.
    """
    from PIL import Image

    cells = []
    for column, pixels in enumerate(pictures):
        picture = Image.fromarray(pixels)
        scale = cell / max(picture.size)
        size = tuple(max(1, round(scale * length)) for length in picture.size)
        is_detail = column >= len(pictures) - magnified
        cells.append(
            picture.resize(size, Image.Resampling.NEAREST if is_detail else Image.Resampling.BICUBIC)
        )
    row = Image.new("RGB", (len(cells) * cell, cell + STRIP))
    row.paste(title_strip(title, row.width), (0, 0))
    for column, shown in enumerate(cells):
        row.paste(shown, (column * cell + (cell - shown.width) // 2, STRIP + (cell - shown.height) // 2))
    return row


def stacked(heading: str, rows: Sequence[Image]) -> Image:
    """Return a sheet of rows of one width below a heading."""
    from PIL import Image

    sheet = Image.new("RGB", (rows[0].width, STRIP + sum(row.height for row in rows)))
    sheet.paste(title_strip(heading, sheet.width), (0, 0))
    top = STRIP
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


def save_sheet(sheet: Image, path: Path) -> None:
    """Write a sheet as PNG; it appears whole or not at all. Raises InputError where it cannot be written."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        sheet.save(temporary, format="PNG", optimize=True)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written ({error}): choose another place.") from error
