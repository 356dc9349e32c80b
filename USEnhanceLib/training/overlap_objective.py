"""What a network that outlines structures makes small."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from .objectives import Batch

SMOOTH = 50.0
"""Pixels added to overlap and areas, so that a structure that is absent is learnt from too."""


@dataclass(frozen=True)
class OverlapAndEntropy:
    """The soft Dice loss of the structures (Milletari et al., V-Net, 3DV 2016) plus the cross entropy.

    Batches are frames and labels. smoothing: of the labels in the cross entropy, as annotators differ.
    """

    smoothing: float = 0.02

    def __call__(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return errors and penalties, see `Objective`."""
        from monai.losses import DiceLoss

        frames, labels = batch
        logits = network(frames).float()
        dice = DiceLoss(
            include_background=False,
            to_onehot_y=True,
            softmax=True,
            reduction="none",
            smooth_nr=SMOOTH,
            smooth_dr=SMOOTH,
        )
        overlap = dice(logits, labels).mean((1, 2, 3))
        entropy = functional.cross_entropy(
            logits, labels[:, 0].long(), reduction="none", label_smoothing=self.smoothing
        ).mean((1, 2))
        errors = overlap + entropy
        return errors, errors
