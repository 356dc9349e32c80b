"""The degradations of the benchmarks: three noise families, each after a blur, repeatable image by image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch

from ..degradation import blur, fourier_noise, gaussian_noise, gaussian_psf, rayleigh_speckle

GAUSSIAN = "gaussian"
FOURIER = "fourier"
SPECKLE = "speckle"

LEVELS: dict[str, tuple[float, ...]] = {
    GAUSSIAN: (0.05, 0.10, 0.15, 0.20, 0.25),
    FOURIER: (0.05, 0.10, 0.20, 0.30, 0.40),
    SPECKLE: (60, 40, 25),
}
"""Levels from mild to heavy: sigma of Gaussian noise, g of Fourier noise scaled by the rms, and the dynamic
range in dB that log-compressed Rayleigh speckle is shown over."""

BLUR_SIZES = (1, 5, 9)
"""Pixels of the Gaussian PSF before the noise, with sigma (size - 1) / 6; 1 is no blur."""

GRAIN = 1.0
"""Standard deviation in pixels of the Gaussian that correlates the speckle. White speckle does not exist: a
scanner's pixels are finer than its resolution cell, and filters made for white noise fare too well on it."""

SPECKLE_DEVIATION = 5.57
"""Standard deviation in dB of fully developed speckle, 10 pi / (sqrt(6) ln 10)."""

HEAVY: dict[str, float] = {GAUSSIAN: 0.20, FOURIER: 0.30, SPECKLE: 25}
"""The level from which on a family counts as heavy."""


@dataclass(frozen=True)
class Degraded:
    """A degraded frame and what an oracle knows of it.

    pixels: float32 [H, W] in [0, 1].  noise: standard deviation of the noise, in the same unit.  gain: by
    which factor the degradation scaled the frame.
    """

    pixels: np.ndarray
    noise: float
    gain: float


@dataclass(frozen=True)
class Condition:
    """A blur of `blur_size` pixels followed by noise of a family at a level (`LEVELS`)."""

    family: str
    level: float
    blur_size: int = 1

    @property
    def noise_name(self) -> str:
        """The noise alone, such as "gaussian 0.10" or "speckle 40 dB": the key of tuned parameters."""
        level = f"{self.level:.0f} dB" if self.family == SPECKLE else f"{self.level:.2f}"
        return f"{self.family} {level}"

    @property
    def name(self) -> str:
        """Noise and blur, such as "gaussian 0.10, blur 5": the key in records."""
        return self.noise_name + (f", blur {self.blur_size}" if self.blur_size > 1 else "")

    @property
    def is_heavy(self) -> bool:
        """Whether the noise is at least as strong as `HEAVY` says."""
        levels = LEVELS[self.family]
        return self.level in levels[levels.index(HEAVY[self.family]) :]

    def degrade(self, frame: np.ndarray, image_name: str, seed: int) -> Degraded:
        """Degrade a frame (float32 [H, W] in [0, 1]); clipped to [0, 1].

        The noise depends on condition, image and seed alone, not on the number or order of images. Gaussian
        noise and speckle are reported with their nominal deviation. Fourier noise, whose strength follows the
        frame's rms and whose magnitude folds negative values, is reported as measured: the standard
        deviation of degraded - (1 - g) blurred frame.
        """
        digest = hashlib.sha256(f"{seed}/{self.name}/{image_name}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
        clean = torch.from_numpy(np.ascontiguousarray(frame))[None]
        if self.blur_size > 1:
            clean = blur(clean, gaussian_psf(self.blur_size)).clamp_(0, 1)
        if self.family == GAUSSIAN:
            return Degraded(gaussian_noise(clean, self.level, generator)[0].numpy(), self.level, 1.0)
        if self.family == SPECKLE:
            pixels = rayleigh_speckle(clean, self.level, generator, grain=GRAIN)[0].numpy()
            return Degraded(pixels, SPECKLE_DEVIATION / self.level, 1.0)
        pixels = fourier_noise(clean, self.level, generator, scale="rms")[0].numpy()
        gain = 1 - self.level
        return Degraded(pixels, float(np.std(pixels - gain * clean[0].numpy())), gain)


CONDITIONS: tuple[Condition, ...] = tuple(
    Condition(family, level, size) for family in LEVELS for size in BLUR_SIZES for level in LEVELS[family]
)
