"""What the enhancement did to the cine, in figures that need no reference image."""

from __future__ import annotations

import numpy as np

from ..frames import Frames, Geometry

WINDOW = 9
DARKEST_MEAN = 0.05

FLICKER = "mean |x(t+1) - x(t)| of the luminance (0..1) inside the scan sector, over all frames t"
CONTRAST = (
    f"median over the scan sector and all frames of standard deviation / mean of the luminance (0..1) in "
    f"windows of {WINDOW} x {WINDOW} pixels whose mean before is above {DARKEST_MEAN}; of log-compressed "
    "grey values, not of the envelope"
)


def temporal_flicker(pixels: np.ndarray, sector: np.ndarray) -> float:
    """Return the mean absolute change from frame to frame inside the sector.

    pixels: float32 [N, H, W] in 0..1, N > 1; sector: bool [H, W]. Motion of tissue contributes as well as
    speckle and noise: the figure is for comparing two versions of one cine.
    """
    return float(np.abs(np.diff(pixels, axis=0))[:, sector].mean(dtype=np.float64))


def speckle_contrast(pixels: np.ndarray, sector: np.ndarray, reference: np.ndarray) -> float:
    """Return the median of local standard deviation / local mean inside the sector.

    pixels, reference: float32 [N, H, W] in 0..1; sector: bool [H, W]. Windows that reach out of the sector or
    are nearly black in `reference` are left out; 0 where none is left, and for windows that are all black.
    Edges make up few windows, so the median speaks of tissue.
    """
    from scipy.ndimage import binary_erosion, uniform_filter

    inside = binary_erosion(sector, np.ones((WINDOW, WINDOW), dtype=bool))
    ratios = []
    for frame, original in zip(pixels.astype(np.float64), reference.astype(np.float64), strict=True):
        counted = inside & (uniform_filter(original, WINDOW) > DARKEST_MEAN)
        mean = uniform_filter(frame, WINDOW)
        deviation = np.sqrt(np.maximum(uniform_filter(frame**2, WINDOW) - mean**2, 0))
        ratios.append(deviation[counted] / np.maximum(mean[counted], np.finfo(np.float32).eps))
    values = np.concatenate(ratios)
    return float(np.median(values)) if values.size else 0.0


def compare(before: Frames, after: Frames) -> dict[str, object]:
    """Return what differs between a colour cine and its enhanced version, as read back from its file.

    Stored values and colours are compared bit by bit; percentages are relative to before.
    """
    sector = before.sector
    changed = np.any(before.source != after.source, axis=-1)
    return {
        "temporal_flicker": _change(FLICKER, *(temporal_flicker(f.pixels, sector) for f in (before, after))),
        "speckle_contrast": _change(
            CONTRAST, *(speckle_contrast(f.pixels, sector, before.pixels) for f in (before, after))
        ),
        "outside_sector": {
            "bit_identical": not bool(changed[:, ~sector].any()),
            "pixels": int(changed[:, ~sector].size),
            "changed_pixels": int(changed[:, ~sector].sum()),
        },
        "inside_sector": {
            "share_of_frame": float(sector.mean()),
            "share_changed": float(changed[:, sector].mean()),
            "mean_absolute_change": float(np.abs(after.pixels - before.pixels)[:, sector].mean()),
        },
        "colour_unchanged": bool(np.array_equal(_chroma(before.source), _chroma(after.source))),
        "geometry_unchanged": _same_geometry(before.geometry, after.geometry),
        "type_and_size_unchanged": (before.source.dtype, before.source.shape)
        == (after.source.dtype, after.source.shape),
    }


def _same_geometry(first: Geometry, second: Geometry) -> bool:
    """Tell whether two geometries agree but for the rounding of numbers that a file holds as text."""
    numbers = [(*each.spacing, *each.origin, *each.direction) for each in (first, second)]
    return first.calibrated == second.calibrated and bool(np.allclose(*numbers, rtol=1e-12, atol=1e-12))


def _chroma(source: np.ndarray) -> np.ndarray:
    """Return what makes the colour of RGB pixels apart from their luminance: R - G and B - G."""
    return source[..., ::2].astype(np.int16) - source[..., 1:2]


def _change(definition: str, before: float, after: float) -> dict[str, object]:
    percent = 100 * (after / before - 1) if before else 0.0
    return {"definition": definition, "before": before, "after": after, "change_percent": percent}
