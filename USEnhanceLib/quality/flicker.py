"""How restless a cine is where nothing moves.

Flicker of a pixel = sqrt(mean over t of (I(t+1) - I(t))^2 / 2): for noise without memory it is the noise's
    standard deviation, and slow motion or drift hardly counts (the von Neumann estimate: J. von Neumann et
    al., The mean square successive difference, Annals of Mathematical Statistics 12, 1941).
Temporal deviation of a pixel = standard deviation of I(t) over all frames.
Pumping = standard deviation over t of m(t), the mean grey value of frame t.
"""

from __future__ import annotations

import numpy as np

from ..errors import InputError


def flicker_map(frames: np.ndarray) -> np.ndarray:
    """Return the frame-to-frame standard deviation of each pixel, float64 [H, W], in the frames' unit.

    frames: float [N, H, W], N at least 2, else InputError.
    """
    steps = np.diff(_cine(frames), axis=0)
    return np.sqrt((steps**2).mean(axis=0) / 2)


def temporal_deviation_map(frames: np.ndarray) -> np.ndarray:
    """Return the standard deviation over time of each pixel, float64 [H, W], in the frames' unit."""
    return _cine(frames).std(axis=0)


def brightness(frames: np.ndarray, region: np.ndarray | None = None) -> np.ndarray:
    """Return the mean grey value of each frame, float64 [N], over `region` (bool [H, W]) or everywhere."""
    cine = _cine(frames)
    return cine.mean(axis=(1, 2)) if region is None else cine[:, np.asarray(region, bool)].mean(axis=1)


def static_region(
    frames: np.ndarray, sector: np.ndarray, *, share: float = 0.25, darkest: float = 0.05, scale: float = 2.0
) -> np.ndarray:
    """Return where a cine shows tissue that stands still, bool [H, W].

    Speckle noise must not decide what stands still, so frames are smoothed by a Gaussian of standard
    deviation `scale` pixels first. Of the pixels of `sector` (bool [H, W]) whose smoothed mean over time
    exceeds `darkest` (shadow and empty sector stand still without showing anything), those are returned
    whose temporal deviation after smoothing, divided by that mean, is among the lowest `share`.
    """
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(_cine(frames), (0, scale, scale))
    mean = smooth.mean(axis=0)
    shown = np.asarray(sector, bool) & (mean > darkest)
    if not shown.any():
        raise InputError("The cine is dark inside its sector: nothing in it can be called static.")
    restless = smooth.std(axis=0) / np.maximum(mean, darkest)
    return shown & (restless <= np.quantile(restless[shown], share))


def _cine(frames: np.ndarray) -> np.ndarray:
    cine = np.asarray(frames, dtype=float)
    if cine.ndim != 3 or len(cine) < 2:
        raise InputError("Flicker needs two or more frames [N, H, W]: choose a cine.")
    return cine
