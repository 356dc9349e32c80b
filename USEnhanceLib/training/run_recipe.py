"""What every training run has in its recipe, and reading and writing recipes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DependencyError, OptionError

if TYPE_CHECKING:
    from typing_extensions import Self

YAML_EXTENSIONS = (".yaml", ".yml")
PRECISIONS = ("bf16", "fp32")


@dataclass(frozen=True)
class RunRecipe:
    """The part of a recipe that does not depend on what is learnt. Saved as JSON beside the weights.

    Attributes:
        network: what is trained, a name in `TRAINABLE`.
        network_options: arguments of the network's class that differ from our size.
        steps: number of optimiser steps.
        batch: patches per step.
        patch: edge of a patch in pixels.
        learning_rate: peak of the rate; it rises linearly over `warmup` steps and falls as a cosine.
        warmup: steps.
        weight_decay: of AdamW.
        clip: largest norm of the gradient.
        ema: decay of the running mean of the weights; it is what gets validated and shipped.
        balanced: weigh each patch by the inverse of its error. That is the gradient of the mean logarithm of
            the error, hence of the mean PSNR; else the few patches with strong noise rule the mean.
        precision: "bf16" (mixed) or "fp32".
        seed: of weights, patches and degradations.
        report_every, validate_every, save_every: steps.
    """

    network: str = "scunet"
    network_options: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 4000
    batch: int = 16
    patch: int = 64
    learning_rate: float = 1e-3
    warmup: int = 200
    weight_decay: float = 1e-4
    clip: float = 1.0
    ema: float = 0.999
    balanced: bool = False
    precision: str = "bf16"
    seed: int = 2026
    report_every: int = 50
    validate_every: int = 250
    save_every: int = 50

    def save(self, path: Path) -> None:
        """Write the recipe as JSON; the file is complete or not there."""
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path, network: str | None = None) -> Self:
        """Read a recipe, YAML by the name of the file (.yaml, .yml) or JSON.

        Args:
            path: entries that the file leaves out keep their defaults.
            network: what is to be trained; a recipe for another network is refused.

        Raises:
            OptionError: the file is missing, cannot be parsed, has an unknown entry, a value of the wrong
                type or out of range, or is a recipe for another network.
            DependencyError: it is YAML and PyYAML is missing.
        """
        path = Path(path)
        entries = read_entries(path)
        try:
            entries = cls._prepared(path, entries, network)
            if unknown := set(entries) - {entry.name for entry in fields(cls)}:
                raise OptionError(
                    f"{path} has unknown entries {sorted(unknown)}: use those of {cls.__name__}."
                )
            recipe = cls(**typed(entries, cls()))
        except (TypeError, ValueError, AttributeError) as error:
            if isinstance(error, OptionError):
                raise
            raise OptionError(
                f"{path} is no recipe ({error}): give a JSON or YAML file of {cls.__name__}."
            ) from error
        if wrong := recipe.out_of_range():
            raise OptionError(f"{path} has {', '.join(wrong)} out of range: see {cls.__name__}.")
        return recipe

    @classmethod
    def _prepared(cls, path: Path, entries: dict[str, Any], network: str | None) -> dict[str, Any]:
        """Entries of a file as the arguments of the class, with the name of the network."""
        named = entries.setdefault("network", network or cls.network)
        if named != (network or named):
            raise OptionError(f"{path} is a recipe for {named}: give one for {network}.")
        return entries

    def out_of_range(self) -> list[str]:
        """Names of the entries whose values make no sense."""
        counts = ("steps", "batch", "patch", "report_every", "validate_every", "save_every")
        wrong = [name for name in counts if getattr(self, name) < 1]
        if self.precision not in PRECISIONS:
            wrong.append("precision")
        return wrong


def read_entries(path: Path) -> dict[str, Any]:
    """Read the entries of a recipe as its file has them.

    Raises:
        OptionError: the file is missing or cannot be parsed.
        DependencyError: it is YAML and PyYAML is missing.
    """
    try:
        return dict(_parsed(Path(path)))
    except (OSError, TypeError, ValueError) as error:
        raise OptionError(
            f"{path} is no recipe ({error}): give a JSON or YAML file of entries and their values."
        ) from error


def _parsed(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    if path.suffix.lower() not in YAML_EXTENSIONS:
        return json.loads(text)
    try:
        import yaml
    except ImportError as error:
        raise DependencyError(
            "The Python package PyYAML is missing: install it, or give the recipe as JSON."
        ) from error
    try:
        return yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def typed(entries: Mapping[str, Any], defaults: Any) -> dict[str, Any]:
    """Entries as the types of the defaults: YAML reads 1e-3 as text, JSON has lists for tuples.

    Raises TypeError where an entry is of another type.
    """
    return {name: _as_type_of(getattr(defaults, name, None), value, name) for name, value in entries.items()}


def _as_type_of(default: Any, value: Any, name: str) -> Any:
    if isinstance(default, float) and not isinstance(value, bool):
        return float(value)
    if isinstance(default, tuple):
        return _as_tuple(value, name, of_numbers=bool(default))
    if default is not None and (
        not isinstance(value, type(default)) or isinstance(value, bool) != isinstance(default, bool)
    ):
        raise TypeError(f"{name} is {value!r}")
    return value


def _as_tuple(value: Any, name: str, *, of_numbers: bool) -> tuple[Any, ...]:
    """Numbers or names; a default of none is one of names."""
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{name} is {value!r}, not a list")
    if of_numbers:
        return tuple(float(number) for number in value)
    if not all(isinstance(part, str) for part in value):
        raise TypeError(f"{name} is {value!r}, not a list of names")
    return tuple(value)
