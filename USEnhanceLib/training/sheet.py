"""The picture sheet of a validation: input, output and target of a few frames side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BACKGROUND = 20
TEXT = 235
GAP = 6
LINE = 22
COLUMNS = ("input", "output", "target")


@dataclass(frozen=True, eq=False)
class Panel:
    """A row of the sheet: its caption and input, output and target, each [H, W] in [0, 1]."""

    caption: str
    frames: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def write_sheet(path: Path, panels: Sequence[Panel], title: str) -> None:
    """Write the panels as a grey PNG, pixel for pixel."""
    from PIL import Image, ImageDraw, ImageFont

    heights = [panel.frames[0].shape[0] for panel in panels]
    widest = max(panel.frames[0].shape[1] for panel in panels)
    width = len(COLUMNS) * (widest + GAP) + GAP
    picture = Image.new("L", (width, LINE + sum(LINE + height for height in heights) + GAP), BACKGROUND)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=13)
    draw.text((GAP, LINE / 2), f"{title}: {', '.join(COLUMNS)}", TEXT, font, anchor="lm")
    top = LINE
    for panel, height in zip(panels, heights, strict=True):
        draw.text((GAP, top + LINE / 2), panel.caption, TEXT, font, anchor="lm")
        for column, frame in enumerate(panel.frames):
            pixels = Image.fromarray(np.rint(frame.clip(0, 1) * 255).astype(np.uint8))
            picture.paste(pixels, (GAP + column * (widest + GAP), top + LINE))
        top += LINE + height
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
