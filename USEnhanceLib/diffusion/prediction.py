"""What the network predicts, and the noise that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import OptionError
from .schedule import Schedule

KINDS = ("noise", "velocity")


@dataclass(frozen=True, eq=False)
class Prediction:
    """A network as the samplers want it: x_t, mu and a time to the noise in x_t.

    Attributes:
        network: (z, mu, times) to what `kind` says, see `networks.DiffusionUNet`.
        schedule: of the diffusion.
        kind: "noise", as published; or "velocity" a_t e - sqrt(1 - a_t^2) z_0 (arXiv 2202.00512), from which
            x_0 follows without a division by a_t, so that late times do not multiply the network's error.
    """

    network: nn.Module
    schedule: Schedule
    kind: str = "noise"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(f"Unknown prediction {self.kind!r}: use one of {', '.join(KINDS)}.")

    def __call__(self, state: Tensor, mu: Tensor, time: int) -> Tensor:
        """Return the noise e, [B, 1, H, W], in x_t at one time of 1 to T."""
        times = torch.full((len(state),), time, device=state.device)
        z = (state - mu) / self.schedule.level
        found = self.network(z, mu, times).to(z.dtype)
        if self.kind == "noise":
            return found
        share = float(self.schedule.share[time])
        return share * found + (1 - share**2) ** 0.5 * z

    def target(self, clean: Tensor, mu: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        """Return what the network is to say of `Schedule.diffuse(clean, mu, times, noise)`."""
        if self.kind == "noise":
            return noise
        return self.schedule.scheduler.get_velocity((clean - mu) / self.schedule.level, noise, times - 1)
