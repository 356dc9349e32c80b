"""The recipe of a self-supervised training run: all that its result depends on, besides data and code."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..classical.nllr import NLLRParameters
from ..degradation import CompositionRecipe
from ..errors import OptionError
from .run_recipe import RunRecipe, typed

SCUNET_SIZE = ("dim", "config", "head_dim")
"""Entries of recipes that were written when SCUNet was the only network."""

FIRST_NLLR = {
    *("patch", "group", "window", "stride", "search_stride", "iterations", "residual", "keep", "weight"),
    *("guide_sigma", "log_offset"),
}
"""Parameters of the first version of NLLR. Recipes that were saved with them get the defaults of today's, for
which their values mean something else."""


@dataclass(frozen=True)
class TrainingRecipe(RunRecipe):
    """Recipe of a self-supervised network (arXiv 2601.21856).

    Attributes:
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
        edge_weight: weight in the loss of the mean absolute error of the differences between neighbouring
            pixels. A blur leaves those large where it hardly changes the mean error.

    The others are those of `RunRecipe`.
    """

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
    edge_weight: float = 0.0

    @classmethod
    def _prepared(cls, path: Path, entries: dict[str, Any], network: str | None) -> dict[str, Any]:
        """Entries with the name and the options of the network, also where its size stands apart."""
        size = {name: entries.pop(name) for name in SCUNET_SIZE if name in entries}
        named = entries.setdefault("network", "scunet" if size else network or "scunet")
        if named != (network or named) or (size and named != "scunet"):
            raise OptionError(
                f"{path} is a recipe for {'scunet' if size else named}: give one for {network or named}."
            )
        if size:
            entries["network_options"] = {**size, **entries.get("network_options", {})}
        if "degradation" in entries:
            entries["degradation"] = CompositionRecipe(**typed(entries["degradation"], CompositionRecipe()))
        if set(entries.get("nllr", {})) == FIRST_NLLR:
            del entries["nllr"]
        if "nllr" in entries:
            entries["nllr"] = NLLRParameters(**typed(entries["nllr"], NLLRParameters()))
        return entries

    def out_of_range(self) -> list[str]:
        """Names of the entries whose values make no sense."""
        shares = self.natural_share, self.phantom_share
        fine = min(shares) >= 0 and sum(shares) <= 1
        return super().out_of_range() + ([] if fine else ["natural_share + phantom_share"])
