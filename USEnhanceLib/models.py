"""Registry of models: find, describe, verify, load and save.

A model is a folder in the layout of a MONAI bundle:

    configs/metadata.json    what it is: architecture and its options, version, SHA-256 of the weights
    configs/inference.json   how it is run: tile and overlap
    docs/README.md           the model card
    LICENSE                  terms of the weights
    models/model.safetensors the weights, in half precision

Weights are data: they are read by safetensors, never unpickled, and an architecture is looked up by name in
our own list. The SHA-256 of shipped weights stands in this file too, so that weights cannot be exchanged
together with the metadata that vouch for them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from .errors import DependencyError, ModelError, OptionError

if TYPE_CHECKING:
    import torch

WEIGHTS = Path("models") / "model.safetensors"
METADATA = Path("configs") / "metadata.json"
INFERENCE = Path("configs") / "inference.json"
CARD = Path("docs") / "README.md"
LICENSE = Path("LICENSE")

MODELS_VARIABLE = "USENHANCE_MODELS"
"""Environment variable that names another folder of shipped models, for sites that keep them elsewhere."""

SHIPPED: Mapping[str, str] = {
    "fhps": "52a8e19fd87d2ea4bb0c1550c1dfebb0c84ff8b964bada68ccd6eee52043b91c",
    "irsde": "35740785132377292acfb457b86d9938c0c16b7b5b1050dc3b0742e778deb70e",
    "scunet": "cd686413a9ea05e90ecbb406cf5d95474c79cb5549a45c011ecacb8950a2c24b",
}
"""Name of each shipped model and the SHA-256 of its weights."""

_in_use: WeakValueDictionary[tuple[str, str], torch.nn.Module] = WeakValueDictionary()


@dataclass(frozen=True)
class ModelDescription:
    """What is known of a model without loading its weights.

    Attributes:
        name: "scunet", or the name of a folder.
        folder: where it lies.
        version: version of the weights.
        task: "enhancement" or "segmentation".
        architecture: name in `networks.ARCHITECTURES`.
        options: keyword arguments of the architecture.
        sha256: of the weights file.
        inference: settings of configs/inference.json.
        metadata: all of configs/metadata.json.
    """

    name: str
    folder: Path
    version: str
    task: str
    architecture: str
    options: Mapping[str, Any]
    sha256: str
    inference: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(repr=False)

    @property
    def weights(self) -> Path:
        """The file of the weights."""
        return self.folder / WEIGHTS


def models_folder() -> Path:
    """The folder of the shipped models: beside the package, as in Slicer, or inside it, as in a wheel.

    Raises:
        ModelError: there is none.
    """
    package = Path(__file__).resolve().parent
    given = os.environ.get(MODELS_VARIABLE)
    candidates = [Path(given)] if given else []
    candidates += [package.parent / "Resources" / "Models", package / "Resources" / "Models"]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise ModelError(f"The models are missing ({candidates[0]} is no folder): install USEnhance again.")


def list_models() -> list[ModelDescription]:
    """The shipped models, by name."""
    return [find_model(name) for name in sorted(SHIPPED)]


def find_model(name_or_folder: str | Path) -> ModelDescription:
    """Describe a shipped model by its name, or any model by its folder.

    Raises:
        OptionError: neither a shipped name nor a folder.
        ModelError: the folder's metadata are missing or wrong.
    """
    name = str(name_or_folder)
    if name in SHIPPED:
        return _describe(name, models_folder() / name, SHIPPED[name])
    folder = Path(name_or_folder)
    if folder.is_dir():
        return _describe(folder.resolve().name, folder, None)
    known = ", ".join(sorted(SHIPPED)) or "none"
    raise OptionError(f"Unknown method {name!r}: use one of {known}, or the folder of a model.")


def verify(description: ModelDescription) -> None:
    """Compare the SHA-256 of the weights with the recorded one.

    Raises:
        ModelError: the file is missing, cannot be read, is truncated or was altered.
    """
    digest = hashlib.sha256()
    try:
        with description.weights.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise ModelError(
            f"The weights of {description.name} cannot be read ({description.weights}: {error.strerror}): "
            "install USEnhance again."
        ) from error
    if digest.hexdigest() != description.sha256:
        raise ModelError(
            f"The weights of {description.name} are damaged or were altered ({description.weights} has "
            "not the recorded SHA-256): install USEnhance again."
        )


def load_network(description: ModelDescription, device: str | torch.device = "cpu") -> torch.nn.Module:
    """Verify the weights and load them, in single precision and evaluation mode, on `device`.

    Raises:
        ModelError: weights damaged, or not those of the architecture.
        DependencyError: torch or safetensors is missing.
    """
    verify(description)
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from .networks import ARCHITECTURES
    except ImportError as error:
        raise DependencyError(
            f"The Python package {error.name} is missing: install PyTorch and safetensors to run "
            f"{description.name}."
        ) from error
    if description.architecture not in ARCHITECTURES:
        raise ModelError(
            f"{description.folder} asks for an unknown architecture: use a model made by USEnhance."
        )
    try:
        network = ARCHITECTURES[description.architecture](**description.options)
        weights = load_file(description.weights)
        network.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, strict=True)
    except (SafetensorError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"The weights in {description.folder} do not fit their description ({reason}): "
            "install the model again."
        ) from error
    return network.eval().requires_grad_(False).to(device)


def shared_network(description: ModelDescription, device: str) -> torch.nn.Module:
    """Return the network that is in use already, by SHA-256 and device, or `load_network` it.

    Another strength or tile needs no second copy. Errors as of `load_network`.
    """
    verify(description)
    key = (description.sha256, device)
    network = _in_use.get(key)
    if network is None:
        import torch

        network = load_network(description, device).to(memory_format=torch.channels_last)
        _in_use[key] = network
    return network


def save_model(
    folder: Path,
    network: torch.nn.Module,
    *,
    name: str,
    version: str,
    card: str,
    licence: str,
    task: str = "enhancement",
    inference: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> ModelDescription:
    """Write a model's folder. `network` is one of `networks.ARCHITECTURES`, with its `options`.

    Args:
        folder: made when missing; files of the same names are replaced.
        network: the parameters are saved in half precision, buffers such as the statistics of batch
            normalisation as they are.
        name: of the model.
        version: of the weights.
        card: Markdown text of the model card.
        licence: text of the licence of the weights.
        task: "enhancement" or "segmentation".
        inference: settings for configs/inference.json.
        details: further entries of configs/metadata.json, such as data, recipe, seed and machine.
    """
    from safetensors.torch import save_file

    folder = Path(folder)
    for part in (WEIGHTS, METADATA, INFERENCE, CARD):
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
    learned = {key for key, _ in network.named_parameters()}
    state = {
        key: (value.half() if key in learned else value).detach().cpu().contiguous()
        for key, value in network.state_dict().items()
    }
    save_file(state, folder / WEIGHTS)
    metadata = {
        **(details or {}),
        "name": name,
        "version": version,
        "task": task,
        "network": {"architecture": type(network).__name__, "options": network.options},
        "sha256": hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest(),
    }
    (folder / METADATA).write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
    (folder / INFERENCE).write_text(json.dumps(dict(inference or {}), indent=2) + "\n", encoding="utf-8")
    (folder / CARD).write_text(card, encoding="utf-8")
    (folder / LICENSE).write_text(licence, encoding="utf-8")
    return find_model(folder)


def _describe(name: str, folder: Path, sha256: str | None) -> ModelDescription:
    try:
        metadata = json.loads((folder / METADATA).read_text(encoding="utf-8"))
        inference = json.loads((folder / INFERENCE).read_text(encoding="utf-8"))
        return ModelDescription(
            name=name,
            folder=folder,
            version=str(metadata["version"]),
            task=str(metadata["task"]),
            architecture=str(metadata["network"]["architecture"]),
            options=dict(metadata["network"]["options"]),
            sha256=sha256 or str(metadata["sha256"]),
            inference=dict(inference),
            metadata=metadata,
        )
    except OSError as error:
        raise ModelError(
            f"{folder} is no model of USEnhance ({error.filename} cannot be read): "
            "give a folder that `usenhance train` wrote, or install USEnhance again."
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"The metadata of the model in {folder} are wrong ({error}): install it again."
        ) from error
