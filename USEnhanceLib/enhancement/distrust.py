"""Regions of an enhanced frame that are not to be trusted: where its uncertainty is above a threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..models import INFERENCE, ModelDescription

DISTRUST_ABOVE = 0.08
"""Default threshold: an expected error of 20 of 255 grey levels, a change of brightness that anybody sees."""

SETTING = "distrust_above"
"""Name of the threshold in configs/inference.json, and in the parameters of a result with an uncertainty."""

GAP = 2
"""Pixels by which regions grow and shrink again: gaps up to twice that, a grain of speckle, are closed."""

SMALLEST_REGION = 16
"""Pixels below which a region is left out: 4 x 4 pixels are less than a resolution cell, and no structure."""


def distrust_threshold(model: ModelDescription) -> float:
    """Return the uncertainty, as a share of the grey scale, above which results of a model are not trusted.

    Raises:
        ModelError: the model's own setting is no number above 0 and up to 1.
    """
    above = model.inference.get(SETTING, DISTRUST_ABOVE)
    if isinstance(above, bool) or not isinstance(above, (int, float)) or not 0 < above <= 1:
        raise ModelError(
            f'The setting "{SETTING}" in {model.folder / INFERENCE} is no number above 0 and up to 1: '
            "correct it, or install the model again."
        )
    return float(above)


def threshold_in_words(above: float) -> str:
    """Return, for example, "uncertainty above 20 of 255 grey levels"."""
    levels = 255 * above
    return f"uncertainty above {levels:{'.0f' if levels >= 10 else '.2g'}} of 255 grey levels"


def distrusted(
    uncertainty: NDArray[np.float32], above: float, sector: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """Mark the regions whose uncertainty is above a threshold, frame by frame.

    Small gaps in regions are closed, then specks are removed, so that a person can read the regions: a pixel
    on either side of the threshold may belong to the other. What is not a number is above the threshold.

    Args:
        uncertainty: [N, H, W], calibrated standard deviation as a share of the grey scale.
        above: the threshold in the same unit.
        sector: bool [H, W] or [N, H, W], the pixels that count; by default all.

    Returns:
        uint8 [N, H, W]: 1 = do not trust, 0 elsewhere and outside the sector.
    """
    marks = np.zeros(uncertainty.shape, dtype=np.uint8)
    inside = np.broadcast_to(True if sector is None else sector, uncertainty.shape)
    for mark, spread, part in zip(marks, uncertainty, inside, strict=True):
        mark[...] = _regions(~(spread <= above) & part) & part
    return marks


def _regions(marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return [H, W] with small gaps closed and specks removed; pixels that touch at a corner are together."""
    from scipy import ndimage

    if not marked.any():
        return marked
    grown = ndimage.binary_dilation(marked, iterations=GAP)
    # What lies beyond the edge of the frame counts as marked: else regions would retreat from the edge.
    closed = ndimage.binary_erosion(grown, iterations=GAP, border_value=1)
    labels, _ = ndimage.label(closed, structure=np.ones((3, 3)))
    is_large = np.bincount(labels.ravel()) >= SMALLEST_REGION
    is_large[0] = False
    return is_large[labels]
