"""Bootstrap intervals for means over images that come in groups."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean and its interval."""

    mean: float
    low: float
    high: float


def bootstrap_mean(
    values: Sequence[float] | np.ndarray,
    groups: Sequence[Hashable] | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Return the mean of `values` and its percentile bootstrap interval.

    values: one per image.  groups: which images belong together, as frames of one sweep do; whole groups are
    drawn then, for near-duplicates would pretend to more evidence than there is. Each image is a group of
    its own by default. The same seed gives the same interval, and the same draws for every row of a table.

    Source: B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, Chapman & Hall 1993, chapter 13;
    groups: A. C. Davison, D. V. Hinkley, Bootstrap Methods and their Application, 1997, section 3.8.
    """
    numbers = np.asarray(values, dtype=float)
    labels = np.arange(len(numbers)) if groups is None else np.unique(list(groups), return_inverse=True)[1]
    sums = np.bincount(labels, weights=numbers)
    counts = np.bincount(labels)
    draws = np.random.default_rng(seed).integers(len(sums), size=(resamples, len(sums)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Estimate(float(numbers.mean()), float(low), float(high))
