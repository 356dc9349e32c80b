"""What a run makes small: for each patch its error, which is reported, and its penalty, which is derived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

Batch = tuple[Tensor, ...]


class Objective(Protocol):
    """Compares what a network says with what it is to say."""

    def __call__(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the errors and the penalties [B] of a batch of images [B, 1, h, w] and numbers [B]."""
        ...


@dataclass(frozen=True)
class Restoration:
    """The mean absolute error of restored frames; batches are inputs and targets.

    edge_weight: of the mean absolute error of the differences between neighbouring pixels, in the penalty.
    """

    edge_weight: float = 0.0

    def __call__(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return errors and penalties, see `Objective`."""
        inputs, targets = batch
        difference = network(inputs).float() - targets
        errors = difference.abs().mean((1, 2, 3))
        penalties = errors
        for direction in (-2, -1):
            steps = difference.diff(dim=direction).abs().mean((1, 2, 3))
            penalties = penalties + self.edge_weight * steps
        return errors, penalties


@dataclass(frozen=True)
class SquaredError:
    """The mean squared error of restored frames; batches are inputs and targets.

    It is least for the mean of the likely clean frames, which is also what the diffusion's sampler
    "expectation" gives and what PSNR is highest for: so networks that are compared with it are at their best.
    """

    def __call__(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return errors and penalties, see `Objective`."""
        inputs, targets = batch
        errors = (network(inputs).float() - targets).square().mean((1, 2, 3))
        return errors, errors
