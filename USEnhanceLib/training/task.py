"""What is learnt in a run; `loop.train` does the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from .objectives import Batch, Objective
from .run_recipe import RunRecipe
from .sheet import Panel

Report = Callable[[str], None]


class Validation(Protocol):
    """Held-out frames."""

    def score(self, network: nn.Module) -> dict[str, float]:
        """Return figures by the names of `Task.columns`."""
        ...

    def panels(self, network: nn.Module) -> list[Panel]:
        """Return the rows of a picture sheet."""
        ...


class Task(ABC):
    """Data, batches, validation and model card of a kind of learning.

    Made after the weights to begin with were found to fit, and before anything is written.

    Args:
        recipe: of the run.
        data: folder of the images.
        out: folder of the run.
        targets: folder that keeps targets between runs, for tasks that make some.

    Raises:
        InputError: there are no images to learn from.
        OptionError: `targets` is given to a task that makes none, or the images do not suit the recipe.

    Attributes:
        recipe: of the run.
        columns: of the curve, for what `Validation.score` returns.
        notes: sentences for whoever trains.
    """

    recipe: RunRecipe
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @abstractmethod
    def __init__(self, recipe: Any, data: Path, out: Path, targets: Path | None = None) -> None:
        """Read the images."""

    @staticmethod
    @abstractmethod
    def objective(recipe: Any) -> Objective:
        """What is to be small."""

    @abstractmethod
    def prepare(self, report: Report) -> None:
        """Do what takes time before the first batch, once on each machine."""

    @abstractmethod
    def draw(self, step: int) -> Batch:
        """Draw the batch of a step. It depends on the recipe, the data and the step alone."""

    @abstractmethod
    def validation(self) -> Validation | None:
        """Return the held-out frames, or None where there are none."""

    @abstractmethod
    def write_model(self, folder: Path, network: nn.Module, training: dict[str, Any]) -> None:
        """Write a model that `load_enhancer` takes. `training` is what its metadata says of the run."""

    @property
    def state(self) -> Mapping[str, Any]:
        """What a checkpoint keeps besides the optimisation."""
        return {}

    def note_on(self, _state: Mapping[str, Any]) -> str | None:
        """Return what whoever goes on from a checkpoint should know."""
        return None
