"""Validation while training: PSNR and SSIM on a few held-out images, degraded the same way every time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..degradation import fourier_noise, gaussian_noise
from ..quality.fidelity import psnr, ssim
from .recipe import TrainingRecipe
from .sources import TrainingImages
from .targets import nllr_targets

SIGMA, SHARE = 0.1, 0.1
EDGE = 256
"""Images are cropped to this many pixels around their centre, which keeps a validation short."""


@dataclass(frozen=True, eq=False)
class ValidationSet:
    """Images [H, W] of two kinds, "ultrasound" and "natural", with their targets."""

    images: dict[str, list[NDArray[np.float32]]]
    targets: dict[str, list[NDArray[np.float32]]]

    @classmethod
    def from_images(cls, images: TrainingImages, recipe: TrainingRecipe, targets: Path) -> ValidationSet:
        """Take the images that are held out; targets are kept in the folder `targets`."""
        kinds = {"ultrasound": images.validation_scans, "natural": images.validation_natural}
        known = {
            "ultrasound": nllr_targets(images.validation_scans, targets, recipe.nllr),
            "natural": [image for _, image in images.validation_natural],
        }
        present = [kind for kind in kinds if kinds[kind]]
        return cls(
            {kind: [image for _, image in kinds[kind]] for kind in present},
            {kind: known[kind] for kind in present},
        )

    def score(self, network: nn.Module) -> dict[str, float]:
        """Mean PSNR in dB and SSIM of the network's output over images and over both families of noise."""
        device = next(network.parameters()).device
        scores: dict[str, float] = {}
        for kind, images in self.images.items():
            restored, references = [], []
            generator = torch.Generator().manual_seed(1)
            for image, target in zip(images, self.targets[kind], strict=True):
                frame = torch.from_numpy(_centre(image))[None]
                noisy = (gaussian_noise(frame, SIGMA, generator), fourier_noise(frame, SHARE, generator))
                with torch.inference_mode():
                    batch = torch.cat(noisy)[:, None].to(device)
                    restored += list(network(batch)[:, 0].clamp(0, 1).cpu().numpy())
                references += [_centre(target)] * len(noisy)
            for name, metric in (("psnr", psnr), ("ssim", ssim)):
                values = [metric(r[None], t[None])[0] for r, t in zip(restored, references, strict=True)]
                scores[f"{name}_{kind}"] = float(np.mean(values))
        return scores


def _centre(image: NDArray[np.float32]) -> NDArray[np.float32]:
    top, left = (max(0, (length - EDGE) // 2) for length in image.shape)
    return np.ascontiguousarray(image[top : top + EDGE, left : left + EDGE])
