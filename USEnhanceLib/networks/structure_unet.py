"""The network that outlines structures: MONAI's dynamic U-Net."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from .padding import pad_to_multiple

MEAN, DEVIATION = 0.12, 0.18
"""Of the grey levels of PSFHS, which the network takes as 0 and 1."""


REPEATS = "body.skip_layers."
"""What the names begin with under which MONAI's network has its blocks a second time."""


class StructureUNet(nn.Module):
    """Scores of background and structures: B-mode frames [B, 1, H, W] in [0, 1] to logits [B, classes, H, W].

    MONAI's `DynUNet` (Isensee et al., nnU-Net, Nature Methods 2021) with instance normalisation, so that the
    gain of the scanner matters little. Any H and W from 1 on work: frames are padded by replication to what
    the halvings need, and the result cropped back.

    Args:
        channels: of each level; all but the first halve the frame.
        classes: background included.
        unshuffle: edge of the squares of pixels that the first level takes as one pixel of more channels, so
            that no convolution runs at full size; 1 for none.
    """

    def __init__(
        self,
        channels: Sequence[int] = (32, 64, 96, 128, 128, 128),
        classes: int = 3,
        unshuffle: int = 2,
    ) -> None:
        super().__init__()
        # Loaded here, so that other networks do without MONAI.
        from monai.networks.nets import DynUNet

        self.options = {"channels": [int(c) for c in channels], "classes": classes, "unshuffle": unshuffle}
        levels = len(self.options["channels"])
        self.body = DynUNet(
            spatial_dims=2,
            in_channels=unshuffle**2,
            out_channels=classes * unshuffle**2,
            kernel_size=[3] * levels,
            strides=[1] + [2] * (levels - 1),
            upsample_kernel_size=[2] * (levels - 1),
            filters=self.options["channels"],
            norm_name=("INSTANCE", {"affine": True}),
        )
        # MONAI's network has its blocks twice, in order and nested, and so twice in its state.
        self._register_state_dict_hook(_leave_out_repeats)
        self.register_load_state_dict_post_hook(_do_without_repeats)
        self._unshuffle = unshuffle
        self._multiple = unshuffle * 2 ** (levels - 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Return the logits."""
        height, width = frames.shape[-2:]
        padded = pad_to_multiple((frames - MEAN) / DEVIATION, self._multiple)
        if padded.shape[-2:] == (self._multiple, self._multiple):
            # Of the coarsest level one pixel would be left, which has no deviation to normalise by.
            padded = nn.functional.pad(padded, (0, self._multiple, 0, 0), mode="replicate")
        found = self.body(nn.functional.pixel_unshuffle(padded, self._unshuffle))
        return nn.functional.pixel_shuffle(found, self._unshuffle)[..., :height, :width]


def _leave_out_repeats(_module: nn.Module, state: dict[str, Tensor], prefix: str, _metadata: Any) -> None:
    """Take the nested names of the blocks out of a state."""
    for name in [name for name in state if name.startswith(prefix + REPEATS)]:
        del state[name]


def _do_without_repeats(_module: nn.Module, wrong: Any) -> None:
    """Let a state be complete without the nested names."""
    wrong.missing_keys[:] = [name for name in wrong.missing_keys if REPEATS not in name]
