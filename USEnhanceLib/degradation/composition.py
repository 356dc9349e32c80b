"""How blur, noise and speckle are drawn and combined into a training input (arXiv 2601.21856, extended)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from .noise import fourier_noise, gaussian_noise
from .psf import anisotropic_psf, blur, blur_sigma, blur_size, gaussian_psf
from .speckle import multiplicative_speckle, rayleigh_speckle

BLUR_SIZES = tuple(range(3, 18, 2))
"""Sizes in pixels of the blurs that training draws from."""

BLUR_SIGMAS = tuple(blur_sigma(size) for size in BLUR_SIZES)


@dataclass(frozen=True)
class CompositionRecipe:
    """Probabilities and ranges of the composition. The defaults are the paper's.

    Attributes:
        blur_then_noise: probability of blur followed by noise of either family.
        noise_then_blur: independent probability of Fourier noise followed by the smallest blur.
        sharp: share of the blur-then-noise frames whose blur is left out, so that a frame with noise
            alone is known too; 0 in the paper.
        noiseless: share of the blur-then-noise frames whose noise is left out, so that a frame with blur
            alone is known too; 0 in the paper.
        anisotropic: share of blurs that differ along and across the beam; 0 in the paper.
        widest: largest standard deviation of such a blur, in pixels.
        steering: largest angle of its beam from straight down, in degrees.
        speckle: share of speckle among the noise of the first kind, four fifths of it log-compressed
            Rayleigh and one fifth multiplicative; 0 in the paper.
        spatial: share of Gaussian noise among the rest of the first kind; half in the paper.
        sigma: range of the Gaussian noise's standard deviation.
        g: range of the Fourier noise's share.
        speckle_range: dynamic range in dB of the frames that get Rayleigh speckle; a lower one means
            stronger speckle.
        speckle_grain: largest grain of Rayleigh speckle in pixels; half of the speckle is white.
        speckle_sigma: range of the multiplicative speckle's standard deviation.
    """

    blur_then_noise: float = 0.55
    noise_then_blur: float = 0.45
    sharp: float = 0.0
    noiseless: float = 0.0
    anisotropic: float = 0.0
    widest: float = 4.0
    steering: float = 45.0
    speckle: float = 0.0
    spatial: float = 0.5
    sigma: tuple[float, float] = (0.05, 0.20)
    g: tuple[float, float] = (0.0, 0.20)
    speckle_range: tuple[float, float] = (25.0, 70.0)
    speckle_grain: float = 1.0
    speckle_sigma: tuple[float, float] = (0.05, 0.40)


def degrade(frames: Tensor, generator: Generator, recipe: CompositionRecipe | None = None) -> Tensor:
    """Draw a degradation for each frame and apply it.

    Args:
        frames: [N, H, W] in [0, 1].
        generator: a CPU generator, the only source of randomness.
        recipe: probabilities and ranges; the paper's when not given.

    Returns:
        [N, H, W] in [0, 1]; with the paper's probabilities about a quarter of the frames is left as it was.
    """
    recipe = recipe or CompositionRecipe()
    count = len(frames)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    first = uniform(0, 1) < recipe.blur_then_noise
    second = uniform(0, 1) < recipe.noise_then_blur
    sharp = uniform(0, 1) < recipe.sharp
    noisy = first & (uniform(0, 1) >= recipe.noiseless)
    speckled = noisy & (uniform(0, 1) < recipe.speckle)
    multiplied = uniform(0, 1) < 0.2
    spatial = uniform(0, 1) < recipe.spatial
    sizes = torch.randint(len(BLUR_SIZES), (count,), generator=generator)
    sigma, g_first, g_second = uniform(*recipe.sigma), uniform(*recipe.g), uniform(*recipe.g)
    dynamic_range = uniform(*recipe.speckle_range)
    grain = uniform(-recipe.speckle_grain, recipe.speckle_grain).clamp_min(0)
    speckle_sigma = uniform(*recipe.speckle_sigma)
    anisotropic = uniform(0, 1) < recipe.anisotropic
    axial = uniform(BLUR_SIGMAS[0], min(BLUR_SIGMAS[-1], recipe.widest))
    lateral = axial + (recipe.widest - axial) * uniform(0, 1)
    angle = uniform(-recipe.steering, recipe.steering)

    largest = BLUR_SIZES[-1]
    psfs = torch.zeros(len(BLUR_SIZES), largest, largest)
    for psf, size in zip(psfs, BLUR_SIZES, strict=True):
        border = (largest - size) // 2
        psf[border : largest - border, border : largest - border] = gaussian_psf(size)

    out = frames.clone()
    blurred = first & ~sharp & ~anisotropic
    if blurred.any():
        out[blurred] = blur(out[blurred], psfs[sizes[blurred]]).clamp_(0, 1)
    smeared = first & ~sharp & anisotropic
    if smeared.any():
        widths = axial[smeared], lateral[smeared]
        unequal = anisotropic_psf(blur_size(recipe.widest), *widths, angle[smeared])
        out[smeared] = blur(out[smeared], unequal).clamp_(0, 1)
    rayleigh = speckled & ~multiplied
    if rayleigh.any():
        out[rayleigh] = rayleigh_speckle(out[rayleigh], dynamic_range[rayleigh], generator, grain[rayleigh])
    for chosen, add_noise, level in (
        (speckled & multiplied, multiplicative_speckle, speckle_sigma),
        (noisy & ~speckled & spatial, gaussian_noise, sigma),
        (noisy & ~speckled & ~spatial, fourier_noise, g_first),
        (second, fourier_noise, g_second),
    ):
        if chosen.any():
            out[chosen] = add_noise(out[chosen], level[chosen], generator)
    if second.any():
        out[second] = blur(out[second], gaussian_psf(BLUR_SIZES[0])).clamp_(0, 1)
    return out
