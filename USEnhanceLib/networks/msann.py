"""MSANN: a multi-scale attention-guided pyramid (Guo et al., IEEE Trans. Artif. Intell. 5(1), 2024).

Y. Guo, Y. Lu, R. W. Liu, F. Zhu: Blind image despeckling using a multiscale attention-guided neural network,
doi 10.1109/TAI.2023.3235342. This is the network that arXiv 2601.21856 compares itself with under that name.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from .padding import pad_to_multiple

SIZE_MULTIPLE = 2
"""The input is also seen as its four half-size phases."""


def _normalised(enter: int, leave: int, size: int = 3, dilation: int = 1) -> nn.Sequential:
    """Convolution that keeps the size of the map, batch normalisation and leaky rectifier."""
    padding = dilation * (size // 2)
    convolution = nn.Conv2d(enter, leave, size, padding=padding, dilation=dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(leave), nn.LeakyReLU(inplace=True))


def _chain(*widths: int) -> nn.Sequential:
    """3x3 convolutions from width to width, each with batch normalisation and a leaky rectifier."""
    return nn.Sequential(*(_normalised(enter, leave) for enter, leave in pairwise(widths)))


def _resized(x: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


class MultiScaleAttention(nn.Module):
    """A gate for every channel and pixel, computed from parallel convolutions of several dilations."""

    def __init__(self, channels: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.enter = _normalised(channels, channels)
        self.scales = nn.ModuleList(_normalised(channels, channels, dilation=step) for step in dilations)
        self.fuse = nn.Sequential(
            _normalised(channels * len(dilations), channels, size=1),
            _normalised(channels, channels),
            _normalised(channels, channels),
        )
        self.gate = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.leave = _normalised(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the shape of `x`, [B, C, H, W]."""
        entered = self.enter(x)
        fused = self.fuse(torch.cat([scale(entered) for scale in self.scales], 1))
        return self.leave(x + x * torch.sigmoid(self.gate(fused)))


class MSANN(nn.Module):
    """Multi-scale attention denoiser: [B, 1, H, W] in [0, 1] to [B, 1, H, W].

    The output is the input plus a predicted residual and is not clipped. Any H and W from 1 on work.

    Args:
        widths: channels of the levels from fine to coarse; (16, 32, 64) in the authors' public code.
        dilations: of the parallel convolutions in an attention module; (1, 3, 6) there.

    Our reading of the paper's abstract and of its public code (gy65896/MSANN), which sets the wiring:
    - the frame enters together with a convolution of its four half-size phases, enlarged again;
    - "essentially a feature pyramid network": an encoder of three levels, each with three convolutions after
      average pooling, and a decoder that joins each level with the attended features of the same size;
    - "a multiscale feature enhancement attention module": `MultiScaleAttention` at every level, guided from
      above by the attended features of the next coarser level;
    - left out are the coarse outputs with the multi-scale mixed loss, because all networks of our comparison
      share one loss, and the logarithm around the network, because it is there to make multiplicative speckle
      additive and B-mode frames are log-compressed already;
    - added is batch normalisation in encoder and decoder, which the code has in the attention alone: without
      it the network did not leave the identity in our trials.

    The defaults are a quarter wider than the authors', so that the compute per pixel is about that of our
    compact SCUNet (dim 32): 22.8 against 19.5 GFLOP at 256x256.
    """

    def __init__(self, widths: Sequence[int] = (20, 40, 80), dilations: Sequence[int] = (1, 3, 6)) -> None:
        super().__init__()
        if len(widths) < 2:
            raise ValueError("widths need at least two levels: a pyramid")
        self.options = {"widths": list(widths), "dilations": list(dilations)}
        finer, coarser = widths[:-1], widths[1:]
        self.phases = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.PReLU())
        self.pool = nn.AvgPool2d(3, stride=2, padding=1)
        self.encoder = nn.ModuleList(
            _chain(enter, width, width, width) for enter, width in zip((5, *finer), widths, strict=True)
        )
        self.attention = nn.ModuleList(MultiScaleAttention(width, dilations) for width in widths)
        self.guide = nn.ModuleList(
            _chain(fine + coarse, fine) for fine, coarse in zip(finer, coarser, strict=True)
        )
        self.decoder = nn.ModuleList(
            _chain(2 * width, width, width, below) for width, below in zip(coarser, finer, strict=True)
        )
        self.merge = _chain(2 * widths[0], widths[0], widths[0])
        self.tail = nn.Conv2d(widths[0], 1, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        # The first guess is the input itself, so that training begins without a shock.
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the denoised frames, [B, 1, H, W], not clipped."""
        height, width = x.shape[-2:]
        padded = pad_to_multiple(x, SIZE_MULTIPLE)
        phases = self.phases(_resized(functional.pixel_unshuffle(padded, 2), padded))
        levels = [self.encoder[0](torch.cat((padded.to(phases.dtype), phases), 1))]
        for encode in self.encoder[1:]:
            levels.append(encode(self.pool(levels[-1])))
        attended = self.attention[-1](levels[-1])
        features = self.decoder[-1](torch.cat((attended, levels[-1]), 1))
        for i in reversed(range(len(levels) - 1)):
            guided = torch.cat((levels[i], _resized(attended, levels[i])), 1)
            attended = self.attention[i](self.guide[i](guided))
            features = torch.cat((_resized(features, levels[i]), attended), 1)
            features = self.decoder[i - 1](features) if i else self.merge(features)
        # Single precision under autocast: bfloat16 is coarser than 8-bit grey levels.
        with torch.autocast(x.device.type, enabled=False):
            kind = self.tail.weight.dtype
            return (padded.to(kind) + self.tail(features.to(kind)))[..., :height, :width]
