"""The contact sheet: frames of a cine before and after, their difference, and a magnified detail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..frames import Frames
from .drawing import (
    ACCENT,
    BACKGROUND,
    FAINT,
    PANEL,
    TEXT,
    colour_bar,
    difference_colours,
    enlarged,
    font,
    stacked,
    strip,
)

if TYPE_CHECKING:
    from PIL.Image import Image

TILE = (480, 360)
GAP = 10
MARGIN = 24
MAGNIFICATION = 5
SHOWN = (0.0, 0.5, 0.85)
"""Which frames are shown, as shares of the cine."""


@dataclass(frozen=True)
class Captions:
    """What the sheet says: headline, what was done by what, how fast, and where the cine comes from."""

    title: str
    model: str
    speed: str
    source: str


def draw_sheet(before: Frames, after: Frames, captions: Captions) -> Image:
    """Return the contact sheet of a colour cine, 8 bits, and of its enhanced version."""
    from PIL import Image

    change = (after.pixels - before.pixels) * 255
    reach = max(1.0, float(np.ceil(np.percentile(np.abs(change[:, before.sector]), 99.5))))
    width = 3 * TILE[0] + 2 * GAP
    middle = len(before.pixels) // 2
    detail = detail_window(before, middle)
    heads = [strip(TILE[0], 30, head, size=16) for head in ("Before", "After", "Difference")]
    rows = [
        _title(width, captions),
        stacked(heads, across=True, gap=GAP),
    ]
    for index in (int(share * len(before.pixels)) for share in SHOWN):
        tiles = [
            _tile(before.source[index], detail if index == middle else None),
            _tile(after.source[index], detail if index == middle else None),
            # Where nothing of the scanner's own text is in the way.
            _tile(difference_colours(change[index], reach), caption=f"frame {index + 1}"),
        ]
        rows.append(stacked(tiles, across=True, gap=GAP))
    rows += [
        stacked(
            [strip(2 * TILE[0] + GAP, 28, ""), colour_bar(TILE[0], 28, reach, "of 255")], across=True, gap=GAP
        ),
        _detail_row(before, after, middle, detail),
        strip(width, 26, captions.source, size=13, colour=FAINT),
    ]
    body = stacked(rows, across=False, gap=GAP)
    sheet = Image.new("RGB", (body.width + 2 * MARGIN, body.height + MARGIN + GAP), BACKGROUND)
    sheet.paste(body, (MARGIN, MARGIN // 2))
    return sheet


def detail_window(frames: Frames, index: int) -> tuple[slice, slice]:
    """Return rows and columns of the part of a frame inside the sector where grey values vary most.

    Magnified `MAGNIFICATION` times it fills a tile.
    """
    from scipy.ndimage import uniform_filter

    rows, columns = TILE[1] // MAGNIFICATION, TILE[0] // MAGNIFICATION
    frame = frames.pixels[index].astype(np.float64)
    mean = uniform_filter(frame, (rows, columns))
    variance = uniform_filter(frame**2, (rows, columns)) - mean**2
    inside = uniform_filter(frames.sector.astype(np.float64), (rows, columns))
    height, width = frame.shape
    score = (variance * inside**2)[
        rows // 2 : height - rows + rows // 2 + 1, columns // 2 : width - columns + columns // 2 + 1
    ]
    top, left = (int(place) for place in np.unravel_index(np.argmax(score), score.shape))
    return slice(top, top + rows), slice(left, left + columns)


def liveliest_row(frame: np.ndarray, window: tuple[slice, slice]) -> int:
    """Return the row in the middle half of a window in which grey values vary most."""
    rows, columns = window
    quarter = (rows.stop - rows.start) // 4
    first = rows.start + quarter
    return first + int(np.argmax(frame[first : rows.stop - quarter, columns].std(axis=1)))


def _title(width: int, captions: Captions) -> Image:
    return stacked(
        [
            strip(width, 44, captions.title, captions.model, size=26),
            strip(width, 24, captions.speed, size=14),
        ],
        across=False,
        gap=0,
    )


def _tile(frame: np.ndarray, window: tuple[slice, slice] | None = None, caption: str = "") -> Image:
    from PIL import ImageDraw

    picture = enlarged(frame, TILE)
    draw = ImageDraw.Draw(picture)
    if window is not None:
        scale = TILE[0] / frame.shape[1]
        rows, columns = window
        corners = (columns.start, rows.start, columns.stop, rows.stop)
        draw.rectangle([scale * corner for corner in corners], outline=ACCENT, width=2)
    draw.text((TILE[0] - 10, TILE[1] - 10), caption, FAINT, font(15), anchor="rs")
    return picture


def _detail_row(before: Frames, after: Frames, index: int, window: tuple[slice, slice]) -> Image:
    rows, columns = window
    line = liveliest_row(before.pixels[index], window)
    parts = [version.source[index][window] for version in (before, after)]
    tiles = [
        _detail_tile(part, title, line - rows.start, before.pixel_size)
        for part, title in zip(parts, ("Detail before", "Detail after"), strict=True)
    ]
    profiles = [version.pixels[index][line, columns] for version in (before, after)]
    return stacked([*tiles, _profile_tile(*profiles)], across=True, gap=GAP)


def _detail_tile(part: np.ndarray, title: str, line: int, pixel_size: tuple[float, float] | None) -> Image:
    from PIL import ImageDraw

    picture = enlarged(part, TILE)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, TILE[0] - 1, TILE[1] - 1), outline=ACCENT, width=2)
    y = (line + 0.5) * MAGNIFICATION
    for x in range(4, TILE[0], 14):
        draw.line((x, y, x + 5, y), fill=ACCENT, width=1)
    draw.text((12, 10), f"{title}, {MAGNIFICATION} x", TEXT, font(15))
    if pixel_size is not None:
        length = 10 / pixel_size[1] * MAGNIFICATION
        x, y = TILE[0] - 14, TILE[1] - 14
        draw.line((x - length, y, x, y), fill=TEXT, width=3)
        draw.text((x, y - 8), "10 mm", TEXT, font(13), anchor="rs")
    return picture


def _profile_tile(before: np.ndarray, after: np.ndarray) -> Image:
    """Return the grey values along a line, before and after, as curves."""
    from PIL import Image, ImageDraw

    # Drawn larger and reduced, so that the curves come out smooth.
    fine = 3
    picture = Image.new("RGB", (fine * TILE[0], fine * TILE[1]), PANEL)
    draw = ImageDraw.Draw(picture)
    left, right, top, bottom = 46, TILE[0] - 14, 58, TILE[1] - 34
    highest = max(0.25, float(np.ceil(4 * max(before.max(), after.max())) / 4))
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (bottom - top)
        draw.line([fine * value for value in (left, y, right, y)], fill=(52, 60, 74), width=fine)
    for values, colour in ((before, FAINT), (after, ACCENT)):
        x = np.linspace(left, right, len(values))
        y = bottom - values / highest * (bottom - top)
        points = [(float(fine * a), float(fine * b)) for a, b in zip(x, y, strict=True)]
        draw.line(points, fill=colour, width=2 * fine, joint="curve")
    picture = picture.resize(TILE, Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(picture)
    draw.text((12, 10), "Grey values along the dashed line", TEXT, font(15))
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (bottom - top)
        draw.text((left - 8, y), f"{round(255 * share * highest)}", FAINT, font(12), anchor="rm")
    for x, name, colour in ((left, "before", FAINT), (left + 90, "after", ACCENT)):
        draw.line((x, bottom + 18, x + 22, bottom + 18), fill=colour, width=3)
        draw.text((x + 28, bottom + 18), name, TEXT, font(13), anchor="lm")
    return picture
