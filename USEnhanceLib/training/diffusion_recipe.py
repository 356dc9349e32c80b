"""The recipe of a mean-reverting diffusion."""

from __future__ import annotations

from dataclasses import dataclass

from ..diffusion.prediction import KINDS
from ..diffusion.schedule import Schedule
from .display_variation import NONE, NOTHING, DisplayVariation
from .noise_objective import LOSSES
from .run_recipe import RunRecipe


@dataclass(frozen=True)
class DiffusionRecipe(RunRecipe):
    """Recipe of IR-SDE for speckle (arXiv 2602.22717).

    Attributes:
        probes: whose simulated pairs are learnt from; those of all probes when empty.
        times: number T of steps of the diffusion.
        level: lambda, the standard deviation of its noise at the end, in grey levels of 0 to 1.
        remainder: of the speckled frame's error at the end.
        prediction: what the network says, see `diffusion.Prediction`.
        loss: "path", the published one: how far a step of the reverse SDE ends from the likeliest place
            (arXiv 2301.11699, equation 14), absolute; or "plain": the squared error of the noise or velocity
            itself (arXiv 2006.11239).
        validation_pairs: of each probe.
        gain, offset, zoom: of `DisplayVariation`, drawn for each patch.

    The others are those of `RunRecipe`.
    """

    network: str = "irsde"
    batch: int = 8
    probes: tuple[str, ...] = ()
    times: int = 100
    level: float = 50 / 255
    remainder: float = 0.005
    prediction: str = "velocity"
    loss: str = "plain"
    validation_pairs: int = 4
    gain: tuple[float, ...] = NONE
    offset: tuple[float, ...] = NOTHING
    zoom: tuple[float, ...] = NONE

    @property
    def variation(self) -> DisplayVariation:
        """How patches are displayed."""
        return DisplayVariation(self.gain, self.offset, self.zoom)

    def schedule(self) -> Schedule:
        """Return the times of the diffusion."""
        return Schedule(self.times, self.level, self.remainder)

    def out_of_range(self) -> list[str]:
        """Names of the entries whose values make no sense."""
        wrong = super().out_of_range()
        if self.prediction not in KINDS:
            wrong.append("prediction")
        if self.loss not in LOSSES:
            wrong.append("loss")
        if not (self.times > 1 and 0 < self.level <= 1 and 0 < self.remainder < 1):
            wrong.append("times, level, remainder")
        if self.validation_pairs < 1:
            wrong.append("validation_pairs")
        return wrong + self.variation.out_of_range()
