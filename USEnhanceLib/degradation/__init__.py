"""What ruins a frame: point spread function, Gaussian and Fourier noise, speckle, and their mix."""

from __future__ import annotations

from .composition import BLUR_SIZES, CompositionRecipe, degrade
from .noise import fourier_noise, gaussian_noise
from .psf import blur, blur_sigma, gaussian_psf
from .speckle import multiplicative_speckle, rayleigh_speckle

__all__ = [
    "BLUR_SIZES",
    "CompositionRecipe",
    "blur",
    "blur_sigma",
    "degrade",
    "fourier_noise",
    "gaussian_noise",
    "gaussian_psf",
    "multiplicative_speckle",
    "rayleigh_speckle",
]
