"""The noise of the benchmarks: two families at three levels, repeatable image by image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch

from ..degradation import fourier_noise, gaussian_noise

GAUSSIAN = "gaussian"
FOURIER = "fourier"


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
    """A noise family and its level: sigma of Gaussian noise, or g of Fourier noise scaled by the rms."""

    family: str
    level: float

    @property
    def name(self) -> str:
        """Such as "gaussian 0.10": the key in records and tuned parameters."""
        return f"{self.family} {self.level:.2f}"

    def degrade(self, frame: np.ndarray, image_name: str, seed: int) -> Degraded:
        """Degrade a frame (float32 [H, W] in [0, 1]); clipped to [0, 1].

        The noise depends on condition, image and seed alone, not on the number or order of images. Gaussian
        noise is reported with its nominal sigma. Fourier noise, whose strength follows the frame's rms and
        whose magnitude folds negative values, is reported as measured: the standard deviation of
        degraded - (1 - g) frame.
        """
        digest = hashlib.sha256(f"{seed}/{self.name}/{image_name}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
        clean = torch.from_numpy(np.ascontiguousarray(frame))[None]
        if self.family == GAUSSIAN:
            pixels = gaussian_noise(clean, self.level, generator)[0].numpy()
            return Degraded(pixels, self.level, 1.0)
        pixels = fourier_noise(clean, self.level, generator, scale="rms")[0].numpy()
        gain = 1 - self.level
        return Degraded(pixels, float(np.std(pixels - gain * frame)), gain)


CONDITIONS: tuple[Condition, ...] = tuple(
    Condition(family, level) for family in (GAUSSIAN, FOURIER) for level in (0.05, 0.10, 0.20)
)
