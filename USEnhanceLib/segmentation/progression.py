"""The angle of progression: how far the fetal head has come down, seen from the perineum.

AoP = angle, at the inferior end of the pubic symphysis, between the symphysis' long axis towards its superior
      end and the tangent to the fetal head's outline, on the side of the head that leads, which is the one
      of the larger angle (E. Barbera et al., Ultrasound Obstet. Gynecol. 33:313, 2009; ISUOG Practice
      Guidelines: intrapartum ultrasound, 52:128, 2018).
Both structures are taken as ellipses, so that the ends of the axis and the tangent hang on the whole of them,
and not on single pixels: the head by least squares to its outline, of which it is often cut, the symphysis by
the moments of its area, whose axis is steadier, unless it is cut too. What cannot be measured is refused with
the reason, in one sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, MeasurementRefused
from .ellipse import Ellipse, Point, ellipse_of_area, fit_ellipse
from .orientation import LEFT, RIGHT, Judgement, judge, orientation
from .outline import check_sector, largest_part, on_border, one_frame, outline_points, pixel_size
from .structures import FETAL_HEAD, PUBIC_SYMPHYSIS, STRUCTURES, Structure

# Limits were chosen on the 1079 labels of PSFHS, whose extremes are in brackets.
SYMPHYSIS_RATIOS = (1.15, 5.0)
"""Long / short axis of a symphysis whose direction can be told (1.34 to 2.62)."""
HEAD_RATIO = 2.2
"""Largest long / short axis of a head (1.71)."""
LEAST_AREAS = 2.0
"""Least area of the head / area of the symphysis (3.45)."""
ELLIPTIC = {PUBIC_SYMPHYSIS.label: 0.75, FETAL_HEAD.label: 0.85}
"""Least overlap (intersection / union) of a structure with its ellipse, where it is not cut."""
CUT = {PUBIC_SYMPHYSIS.label: 0.3, FETAL_HEAD.label: 0.4}
"""Largest share of an outline along the border of frame or sector (0.26 and 0.19)."""
BARELY_CUT = 0.1
"""Share of an outline along the border up to which a structure counts as whole."""
HIDDEN = {PUBIC_SYMPHYSIS.label: 0.15, FETAL_HEAD.label: 0.3}
"""Largest share of an ellipse that lies beyond the border that cuts it (0.13 and 0.02)."""
OUTSIDE = 0.2
"""How far beyond the sector the tangent point may lie, as a share of the head's short semi-axis (0.29)."""
LEAST_DEGREES = 40.0
"""Smaller angles are not believed (57)."""
STRAIGHT = 180.0
"""Beyond it three points no longer tell the angle; so it is in 15 of the labels, with the head crowning."""


@dataclass(frozen=True, eq=False)
class Progression:
    """An angle of progression and what it was measured on.

    degrees: the angle.  superior, inferior: ends of the symphysis' long axis; tangent: where the tangent from
    the inferior end touches the head: (x, y) in pixels, 0 being the centre of the first pixel.
    symphysis, head: the ellipses, in units of the spacing (millimetres), or pixels where none was given.
    inferior_side: "left" or "right", the side of the image that the inferior end points to.
    notes: sentences that the reader should know.
    """

    degrees: float
    superior: Point
    inferior: Point
    tangent: Point
    symphysis: Ellipse
    head: Ellipse
    inferior_side: str
    notes: tuple[str, ...] = ()

    def __float__(self) -> float:
        return self.degrees


def angle_of_progression(
    labels: np.ndarray,
    sector: np.ndarray | None = None,
    spacing: Sequence[float] | None = None,
    *,
    inferior_side: str | None = None,
) -> Progression:
    """Return the angle of progression in a label map of one frame.

    labels: whole numbers [H, W] or [1, H, W], 1 symphysis and 2 head.  sector: bool [H, W], True inside the
    scan sector; None: all of the frame.  spacing: (row, column) of a pixel; only its ratio changes the angle.
    inferior_side: "right" in the usual display with the symphysis at the left, "left" in the mirrored one,
    None to judge it from the frame, where only clear marks are taken for a mirrored one (see `orientation`;
    for a cine, see `judge_inferior_side`). Raises MeasurementRefused, whose one sentence is the reason: a
    structure is missing, too small, in parts, cut by the sector or the frame, or implausible in form; the
    tangent touches outside of the sector; the angle is implausibly small, or beyond 180 degrees. Raises
    InputError for arrays and spacings that are none.
    """
    labels = one_frame(labels)
    sector = check_sector(sector, labels.shape)
    unit = pixel_size(spacing)
    if inferior_side not in (None, LEFT, RIGHT):
        raise InputError(f"The inferior side is 'left' or 'right', not {inferior_side!r}.")
    symphysis = fit_structure(labels, PUBIC_SYMPHYSIS, sector, unit)
    head = fit_structure(labels, FETAL_HEAD, sector, unit)
    _check_forms(symphysis, head)
    notes: tuple[str, ...] = ()
    if inferior_side is None:
        judged = judge([orientation(symphysis, head, sector, unit)])
        inferior_side, notes = judged.inferior_side, judged.notes
    superior, inferior = symphysis.axis_ends
    if inferior_side == LEFT:
        superior, inferior = inferior, superior
    degrees, tangent = _leading_tangent(superior, inferior, head)
    _check_tangent(np.array(tangent) / unit, sector, head, unit)
    ends = (_point(np.array(end) / unit) for end in (superior, inferior, tangent))
    return Progression(degrees, *ends, symphysis, head, inferior_side, notes)


def judge_inferior_side(
    labels: np.ndarray, sector: np.ndarray | None = None, spacing: Sequence[float] | None = None
) -> Judgement:
    """Return to which side of the image the symphysis' inferior end points in a cine, and how sure that is.

    labels: whole numbers [N, H, W], frames in one display, which are judged together.  sector: bool [H, W].
    spacing: (row, column) of a pixel. The side is None where no frame shows both structures well enough.
    """
    unit = pixel_size(spacing)
    scores = []
    for frame in map(one_frame, labels):
        inside = check_sector(sector, frame.shape)
        try:
            symphysis, head = (fit_structure(frame, item, inside, unit) for item in STRUCTURES)
        except MeasurementRefused:
            continue
        scores.append(orientation(symphysis, head, inside, unit))
    return judge(scores)


def angle_between(
    superior: Sequence[float],
    inferior: Sequence[float],
    tangent: Sequence[float],
    spacing: Sequence[float] | None = None,
) -> float:
    """Return the angle at `inferior` between `superior` and `tangent`, in degrees, 0 to 180.

    Points are (x, y) in pixels with `spacing` (row, column), or in millimetres without. Raises InputError
    where one of the two points is the inferior end itself.
    """
    unit = pixel_size(spacing)
    corner = np.asarray(inferior, dtype=float)
    axis, ray = (np.asarray(superior, dtype=float) - corner) * unit, (np.asarray(tangent) - corner) * unit
    if not (np.hypot(*axis) > 0 and np.hypot(*ray) > 0):
        raise InputError("An angle needs three points apart from each other: move them apart.")
    return float(np.degrees(np.abs(np.arctan2(axis[0] * ray[1] - axis[1] * ray[0], axis @ ray))))


def fit_structure(labels: np.ndarray, structure: Structure, sector: np.ndarray, unit: np.ndarray) -> Ellipse:
    """Return the ellipse of a structure in labels [H, W], in units of the pixel size `unit` (x, y), [2].

    Where the border of frame or sector cuts it, what runs along the border takes no part in the fit; a whole
    symphysis is not fitted, but has its ellipse by moments. Raises
    MeasurementRefused where too much of it is cut, or where it is no ellipse.
    """
    part = largest_part(labels, structure)
    points = outline_points(part)
    cut = on_border(points, sector)
    name = structure.name.lower()
    if cut.mean() > CUT[structure.label]:
        raise MeasurementRefused(f"The {name} is cut by the border of the sector or of the frame.")
    try:
        if structure is PUBIC_SYMPHYSIS and cut.mean() <= BARELY_CUT:
            ellipse = ellipse_of_area(np.argwhere(part)[:, ::-1] * unit)
        else:
            ellipse = fit_ellipse(points[~cut] * unit)
    except InputError:
        raise MeasurementRefused(f"The {name} does not have the form of an ellipse in this frame.") from None
    seen = part | sector
    if 1 - _share_in(seen, ellipse.interior() / unit) > HIDDEN[structure.label]:
        raise MeasurementRefused(f"The {name} is cut by the border of the sector or of the frame.")
    rows, columns = np.indices(part.shape)
    inside = (ellipse.level(np.stack([columns, rows], axis=-1) * unit) <= 1) & seen
    if (inside & part).sum() < ELLIPTIC[structure.label] * (inside | part).sum():
        raise MeasurementRefused(f"The {name} does not have the form of an ellipse in this frame.")
    return ellipse


def _share_in(mask: np.ndarray, points: np.ndarray) -> float:
    """Return which share of points [M, 2] (x, y) lies in a mask [H, W]; beyond its frame they do not."""
    columns, rows = np.rint(points).astype(int).T
    within = (rows >= 0) & (columns >= 0) & (rows < mask.shape[0]) & (columns < mask.shape[1])
    return float(mask[rows[within], columns[within]].sum() / len(points))


def _check_forms(symphysis: Ellipse, head: Ellipse) -> None:
    low, high = SYMPHYSIS_RATIOS
    if symphysis.axis_ratio < low:
        raise MeasurementRefused("The pubic symphysis is too round in this frame for its axis to be told.")
    if symphysis.axis_ratio > high:
        raise MeasurementRefused("The pubic symphysis is implausibly long and thin in this frame.")
    if head.axis_ratio > HEAD_RATIO:
        raise MeasurementRefused("The fetal head is implausibly long and thin in this frame.")
    if head.area < LEAST_AREAS * symphysis.area:
        raise MeasurementRefused("The fetal head is implausibly small beside the pubic symphysis.")


def _leading_tangent(superior: Point, inferior: Point, head: Ellipse) -> tuple[float, Point]:
    """Return the angle of the tangent that leads, in degrees, and the point where it touches the head."""
    corner = np.array(inferior)
    if head.level(corner) <= 1:
        raise MeasurementRefused("The fetal head covers the inferior end of the pubic symphysis.")
    # Angles are counted from the axis towards the head's centre, so that the leading tangent, the one that is
    # further on, may turn out beyond 180 degrees, and is not mistaken for the other one.
    axis, middle = np.array(superior) - corner, np.array(head.centre) - corner
    towards = np.arctan2(axis[0] * middle[1] - axis[1] * middle[0], axis @ middle)
    turn = 1.0 if towards >= 0 else -1.0
    found = []
    for tangent in head.tangent_points(inferior):
        ray = np.array(tangent) - corner
        beyond = np.arctan2(middle[0] * ray[1] - middle[1] * ray[0], middle @ ray)
        found.append((float(np.degrees(turn * (towards + beyond))), tangent))
    degrees, tangent = max(found)
    if degrees < LEAST_DEGREES:
        raise MeasurementRefused(f"An angle of progression of {degrees:.0f} degrees is implausibly small.")
    if degrees > STRAIGHT:
        raise MeasurementRefused("The head is beyond the axis of the symphysis, at more than 180 degrees.")
    return degrees, tangent


def _check_tangent(tangent: np.ndarray, sector: np.ndarray, head: Ellipse, unit: np.ndarray) -> None:
    """Raise MeasurementRefused where the tangent point (x, y) in pixels lies outside of frame or sector."""
    size = np.array(sector.shape[::-1])
    if ((tangent < -0.5) | (tangent > size - 0.5)).any():
        raise MeasurementRefused("The tangent touches the fetal head outside of the frame.")
    rows, columns = np.nonzero(sector)
    away = (np.stack([columns, rows], axis=1) - tangent) * unit
    if len(away) == 0 or np.hypot(*away.T).min() > OUTSIDE * head.semi_axes[1]:
        raise MeasurementRefused("The tangent touches the fetal head outside of the scan sector.")


def _point(values: np.ndarray) -> Point:
    return float(values[0]), float(values[1])
