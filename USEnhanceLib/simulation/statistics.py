"""What speckle is like, and how far two engines agree on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .pair import simulate_level
from .phantoms import homogeneous
from .setting import Setting

BINS = np.arange(-30.0, 12.5, 0.5)
"""Edges of the levels' histogram, dB; the first and the last bin hold what lies beyond."""


@dataclass(frozen=True)
class SpeckleStatistics:
    """Of the envelope before compression, in homogeneous tissue.

    Attributes:
        snr: mean over standard deviation; 1.91 for fully developed speckle.
        axial, lateral: full widths at half maximum of the autocovariance, samples.
        mean_level: dB; 0 when the gain is right.
    """

    snr: float
    axial: float
    lateral: float
    mean_level: float


def speckle_statistics(levels: NDArray[np.float32], block: int = 32) -> SpeckleStatistics:
    """Return the statistics of homogeneous tissue.

    Args:
        levels: of samples, dB, [A, L] or [N, A, L].
        block: edge of the blocks, samples, whose means and widths are averaged, so that a slow change over
            the frame is not taken for speckle.
    """
    frames = levels.reshape(-1, *levels.shape[-2:])
    envelopes = 10 ** (frames.astype(np.float64) / 20)
    blocks = [
        envelope[top : top + block, left : left + block]
        for envelope in envelopes
        for top in range(0, envelope.shape[0] - block + 1, block)
        for left in range(0, envelope.shape[1] - block + 1, block)
    ]
    # Pooled over blocks scaled to the same mean: a block alone holds too few cells for its own deviation.
    scaled = np.stack([part / part.mean() for part in blocks])
    centred = scaled - 1
    covariance = np.array(
        [(centred[:, : block - lag] * centred[:, lag:]).mean() for lag in range(block // 2)]
    )
    across = np.array(
        [(centred[:, :, : block - lag] * centred[:, :, lag:]).mean() for lag in range(block // 2)]
    )
    return SpeckleStatistics(
        snr=float(1 / centred.std()),
        axial=half_width(covariance),
        lateral=half_width(across),
        mean_level=float(frames.mean(dtype=np.float64)),
    )


def half_width(covariance: NDArray[np.float64]) -> float:
    """Return the full width at half maximum of a covariance by lag, [K], lags from 0 on; inf when wider."""
    relative = covariance / covariance[0]
    below = np.flatnonzero(relative < 0.5)
    if len(below) == 0:
        return float("inf")
    lag = int(below[0])
    return float(2 * (lag - 1 + (relative[lag - 1] - 0.5) / (relative[lag - 1] - relative[lag])))


def histogram_distance(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the total variation between the histograms of two sets of levels in dB: 0 alike, 1 apart."""
    shares = []
    for levels in (first, second):
        counts, _ = np.histogram(np.clip(levels, BINS[0], BINS[-1]), BINS)
        shares.append(counts / counts.sum())
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


@dataclass(frozen=True)
class Agreement:
    """Speckle of both engines in homogeneous tissue, and the distance of their levels' histograms."""

    exact: SpeckleStatistics
    fast: SpeckleStatistics
    histogram: float

    def differences(self) -> dict[str, float]:
        """Return what the fast engine has more of, as shares of what the exact one has."""
        return {
            name: getattr(self.fast, name) / getattr(self.exact, name) - 1
            for name in ("snr", "axial", "lateral")
        }


def engines_agree(setting: Setting, frames: int = 2) -> Agreement:
    """Return the agreement of the fast engine with SIMUS over a few frames of homogeneous tissue."""
    tissue = homogeneous(setting.size)
    levels = {
        engine: np.stack(
            [simulate_level(tissue, replace(setting, seed=seed), engine) for seed in range(frames)]
        )
        for engine in ("simus", "fast")
    }
    return Agreement(
        speckle_statistics(levels["simus"]),
        speckle_statistics(levels["fast"]),
        histogram_distance(levels["simus"], levels["fast"]),
    )
