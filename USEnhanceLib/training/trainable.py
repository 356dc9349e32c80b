"""The networks that can be trained, by their name in a recipe and on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from ..errors import OptionError
from ..networks import ARCHITECTURES


@dataclass(frozen=True)
class Trainable:
    """A network: its class in `networks.ARCHITECTURES`, what its model card says of it, and its size.

    `options` are the arguments of the class where our size is not its default one.
    """

    architecture: str
    description: str
    references: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


TRAINABLE: Mapping[str, Trainable] = {
    "scunet": Trainable(
        "SCUNet",
        "A Swin-Conv U-Net after arXiv 2203.13278",
        ("arXiv:2203.13278",),
        {"dim": 32, "config": [2] * 7, "head_dim": 16},
    ),
    "dncnn": Trainable(
        "DnCNN", "A residual convolutional denoiser after arXiv 1608.03981", ("arXiv:1608.03981",)
    ),
    "restormer": Trainable(
        "Restormer",
        "A U-Net of transformers with attention across channels after arXiv 2111.09881",
        ("arXiv:2111.09881",),
    ),
    "msann": Trainable(
        "MSANN",
        "A multi-scale attention denoiser in our reading of doi:10.1109/TAI.2023.3235342",
        ("doi:10.1109/TAI.2023.3235342",),
    ),
    "irsde": Trainable(
        "DiffusionUNet",
        "A mean-reverting diffusion after arXiv 2301.11699",
        ("arXiv:2602.22717", "arXiv:2301.11699"),
    ),
    "fhps": Trainable(
        "StructureUNet",
        "A dynamic U-Net for fetal head and pubic symphysis after doi:10.1038/s41592-020-01008-z",
        ("doi:10.1038/s41592-020-01008-z",),
    ),
}


def build_network(name: str, options: Mapping[str, Any] | None = None) -> nn.Module:
    """Make a network with random weights: [B, 1, H, W] to [B, 1, H, W], but for irsde (`DiffusionUNet`) and
    fhps (`StructureUNet`).

    Args:
        name: one of `TRAINABLE`.
        options: arguments of its class that are to differ from our size.

    Raises:
        OptionError: unknown name, or options that the class does not take.
    """
    if name not in TRAINABLE:
        raise OptionError(f"Unknown network {name!r}: use one of {', '.join(TRAINABLE)}.")
    entry = TRAINABLE[name]
    try:
        return ARCHITECTURES[entry.architecture](**{**entry.options, **(options or {})})
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"The network_options {dict(options or {})} do not suit {name} ({error}): "
            f"give arguments of {entry.architecture}."
        ) from error
