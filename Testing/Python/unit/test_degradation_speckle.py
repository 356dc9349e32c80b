"""Speckle: Rayleigh before log compression, 5.57 dB after it, its grain, and the multiplicative model."""

from __future__ import annotations

import math

import pytest
import torch

from USEnhanceLib.degradation import multiplicative_speckle, rayleigh_speckle

RAYLEIGH_SNR = math.sqrt(math.pi / (4 - math.pi))
LOG_DEVIATION = 10 / math.log(10) * math.pi / math.sqrt(6)
WIDE = 400.0
"""A dynamic range in dB at which nothing of the speckle is clipped on a frame of .5."""


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def grey(level: float = 0.5, count: int = 16, size: int = 64) -> torch.Tensor:
    return torch.full((count, size, size), level)


def envelope(grain: float = 0.0) -> torch.Tensor:
    """The Rayleigh envelope whose logarithm `rayleigh_speckle` adds, up to a factor."""
    level = (rayleigh_speckle(grey(), WIDE, generator(), grain).double() - 0.5) * WIDE
    return 10 ** (level / 20)


def correlation(field: torch.Tensor, lag: int, dim: int) -> float:
    centred = field - field.mean()
    return float((centred * centred.roll(lag, dim)).mean() / centred.square().mean())


def test_envelope_before_compression_is_rayleigh() -> None:
    r = envelope()
    assert float(r.mean() / r.std()) == pytest.approx(RAYLEIGH_SNR, rel=0.01)
    # The ratio of the moments of R^2, exponential, is 1 for both.
    power = r.square()
    assert float(power.mean() / power.std()) == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("grain", [0.0, 0.7, 1.5])
def test_log_compressed_speckle_has_its_deviation_and_keeps_the_mean_level(grain: float) -> None:
    for dynamic_range in (60.0, WIDE):
        speckle = (rayleigh_speckle(grey(), dynamic_range, generator(), grain) - 0.5) * dynamic_range
        # A grain leaves fewer independent values.
        independent = speckle.numel() / max(1, 4 * math.pi * grain**2)
        assert float(speckle.std()) == pytest.approx(LOG_DEVIATION, rel=0.03)
        assert float(speckle.mean()) == pytest.approx(0, abs=4 * LOG_DEVIATION / math.sqrt(independent))


def test_a_lower_dynamic_range_means_stronger_speckle_of_each_frame() -> None:
    ranges = torch.tensor([40.0, 50.0, 60.0, 70.0])
    speckled = rayleigh_speckle(grey(count=4, size=128), ranges, generator())
    assert (speckled.std((1, 2)) * ranges).tolist() == pytest.approx([LOG_DEVIATION] * 4, rel=0.03)


@pytest.mark.parametrize("grain", [0.7, 1.5, 3.0])
def test_grain_is_the_correlation_length(grain: float) -> None:
    power = envelope(grain).square()
    for lag in (1, 2, 3):
        expected = math.exp(-(lag**2) / (2 * grain**2))
        for dim in (1, 2):
            assert correlation(power, lag, dim) == pytest.approx(expected, abs=0.06)


def test_speckle_without_grain_is_white() -> None:
    power = envelope().square()
    assert correlation(power, 1, 1) == pytest.approx(0, abs=0.02)
    assert correlation(power, 1, 2) == pytest.approx(0, abs=0.02)


def test_grain_of_zero_is_the_same_for_one_and_for_each() -> None:
    frames = grey(count=3)
    one = rayleigh_speckle(frames, 60, generator(), 0.0)
    each = rayleigh_speckle(frames, 60, generator(), torch.tensor([0.0, 0.0, 2.0]))
    assert torch.allclose(each[:2], one[:2], atol=1e-4)
    assert correlation(each[2:], 1, 2) > 0.5


def test_rayleigh_speckle_is_additive_and_clipped() -> None:
    dark, bright = (rayleigh_speckle(grey(level), 60, generator()) for level in (0.4, 0.6))
    inside = (dark > 0) & (bright < 1)
    assert torch.allclose((bright - dark)[inside], torch.tensor(0.2), atol=1e-6)
    ends = rayleigh_speckle(torch.stack((grey(0.0)[0], grey(1.0)[0])), 40, generator())
    assert float(ends.min()) == 0
    assert float(ends.max()) == 1


def test_multiplicative_speckle_grows_with_the_intensity() -> None:
    frames = torch.stack([grey(level)[0] for level in (0.1, 0.2, 0.4)])
    factor = multiplicative_speckle(frames, 0.2, generator()) / frames
    assert factor.mean((1, 2)).tolist() == pytest.approx([1] * 3, abs=0.015)
    assert factor.std((1, 2)).tolist() == pytest.approx([0.2] * 3, rel=0.05)
    assert correlation(factor, 1, 2) == pytest.approx(0, abs=0.04)


def test_multiplicative_speckle_leaves_black_and_clips_white() -> None:
    assert not multiplicative_speckle(grey(0.0), 0.4, generator()).any()
    white = multiplicative_speckle(grey(1.0), 0.4, generator())
    assert float(white.max()) == 1
    assert float((white == 1).float().mean()) == pytest.approx(0.5, abs=0.02)
    assert float(multiplicative_speckle(grey(0.5), 2.0, generator()).min()) == 0
