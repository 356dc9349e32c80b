"""Validation while training: PSNR, SSIM and pictures of held-out images, always degraded the same way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..degradation import fourier_noise, gaussian_noise
from ..quality.fidelity import psnr, ssim
from .recipe import TrainingRecipe
from .sheet import Panel
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
        scores: dict[str, float] = {}
        for kind, images in self.images.items():
            restored, references = [], []
            generator = torch.Generator().manual_seed(1)
            for image, target in zip(images, self.targets[kind], strict=True):
                frame = torch.from_numpy(_centre(image))[None]
                noisy = (gaussian_noise(frame, SIGMA, generator), fourier_noise(frame, SHARE, generator))
                restored += list(_restore(network, torch.cat(noisy)))
                references += [_centre(target)] * len(noisy)
            for name, metric in (("psnr", psnr), ("ssim", ssim)):
                values = [metric(r[None], t[None])[0] for r, t in zip(restored, references, strict=True)]
                scores[f"{name}_{kind}"] = float(np.mean(values))
        return scores

    def panels(self, network: nn.Module) -> list[Panel]:
        """Rows of a picture sheet: of each kind the first image as it is and noisy, the last one noisy."""
        rows = []
        for kind, images in self.images.items():
            generator = torch.Generator().manual_seed(1)
            first, last = (torch.from_numpy(_centre(images[i]))[None] for i in (0, -1))
            for what, frame, index in (
                ("as it is", first, 0),
                (f"Gaussian noise {SIGMA}", gaussian_noise(first, SIGMA, generator), 0),
                (f"Fourier noise {SHARE}", fourier_noise(last, SHARE, generator), -1),
            ):
                (output,) = _restore(network, frame)
                before, target = frame[0].numpy(), _centre(self.targets[kind][index])
                gain = " to ".join(f"{psnr(x[None], target[None])[0]:.1f}" for x in (before, output))
                rows.append(Panel(f"{kind}, {what}: {gain} dB", (before, output, target)))
        return rows


def _restore(network: nn.Module, frames: Tensor) -> NDArray[np.float32]:
    """The network's output for frames [N, H, W], clipped to [0, 1]."""
    device = next(network.parameters()).device
    with torch.inference_mode():
        return network(frames[:, None].to(device))[:, 0].clamp(0, 1).cpu().numpy()


def _centre(image: NDArray[np.float32]) -> NDArray[np.float32]:
    top, left = (max(0, (length - EDGE) // 2) for length in image.shape)
    return np.ascontiguousarray(image[top : top + EDGE, left : left + EDGE])
