"""Whether an uncertainty map tells where the errors are (ranking) and how large they are (calibration).

u is the claimed standard deviation of a pixel and e the absolute error there.
Pearson   = cov(u, e) / (s_u s_e); Spearman the same of the ranks, ties with their mean rank.
Caught    = sum of e over the 10 % of pixels with the largest u / sum of e over all; .1 for a map without
            information.
AUSE      = area between two sparsification curves over the share of pixels left out: the mean of e over the
            pixels that remain, relative to the mean over all, when those of largest u go first, less the same
            when those of largest e go first; 0 for a perfect ranking.  E. Ilg et al., Uncertainty estimates
            and multi-hypotheses networks for optical flow, ECCV 2018.
Coverage  = share of pixels with e <= 2 u; 95.4 % where errors are normal with standard deviation u.
ENCE      = mean over bins of equally many pixels, sorted by u, of |U - E| / U, U and E the root mean squares
            of u and e in the bin; 0 where the map means what it says.  D. Levi, L. Gispan, N. Giladi,
            E. Fetaya, Evaluating and calibrating uncertainty prediction in regression tasks, Sensors 22(15),
            2022, arXiv 1905.11659.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError

BINS = 20
NORMAL_COVERAGE = 0.9545
"""Share of a normal distribution within two standard deviations."""


@dataclass(frozen=True)
class Calibration:
    """Maps a spread to a standard deviation: scale * spread + floor, in the unit of the frame.

    It rises with the spread, so it leaves every ranking as it is.
    """

    scale: float = 1.0
    floor: float = 0.0

    def __call__(self, spread: np.ndarray) -> np.ndarray:
        """Return the standard deviation for a spread of any shape, in the same type."""
        return (self.scale * spread + self.floor).astype(spread.dtype)


def fit_calibration(spread: np.ndarray, error: np.ndarray, bins: int = BINS) -> Calibration:
    """Fit scale and floor, both not negative, to spreads and errors that belong together.

    spread, error: of one shape, not negative. The pixels are sorted by spread into `bins` bins of equally
    many; fitted is scale * mean spread + floor to the root mean square error of each bin, with the least sum
    of squared relative deviations, so that quiet regions count as much as loud ones. Bins without any error
    are left out. Raises InputError for unequal shapes, for negative values, or where no pixel is in error.
    """
    from scipy.optimize import nnls

    claimed, actual = _pairs(spread, error)
    parts = np.array_split(np.argsort(claimed, kind="stable"), min(bins, claimed.size))
    means = np.array([claimed[part].mean() for part in parts])
    errors = np.array([np.sqrt(np.mean(actual[part] ** 2)) for part in parts])
    wrong = errors > 0
    if not wrong.any():
        raise InputError("A calibration needs errors: the frames equal their targets everywhere.")
    design = np.stack([means, np.ones_like(means)], 1)[wrong] / errors[wrong, None]
    # The columns differ by orders of magnitude: bring them to one length for the solver.
    lengths = np.maximum(np.linalg.norm(design, axis=0), np.finfo(float).tiny)
    solution = nnls(design / lengths, np.ones(int(wrong.sum())))[0] / lengths
    return Calibration(float(solution[0]) if means.any() else 0.0, float(solution[1]))


def pearson(uncertainty: np.ndarray, error: np.ndarray) -> float:
    """Return the linear correlation of uncertainty and error (one shape); 0 where either is constant."""
    return _correlation(*_pairs(uncertainty, error))


def spearman(uncertainty: np.ndarray, error: np.ndarray) -> float:
    """Return the correlation of the ranks of uncertainty and error; 0 where either is constant."""
    from scipy.stats import rankdata

    claimed, actual = _pairs(uncertainty, error)
    return _correlation(rankdata(claimed), rankdata(actual))


def caught_error(uncertainty: np.ndarray, error: np.ndarray, share: float = 0.1) -> float:
    """Return the share of the total error in the `share` most uncertain pixels; 0 where there is no error."""
    claimed, actual = _pairs(uncertainty, error)
    count = round(share * claimed.size)
    total = actual.sum()
    return float(actual[_most_first(claimed)[:count]].sum() / total) if total > 0 else 0.0


def coverage(uncertainty: np.ndarray, error: np.ndarray, factor: float = 2.0) -> float:
    """Return the share of pixels whose error is at most `factor` times the uncertainty."""
    claimed, actual = _pairs(uncertainty, error)
    return float(np.mean(actual <= factor * claimed))


def sparsification(uncertainty: np.ndarray, error: np.ndarray, steps: int = 50) -> np.ndarray:
    """Return the mean error that remains, over that of all pixels, float64 [steps].

    Entry i is without the share i / steps of the most uncertain pixels. 0 everywhere where there is no error.
    """
    claimed, actual = _pairs(uncertainty, error)
    if not actual.any():
        return np.zeros(steps)
    ordered = actual[_most_first(claimed)]
    left_out = np.arange(steps) * actual.size // steps
    remaining = ordered.sum() - np.concatenate([[0.0], np.cumsum(ordered)])[left_out]
    return np.maximum(remaining, 0) / (actual.size - left_out) / actual.mean()


def ause(uncertainty: np.ndarray, error: np.ndarray, steps: int = 50) -> float:
    """Return the area under the sparsification error curve; 0 is perfect, `error` itself as uncertainty."""
    excess = sparsification(uncertainty, error, steps) - sparsification(error, error, steps)
    return float(excess.mean())


def calibration_error(uncertainty: np.ndarray, error: np.ndarray, bins: int = BINS) -> float:
    """Return the expected normalised calibration error (ENCE); infinite where a bin claims no error."""
    claimed, actual = _pairs(uncertainty, error)
    total = 0.0
    parts = np.array_split(np.argsort(claimed, kind="stable"), min(bins, claimed.size))
    for part in parts:
        said, found = (np.sqrt(np.mean(values[part] ** 2)) for values in (claimed, actual))
        if said == 0 and found > 0:
            return float("inf")
        total += abs(said - found) / said if found > 0 or said > 0 else 0.0
    return float(total / len(parts))


def _pairs(uncertainty: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    claimed, actual = (np.asarray(values, dtype=np.float64) for values in (uncertainty, error))
    if claimed.shape != actual.shape or not claimed.size:
        raise InputError(
            f"Uncertainty and error must be of one shape and not empty, not {claimed.shape} and "
            f"{actual.shape}: give the maps of the same frames."
        )
    # A comparison with NaN is false, so this refuses NaN too.
    if not (claimed.min() >= 0 and actual.min() >= 0):
        raise InputError("Uncertainty and error hold negative values or NaN: give absolute values.")
    return claimed.ravel(), actual.ravel()


def _most_first(values: np.ndarray) -> np.ndarray:
    return np.argsort(-values, kind="stable")


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    # Compared as they are: a mean that is rounded would make a constant vary.
    if first.min() == first.max() or second.min() == second.max():
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
