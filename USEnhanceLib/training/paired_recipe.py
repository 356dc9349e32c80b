"""The recipe of a network that restores simulated frames."""

from __future__ import annotations

from dataclasses import dataclass

from .display_variation import NONE, NOTHING, DisplayVariation
from .run_recipe import RunRecipe

PAIRS = "pairs"


@dataclass(frozen=True)
class PairedRecipe(RunRecipe):
    """Recipe of a restoring network that learns from simulated pairs, as a yardstick for the diffusion.

    Attributes:
        supervision: "pairs", by which recipes of this kind are told from `TrainingRecipe`.
        probes: whose simulated pairs are learnt from; those of all probes when empty.
        validation_pairs: of each probe.
        gain, offset, zoom: of `DisplayVariation`, drawn for each patch.

    The others are those of `RunRecipe`.
    """

    supervision: str = PAIRS
    probes: tuple[str, ...] = ()
    validation_pairs: int = 4
    gain: tuple[float, ...] = NONE
    offset: tuple[float, ...] = NOTHING
    zoom: tuple[float, ...] = NONE

    @property
    def variation(self) -> DisplayVariation:
        """How patches are displayed."""
        return DisplayVariation(self.gain, self.offset, self.zoom)

    def out_of_range(self) -> list[str]:
        """Names of the entries whose values make no sense."""
        wrong = super().out_of_range()
        if self.supervision != PAIRS:
            wrong.append("supervision")
        if self.validation_pairs < 1:
            wrong.append("validation_pairs")
        return wrong + self.variation.out_of_range()
