"""Which end of the symphysis is the inferior one: left or right in the image.

In the usual display of transperineal ultrasound the mother's front is at the left, so the inferior end of the
symphysis is the right one; it is so in all of PSFHS, and neither the end that is nearer to the head nor the
deeper one (each of them is the inferior one in less than half of its labels). A mirrored display is told by
three marks, of which each alone is weak, and which change sign with the image:

score = tilt - 0.7 offset - 0.3 head
tilt   = sine by which the left-to-right axis of the symphysis rises to the right
offset = distance of the symphysis to the right of the middle of the sector / its long semi-axis
head   = distance of the head's centre to the right of the symphysis / its long semi-axis, within -1 to 1

The score is positive in most labels of PSFHS, and would be negative in as many mirrored ones. As mirrored
displays are rare, only a clear score is taken for one: so over 97 % of the labels are judged rightly, and
over 65 % of their mirror images (tested). Where the display is known, give it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .ellipse import Ellipse

LEFT = "left"
RIGHT = "right"
DISPLAYS = {"auto": None, "usual": RIGHT, "mirrored": LEFT}
"""What users choose: the mother's front at the left, or at the right; "auto" to judge it from the frames."""
OFFSET_WEIGHT = 0.7
HEAD_WEIGHT = 0.3
MIRRORED_BELOW = -0.4
"""Scores below it are taken for a mirrored display."""
UNSURE = (-0.8, 0.1)
"""Scores between these are worth a look."""


@dataclass(frozen=True)
class Judgement:
    """To which side of the image, "left" or "right", the inferior end points; None where nothing told it.

    notes: sentences that the reader should know.
    """

    inferior_side: str | None
    notes: tuple[str, ...] = ()


def orientation(symphysis: Ellipse, head: Ellipse, sector: np.ndarray, unit: Sequence[float]) -> float:
    """Return the score: the larger, the likelier the symphysis' inferior end is at the right of the image.

    symphysis, head: in units of the pixel size `unit` (x, y).  sector: bool [H, W]. Of several frames in one
    display, the mean of their scores tells the side of all. Mirroring turns the sign, and nothing else.
    """
    first, second = symphysis.axis_ends
    long = symphysis.semi_axes[0]
    columns = np.flatnonzero(sector.any(axis=0)) if sector.any() else np.arange(sector.shape[1])
    middle = (columns[0] + columns[-1]) / 2 * unit[0]
    tilt = (first[1] - second[1]) / (2 * long)
    offset = (symphysis.centre[0] - middle) / long
    ahead = float(np.clip((head.centre[0] - symphysis.centre[0]) / long, -1, 1))
    return float(tilt - OFFSET_WEIGHT * offset - HEAD_WEIGHT * ahead)


def judge(scores: Sequence[float]) -> Judgement:
    """Return what the scores of frames in one display, by `orientation`, tell of it together."""
    if not scores:
        return Judgement(None)
    score = sum(scores) / len(scores)
    side = LEFT if score < MIRRORED_BELOW else RIGHT
    if not UNSURE[0] < score < UNSURE[1]:
        return Judgement(side)
    note = f"The symphysis' inferior end was taken to be the one at the {side}, which is unsure: check it."
    return Judgement(side, (note,))


def inferior_side_of(display: str) -> str | None:
    """Return the side that the symphysis' inferior end points to in a display; None: to be judged."""
    return DISPLAYS.get(display)
