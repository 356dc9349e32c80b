"""Despeckling of B-mode frames by a mean-reverting diffusion (arXiv 2602.22717)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..diffusion import Prediction, Schedule, sample, times_for
from ..errors import ModelError, OptionError
from ..models import INFERENCE, ModelDescription
from ..progress import Cancelled, poll
from .calibration import FLOOR, SCALE, SHIFTED, calibration
from .checks import no_spread
from .network import Image, NetworkEnhancer, Request

CPU_TILE = 192
"""Edge of the largest tile on a CPU, so that Cancel is heard between evaluations of half a second."""

GPU_TILE = 512

SMOOTH = 1.0
"""Standard deviation in pixels of the Gaussian that averages the variance over the members: of so few answers
it is itself uncertain, and neighbouring pixels share a resolution cell."""


class IRSDEEnhancer(NetworkEnhancer):
    """Despeckles stacks of frames with an ensemble of diffusion networks that were trained apart.

    The picture is the mean over the members. The uncertainty is their standard deviation, of which the square
    is averaged over neighbouring pixels (`SMOOTH`), calibrated as `calibration` tells: scale * deviation +
    floor. One member has none, and is refused where it is asked for. Frames outside the model's domain
    (`domain`) have a calibration of their own, and the result says so.

    Args:
        model, device, strength, tile: as of `NetworkEnhancer`.
        steps: evaluations of each member a tile; by default the model's own.
        samples: members that are asked; by default all.

    Raises:
        OptionError: as of `NetworkEnhancer`, or steps or samples out of range.
        ModelError: damaged weights or wrong settings.
    """

    cpu_tile, gpu_tile = CPU_TILE, GPU_TILE

    def __init__(
        self,
        model: ModelDescription,
        device: str = "auto",
        *,
        strength: float = 1.0,
        tile: int | None = None,
        steps: int | None = None,
        samples: int | None = None,
    ) -> None:
        self._calibrations = {shifted: calibration(model, shifted=shifted) for shifted in (False, True)}
        super().__init__(model, device, strength=strength, tile=tile)
        try:
            settings = model.inference
            self._schedule = Schedule(settings["times"], settings["level"], settings["remainder"])
            self._kind, self._sampler = str(settings["prediction"]), str(settings["sampler"])
            own_steps = int(settings["steps"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"The settings in {model.folder / INFERENCE} are wrong ({error}): install the model again."
            ) from error
        members = len(self._members())
        if samples is not None and not 1 <= samples <= members:
            raise OptionError(f"{model.name} has {members} members: give between 1 and {members} samples.")
        self._steps = own_steps if steps is None else steps
        self._samples = samples or members
        times_for(self._sampler, self._schedule, self._steps)

    def _members(self) -> list[torch.nn.Module]:
        return list(getattr(self._network, "members", [self._network]))

    def _gives_uncertainty(self, asked: bool) -> bool:
        if asked and self._samples == 1:
            raise no_spread(self._model.name)
        return self._samples > 1

    def _parameters(self, _uncertainty: bool) -> dict[str, Any]:
        own = {"sampler": self._sampler, "steps": self._steps, "samples": self._samples}
        if self._samples == 1:
            return own
        for shifted, ending in ((False, ""), (True, SHIFTED)):
            names = (SCALE + ending, FLOOR + ending)
            own |= dict(zip(names, self._calibrations[shifted], strict=True))
        return own

    def _enhance(self, frame: Image, request: Request) -> tuple[Image, Image | None]:
        members = self._members()[: self._samples]
        # All members see the same noise: it is they who are to differ.
        answers = np.stack(
            [
                self._in_tiles(
                    frame, self._sampling(member, request.seed, request.cancelled), request.cancelled
                )
                for member in members
            ]
        )
        mean = answers.mean(0, dtype=np.float64).astype(np.float32)
        if len(answers) == 1:
            return mean, None
        scale, floor = self._calibrations[request.unusual]
        return mean, scale * smooth_deviation(answers) + floor

    def _sampling(self, member: torch.nn.Module, seed: int, cancelled: Cancelled | None) -> Any:
        predict = Prediction(member, self._schedule, self._kind)
        generator = torch.Generator().manual_seed(seed)

        def evaluate(piece: Image) -> Image:
            with torch.inference_mode():
                found = sample(
                    self._sampler,
                    self._schedule,
                    predict,
                    self._tensor(piece),
                    evaluations=self._steps,
                    generator=generator,
                    poll=lambda: poll(cancelled),
                )
                return found[0, 0].clamp_(0, 1).cpu().numpy()

        return evaluate


def smooth_deviation(answers: Image) -> Image:
    """Return the standard deviation over answers [M, H, W], its square averaged over neighbours, [H, W]."""
    from scipy.ndimage import gaussian_filter

    variance = answers.var(0, ddof=1, dtype=np.float64)
    return np.sqrt(gaussian_filter(variance, SMOOTH)).astype(np.float32)
