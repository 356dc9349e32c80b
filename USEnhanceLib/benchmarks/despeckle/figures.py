"""What is measured on a despeckled frame whose truth is known. Only pixels inside the sector count.

PSNR, SSIM: against the clean frame, `quality.fidelity`; windows of SSIM count by their middle. CNR, gCNR and
EPI as in `quality.contrast`. The two regions of CNR and gCNR are tissues of the clean frame: its darkest and
its brightest quarter inside the sector, each without the pixels at its border.
"""

from __future__ import annotations

import numpy as np

from ...quality.contrast import cnr, epi, gcnr
from ...quality.fidelity import psnr, ssim
from ..enhance.intervals import recorded
from .test_sets import TestPair

FIGURES = {"psnr": "PSNR, dB", "ssim": "SSIM", "cnr": "CNR, dB", "gcnr": "gCNR", "epi": "EPI"}
BORDER = 2
"""Pixels that a region loses at its border, where speckle mixes both tissues."""
SMALLEST = 50
"""Pixels of a region that can be measured."""


def measure_frame(frame: np.ndarray, pair: TestPair) -> dict[str, float | None]:
    """Return the figures of a despeckled frame [H, W] in [0, 1]; None where one cannot be measured."""
    sector = pair.sector
    figures = {
        "psnr": psnr(frame[None], pair.clean[None], sector)[0],
        "ssim": ssim(frame[None], pair.clean[None], sector)[0],
        "epi": epi(frame * sector, pair.clean * sector),
    }
    dark, bright = tissues(pair)
    if min(dark.sum(), bright.sum()) >= SMALLEST:
        shown = np.clip(frame, 0, 1)
        figures |= {"cnr": cnr(shown[dark], shown[bright]), "gcnr": gcnr(shown[dark], shown[bright])}
    return {name: recorded(float(figures[name]), 5) if name in figures else None for name in FIGURES}


def tissues(pair: TestPair) -> tuple[np.ndarray, np.ndarray]:
    """Return the darkest and the brightest quarter of the clean frame, bool [H, W] each."""
    from scipy.ndimage import binary_erosion

    low, high = np.quantile(pair.clean[pair.sector], (0.25, 0.75))
    parts = ((pair.clean <= low) & pair.sector, (pair.clean >= high) & pair.sector)
    return tuple(binary_erosion(part, iterations=BORDER) for part in parts)  # type: ignore[return-value]
