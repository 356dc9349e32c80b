"""Ways back from a speckled frame to a clean one, all with the same network.

The published ones need the full number of steps: the reverse SDE, its ODE and the posterior. The others take
any number: at each stride they work out their coefficients anew instead of reusing those of single steps,
which fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import torch
from torch import Generator, Tensor

from ..errors import OptionError
from .schedule import Schedule


class NoisePredictor(Protocol):
    """A network that tells the noise in a frame."""

    def __call__(self, state: Tensor, mu: Tensor, time: int) -> Tensor:
        """Return the noise e, [B, 1, H, W], that x_t (`state`) holds at a time of 1 to T, given mu."""
        ...


Poll = Callable[[], None]


def _nothing() -> None:
    pass


@dataclass(frozen=True, eq=False)
class Journey:
    """What a sampler is given: from where, by which times, with which network.

    Attributes:
        schedule: the one that the network was trained with.
        predict: the network.
        mu: speckled frames [B, 1, H, W] in [0, 1].
        times: falling to 0, see `times_for`.
        generator: source of randomness; torch's global one when None.
        poll: called before each evaluation; what it raises ends the sampling.
    """

    schedule: Schedule
    predict: NoisePredictor
    mu: Tensor
    times: Sequence[int]
    generator: Generator | None = None
    poll: Poll = _nothing

    def normal(self) -> Tensor:
        """Return standard normal noise of mu's shape, drawn on the generator's device."""
        mu, generator = self.mu, self.generator
        device = mu.device if generator is None else generator.device
        return torch.randn(mu.shape, generator=generator, device=device, dtype=mu.dtype).to(mu.device)

    def noisy_mu(self) -> Tensor:
        """Return x_t at the first time as it is where nothing is left of x_0."""
        return self.mu + float(self.schedule.spread[self.times[0]]) * self.normal()

    def strides(self) -> Iterator[tuple[int, int]]:
        """Yield each time with the one that follows, after a poll."""
        for time, following in pairwise(self.times):
            self.poll()
            yield time, following

    def clean(self, state: Tensor, time: int) -> Tensor:
        """Return the x_0 that the network sees in x_t, unclipped."""
        noise = self.predict(state, self.mu, time)
        return self.schedule.clean_from_noise(state, self.mu, noise, time)

    def posterior(self, state: Tensor, clean: Tensor, time: int, following: int) -> tuple[Tensor, float]:
        """Return mean and standard deviation of x_s at the following time, given x_t and x_0."""
        schedule, mu = self.schedule, self.mu
        now, then = float(schedule.share[time]), float(schedule.share[following])
        rest, ratio = 1 - now**2, (now / then) ** 2
        pull = (now / then) * (1 - then**2) * (state - mu) + then * (1 - ratio) * (clean - mu)
        variance = schedule.level**2 * (1 - then**2) * (1 - ratio) / rest
        return mu + pull / rest, math.sqrt(variance)


def reverse_sde(journey: Journey) -> Tensor:
    """Euler-Maruyama steps of the reverse SDE, as published (arXiv 2301.11699, equation 6)."""
    return _euler(journey, noisy=True)


def reverse_ode(journey: Journey) -> Tensor:
    """Euler steps of the probability-flow ODE of the reverse SDE; only its beginning is random."""
    return _euler(journey, noisy=False)


def _euler(journey: Journey, *, noisy: bool) -> Tensor:
    schedule, mu = journey.schedule, journey.mu
    state = journey.noisy_mu()
    for time, _ in journey.strides():
        drift = schedule.drift(time)
        score = -journey.predict(state, mu, time) / float(schedule.spread[time])
        pull = schedule.level**2 * drift * score * (2 if noisy else 1)
        state = state - drift * (mu - state) + pull
        if noisy:
            state = state + schedule.level * math.sqrt(2 * drift) * journey.normal()
    return state


def posterior(journey: Journey) -> Tensor:
    """Draw each step from the exact p(x_s | x_t, x_0) for any stride, x_0 as the network tells it.

    With strides of one it is the published posterior sampling, which MONAI's DDPMScheduler makes too.
    """
    state = journey.noisy_mu()
    for time, following in journey.strides():
        middle, spread = journey.posterior(state, journey.clean(state, time), time, following)
        state = middle + spread * journey.normal() if following else middle
    return state


def mean(journey: Journey) -> Tensor:
    """Follow the mean of the posterior from mu itself, x_0 clipped to [0, 1]; nothing is drawn.

    It tends to the mean over the clean frames that are likely, so it scores best and shows least texture.
    """
    state = journey.mu
    for time, following in journey.strides():
        clean = journey.clean(state, time).clamp(0, 1)
        state, _ = journey.posterior(state, clean, time, following)
    return state


def expectation(journey: Journey) -> Tensor:
    """Average the x_0, clipped to [0, 1], that single evaluations at the first time tell.

    That late, x_t tells nothing of x_0 beyond mu, so each of them is the mean over the likely clean frames,
    but for the network's own error. That error changes with the noise, which is drawn anew for each
    evaluation, and with left and right, which every other evaluation sees exchanged: both average out.
    """
    total = torch.zeros_like(journey.mu)
    for index, (time, _) in enumerate(journey.strides()):
        seen = replace(journey, mu=journey.mu.flip(-1)) if index % 2 else journey
        clean = seen.clean(seen.noisy_mu(), time).clamp(0, 1)
        total += clean.flip(-1) if index % 2 else clean
    return total / (len(journey.times) - 1)


def second_order(journey: Journey) -> Tensor:
    """Multistep second-order data prediction (DPM-Solver++ 2M, arXiv 2211.01095), x_0 clipped to [0, 1]."""
    schedule, mu = journey.schedule, journey.mu
    state = journey.noisy_mu()
    before: tuple[Tensor, float] | None = None
    for time, following in journey.strides():
        clean = journey.clean(state, time).clamp(0, 1)
        if following == 0:
            return clean
        stride = _log_ratio(schedule, following) - _log_ratio(schedule, time)
        estimate = clean
        if before is not None:
            estimate = clean + (clean - before[0]) * stride / (2 * before[1])
        shrink = float(schedule.spread[following] / schedule.spread[time])
        weight = -float(schedule.share[following]) * math.expm1(-stride)
        state = mu + shrink * (state - mu) + weight * (estimate - mu)
        before = clean, stride
    return state


def _log_ratio(schedule: Schedule, time: int) -> float:
    return math.log(float(schedule.share[time] / schedule.spread[time]))


SAMPLERS: Mapping[str, Callable[[Journey], Tensor]] = {
    "sde": reverse_sde,
    "ode": reverse_ode,
    "posterior": posterior,
    "second-order": second_order,
    "mean": mean,
    "expectation": expectation,
}

EVERY_STEP = ("sde", "ode")
"""Samplers whose coefficients are those of single steps."""

EARLY = ("mean", "expectation")
"""Samplers that need no x_0 left in x_t to be told from noise, and for which the last times are no use: there
the network's error counts most."""

START = 0.8
"""Where those begin, as a share of all times."""


def times_for(name: str, schedule: Schedule, evaluations: int | None = None) -> list[int]:
    """Return the times of a sampler, falling in nearly equal strides to 0.

    The sampler "expectation" stays at its first time until the last stride.

    Args:
        name: one of `SAMPLERS`.
        schedule: of the diffusion.
        evaluations: of the network, one less than the times; as many as there are when not given.

    Raises:
        OptionError: unknown sampler, or more evaluations than it can use or fewer than it needs.
    """
    if name not in SAMPLERS:
        raise OptionError(f"Unknown sampler {name!r}: use one of {', '.join(SAMPLERS)}.")
    start = round(START * schedule.steps) if name in EARLY else schedule.steps
    count = start if evaluations is None else evaluations
    if name in EVERY_STEP and count != start:
        raise OptionError(f"The sampler {name} needs all {start} steps: choose another one for fewer.")
    if not 1 <= count <= start:
        raise OptionError(f"Give between 1 and {start} steps, not {count}.")
    if name == "expectation":
        return [start] * count + [0]
    return [round(start * (count - i) / count) for i in range(count + 1)]


def sample(
    name: str,
    schedule: Schedule,
    predict: NoisePredictor,
    mu: Tensor,
    *,
    evaluations: int | None = None,
    generator: Generator | None = None,
    poll: Poll = _nothing,
) -> Tensor:
    """Go from speckled frames to clean ones, [B, 1, H, W], unclipped.

    Arguments and errors are those of `times_for` and `Journey`.
    """
    times = times_for(name, schedule, evaluations)
    return SAMPLERS[name](Journey(schedule, predict, mu, times, generator, poll))
