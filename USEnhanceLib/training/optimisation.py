"""Network, optimiser and running mean of the weights: one step after the other, and their state."""

from __future__ import annotations

import math
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from ..errors import OptionError, USEnhanceError
from ..models import find_model, load_network
from .objectives import Batch, Objective
from .processes import Processes
from .run_recipe import RunRecipe
from .trainable import build_network

LOWEST_RATE = 0.005
"""Share of the learning rate that is left at the end of the cosine."""

SMALLEST_ERROR = 0.01
"""Added to an error before a balanced loss divides by it, lest patches that need little rule in turn."""


class Optimisation:
    """A network that is being trained, with its running mean in `average`.

    Args:
        recipe: of the run.
        objective: what is to be small.
        processes: those that work on a batch together.
        start: begin with the weights of this model instead of random ones.
    """

    def __init__(
        self,
        recipe: RunRecipe,
        objective: Objective,
        processes: Processes,
        start: str | Path | None = None,
    ) -> None:
        self._recipe, self._objective, self._processes = recipe, objective, processes
        self.step = 0
        torch.manual_seed(recipe.seed)
        network = build_network(recipe.network, recipe.network_options)
        self.origin = _begin_with(network, start) if start is not None else {}
        if processes.count > 1 and processes.device != "cpu":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        self._network = network.to(processes.device, memory_format=torch.channels_last)
        self.average = deepcopy(self._network).requires_grad_(False).eval()
        self._optimizer = torch.optim.AdamW(
            self._network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self._joined = processes.joined(self._network)

    def update(self, batch: Batch) -> float:
        """Make a step on a batch and return the mean error of the whole of it.

        batch: tensors [B, h, w] or [B], as the objective takes them. Raises USEnhanceError where the loss or
        its gradient is no longer finite; the weights are then as they were before the step.
        """
        recipe, processes = self._recipe, self._processes
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate()
        whole = len(batch[0])
        kind = torch.device(processes.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=recipe.precision == "bf16"):
            errors, penalties = self._objective(self._joined, tuple(self._own(part) for part in batch))
        (value,) = processes.total([float(errors.detach().sum()) / whole])
        self._expect_finite(value, "loss")
        weights = value / (errors.detach() + SMALLEST_ERROR) if recipe.balanced else 1.0
        loss = (weights * penalties).sum() / whole
        self._optimizer.zero_grad(set_to_none=True)
        # Gradients are averaged over the processes, and what is wanted is their sum.
        (loss * processes.count).backward()
        self._expect_finite(float(clip_grad_norm_(self._network.parameters(), recipe.clip)), "gradient")
        self._optimizer.step()
        self._update_average()
        self.step += 1
        return value

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here."""
        return {
            "network": self._network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "origin": self.origin,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.origin = state["step"], state["origin"]

    def _own(self, part: Tensor) -> Tensor:
        """This process's share of a tensor of the batch, images with a channel."""
        share = self._processes.share(part)
        if share.ndim == 1:
            return share.to(self._processes.device)
        return share[:, None].to(self._processes.device, memory_format=torch.channels_last)

    def _expect_finite(self, value: float, name: str) -> None:
        if not math.isfinite(value):
            raise USEnhanceError(
                f"The {name} is {value} at step {self.step}: start again with a smaller learning rate."
            )

    @torch.no_grad()
    def _update_average(self) -> None:
        share = 1 - min(self._recipe.ema, (1 + self.step) / (10 + self.step))
        current = self._network.state_dict()
        for name, mean in self.average.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(current[name], share)
            else:
                mean.copy_(current[name])

    def _learning_rate(self) -> float:
        recipe = self._recipe
        if self.step < recipe.warmup:
            return recipe.learning_rate * (self.step + 1) / recipe.warmup
        done = (self.step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
        return recipe.learning_rate * (LOWEST_RATE + (1 - LOWEST_RATE) * (1 + math.cos(math.pi * done)) / 2)


def _begin_with(network: nn.Module, start: str | Path) -> dict[str, str]:
    """Load the weights of a model and return what it was."""
    model = find_model(start)
    if model.architecture != type(network).__name__ or dict(model.options) != network.options:
        raise OptionError(
            f"{start} is a network of another size or kind than the recipe's: change the recipe."
        )
    network.load_state_dict(load_network(model).state_dict())
    return {"name": model.name, "version": model.version, "sha256": model.sha256}
