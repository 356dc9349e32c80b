from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import norm

from USEnhanceLib.errors import InputError
from USEnhanceLib.quality.contrast import cnr, enl, epi, gcnr, snr
from USEnhanceLib.quality.flicker import brightness, flicker_map, static_region, temporal_deviation_map


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_cnr_of_known_means_and_spreads():
    first, second = np.array([0.1, 0.3]), np.array([0.5, 0.7])

    assert cnr(first, second) == pytest.approx(20 * math.log10(0.4 / 0.1))
    assert cnr(second, first) == cnr(first, second)
    assert cnr(first, first) == -math.inf
    assert cnr(np.zeros(3), np.ones(3)) == math.inf


def test_gcnr_of_two_normal_regions(generator):
    first, second = generator.normal(0.4, 0.05, 200_000), generator.normal(0.5, 0.05, 200_000)
    overlap = 2 * norm.cdf(-1)

    assert gcnr(first, second) == pytest.approx(1 - overlap, abs=0.01)


def test_gcnr_has_its_extremes_and_ignores_a_change_of_grey_scale(generator):
    first, second = generator.uniform(0, 0.4, 50_000), generator.uniform(0.2, 0.6, 50_000)

    assert gcnr(first, first) == pytest.approx(0, abs=1e-12)
    assert gcnr(np.full(9, 0.1), np.full(9, 0.8)) == 1
    assert gcnr(first**2, second**2) == pytest.approx(gcnr(first, second), abs=0.02)
    assert abs(cnr(first**2, second**2) - cnr(first, second)) > 0.3


def test_speckle_has_the_snr_of_rayleigh_and_one_look_in_intensity(generator):
    field = generator.normal(size=(2, 400_000))
    intensity = (field**2).sum(axis=0)

    assert snr(np.sqrt(intensity)) == pytest.approx(math.sqrt(math.pi / (4 - math.pi)), rel=0.01)
    assert enl(intensity) == pytest.approx(1, rel=0.02)
    assert enl(intensity.reshape(4, -1).mean(axis=0)) == pytest.approx(4, rel=0.02)


def test_epi_falls_with_blur_and_not_with_brightness(generator):
    reference = gaussian_filter(generator.random((64, 64)), 1)

    assert epi(reference, reference) == pytest.approx(1)
    assert epi(0.5 * reference + 0.2, reference) == pytest.approx(1)
    assert epi(gaussian_filter(reference, 2), reference) < epi(gaussian_filter(reference, 1), reference) < 1
    assert epi(-reference, reference) == pytest.approx(-1)
    assert math.isnan(epi(np.zeros((9, 9)), reference[:9, :9]))


def test_unfit_regions_are_refused():
    for metric in (cnr, gcnr):
        with pytest.raises(InputError):
            metric(np.array([]), np.ones(3))
    with pytest.raises(InputError, match="0 to 1"):
        gcnr(np.array([0.0, 255.0]), np.ones(3))
    with pytest.raises(InputError):
        epi(np.zeros((9, 9)), np.zeros((9, 8)))


def test_flicker_of_white_noise_is_its_standard_deviation(generator):
    cine = 0.5 + generator.normal(0, 0.03, (60, 40, 40))

    assert flicker_map(cine).mean() == pytest.approx(0.03, rel=0.02)
    assert temporal_deviation_map(cine).mean() == pytest.approx(0.03, rel=0.02)


def test_slow_drift_is_no_flicker():
    drift = np.linspace(0, 1, 51)[:, None, None] * np.ones((1, 4, 4))

    np.testing.assert_allclose(flicker_map(drift), 0.02 / math.sqrt(2))
    assert temporal_deviation_map(drift).min() > 0.25


def test_brightness_of_each_frame_and_of_a_region():
    cine = np.array([0.2, 0.4])[:, None, None] * np.ones((1, 3, 3))
    cine[:, 0] = 0

    np.testing.assert_allclose(brightness(cine), [0.4 / 3, 0.8 / 3])
    np.testing.assert_allclose(brightness(cine, cine[0] > 0), [0.2, 0.4])


def test_static_region_leaves_out_what_moves_what_is_dark_and_what_lies_outside(generator):
    cine = 0.4 + generator.normal(0, 0.02, (30, 60, 60))
    cine[:, :20] += 0.2 * np.sin(np.arange(30))[:, None, None]
    cine[:, -20:] = 0
    sector = np.zeros((60, 60), bool)
    sector[:, :40] = True
    static = static_region(cine, sector, darkest=0.2)

    assert static.sum() == pytest.approx(0.25 * 40 * 40, rel=0.01)
    assert not static[:20].any()
    assert not static[40:].any()
    assert not static[:, 40:].any()


def test_a_single_frame_or_a_dark_cine_is_refused():
    with pytest.raises(InputError, match="two or more"):
        flicker_map(np.zeros((1, 9, 9)))
    with pytest.raises(InputError, match="dark"):
        static_region(np.zeros((3, 9, 9)), np.ones((9, 9), bool))
