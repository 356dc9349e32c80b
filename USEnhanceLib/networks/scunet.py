"""SCUNet: a U-Net of Swin-Conv blocks (Zhang et al., Mach. Intell. Res. 2023, arXiv 2203.13278)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .padding import pad_to_multiple
from .window_attention import WindowAttention

SIZE_MULTIPLE = 64
"""Three halvings and windows of 8 pixels: inputs are padded to a multiple of this."""


class SwinBlock(nn.Module):
    """Window attention and a perceptron, each with a residual connection, on [B, H, W, C]."""

    def __init__(self, dim: int, head_dim: int, window: int, shifted: bool) -> None:
        super().__init__()
        self.ln1 = nn.LayerNorm(dim)
        self.msa = WindowAttention(dim, head_dim, window, shifted)
        self.ln2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the shape of `x`."""
        x = x + self.msa(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class SwinConvBlock(nn.Module):
    """Half of the channels through a residual convolution, half through a Swin block, then mixed."""

    def __init__(self, dim: int, head_dim: int, window: int, shifted: bool) -> None:
        super().__init__()
        half = dim // 2
        self.trans_block = SwinBlock(half, head_dim, window, shifted)
        self.conv1_1 = nn.Conv2d(dim, dim, 1)
        self.conv1_2 = nn.Conv2d(dim, dim, 1)
        self.conv_block = nn.Sequential(
            nn.Conv2d(half, half, 3, padding=1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(half, half, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the shape of `x`, [B, C, H, W]."""
        convolved, attended = self.conv1_1(x).chunk(2, 1)
        convolved = convolved + self.conv_block(convolved)
        attended = self.trans_block(attended.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return x + self.conv1_2(torch.cat((convolved, attended), 1))


class SCUNet(nn.Module):
    """Swin-Conv U-Net for grey images: [B, 1, H, W] in [0, 1] to [B, 1, H, W].

    The output is not clipped. Any H and W from 1 on work: the input is padded by replication to a multiple of
    64 and the result cropped back.

    Args:
        dim: channels at full resolution; 64 in the paper.
        config: blocks per stage (three down, body, three up). `[4] * 7` is the published denoiser
            (17.94 M parameters), `[2] * 7` that of arXiv 2601.21856 (9.66 M).
        head_dim: channels per attention head; 32 in the paper, must divide dim / 2.
        in_nc: channels of the image; 1 for grey.

    Every second block of a stage is shifted. Names and shapes of the parameters equal the public
    implementation's, so that its published grey weights load with `strict=True`.
    """

    window = 8

    def __init__(
        self, dim: int = 64, config: Sequence[int] = (2,) * 7, head_dim: int = 32, in_nc: int = 1
    ) -> None:
        super().__init__()
        if len(config) != 7:
            raise ValueError(f"config needs seven numbers of blocks, not {len(config)}")
        self.options = {"dim": dim, "config": list(config), "head_dim": head_dim, "in_nc": in_nc}

        def stage(channels: int, count: int) -> list[nn.Module]:
            return [SwinConvBlock(channels, head_dim, self.window, bool(i % 2)) for i in range(count)]

        def halve(channels: int) -> nn.Module:
            return nn.Conv2d(channels, 2 * channels, 2, stride=2, bias=False)

        def double(channels: int) -> nn.Module:
            return nn.ConvTranspose2d(2 * channels, channels, 2, stride=2, bias=False)

        self.m_head = nn.Sequential(nn.Conv2d(in_nc, dim, 3, padding=1, bias=False))
        self.m_down1 = nn.Sequential(*stage(dim, config[0]), halve(dim))
        self.m_down2 = nn.Sequential(*stage(2 * dim, config[1]), halve(2 * dim))
        self.m_down3 = nn.Sequential(*stage(4 * dim, config[2]), halve(4 * dim))
        self.m_body = nn.Sequential(*stage(8 * dim, config[3]))
        self.m_up3 = nn.Sequential(double(4 * dim), *stage(4 * dim, config[4]))
        self.m_up2 = nn.Sequential(double(2 * dim), *stage(2 * dim, config[5]))
        self.m_up1 = nn.Sequential(double(dim), *stage(dim, config[6]))
        self.m_tail = nn.Sequential(nn.Conv2d(dim, in_nc, 3, padding=1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Return the enhanced image, [B, 1, H, W], not clipped."""
        height, width = x.shape[-2:]
        stem = self.m_head(pad_to_multiple(x, SIZE_MULTIPLE))
        down1 = self.m_down1(stem)
        down2 = self.m_down2(down1)
        down3 = self.m_down3(down2)
        x = self.m_up3(self.m_body(down3) + down3)
        x = self.m_up2(x + down2)
        x = self.m_up1(x + down1)
        # The last layer stays in single precision under autocast: bfloat16 is coarser than 8-bit grey levels.
        with torch.autocast(x.device.type, enabled=False):
            return self.m_tail((x + stem).to(self.m_tail[0].weight.dtype))[..., :height, :width]
