"""Speckle-reducing anisotropic diffusion (SRAD).

Source: Y. Yu, S. T. Acton, Speckle reducing anisotropic diffusion, IEEE Transactions on Image Processing
11(11), 2002. Equations of the paper are named in the comments below.
"""

from __future__ import annotations

import math

import numpy as np

from .envelope import from_envelope, to_envelope
from .noise_level import estimate_noise

_DECAY = 1 / 6  # rho of q0(t) = q0 exp(-rho t), the paper's value


def filter_srad(
    frames: np.ndarray,
    *,
    iterations: int = 50,
    time_step: float = 0.2,
    speckle_scale: float | None = None,
    compressed: bool = True,
) -> np.ndarray:
    """Return frames after diffusion that smooths speckle and stops at edges, frame by frame.

    frames: float32 [N, H, W] in [0, 1].  iterations, time_step: the diffusion time is their product; the
    explicit scheme is stable up to a time step of 1.  speckle_scale: coefficient of variation of fully
    developed speckle at the start, q0; None estimates it from each frame, by its gradients and by its
    homogeneous blocks (`noise_level`), and takes the larger: gradients see only a part of coarse speckle.
    compressed: the frames are log-compressed, as B-mode is, so their exponential is filtered; False filters
    the pixel values themselves, as of an envelope, and keeps each frame's mean exactly.
    """
    return np.stack(
        [_diffuse_frame(frame, iterations, time_step, speckle_scale, compressed) for frame in frames]
    )


def estimate_speckle_scale(intensity: np.ndarray) -> float:
    """Return q0 of a positive image [H, W]: the normalised median absolute deviation of its log-gradients.

    Steps between neighbours are mostly speckle, and the median ignores the few that cross an edge. The
    factor 1.4826 turns the deviation into a standard deviation, sqrt(2) accounts for the difference of two.
    Steps of exactly zero (background, saturation) tell nothing of speckle and are left out.
    """
    logarithm = np.log(intensity)
    steps = np.concatenate([np.diff(logarithm, axis=0).ravel(), np.diff(logarithm, axis=1).ravel()])
    steps = steps[steps != 0]
    if not steps.size:
        return 0.0
    return float(1.4826 * np.median(np.abs(steps - np.median(steps))) / math.sqrt(2))


def _diffuse_frame(
    frame: np.ndarray, iterations: int, time_step: float, speckle_scale: float | None, compressed: bool
) -> np.ndarray:
    intensity = to_envelope(frame, compressed)
    scale = speckle_scale
    if scale is None:
        scale = max(estimate_speckle_scale(intensity), estimate_noise(intensity, exponent=1))
    if scale > 0:
        for step in range(iterations):
            _advance(intensity, scale * math.exp(-_DECAY * step * time_step), time_step)
    return from_envelope(intensity, compressed)


def _advance(intensity: np.ndarray, scale: float, time_step: float) -> None:
    """Advance `intensity` [H, W] by one explicit step, in place."""
    padded = np.pad(intensity, 1, mode="edge")  # mirrored borders: nothing flows out of the frame
    north = padded[:-2, 1:-1] - intensity
    south = padded[2:, 1:-1] - intensity
    west = padded[1:-1, :-2] - intensity
    east = padded[1:-1, 2:] - intensity

    # Instantaneous coefficient of variation q, from the normalised gradient and Laplacian.
    laplacian = (north + south + west + east) / intensity
    variation = (north**2 + south**2 + west**2 + east**2) / (2 * intensity**2) - laplacian**2 / 16
    variation /= (1 + laplacian / 4) ** 2

    # c(q) exceeds 1 where q < q0, down to a singularity: limited to 1, for there the medium is homogeneous.
    squared_scale = max(scale * scale, 1e-12)  # late in a long run the decay would underflow
    excess = np.maximum(variation - squared_scale, 0)
    conduction = 1 / (1 + excess / (squared_scale * (1 + squared_scale)))

    # Each flux uses the conduction of the pixel on its south or east side, so what leaves one pixel enters
    # its neighbour and the mean is kept.
    ahead = np.pad(conduction, ((0, 1), (0, 1)), mode="edge")
    flow = conduction * (north + west) + ahead[1:, :-1] * south + ahead[:-1, 1:] * east
    intensity += np.float32(time_step / 4) * flow
