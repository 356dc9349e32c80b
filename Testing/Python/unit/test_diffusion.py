"""The mean-reverting diffusion against closed forms: for normal clean frames the best network is known."""

from __future__ import annotations

import math

import pytest
import torch

from USEnhanceLib.diffusion import SAMPLERS, Prediction, Schedule, sample, times_for
from USEnhanceLib.diffusion.samplers import EVERY_STEP, Journey
from USEnhanceLib.errors import OptionError

MEAN, DEVIATION = 0.6, 0.05
MU = 0.4
SHAPE = (64, 1, 32, 32)


@pytest.fixture(scope="module")
def schedule():
    return Schedule()


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(5)


class NormalFrames:
    """The best network where each pixel of x_0 is normal on its own: the mean of the noise given x_t."""

    def __init__(self, schedule):
        self.schedule, self.times = schedule, []

    def __call__(self, state, mu, time):
        self.times.append(time)
        share, spread = (float(part[time]) for part in (self.schedule.share, self.schedule.spread))
        variance = share**2 * DEVIATION**2 + spread**2
        return spread * (state - mu - share * (MEAN - mu)) / variance


def mu():
    return torch.full(SHAPE, MU, dtype=torch.float64)


def test_the_end_of_the_schedule_is_the_remainder(schedule):
    assert float(schedule.share[0]) == 1
    assert float(schedule.share[-1]) == pytest.approx(0.005)
    assert float(schedule.spread[-1]) == pytest.approx(schedule.level, rel=1e-4)


def test_the_schedule_is_the_published_cosine(schedule):
    """theta of the formulas, written out: n = T + 2, c_i, theta = 1 - c[1:-1]."""
    n = 102
    c = [math.cos(((i / n + 0.008) / 1.008) * math.pi / 2) ** 2 for i in range(n + 1)]
    theta = [1 - value / c[0] for value in c[1:-1]]
    total = sum(theta) - theta[0]
    dt = -math.log(0.005) / total
    wanted = dt * (sum(theta[:51]) - theta[0])
    assert float(schedule.integral[50]) == pytest.approx(wanted, rel=1e-9)


def test_diffused_frames_have_the_mean_and_spread_of_their_time(schedule, generator):
    clean = torch.full(SHAPE, MEAN)
    noise = torch.randn(SHAPE, generator=generator)
    found = schedule.diffuse(clean, torch.full(SHAPE, MU), torch.full((SHAPE[0],), 40), noise)
    share = float(schedule.share[40])
    assert float(found.mean()) == pytest.approx(MU + share * (MEAN - MU), abs=1e-3)
    assert float(found.std()) == pytest.approx(float(schedule.spread[40]), rel=0.01)


def test_clean_frame_and_noise_follow_from_each_other(schedule, generator):
    state, noise = (torch.rand(SHAPE, generator=generator, dtype=torch.float64) for _ in range(2))
    clean = schedule.clean_from_noise(state, mu(), noise, 60)
    assert torch.allclose(schedule.noise_from_clean(state, mu(), clean, 60), noise)


@pytest.mark.parametrize("name", ["sde", "posterior", "second-order", "ode"])
def test_samplers_of_the_distribution_draw_from_it(name, schedule, generator):
    drawn = sample(name, schedule, NormalFrames(schedule), mu(), generator=generator)
    assert float(drawn.mean()) == pytest.approx(MEAN, abs=0.002)
    # Euler steps are of first order: their spread is a few per cent off.
    assert float(drawn.std()) == pytest.approx(DEVIATION, rel=0.12)


@pytest.mark.parametrize("evaluations", [2, 5, 10])
def test_the_posterior_keeps_its_mean_at_any_stride(evaluations, schedule, generator):
    drawn = sample(
        "posterior", schedule, NormalFrames(schedule), mu(), evaluations=evaluations, generator=generator
    )
    assert float(drawn.mean()) == pytest.approx(MEAN, abs=0.003)


@pytest.mark.parametrize("evaluations", [1, 2, 3, 5, 10])
def test_the_mean_of_the_posterior_is_the_mean_of_the_clean_frames(evaluations, schedule):
    found = sample("mean", schedule, NormalFrames(schedule), mu(), evaluations=evaluations)
    assert float((found - MEAN).abs().max()) < 0.02
    assert torch.equal(found, sample("mean", schedule, NormalFrames(schedule), mu(), evaluations=evaluations))


@pytest.mark.parametrize("evaluations", [1, 2, 5])
def test_the_expectation_is_the_mean_of_the_clean_frames(evaluations, schedule, generator):
    predict = NormalFrames(schedule)
    found = sample("expectation", schedule, predict, mu(), evaluations=evaluations, generator=generator)
    assert predict.times == [80] * evaluations
    # At a late time the little that x_t still tells of x_0 moves the mean by less than a grey level.
    assert float((found - MEAN).abs().mean()) < 1 / 255


def test_the_expectation_sees_left_and_right_exchanged(schedule, generator):
    """A network that errs more the further right a pixel lies is right on average."""
    ramp = torch.linspace(0.2, 0.8, 8).expand(1, 1, 8, 8)

    def predict(state, mus, time):
        return schedule.noise_from_clean(state, mus, ramp, time)

    frames = torch.full((1, 1, 8, 8), 0.5)
    once, twice = (
        sample("expectation", schedule, predict, frames, evaluations=count, generator=generator)
        for count in (1, 2)
    )
    assert torch.allclose(once, ramp, atol=1e-4)
    assert torch.allclose(twice, torch.full_like(ramp, 0.5), atol=1e-4)


def test_steps_of_one_are_those_of_monai(schedule):
    """MONAI's DDPMScheduler on z = (x - mu) / lambda, without the noise of the last step."""
    predict = NormalFrames(schedule)
    state = mu() + 0.1
    z = (state - mu()) / schedule.level
    theirs, _ = schedule.scheduler.step(predict(state, mu(), 1), 0, z)
    journey = Journey(schedule, predict, mu(), [1, 0])
    ours, _ = journey.posterior(state, journey.clean(state, 1), 1, 0)
    assert torch.allclose(ours, mu() + schedule.level * theirs, atol=1e-6)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_makes_as_many_evaluations_as_it_is_given(name, schedule):
    predict = NormalFrames(schedule)
    frames = torch.full((1, 1, 2, 2), MU, dtype=torch.float64)
    if name in EVERY_STEP:
        sample(name, schedule, predict, frames)
        assert predict.times == list(range(100, 0, -1))
        with pytest.raises(OptionError, match="all 100 steps"):
            sample(name, schedule, predict, frames, evaluations=5)
    else:
        sample(name, schedule, predict, frames, evaluations=5)
        assert len(predict.times) == 5


@pytest.mark.parametrize(("name", "evaluations"), [("mean", 0), ("mean", 81), ("posterior", 101)])
def test_impossible_numbers_of_steps_are_refused(name, evaluations, schedule):
    with pytest.raises(OptionError, match="steps"):
        times_for(name, schedule, evaluations)


def test_strides_are_nearly_equal(schedule):
    assert times_for("mean", schedule, 5) == [80, 64, 48, 32, 16, 0]
    assert times_for("expectation", schedule, 2) == [80, 80, 0]
    assert times_for("posterior", schedule) == list(range(100, -1, -1))


def test_an_unknown_sampler_is_refused(schedule):
    with pytest.raises(OptionError, match="mean"):
        sample("magic", schedule, NormalFrames(schedule), mu())


@pytest.mark.parametrize("kind", ["noise", "velocity"])
def test_a_perfect_network_tells_the_noise_whatever_it_predicts(kind, schedule, generator):
    clean, mus, noise = (torch.rand((2, 1, 8, 8), generator=generator) for _ in range(3))
    times = torch.full((2,), 70)
    state = schedule.diffuse(clean, mus, times, noise)
    prediction = Prediction(torch.nn.Identity(), schedule, kind)
    right = prediction.target(clean, mus, times, noise)
    prediction = Prediction(lambda z, mu, times: right, schedule, kind)
    assert torch.allclose(prediction(state, mus, 70), noise, atol=1e-4)


def test_a_poll_ends_the_sampling(schedule):
    class StoppedError(Exception):
        pass

    def stop():
        raise StoppedError

    with pytest.raises(StoppedError):
        sample("mean", schedule, NormalFrames(schedule), mu(), poll=stop)
