"""DnCNN: a plain residual network (Zhang et al., IEEE Trans. Image Process. 2017, arXiv 1608.03981)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DnCNN(nn.Module):
    """Denoising by a chain of 3x3 convolutions that predicts the noise: [B, 1, H, W] to [B, 1, H, W].

    The output is not clipped. Any H and W from 1 on work; borders are padded with zeros, as in the paper.

    Args:
        depth: convolutions; 17 in the paper for one noise level (20 for blind denoising).
        channels: of every hidden layer; 64 in the paper.

    Written from the paper, because the DnCNN of deepinv 0.5 has no batch normalisation, which this paper is
    about, and its package asks for torchvision, matplotlib and h5py, far more than the network is worth
    inside 3D Slicer.
    """

    def __init__(self, depth: int = 17, channels: int = 64) -> None:
        super().__init__()
        if depth < 3:
            raise ValueError(f"depth is {depth}: at least three layers are needed")
        self.options = {"depth": depth, "channels": channels}
        layers: list[nn.Module] = [nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(depth - 2):
            layers += [
                nn.Conv2d(channels, channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(inplace=True),
            ]
        self.body = nn.Sequential(*layers)
        self.tail = nn.Conv2d(channels, 1, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        # The first guess is the input itself, so that training begins without a shock.
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the denoised frames, [B, 1, H, W], not clipped."""
        features = self.body(x)
        # Single precision under autocast: bfloat16 is coarser than 8-bit grey levels.
        with torch.autocast(x.device.type, enabled=False):
            kind = self.tail.weight.dtype
            return x.to(kind) - self.tail(features.to(kind))
