"""Pairs of frames: gain, speckle, clutter, and the agreement of the engines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from USEnhanceLib.errors import InputError, OptionError
from USEnhanceLib.simulation.compression import HEADROOM, MEAN_LEVEL, compress, level_of_tissue
from USEnhanceLib.simulation.fast import FastSimulator
from USEnhanceLib.simulation.grid import image_grid
from USEnhanceLib.simulation.pair import simulate_pair
from USEnhanceLib.simulation.phantoms import disc, disc_darkness, disc_mask, homogeneous
from USEnhanceLib.simulation.probes import PROBES
from USEnhanceLib.simulation.setting import Setting, draw_setting
from USEnhanceLib.simulation.statistics import engines_agree, histogram_distance, speckle_statistics

NAMES = [probe.name for probe in PROBES]
# The quickest to simulate: few elements.
QUICK = "P6-3"
RAYLEIGH_SNR = (np.pi / (4 - np.pi)) ** 0.5


def setting_of(name: str, size: int = 128) -> Setting:
    """Return the usual setting of a probe."""
    return draw_setting(name, np.random.default_rng(0), size=size)


@pytest.fixture(scope="module")
def agreement():
    """Both engines on homogeneous tissue."""
    return engines_agree(setting_of(QUICK), frames=2)


def test_the_fast_engine_agrees_with_simus(agreement):
    assert {name: share for name, share in agreement.differences().items() if abs(share) > 0.1} == {}
    assert agreement.histogram < 0.05


def test_speckle_is_fully_developed(agreement):
    assert agreement.exact.snr == pytest.approx(RAYLEIGH_SNR, rel=0.05)
    assert agreement.fast.snr == pytest.approx(RAYLEIGH_SNR, rel=0.05)


def test_the_gain_fits_homogeneous_tissue(agreement):
    assert abs(agreement.exact.mean_level) < 0.5
    assert abs(agreement.fast.mean_level) < 0.5


def test_an_anechoic_disc_is_dark():
    assert disc_darkness(setting_of(QUICK)) < -29


@pytest.mark.parametrize("engine", ["simus", "fast"])
def test_speckle_is_fair_to_the_clean_frame(engine):
    setting = setting_of(QUICK)
    grid = image_grid(setting)
    pair = simulate_pair(disc(grid, -15.0), setting, engine)
    inside, beside = disc_mask(grid, 0.7), grid.sector & ~disc_mask(grid, 1.3)
    for region, level in ((inside, -15.0), (beside, 0.0)):
        np.testing.assert_allclose(
            pair.clean[region], 1 + (level - HEADROOM) / setting.dynamic_range, atol=1e-5
        )
    # The brightest 2.6 % are cut off where tissue is 8 dB below white.
    assert (pair.speckled - pair.clean)[beside].mean() == pytest.approx(0, abs=0.015)
    assert (pair.speckled - pair.clean)[inside].mean() == pytest.approx(0, abs=0.06)


@pytest.mark.parametrize("engine", ["simus", "fast"])
def test_the_seed_decides_the_speckle(engine):
    setting = setting_of(QUICK, size=32)
    tissue = np.random.default_rng(1).random((32, 32), np.float32)
    first, again = (simulate_pair(tissue, setting, engine) for _ in range(2))
    other = simulate_pair(tissue, replace(setting, seed=setting.seed ^ 1), engine)
    assert np.array_equal(first.speckled, again.speckled)
    assert np.array_equal(first.clean, other.clean)
    assert np.abs(first.speckled - other.speckled).mean() > 0.02


@pytest.mark.parametrize("name", NAMES)
def test_frames_are_black_outside_the_sector(name):
    setting = setting_of(name, size=32)
    pair = simulate_pair(homogeneous(32), setting, "fast")
    sector = image_grid(setting).sector
    for frame in (pair.speckled, pair.clean):
        assert frame.dtype == np.float32
        assert frame.shape == (32, 32)
        assert 0 <= frame.min() <= frame.max() <= 1
        assert not frame[~sector].any()
    assert pair.speckled[sector].std() > 0.05


@pytest.mark.parametrize("name", NAMES)
def test_fast_speckle_has_the_right_level_and_contrast(name):
    simulator = FastSimulator(setting_of(name))
    levels = simulator.levels(torch.ones(4, 128, 128), torch.Generator().manual_seed(2)).numpy()
    found = speckle_statistics(levels)
    assert found.snr == pytest.approx(RAYLEIGH_SNR, rel=0.06)
    assert abs(found.mean_level) < 0.4
    # Below a sample the columns would be white noise.
    assert min(found.axial, found.lateral) > 1.5


def test_the_fast_engine_makes_a_batch_of_different_speckle():
    simulator = FastSimulator(setting_of(QUICK, size=32))
    tissue = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(3))
    tissue[1] = tissue[0]
    speckled, clean = simulator(tissue, torch.Generator().manual_seed(4))
    again, _ = simulator(tissue, torch.Generator().manual_seed(4))
    assert torch.equal(speckled, again)
    assert torch.equal(clean[0], clean[1])
    assert not torch.equal(speckled[0], speckled[1])
    expected = compress(level_of_tissue(tissue.numpy()), simulator.setting.dynamic_range)
    np.testing.assert_allclose(clean.numpy(), expected * image_grid(simulator.setting).sector, atol=1e-5)


def test_tissue_of_a_wrong_shape_or_range_is_refused():
    setting = setting_of(QUICK, size=32)
    with pytest.raises(InputError, match="32 x 32"):
        simulate_pair(np.ones((16, 16), np.float32), setting)
    with pytest.raises(InputError, match="0 to 1"):
        simulate_pair(2 * homogeneous(32), setting)
    with pytest.raises(InputError, match="32"):
        FastSimulator(setting)(torch.ones(1, 16, 16))
    with pytest.raises(OptionError, match="fast"):
        simulate_pair(homogeneous(32), setting, "slow")


def test_mean_level_is_that_of_a_rayleigh_envelope():
    rng = np.random.default_rng(5)
    power = rng.exponential(size=400_000)
    assert (10 * np.log10(power)).mean() == pytest.approx(MEAN_LEVEL, abs=0.05)


def test_statistics_of_known_speckle():
    rng = np.random.default_rng(6)
    field = rng.normal(size=(8, 128, 128)) + 1j * rng.normal(size=(8, 128, 128))
    white = 20 * np.log10(np.abs(field))
    # A moving mean of four rows: the field's covariance is a triangle, and the envelope's about its square.
    smooth = 20 * np.log10(np.abs(sum(np.roll(field, shift, axis=1) for shift in range(4))))
    assert speckle_statistics(white).snr == pytest.approx(RAYLEIGH_SNR, rel=0.02)
    assert speckle_statistics(white).lateral == pytest.approx(1, abs=0.05)
    assert speckle_statistics(smooth).axial == pytest.approx(2 * 4 * (1 - 0.5**0.5), rel=0.05)
    assert speckle_statistics(smooth).lateral == pytest.approx(1, abs=0.05)
    assert histogram_distance(white, white) == 0
    assert histogram_distance(white, white + 3) > 0.15
