"""Which kind of learning a recipe or a network asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import OptionError
from .despeckling import Despeckling
from .diffusion_recipe import DiffusionRecipe
from .paired_recipe import PAIRS, PairedRecipe
from .paired_restoration import PairedRestoration
from .recipe import TrainingRecipe
from .run_recipe import RunRecipe, read_entries
from .self_supervision import SelfSupervision
from .structure_recipe import StructureRecipe
from .structure_task import Structures
from .task import Task

_TASKS: dict[type[RunRecipe], type[Task]] = {
    TrainingRecipe: SelfSupervision,
    PairedRecipe: PairedRestoration,
    DiffusionRecipe: Despeckling,
    StructureRecipe: Structures,
}
_OWN_RECIPES: dict[str, type[RunRecipe]] = {"irsde": DiffusionRecipe, "fhps": StructureRecipe}
"""Networks that learn in one way only."""


def recipe_class(network: str, supervision: Any = None) -> type[RunRecipe]:
    """Return the class of recipes for a network and, where a recipe has it, its entry "supervision".

    Raises:
        OptionError: an unknown supervision, or one for a network that has its own.
    """
    if supervision is None:
        return _OWN_RECIPES.get(network, TrainingRecipe)
    if network in _OWN_RECIPES:
        raise OptionError(f"{network} learns in one way only: leave supervision out of its recipe.")
    if supervision != PAIRS:
        raise OptionError(f"Unknown supervision {supervision!r} in a recipe: use {PAIRS!r}, or leave it out.")
    return PairedRecipe


def read_recipe(path: Path, network: str | None) -> RunRecipe:
    """Read a recipe for a network; errors as of `RunRecipe.load` and `recipe_class`."""
    entries = read_entries(path)
    named = network or str(entries.get("network", RunRecipe.network))
    return recipe_class(named, entries.get("supervision")).load(path, network)


def task_class(recipe: RunRecipe) -> type[Task]:
    """Return what learns by a recipe."""
    return _TASKS[type(recipe)]


def make_task(recipe: RunRecipe, data: Path, out: Path, targets: Path | None) -> Task:
    """Read the data of a run; arguments and errors are those of `Task`."""
    return task_class(recipe)(recipe, data, out, targets)
