"""Diffusion networks that were trained apart, joined to one model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from ..errors import InputError, ModelError, OptionError
from ..models import INFERENCE, LICENSE, ModelDescription, find_model, load_network, save_model
from ..networks import DiffusionEnsemble, DiffusionUNet
from .ensemble_card import ensemble_card
from .pair_task import MODEL_VERSION

NAME = "irsde"
OF_THE_NETWORK = ("name", "version", "task", "network", "sha256")
"""Entries of configs/metadata.json that `save_model` writes itself."""


def join_members(folder: Path, members: Sequence[str | Path]) -> ModelDescription:
    """Write a model whose picture is the mean over its members and whose uncertainty is their spread.

    Its weights are those of the members, its settings the members' common ones, and its metadata have the
    training of each under "training", "members".

    Args:
        folder: of the new model; missing or empty.
        members: two or more, by folder or name: models that `usenhance train irsde` wrote.

    Raises:
        InputError: `folder` holds something.
        OptionError: too few members, the same weights twice, another kind of network, or members that differ
            in size or in the settings of the diffusion.
        ModelError: a member is damaged or does not say how it was trained.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not empty: give a new folder for the joined model.")
    if len(members) < 2:
        raise OptionError("An ensemble takes two members or more: give the folders of several models.")
    models = [find_model(member) for member in members]
    _expect_apart(members, models)
    trainings = [_training(model) for model in models]
    networks = [load_network(model) for model in models]
    ensemble = _ensemble(members, networks)
    first = models[0]
    details = {name: value for name, value in first.metadata.items() if name not in OF_THE_NETWORK}
    sources = [str(model.metadata.get("data_source", "")) for model in models]
    details |= {"data_source": "; ".join(_unlike(sources)), "training": {"members": trainings}}
    parameters = sum(p.numel() for p in networks[0].parameters())
    return save_model(
        folder,
        ensemble,
        name=NAME,
        version=MODEL_VERSION,
        card=ensemble_card(trainings, details["data_source"], parameters),
        licence="\n".join(_unlike([_licence(model) for model in models])),
        inference=first.inference,
        details=details,
    )


def _expect_apart(members: Sequence[str | Path], models: Sequence[ModelDescription]) -> None:
    """Refuse other networks, the same weights twice, and diffusions of other settings than the first's."""
    seen: dict[str, str | Path] = {}
    for member, model in zip(members, models, strict=True):
        if model.architecture != DiffusionUNet.__name__:
            raise OptionError(
                f"{member} is a {model.architecture}: join models that `usenhance train irsde` wrote."
            )
        if model.sha256 in seen:
            raise OptionError(f"{seen[model.sha256]} and {member} have the same weights: leave one out.")
        seen[model.sha256] = member
        first = models[0].inference
        names = [*first, *(name for name in model.inference if name not in first)]
        if other := [name for name in names if first.get(name) != model.inference.get(name)]:
            raise OptionError(
                f"{members[0]} and {member} differ in {', '.join(other)} ({INFERENCE.as_posix()}): join "
                "members of one schedule and prediction."
            )


def _ensemble(members: Sequence[str | Path], networks: Sequence[nn.Module]) -> DiffusionEnsemble:
    options = networks[0].options
    for member, network in zip(members, networks, strict=True):
        if network.options != options:
            raise OptionError(f"{members[0]} and {member} are of different sizes: join members of one size.")
    ensemble = DiffusionEnsemble(len(networks), **options)
    for part, network in zip(ensemble.members, networks, strict=True):
        part.load_state_dict(network.state_dict())
    return ensemble


def _training(model: ModelDescription) -> dict[str, Any]:
    """What a member's metadata say of its run, with the member's version and SHA-256."""
    try:
        training = {"version": model.version, "sha256": model.sha256, **model.metadata["training"]}
        ensemble_card([training], "", 0)  # so that a member without what the card tells is refused by name
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{model.folder} does not say how it was trained ({error}): give models that `usenhance train "
            "irsde` wrote."
        ) from error
    return training


def _licence(model: ModelDescription) -> str:
    try:
        return (model.folder / LICENSE).read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(
            f"{model.folder / LICENSE} cannot be read ({error.strerror}): give a whole model."
        ) from error


def _unlike(texts: Sequence[str]) -> list[str]:
    """Texts without those that came before."""
    return list(dict.fromkeys(texts))
