"""What ruins a frame: point spread function, Gaussian and Fourier noise, speckle, and their mix."""

from __future__ import annotations

from .composition import BLUR_SIZES, CompositionRecipe, degrade
from .depth import blur_with_depth
from .noise import fourier_noise, gaussian_noise
from .orders import blur_then_noise, noise_then_blur
from .psf import anisotropic_psf, blur, blur_sigma, blur_size, gaussian_psf
from .speckle import multiplicative_speckle, rayleigh_speckle

__all__ = [
    "BLUR_SIZES",
    "CompositionRecipe",
    "anisotropic_psf",
    "blur",
    "blur_sigma",
    "blur_size",
    "blur_then_noise",
    "blur_with_depth",
    "degrade",
    "fourier_noise",
    "gaussian_noise",
    "gaussian_psf",
    "multiplicative_speckle",
    "noise_then_blur",
    "rayleigh_speckle",
]
