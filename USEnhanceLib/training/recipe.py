"""The recipe of a training run: all that its result depends on, besides data and code."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..classical.nllr import NLLRParameters
from ..degradation import CompositionRecipe
from ..errors import OptionError


@dataclass(frozen=True)
class SCUNetRecipe:
    """Recipe of the self-supervised SCUNet (arXiv 2601.21856). Saved as JSON beside the weights.

    Attributes:
        dim, config, head_dim: size of the network, see `SCUNet`.
        steps: number of optimiser steps.
        batch: patches per step.
        patch: edge of a patch in pixels.
        natural_share: share of natural images among the patches; their target is the original.
        phantom_share: share of drawn phantoms, which are their own target.
        psfhs_frames, hc18_frames: frames taken from each ultrasound data set, evenly spread.
        native_share: share of patches that are cut out as they are; the others are turned and scaled.
        largest_angle: of the rotation, in degrees.
        smallest_scale: the largest shrinking of a frame before a patch is cut out.
        degradation: how inputs are made from frames. Fourier noise dims a frame; in a patch without dark
            pixels it looks like Gaussian noise of a lower level. With the paper's shares the network takes
            Gaussian noise for Fourier noise and brightens the frame, so Gaussian noise alone is drawn more
            often here.
        nllr: how targets are made from ultrasound frames.
        learning_rate: peak of the rate; it rises linearly over `warmup` steps and falls as a cosine.
        warmup: steps.
        weight_decay: of AdamW.
        clip: largest norm of the gradient.
        ema: decay of the running mean of the weights; it is what gets validated and shipped.
        precision: "bf16" (mixed) or "fp32".
        seed: of weights, patches and degradations.
        validate_every, save_every: steps.
    """

    dim: int = 32
    config: tuple[int, ...] = (2,) * 7
    head_dim: int = 16
    steps: int = 4000
    batch: int = 16
    patch: int = 64
    natural_share: float = 0.5
    phantom_share: float = 0.0
    psfhs_frames: int = 200
    hc18_frames: int = 125
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
    learning_rate: float = 1e-3
    warmup: int = 200
    weight_decay: float = 1e-4
    clip: float = 1.0
    ema: float = 0.999
    precision: str = "bf16"
    seed: int = 2026
    validate_every: int = 250
    save_every: int = 50

    def save(self, path: Path) -> None:
        """Write the recipe as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> SCUNetRecipe:
        """Read a recipe; entries that are left out keep their defaults.

        Raises:
            OptionError: the file is missing, no JSON, or has an unknown entry.
        """
        try:
            entries: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
            known = {entry.name for entry in fields(cls)}
            if unknown := set(entries) - known:
                raise OptionError(f"{path} has unknown entries {sorted(unknown)}: use those of SCUNetRecipe.")
            if "degradation" in entries:
                pairs = {k: tuple(v) if isinstance(v, list) else v for k, v in entries["degradation"].items()}
                entries["degradation"] = CompositionRecipe(**pairs)
            if "nllr" in entries:
                entries["nllr"] = NLLRParameters(**entries["nllr"])
            if "config" in entries:
                entries["config"] = tuple(entries["config"])
            return cls(**entries)
        except (OSError, json.JSONDecodeError, TypeError, AttributeError) as error:
            raise OptionError(f"{path} is no recipe ({error}): give a JSON file of SCUNetRecipe.") from error
