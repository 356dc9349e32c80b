"""Which kind of learning a network asks for."""

from __future__ import annotations

from pathlib import Path

from .despeckling import Despeckling
from .diffusion_recipe import DiffusionRecipe
from .recipe import TrainingRecipe
from .run_recipe import RunRecipe
from .self_supervision import SelfSupervision
from .task import Task

_TASKS: dict[type[RunRecipe], type[Task]] = {
    TrainingRecipe: SelfSupervision,
    DiffusionRecipe: Despeckling,
}
_OWN_RECIPES: dict[str, type[RunRecipe]] = {"irsde": DiffusionRecipe}
"""Networks that do not learn by themselves."""


def recipe_class(network: str) -> type[RunRecipe]:
    """Return the class of recipes for a network."""
    return _OWN_RECIPES.get(network, TrainingRecipe)


def read_recipe(path: Path, network: str | None) -> RunRecipe:
    """Read a recipe for a network; errors as of `RunRecipe.load`."""
    return recipe_class(network or RunRecipe.network).load(path, network)


def task_class(recipe: RunRecipe) -> type[Task]:
    """Return what learns by a recipe."""
    return _TASKS[type(recipe)]


def make_task(recipe: RunRecipe, data: Path, out: Path, targets: Path | None) -> Task:
    """Read the data of a run; arguments and errors are those of `Task`."""
    return task_class(recipe)(recipe, data, out, targets)
