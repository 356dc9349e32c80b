"""The classical filters by name, behind one interface, with their parameters and sources.

    smooth = apply_filter("srad", frames, iterations=50)     # frames float32 [N, H, W] in [0, 1]

A method is a function `(frames, *, parameters) -> frames` in a module of its own; `FILTERS` adds its title,
its source and the meaning and limits of its parameters, whose default values are those of the function.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError, OptionError
from .bayesian_nonlocal_means import filter_bayesian_nonlocal_means
from .bilateral import filter_bilateral
from .bm3d import filter_bm3d
from .frost import filter_frost
from .local_statistics import filter_kuan, filter_lee
from .low_rank import filter_nllr
from .median import filter_median
from .nonlocal_means import filter_nonlocal_means
from .srad import filter_srad
from .wavelet import filter_wavelet


@dataclass(frozen=True)
class Parameter:
    """Limits and meaning of one number or switch; `odd` where only odd integers are possible."""

    minimum: float
    maximum: float
    meaning: str
    odd: bool = False


@dataclass(frozen=True)
class Filter:
    """A named filter: what it is, where it was published, and what can be set.

    packages: what it imports besides numpy, scipy and SimpleITK, which Slicer brings.
    """

    name: str
    title: str
    summary: str
    source: str
    function: Callable[..., np.ndarray]
    parameters: Mapping[str, Parameter]
    packages: tuple[str, ...] = ()

    @property
    def defaults(self) -> dict[str, Any]:
        """The parameters' default values."""
        signature = inspect.signature(self.function)
        return {name: signature.parameters[name].default for name in self.parameters}

    def __call__(self, frames: np.ndarray, **parameters: Any) -> np.ndarray:
        """Return the filtered frames, float32 [N, H, W] clipped to [0, 1]; the input is left as it is.

        frames: float32 [N, H, W] in [0, 1]. Raises InputError for other shapes or non-finite pixels,
        OptionError for a parameter that is unknown or out of its limits.
        """
        stack = np.asarray(frames, dtype=np.float32)
        if stack.ndim != 3 or not stack.size or not np.isfinite(stack).all():
            raise InputError(
                f"The filter {self.name} needs frames of shape [N, H, W] without NaN or infinite pixels, "
                f"not {stack.shape}: check the input."
            )
        for name, value in parameters.items():
            self._check(name, value)
        return np.clip(self.function(stack, **parameters), 0, 1).astype(np.float32, copy=False)

    def _check(self, name: str, value: Any) -> None:
        limits = self.parameters.get(name)
        if limits is None:
            raise OptionError(
                f"The filter {self.name} has no parameter {name}: choose from {', '.join(self.parameters)}."
            )
        default = self.defaults[name]
        if value is None and default is None:
            return
        whole = isinstance(default, int)
        kind_fits = isinstance(value, (int, np.integer) if whole else (int, float, np.number))
        if not kind_fits or not limits.minimum <= value <= limits.maximum or (limits.odd and value % 2 == 0):
            kind = "odd integer" if limits.odd else "integer" if whole else "number"
            raise OptionError(
                f"The parameter {name} of the filter {self.name} is {value!r}: give an {kind} "
                f"from {limits.minimum:g} to {limits.maximum:g}."
            )


_NOISE = Parameter(0, 1, "standard deviation of the noise, in the frames' unit; None: estimated")
_STRENGTH = Parameter(0, 20, "cut-off of the weights, in units of noise")
_WINDOW = Parameter(1, 31, "side of the window, pixels", odd=True)
_PATCH = Parameter(1, 31, "side of the compared patches, pixels", odd=True)
_SEARCH = Parameter(1, 50, "radius of the search, pixels")
_SPECKLE = Parameter(0, 10, "coefficient of variation of speckle; None: estimated")
_COMPRESSED = Parameter(False, True, "frames are log-compressed: filter their exponential")

FILTERS: tuple[Filter, ...] = (
    Filter(
        "median",
        "Median",
        "The median of a small window; fast, rounds fine detail.",
        "Tukey, Exploratory Data Analysis, 1977",
        filter_median,
        {"size": _WINDOW},
    ),
    Filter(
        "lee",
        "Lee",
        "Mean of a window where it is homogeneous, the pixel itself at edges.",
        "Lee, IEEE Transactions on Pattern Analysis and Machine Intelligence 2(2), 1980",
        filter_lee,
        {"size": _WINDOW, "speckle_scale": _SPECKLE, "compressed": _COMPRESSED},
    ),
    Filter(
        "frost",
        "Frost",
        "Average over near pixels that narrows at edges.",
        "Frost, Stiles, Shanmugan, Holtzman, IEEE Transactions on Pattern Analysis and Machine Intelligence "
        "4(2), 1982",
        filter_frost,
        {
            "size": _WINDOW,
            "damping": Parameter(0, 100, "decay of the weights per pixel in homogeneous speckle"),
            "speckle_scale": _SPECKLE,
            "compressed": _COMPRESSED,
        },
    ),
    Filter(
        "kuan",
        "Kuan",
        "Lee's filter with the exact weight for multiplicative speckle.",
        "Kuan, Sawchuk, Strand, Chavel, IEEE Transactions on Pattern Analysis and Machine Intelligence 7(2), "
        "1985",
        filter_kuan,
        {"size": _WINDOW, "speckle_scale": _SPECKLE, "compressed": _COMPRESSED},
    ),
    Filter(
        "srad",
        "SRAD",
        "Diffusion that stops at edges (speckle-reducing anisotropic diffusion).",
        "Yu, Acton, IEEE Transactions on Image Processing 11(11), 2002",
        filter_srad,
        {
            "iterations": Parameter(0, 10000, "number of steps"),
            "time_step": Parameter(0, 1, "diffusion time of one step"),
            "speckle_scale": _SPECKLE,
            "compressed": _COMPRESSED,
        },
    ),
    Filter(
        "nlm",
        "Non-local means",
        "Average over pixels with similar surroundings.",
        "Buades, Coll, Morel, CVPR 2005",
        filter_nonlocal_means,
        {
            "noise": _NOISE,
            "strength": _STRENGTH,
            "patch_size": _PATCH,
            "search_distance": _SEARCH,
            "fast": Parameter(False, True, "equal weights inside a patch, about ten times faster"),
        },
        ("skimage",),
    ),
    Filter(
        "obnlm",
        "Optimised Bayesian NLM",
        "Non-local means of blocks, with a distance made for ultrasound speckle.",
        "Coupé, Hellier, Kervrann, Barillot, IEEE Transactions on Image Processing 18(10), 2009",
        filter_bayesian_nonlocal_means,
        {
            "noise": _NOISE,
            "strength": _STRENGTH,
            "patch_size": _PATCH,
            "search_distance": _SEARCH,
            "step": Parameter(1, 31, "distance of restored blocks, at most the side of a patch, pixels"),
            "exponent": Parameter(0, 1, "power of the brightness that the noise grows with"),
            "mean_ratio": Parameter(0, 1, "smallest ratio of the means of blocks that are averaged"),
        },
    ),
    Filter(
        "bilateral",
        "Bilateral",
        "Average over near pixels of like brightness.",
        "Tomasi, Manduchi, ICCV 1998",
        filter_bilateral,
        {
            "noise": _NOISE,
            "strength": Parameter(0, 100, "spread of the weights over brightness, in units of noise"),
            "distance": Parameter(0.1, 20, "spread of the weights over distance, pixels"),
        },
    ),
    Filter(
        "wavelet",
        "Wavelet BayesShrink",
        "Soft thresholding of wavelet coefficients, averaged over shifts.",
        "Chang, Yu, Vetterli, IEEE Transactions on Image Processing 9(9), 2000",
        filter_wavelet,
        {
            "noise": _NOISE,
            "levels": Parameter(1, 10, "number of scales; None: three less than fit"),
            "shifts": Parameter(0, 15, "largest shift of the frames that are averaged, pixels"),
        },
        ("skimage", "pywt"),
    ),
    Filter(
        "bm3d",
        "BM3D",
        "Joint filtering of similar blocks; slow, package for non-commercial use only.",
        "Dabov, Foi, Katkovnik, Egiazarian, IEEE Transactions on Image Processing 16(8), 2007",
        filter_bm3d,
        {"noise": _NOISE},
        ("bm3d",),
    ),
    Filter(
        "nllr",
        "NLLR",
        "Non-local low-rank filtering of speckle; slow, the teacher of the networks.",
        "Zhu, Fu, Brown, Wang, Heng, CVPR 2017",
        filter_nllr,
        {},
        ("torch",),
    ),
)


def filter_names() -> tuple[str, ...]:
    """Return the names that `find_filter` knows, in the order of the tables."""
    return tuple(entry.name for entry in FILTERS)


def find_filter(name: str) -> Filter:
    """Return the filter of this name, or raise OptionError."""
    for entry in FILTERS:
        if entry.name == name:
            return entry
    raise OptionError(f"There is no classical filter {name!r}: choose from {', '.join(filter_names())}.")


def apply_filter(name: str, frames: np.ndarray, **parameters: Any) -> np.ndarray:
    """Return frames (float32 [N, H, W] in [0, 1]) after the named filter; errors as of `Filter`."""
    return find_filter(name)(frames, **parameters)
