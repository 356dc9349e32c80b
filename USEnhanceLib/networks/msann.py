"""MSANN: a multi-scale attention-guided pyramid (Guo et al., IEEE Trans. Artif. Intell. 5(1), 2024).

Y. Guo, Y. Lu, R. W. Liu, F. Zhu: Blind image despeckling using a multiscale attention-guided neural network,
doi 10.1109/TAI.2023.3235342. This is the network that arXiv 2601.21856 compares itself with under that name.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from .padding import pad_to_multiple


class MultiScaleAttention(nn.Module):
    """Features at several dilations, weighted by channel and by pixel, with a residual connection.

    The dilated 3x3 convolutions see the same pixel at several scales. The fused features pass a channel
    attention (squeeze and excitation, Hu et al., CVPR 2018) and a spatial attention on the mean and the
    maximum over the channels (CBAM, Woo et al., ECCV 2018).
    """

    def __init__(self, channels: int, dilations: Sequence[int], reduction: int) -> None:
        super().__init__()
        part = channels // 2
        self.enter = nn.Conv2d(channels, channels, 3, padding=1)
        self.scales = nn.ModuleList(
            nn.Conv2d(channels, part, 3, padding=dilation, dilation=dilation) for dilation in dilations
        )
        self.fuse = nn.Conv2d(part * len(dilations), channels, 1)
        hidden = max(channels // reduction, 4)
        self.excite = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, hidden, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, channels, 1),
            nn.Sigmoid(),
        )
        self.locate = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the shape of `x`, [B, C, H, W]."""
        entered = functional.relu(self.enter(x))
        features = self.fuse(torch.cat([functional.relu(scale(entered)) for scale in self.scales], 1))
        features = features * self.excite(features)
        where = torch.cat((features.mean(1, keepdim=True), features.amax(1, keepdim=True)), 1)
        return x + features * torch.sigmoid(self.locate(where))


class MSANN(nn.Module):
    """Multi-scale attention denoiser: [B, 1, H, W] in [0, 1] to [B, 1, H, W].

    The output is the input plus a predicted residual and is not clipped. Any H and W from 1 on work: the
    input is padded by replication to a multiple of 2 ** (levels - 1) and the result cropped back.

    Our reading of the paper, of which only the abstract is open to us:
    - "essentially a feature pyramid network": an encoder that halves three times, a top-down path with
      lateral 1x1 convolutions whose levels are added (Lin et al., CVPR 2017), and a fusion of all levels at
      full size;
    - "a multiscale feature enhancement attention module": `MultiScaleAttention`, in every level of the
      encoder and once after each lateral sum;
    - the logarithm before and the exponential after the network are left out: they turn multiplicative
      speckle into additive noise, and B-mode frames are log-compressed already;
    - its multi-scale mixed loss is left out: all networks of our comparison share one recipe.

    Args:
        dim: channels of every level of the pyramid, at full resolution and in the top-down path.
        blocks: attention modules in each level of the encoder, from fine to coarse; as many levels.
        dilations: of the convolutions of an attention module.
        reduction: of the channels inside the channel attention.

    The defaults need 18.2 GFLOP at 256x256, our compact SCUNet (dim 32) 19.5.
    """

    def __init__(
        self,
        dim: int = 32,
        blocks: Sequence[int] = (1, 2, 3, 3),
        dilations: Sequence[int] = (1, 2, 4),
        reduction: int = 8,
    ) -> None:
        super().__init__()
        self.options = {
            "dim": dim,
            "blocks": list(blocks),
            "dilations": list(dilations),
            "reduction": reduction,
        }
        # Twice the channels below full size, where they cost a quarter or less.
        widths = [dim] + [2 * dim] * (len(blocks) - 1)
        self.head = nn.Conv2d(1, dim, 3, padding=1)
        self.encoder = nn.ModuleList(
            nn.Sequential(*(MultiScaleAttention(width, dilations, reduction) for _ in range(count)))
            for width, count in zip(widths, blocks, strict=True)
        )
        self.down = nn.ModuleList(
            nn.Conv2d(widths[i], widths[i + 1], 2, stride=2) for i in range(len(blocks) - 1)
        )
        self.lateral = nn.ModuleList(nn.Conv2d(width, dim, 1) for width in widths)
        self.smooth = nn.ModuleList(MultiScaleAttention(dim, dilations, reduction) for _ in widths[:-1])
        self.fuse = nn.Conv2d(dim * len(widths), dim, 1)
        self.tail = nn.Conv2d(dim, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the denoised frames, [B, 1, H, W], not clipped."""
        height, width = x.shape[-2:]
        padded = pad_to_multiple(x, 2 ** len(self.down))
        features, levels = self.encoder[0](self.head(padded)), []
        for down, encode, lateral in zip(self.down, self.encoder[1:], self.lateral, strict=False):
            levels.append(lateral(features))
            features = encode(down(features))
        pyramid = [self.lateral[-1](features)]
        for level, smooth in zip(reversed(levels), reversed(self.smooth), strict=True):
            above = functional.interpolate(pyramid[-1], scale_factor=2.0, mode="bilinear")
            pyramid.append(smooth(level + above))
        size = pyramid[-1].shape[-2:]
        whole = [functional.interpolate(level, size=size, mode="bilinear") for level in pyramid[:-1]]
        features = functional.relu(self.fuse(torch.cat((*whole, pyramid[-1]), 1)))
        # Single precision under autocast: bfloat16 is coarser than 8-bit grey levels.
        with torch.autocast(x.device.type, enabled=False):
            kind = self.tail.weight.dtype
            return (padded.to(kind) + self.tail(features.to(kind)))[..., :height, :width]
