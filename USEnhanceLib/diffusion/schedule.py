"""The times of the mean-reverting diffusion and what it has done to a frame by each of them."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..errors import OptionError

if TYPE_CHECKING:
    from monai.networks.schedulers import DDPMScheduler

NAME = "irsde_cosine"
OFFSET = 0.008
"""Of the cosine schedule, Nichol and Dhariwal, arXiv 2102.09672."""


def cosine_drift(steps: int, remainder: float) -> tuple[Tensor, float]:
    """The integral Theta_t of the drift, [steps + 1] in float64 with Theta_0 = 0, and the length of a step.

    The drift theta_t rises as 1 minus the cosine schedule of arXiv 2102.09672; the length dt of a step makes
    exp(-Theta_T) = remainder.
    """
    count = steps + 2
    place = torch.arange(count + 1, dtype=torch.float64) / count
    squared = torch.cos((place + OFFSET) / (1 + OFFSET) * math.pi / 2) ** 2
    theta = 1 - (squared / squared[0])[1:-1]
    integral = theta.cumsum(0) - theta[0]
    dt = -math.log(remainder) / float(integral[-1])
    return integral * dt, dt


def _irsde_cosine(num_train_timesteps: int, remainder: float = 0.005) -> tuple[Tensor, Tensor, Tensor]:
    integral, _ = cosine_drift(num_train_timesteps, remainder)
    alphas_cumprod = torch.exp(-2 * integral)
    alphas = alphas_cumprod[1:] / alphas_cumprod[:-1]
    return (1 - alphas).float(), alphas.float(), alphas_cumprod[1:].float()


class Schedule:
    """The times 0 (clean) to `steps` (mu and noise) of the diffusion.

    Args:
        steps: number T of times after 0; the published 100.
        level: lambda, the standard deviation of the noise around mu at the end, in grey levels of 0 to 1.
        remainder: share a_T of x_0 - mu that is left at the end.

    Raises:
        OptionError: a value out of range.
    """

    def __init__(self, steps: int = 100, level: float = 50 / 255, remainder: float = 0.005) -> None:
        if steps < 2 or not 0 < level <= 1 or not 0 < remainder < 1:
            raise OptionError(
                "A diffusion takes at least 2 steps, a level of noise in (0, 1] and a remainder in (0, 1)."
            )
        self.steps, self.level, self.remainder = int(steps), float(level), float(remainder)
        integral, self.dt = cosine_drift(self.steps, self.remainder)
        self.integral = integral
        """Theta_t, [steps + 1], float64."""
        self.share = torch.exp(-integral)
        """a_t: what is left of x_0 - mu at each time, [steps + 1] from 1 to the remainder, float64."""
        self.spread = self.level * torch.sqrt(1 - self.share**2)
        """Standard deviation of the noise at each time, [steps + 1] from 0 to about lambda, float64."""

    @cached_property
    def scheduler(self) -> DDPMScheduler:
        """MONAI's scheduler for z = (x - mu) / lambda; its timestep i is the time i + 1."""
        from monai.networks.schedulers import DDPMScheduler, NoiseSchedules

        if NAME not in NoiseSchedules:
            NoiseSchedules.add(NAME, "Cosine drift of a mean-reverting SDE (arXiv 2301.11699)", _irsde_cosine)
        return DDPMScheduler(
            num_train_timesteps=self.steps, schedule=NAME, clip_sample=False, remainder=self.remainder
        )

    def drift(self, time: int) -> float:
        """theta_t dt, the share of its way to mu that a frame goes in the step before a time."""
        return float(self.integral[time] - self.integral[time - 1])

    def diffuse(self, clean: Tensor, mu: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        """Return x_t of clean frames.

        Args:
            clean, mu: [B, 1, H, W] in [0, 1].
            times: [B], whole numbers of 1 to `steps`.
            noise: standard normal, [B, 1, H, W].
        """
        z = self.scheduler.add_noise((clean - mu) / self.level, noise, times - 1)
        return mu + self.level * z

    def clean_from_noise(self, state: Tensor, mu: Tensor, noise: Tensor, time: int) -> Tensor:
        """Return the x_0 that a frame x_t and its noise belong to, unclipped."""
        return mu + (state - mu - float(self.spread[time]) * noise) / float(self.share[time])

    def noise_from_clean(self, state: Tensor, mu: Tensor, clean: Tensor, time: int) -> Tensor:
        """Return the noise that makes a frame x_t of x_0."""
        return (state - mu - float(self.share[time]) * (clean - mu)) / float(self.spread[time])
