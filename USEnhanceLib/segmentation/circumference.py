"""The head circumference: the perimeter of the ellipse fitted to the fetal head's outline.

ISUOG's guidelines measure it by an ellipse, on the plane of the thalami (Ultrasound Obstet. Gynecol. 53:715,
2019). A section through the birth canal is another plane: there it is a size, not a sign of growth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import MeasurementRefused
from .outline import check_sector, one_frame, pixel_size
from .progression import HEAD_RATIO, fit_structure
from .structures import FETAL_HEAD


def head_circumference(
    labels: np.ndarray, spacing: Sequence[float] | None, sector: np.ndarray | None = None
) -> float:
    """Return the head circumference in a label map of one frame, in millimetres.

    labels: whole numbers [H, W] or [1, H, W], 2 the head.  spacing: (row, column) in millimetres, None
    without calibration.  sector: bool [H, W], True inside the scan sector; None: all of the frame.
    Raises MeasurementRefused without spacing, and where the head is missing, too small, in parts, cut by the
    sector or the frame, or no ellipse. Raises InputError for arrays and spacings that are none.
    """
    labels = one_frame(labels)
    sector = check_sector(sector, labels.shape)
    unit = pixel_size(spacing)
    if spacing is None:
        raise MeasurementRefused("The head circumference needs a calibrated spacing, which this frame lacks.")
    head = fit_structure(labels, FETAL_HEAD, sector, unit)
    if head.axis_ratio > HEAD_RATIO:
        raise MeasurementRefused("The fetal head is implausibly long and thin in this frame.")
    return head.perimeter
