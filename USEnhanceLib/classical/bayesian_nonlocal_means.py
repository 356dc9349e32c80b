"""Optimised Bayesian non-local means (OBNLM): blockwise, with a distance made for speckle.

Source: P. Coupé, P. Hellier, C. Kervrann, C. Barillot, Nonlocal means-based speckle filtering for ultrasound
images, IEEE Transactions on Image Processing 18(10), 2009. Noise of a displayed, log-compressed frame is
modelled as u = v + v^g n with g = 1/2, so blocks are compared by the Pearson distance, the mean over their
pixels of (u_i - u_j)^2 / u_j^(2g). Blocks, not pixels, are restored, on every other row and column, and
the values that a pixel gets from the blocks that hold it are averaged. Blocks whose means differ by too much
are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from .noise_level import estimate_noise

_DARKEST = 0.02  # the model's noise vanishes in black: keeps distances there finite
_STRIP = 64  # rows of blocks at a time, so that the weights of large frames fit in memory


@dataclass(frozen=True)
class _Settings:
    cut_off: float
    radius: int
    reach: int
    step: int
    exponent: float
    mean_ratio: float


def filter_bayesian_nonlocal_means(
    frames: np.ndarray,
    *,
    noise: float | None = None,
    strength: float = 1.5,
    patch_size: int = 5,
    search_distance: int = 6,
    step: int = 2,
    exponent: float = 0.5,
    mean_ratio: float = 0.6,
) -> np.ndarray:
    """Return frames whose blocks are averages of similar blocks, frame by frame.

    frames: float32 [N, H, W] in [0, 1].  noise: standard deviation of the noise, in the frames' unit; None
    estimates it from each frame.  strength: cut-off of the weights, in units of noise.  patch_size: side of
    a block; search_distance: radius of the search; step: distance of restored blocks, which must overlap or
    touch, all in pixels.  exponent: g of the noise model, 0 for additive noise.  mean_ratio: blocks with
    means further apart than this ratio are left out.
    """
    return np.stack(
        [
            _filter_frame(
                frame,
                noise,
                _Settings(
                    strength, patch_size // 2, search_distance, min(step, patch_size), exponent, mean_ratio
                ),
            )
            for frame in frames
        ]
    )


def _filter_frame(frame: np.ndarray, noise: float | None, settings: _Settings) -> np.ndarray:
    s = settings
    if noise is None:
        level = estimate_noise(frame, s.exponent)
    else:
        level = noise / max(float(frame.mean()), _DARKEST) ** s.exponent
    if level * s.cut_off == 0:
        return frame
    margin = s.reach + s.radius
    padded = np.pad(frame, margin, mode="symmetric")
    height, width = frame.shape
    total = np.zeros((height + 2 * s.radius, width + 2 * s.radius), np.float32)
    count = np.zeros_like(total)
    rows, columns = _centres(height, s.step), _centres(width, s.step)
    for first in range(0, len(rows), _STRIP):
        part = rows[first : first + _STRIP]
        span = slice(part[0], part[-1] + 2 * s.radius + 1)
        above = padded[part[0] : part[-1] + 2 * margin + 1]
        restored, covered = _restore(above, part - part[0], columns, (level * s.cut_off) ** 2, s)
        total[span] += restored
        count[span] += covered
    inside = slice(s.radius, -s.radius or None)
    return total[inside, inside] / count[inside, inside]


def _restore(
    padded: np.ndarray, rows: np.ndarray, columns: np.ndarray, scale: float, s: _Settings
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of all restored blocks and the number of blocks at each pixel of a strip.

    padded: the strip with `reach + radius` pixels around the centres of its blocks.
    """
    from scipy.ndimage import uniform_filter

    size = 2 * s.radius + 1
    height, width = (length - 2 * s.reach for length in padded.shape)
    blocks = np.ix_(rows + s.radius, columns + s.radius)
    offsets = list(product(range(2 * s.reach + 1), repeat=2))
    precision = np.maximum(padded, np.float32(_DARKEST)) ** np.float32(-2 * s.exponent)
    means = uniform_filter(padded, size) + np.float32(1e-6)

    def shifted(image: np.ndarray, offset: tuple[int, int]) -> np.ndarray:
        return image[offset[0] : offset[0] + height, offset[1] : offset[1] + width]

    centre = (s.reach, s.reach)
    here, mean = shifted(padded, centre), shifted(means, centre)[blocks]
    weights = np.empty((len(offsets), len(rows), len(columns)), np.float32)
    for i, offset in enumerate(offsets):
        squares = (here - shifted(padded, offset)) ** 2 * shifted(precision, offset)
        ratio = shifted(means, offset)[blocks] / mean
        weights[i] = np.exp(uniform_filter(squares, size)[blocks] / np.float32(-scale))
        weights[i] *= (ratio >= s.mean_ratio) & (ratio * s.mean_ratio <= 1)
    weights /= weights.sum(axis=0)

    total, spread = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    for weight, offset in zip(weights, offsets, strict=True):
        spread[blocks] = weight
        total += uniform_filter(spread, size, mode="constant") * shifted(padded, offset)
    spread[blocks] = 1
    return total, uniform_filter(spread, size, mode="constant")


def _centres(length: int, step: int) -> np.ndarray:
    """Return the centres of the blocks along an axis; the last pixel is one of them."""
    centres = np.arange(0, length, step)
    return centres if centres[-1] == length - 1 else np.append(centres, length - 1)
