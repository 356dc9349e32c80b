"""What is measured on the outlines of one image, or of an original and an enhanced one: figures only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import MeasurementRefused
from ..frames import Frames
from ..segmentation.structures import STRUCTURES

if TYPE_CHECKING:
    from ..segmentation.comparison import Comparison
    from ..segmentation.progression import Progression

IMAGES = ("original", "enhanced")
REFERENCE = "reference"
CHOOSE_DISPLAY = "If it is the other one, choose the display and segment again."


@dataclass(frozen=True, eq=False)
class ImageMeasures:
    """What was measured on one image, or in a reference.

    areas: [N, structures]; progressions: the angle of progression in each frame, None where refused; remarks:
    why, else ""; circumferences: [N] in mm, NaN where refused or without calibration
    """

    areas: np.ndarray
    progressions: tuple[Progression | None, ...]
    remarks: tuple[str, ...]
    circumferences: np.ndarray

    @property
    def degrees(self) -> np.ndarray:
        """The angle of progression in each frame, NaN where it was refused."""
        return np.array([math.nan if angle is None else angle.degrees for angle in self.progressions])


@dataclass(frozen=True, eq=False)
class Measurements:
    """What a segmentation gives in figures.

    images: by "original", and "enhanced" and "reference" where given; comparison: of them, or None where
    there is nothing to compare; unit: "mm" or "pixels"; inferior_side: "left" or "right", None where unknown;
    notes: sentences that the user should read
    """

    images: dict[str, ImageMeasures]
    comparison: Comparison | None
    unit: str
    inferior_side: str | None
    notes: tuple[str, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """Which images were outlined, the original first."""
        return tuple(role for role in IMAGES if role in self.images)

    @property
    def count(self) -> int:
        """The number of frames."""
        return len(self.images[IMAGES[0]].areas)


def measure(
    frames: Frames,
    labels: Sequence[np.ndarray],
    reference: np.ndarray | None = None,
    inferior_side: str | None = None,
) -> Measurements:
    """Return the figures of labels, uint8 [N, H, W], of one image or of the original and the enhanced one.

    frames: of the original, of which sector and pixel size are used; reference: labels that somebody drew.
    inferior_side: as in `angle_of_progression`; None is judged from the reference, or else the original.
    """
    from ..segmentation.comparison import compare
    from ..segmentation.overlap import MILLIMETRES, PIXELS
    from ..segmentation.progression import judge_inferior_side

    sector, spacing = frames.sector, frames.pixel_size
    notes: tuple[str, ...] = ()
    if inferior_side is None:
        judged = judge_inferior_side(labels[0] if reference is None else reference, sector, spacing)
        inferior_side, notes = judged.inferior_side, judged.notes
    comparison = None
    if reference is not None or len(labels) > 1:
        # An image alone is compared with the reference, as an original that was not enhanced.
        comparison = compare(labels[0], labels[-1], reference, sector, spacing, inferior_side=inferior_side)
    stacks = dict(zip(IMAGES, labels, strict=False))
    if reference is not None:
        stacks[REFERENCE] = reference
    images = {role: _measure(stack, frames, inferior_side) for role, stack in stacks.items()}
    # Where the original tells no side, each frame of the others was judged alone.
    measured = [angle for image in images.values() for angle in image.progressions if angle is not None]
    notes = tuple(dict.fromkeys((*notes, *(note for angle in measured for note in angle.notes))))
    if notes:
        notes += (CHOOSE_DISPLAY,)
    unit = PIXELS if spacing is None else MILLIMETRES
    return Measurements(images, comparison, unit, inferior_side, notes)


def _measure(labels: np.ndarray, frames: Frames, inferior_side: str | None) -> ImageMeasures:
    pixel = 1.0 if frames.pixel_size is None else math.prod(frames.pixel_size)
    areas = np.array(
        [[pixel * np.count_nonzero(frame == item.label) for item in STRUCTURES] for frame in labels]
    )
    angles = [_angle(frame, frames, inferior_side) for frame in labels]
    progressions, remarks = zip(*angles, strict=True)
    around = [_circumference(frame, frames, angle) for frame, angle in zip(labels, progressions, strict=True)]
    return ImageMeasures(areas, progressions, remarks, np.array(around))


def _angle(labels: np.ndarray, frames: Frames, inferior_side: str | None) -> tuple[Progression | None, str]:
    """Return the angle of a frame, and what is to be said of it; or None, and why it was refused."""
    from ..segmentation.progression import angle_of_progression

    try:
        angle = angle_of_progression(labels, frames.sector, frames.pixel_size, inferior_side=inferior_side)
    except MeasurementRefused as refusal:
        return None, str(refusal)
    return angle, " ".join(angle.notes)


def _circumference(labels: np.ndarray, frames: Frames, angle: Progression | None) -> float:
    from ..segmentation.circumference import head_circumference

    if frames.pixel_size is None:
        return math.nan
    if angle is not None:
        return angle.head.perimeter
    try:
        return head_circumference(labels, frames.pixel_size, frames.sector)
    except MeasurementRefused:
        return math.nan
