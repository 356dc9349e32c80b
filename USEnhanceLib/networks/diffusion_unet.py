"""The network of the mean-reverting diffusion: MONAI's U-Net that knows the time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .padding import pad_to_multiple


class DiffusionUNet(nn.Module):
    """What is in a noisy frame: (x_t - mu) / lambda and mu, both [B, 1, H, W], to [B, 1, H, W].

    Whether that is the noise or the velocity is for the diffusion to say (`diffusion.Prediction`). Any H and
    W from 1 on work: frames are padded by replication to what the halvings need, and the result cropped back.

    Args:
        channels: of each level; all but the last halve the frame. MONAI puts attention in the middle.
        blocks: residual blocks of each level.
        groups: of the group normalisation, a divisor of each number of channels.
        head_channels: of an attention head in the middle, a divisor of the last number of channels.
        unshuffle: edge of the squares of pixels that the first level takes as one pixel of more channels, so
            that no convolution runs at full size; 1 for none.
    """

    def __init__(
        self,
        channels: Sequence[int] = (64, 96, 128),
        blocks: int = 1,
        groups: int = 16,
        head_channels: int = 32,
        unshuffle: int = 2,
    ) -> None:
        super().__init__()
        # Loaded here, so that other networks do without MONAI.
        import einops  # noqa: F401 (MONAI's attention needs it, and would not say so by name)
        from monai.networks.nets import DiffusionModelUNet

        self.options = {
            "channels": [int(count) for count in channels],
            "blocks": blocks,
            "groups": groups,
            "head_channels": head_channels,
            "unshuffle": unshuffle,
        }
        self.body = DiffusionModelUNet(
            spatial_dims=2,
            in_channels=2 * unshuffle**2,
            out_channels=unshuffle**2,
            num_res_blocks=blocks,
            channels=tuple(self.options["channels"]),
            attention_levels=(False,) * len(channels),
            norm_num_groups=groups,
            num_head_channels=head_channels,
        )
        self._unshuffle = unshuffle
        self._multiple = unshuffle * 2 ** (len(channels) - 1)

    def forward(self, z: Tensor, mu: Tensor, times: Tensor) -> Tensor:
        """Return the noise or velocity of z at whole-numbered times [B]."""
        height, width = z.shape[-2:]
        # mu as a standard variable too: grey levels spread by about a quarter around the middle.
        both = pad_to_multiple(torch.cat((z, (mu - 0.5) / 0.25), 1), self._multiple)
        found = self.body(nn.functional.pixel_unshuffle(both, self._unshuffle), times)
        return nn.functional.pixel_shuffle(found, self._unshuffle)[..., :height, :width]


class DiffusionEnsemble(nn.Module):
    """Networks of one size that were trained apart, in `members`. It is asked member by member.

    Args:
        members: their number.
        options: of `DiffusionUNet`.
    """

    def __init__(self, members: int = 1, **options: Any) -> None:
        super().__init__()
        if members < 1:
            raise ValueError(f"{members} members: an ensemble has at least one")
        self.members = nn.ModuleList(DiffusionUNet(**options) for _ in range(members))
        self.options = {"members": members, **self.members[0].options}
