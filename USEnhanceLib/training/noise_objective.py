"""What a network of the mean-reverting diffusion makes small."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ..diffusion import Prediction, Schedule
from .objectives import Batch

LOSSES = ("path", "plain")


@dataclass(frozen=True, eq=False)
class NoiseObjective:
    """Compares noise or velocities; batches are clean and speckled frames, times [B] and normal noise.

    Attributes:
        schedule: of the diffusion.
        prediction: "noise" or "velocity".
        loss: "path" or "plain", see `DiffusionRecipe`.
    """

    schedule: Schedule
    prediction: str
    loss: str

    def __call__(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the mean absolute or squared errors of the prediction and the penalties, see `Objective`."""
        clean, mu, times, noise = batch
        schedule = self.schedule
        state = schedule.diffuse(clean, mu, times, noise)
        target = Prediction(network, schedule, self.prediction).target(clean, mu, times, noise)
        found = network((state - mu) / schedule.level, mu, times).float()
        difference = found - target
        if self.loss == "plain":
            errors = difference.square().mean((1, 2, 3))
            return errors, errors
        errors = difference.abs().mean((1, 2, 3))
        return errors, errors * self._path_weight(times)

    def _path_weight(self, times: Tensor) -> Tensor:
        """How far an error of the prediction moves the mean of the posterior, by the time; 1 on average.

        That mean is linear in the prediction, so the published loss is the plain one with a weight for each
        time.
        """
        schedule = self.schedule
        now, then = schedule.share[1:], schedule.share[:-1]
        of_clean = then * (1 - (now / then) ** 2) / (1 - now**2)
        moved = of_clean * schedule.spread[1:]
        if self.prediction == "noise":
            moved = moved / now
        return (moved / moved.mean()).float().to(times.device)[times - 1]
