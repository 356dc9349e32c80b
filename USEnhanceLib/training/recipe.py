"""The recipe of a training run: all that its result depends on, besides data and code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..classical.nllr import NLLRParameters
from ..degradation import CompositionRecipe
from ..errors import DependencyError, OptionError

SCUNET_SIZE = ("dim", "config", "head_dim")
"""Entries of recipes that were written when SCUNet was the only network."""

FIRST_NLLR = {
    *("patch", "group", "window", "stride", "search_stride", "iterations", "residual", "keep", "weight"),
    *("guide_sigma", "log_offset"),
}
"""Parameters of the first version of NLLR. Recipes that were saved with them get the defaults of today's, for
which their values mean something else."""

YAML_EXTENSIONS = (".yaml", ".yml")
PRECISIONS = ("bf16", "fp32")


@dataclass(frozen=True)
class TrainingRecipe:
    """Recipe of a self-supervised network (arXiv 2601.21856). Saved as JSON beside the weights.

    Attributes:
        network: what is trained, a name in `TRAINABLE`.
        network_options: arguments of the network's class that differ from our size.
        steps: number of optimiser steps.
        batch: patches per step.
        patch: edge of a patch in pixels.
        natural_share: share of natural images among the patches; their target is the original.
        phantom_share: share of drawn phantoms, which are their own target.
        psfhs_frames, hc18_frames: frames taken from each published ultrasound data set, evenly spread.
        folder_frames: frames taken from any other folder, evenly spread.
        native_share: share of patches that are cut out as they are; the others are turned and scaled.
        largest_angle: of the rotation, in degrees.
        smallest_scale: the largest shrinking of a frame before a patch is cut out.
        degradation: how inputs are made from frames. Fourier noise dims a frame; in a patch without dark
            pixels it looks like Gaussian noise of a lower level. With the paper's shares the network takes
            Gaussian noise for Fourier noise and brightens the frame, so Gaussian noise alone is drawn more
            often here.
        nllr: how targets are made from ultrasound frames.
        balanced: weigh each patch by the inverse of its error. That is the gradient of the mean logarithm of
            the error, hence of the mean PSNR; else the few patches with strong noise rule the mean.
        edge_weight: weight in the loss of the mean absolute error of the differences between neighbouring
            pixels. A blur leaves those large where it hardly changes the mean error.
        learning_rate: peak of the rate; it rises linearly over `warmup` steps and falls as a cosine.
        warmup: steps.
        weight_decay: of AdamW.
        clip: largest norm of the gradient.
        ema: decay of the running mean of the weights; it is what gets validated and shipped.
        precision: "bf16" (mixed) or "fp32".
        seed: of weights, patches and degradations.
        report_every, validate_every, save_every: steps.
    """

    network: str = "scunet"
    network_options: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 4000
    batch: int = 16
    patch: int = 64
    natural_share: float = 0.5
    phantom_share: float = 0.0
    psfhs_frames: int = 200
    hc18_frames: int = 125
    folder_frames: int = 200
    native_share: float = 0.5
    largest_angle: float = 15.0
    smallest_scale: float = 0.5
    degradation: CompositionRecipe = field(
        default_factory=lambda: CompositionRecipe(
            blur_then_noise=0.8,
            noise_then_blur=0.1,
            sharp=0.75,
            spatial=0.8,
            sigma=(0.01, 0.22),
            g=(0.0, 0.22),
        )
    )
    nllr: NLLRParameters = field(default_factory=NLLRParameters)
    balanced: bool = False
    edge_weight: float = 0.0
    learning_rate: float = 1e-3
    warmup: int = 200
    weight_decay: float = 1e-4
    clip: float = 1.0
    ema: float = 0.999
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
    def load(cls, path: Path, network: str | None = None) -> TrainingRecipe:
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
        try:
            entries = _with_network(path, _parsed(path), network)
            if unknown := set(entries) - {entry.name for entry in fields(cls)}:
                raise OptionError(
                    f"{path} has unknown entries {sorted(unknown)}: use those of TrainingRecipe."
                )
            if "degradation" in entries:
                entries["degradation"] = CompositionRecipe(
                    **_typed(entries["degradation"], CompositionRecipe())
                )
            if set(entries.get("nllr", {})) == FIRST_NLLR:
                del entries["nllr"]
            if "nllr" in entries:
                entries["nllr"] = NLLRParameters(**_typed(entries["nllr"], NLLRParameters()))
            recipe = cls(**_typed(entries, cls()))
        except (OSError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, OptionError):
                raise
            raise OptionError(
                f"{path} is no recipe ({error}): give a JSON or YAML file of TrainingRecipe."
            ) from error
        _check(recipe, path)
        return recipe


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


def _with_network(path: Path, entries: dict[str, Any], network: str | None) -> dict[str, Any]:
    """Entries with the name and the options of the network, also from a recipe that has its size apart."""
    entries = dict(entries)
    size = {name: entries.pop(name) for name in SCUNET_SIZE if name in entries}
    named = entries.setdefault("network", "scunet" if size else network or "scunet")
    if named != (network or named) or (size and named != "scunet"):
        raise OptionError(
            f"{path} is a recipe for {'scunet' if size else named}: give one for {network or named}."
        )
    if size:
        entries["network_options"] = {**size, **entries.get("network_options", {})}
    return entries


def _typed(entries: Mapping[str, Any], defaults: Any) -> dict[str, Any]:
    """Entries as the types of the defaults: YAML reads 1e-3 as text, JSON has lists for tuples.

    Raises TypeError where an entry is of another type.
    """
    return {name: _as_type_of(getattr(defaults, name, None), value, name) for name, value in entries.items()}


def _as_type_of(default: Any, value: Any, name: str) -> Any:
    if isinstance(default, float) and not isinstance(value, bool):
        return float(value)
    if isinstance(default, tuple):
        return tuple(float(number) for number in value)
    if default is not None and (
        not isinstance(value, type(default)) or isinstance(value, bool) != isinstance(default, bool)
    ):
        raise TypeError(f"{name} is {value!r}")
    return value


def _check(recipe: TrainingRecipe, path: Path) -> None:
    counts = ("steps", "batch", "patch", "report_every", "validate_every", "save_every")
    wrong = [name for name in counts if getattr(recipe, name) < 1]
    if not (
        recipe.natural_share >= 0
        and recipe.phantom_share >= 0
        and recipe.natural_share + recipe.phantom_share <= 1
    ):
        wrong.append("natural_share + phantom_share")
    if recipe.precision not in PRECISIONS:
        wrong.append("precision")
    if wrong:
        raise OptionError(f"{path} has {', '.join(wrong)} out of range: see TrainingRecipe.")
