"""What ruins a frame: point spread function, Gaussian noise, noise in the Fourier domain, their mix."""

from __future__ import annotations

from .composition import BLUR_SIZES, CompositionRecipe, degrade
from .noise import fourier_noise, gaussian_noise
from .psf import blur, blur_sigma, gaussian_psf

__all__ = [
    "BLUR_SIZES",
    "CompositionRecipe",
    "blur",
    "blur_sigma",
    "degrade",
    "fourier_noise",
    "gaussian_noise",
    "gaussian_psf",
]
