"""Contrast, speckle and edges of regions: CNR, gCNR, SNR, ENL and EPI.

m and s are mean and standard deviation of a region's grey values.
CNR  = 20 log10(|m1 - m2| / sqrt((s1^2 + s2^2) / 2)) in dB.  K. E. Thomenius et al., as in S. W. Smith,
       H. Lopez, Journal of Medical Physics 1982; here as printed in arXiv 2601.21856's field, in decibels.
gCNR = 1 - sum over bins of min(p1, p2), p the regions' histograms over [0, 1] with sum 1: 0 for equal, 1 for
       disjoint histograms, and unlike CNR not inflated by a change of the grey scale.  A. Rodriguez-Molares
       et al., The generalized contrast-to-noise ratio, IEEE Trans. UFFC 67(4), 2020.
SNR  = m / s; 1.91 for the envelope of fully developed speckle.  C. B. Burckhardt, IEEE Trans. SU 25(1), 1978.
ENL  = (m / s)^2, the equivalent number of looks.  J. S. Lee et al., Remote Sensing Reviews 8, 1994.
EPI  = sum(a b) / sqrt(sum(a^2) sum(b^2)), a and b the Laplacians of reference and frame less their means: 1
       where edges are kept.  F. Sattar et al., IEEE Trans. Image Processing 6(6), 1997.
"""

from __future__ import annotations

import numpy as np

from ..errors import InputError

BINS = 256


def cnr(first: np.ndarray, second: np.ndarray) -> float:
    """Return the contrast-to-noise ratio of two regions' grey values (any shape) in dB.

    -inf for equal means, inf for two regions of one grey value each that differ. Raises InputError for an
    empty region.
    """
    one, other = _values(first), _values(second)
    difference = abs(one.mean() - other.mean())
    spread = np.sqrt((one.var() + other.var()) / 2)
    if difference == 0:
        return float("-inf")
    return float(20 * np.log10(difference / spread)) if spread > 0 else float("inf")


def gcnr(first: np.ndarray, second: np.ndarray, bins: int = BINS) -> float:
    """Return the generalised contrast-to-noise ratio of two regions' grey values in [0, 1], from 0 to 1.

    Raises InputError for an empty region or values outside [0, 1].
    """
    shares = []
    for region in (_values(first), _values(second)):
        if region.min() < 0 or region.max() > 1:
            raise InputError("gCNR needs grey values from 0 to 1: scale the frames.")
        shares.append(np.histogram(region, bins, (0, 1))[0] / region.size)
    return float(1 - np.minimum(*shares).sum())


def snr(region: np.ndarray) -> float:
    """Return mean / standard deviation of a region's grey values; inf for a region of one grey value."""
    values = _values(region)
    spread = values.std()
    return float(values.mean() / spread) if spread > 0 else float("inf")


def enl(region: np.ndarray) -> float:
    """Return the equivalent number of looks of a region's grey values, the square of its SNR."""
    return snr(region) ** 2


def epi(frame: np.ndarray, reference: np.ndarray) -> float:
    """Return the edge preservation index of a frame against a reference, float [H, W] each, from -1 to 1.

    NaN where either has no edge at all. Raises InputError for different shapes.
    """
    from scipy.ndimage import laplace

    if np.ndim(frame) != 2 or np.shape(frame) != np.shape(reference):
        raise InputError("EPI compares two frames [H, W] of one shape.")
    edges = [laplace(np.asarray(picture, dtype=float)) for picture in (frame, reference)]
    first, second = (picture - picture.mean() for picture in edges)
    scale = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / scale) if scale > 0 else float("nan")


def _values(region: np.ndarray) -> np.ndarray:
    values = np.asarray(region, dtype=float).ravel()
    if not values.size or not np.isfinite(values).all():
        raise InputError("A region needs pixels, all of them finite: choose another region.")
    return values
