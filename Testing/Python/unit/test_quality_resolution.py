from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import erf

from USEnhanceLib.errors import InputError
from USEnhanceLib.quality.resolution import (
    edge_fwhm,
    fwhm,
    gradient_strength,
    line_profile,
    michelson_contrast,
    overshoot,
    undershoot,
)

GAUSSIAN_FWHM = 2 * math.sqrt(2 * math.log(2))
X = np.arange(41)


@pytest.mark.parametrize("sigma", [1.0, 1.3, 1.7, 2.7, 4.0])
@pytest.mark.parametrize("centre", [20.0, 20.3, 20.5])
@pytest.mark.parametrize(("base", "height"), [(0.0, 1.0), (0.3, 0.2)])
def test_width_of_a_gaussian(sigma, centre, base, height):
    profile = base + height * np.exp(-((X - centre) ** 2) / (2 * sigma**2))

    assert fwhm(profile) == pytest.approx(GAUSSIAN_FWHM * sigma, rel=0.02)


@pytest.mark.parametrize("centre", [20.0, 20.37])
def test_width_of_a_triangle_and_of_its_stretched_copy(centre):
    for half in (8.0, 16.0):
        profile = np.maximum(0, 1 - np.abs(X - centre) / half)

        assert fwhm(profile, base=0) == pytest.approx(half, rel=0.05)


def test_width_is_that_of_the_highest_peak():
    profile = np.exp(-((X - 12) ** 2) / 2) + 0.6 * np.exp(-((X - 28) ** 2) / 18)

    assert fwhm(profile, base=0) == pytest.approx(GAUSSIAN_FWHM, rel=0.01)


def test_no_width_without_a_peak_or_with_a_cut_off_one():
    assert math.isnan(fwhm(np.full(20, 0.4)))
    assert math.isnan(fwhm(np.linspace(0, 1, 20)))


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.7])
@pytest.mark.parametrize("sign", [1, -1])
def test_width_of_a_blurred_edge_is_that_of_its_blur(sigma, sign):
    profile = 0.5 + sign * 0.2 * erf((X - 20.4) / (sigma * math.sqrt(2)))

    assert edge_fwhm(profile) == pytest.approx(GAUSSIAN_FWHM * sigma, rel=0.015)
    assert overshoot(profile) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("side", [0.05, -0.05])
def test_overshoot_is_a_share_of_the_step(side):
    profile = np.where(X < 20, 0.2, 0.7)
    profile[21 if side > 0 else 18] += side

    assert overshoot(profile) == pytest.approx(0.1)
    assert overshoot(profile[::-1]) == pytest.approx(0.1)


def test_undershoot_is_a_share_of_the_peak():
    profile = 0.3 + 0.5 * np.exp(-((X - 20) ** 2) / 4)
    assert undershoot(profile) == pytest.approx(0, abs=1e-9)

    profile[15] = 0.2
    assert undershoot(profile) == pytest.approx(0.2)
    assert math.isnan(undershoot(np.full(20, 0.4)))


def test_profile_along_an_oblique_line_finds_the_width_across():
    row, column = np.mgrid[:64, :64]
    angle = math.radians(30)
    distance = (row - 32) * math.sin(angle) + (column - 31) * math.cos(angle)
    frame = np.exp(-(distance**2) / (2 * 1.5**2))
    reach = 16 * np.array([math.sin(angle), math.cos(angle)])
    across = line_profile(frame, np.add((32, 31), -reach), np.add((32, 31), reach), width=9)

    assert len(across) == 33
    assert fwhm(across) == pytest.approx(GAUSSIAN_FWHM * 1.5, rel=0.01)
    assert fwhm(frame[32]) > 1.1 * fwhm(across)


def test_width_of_the_profile_averages_parallel_lines():
    frame = np.random.default_rng(0).random((40, 40))

    np.testing.assert_allclose(
        line_profile(frame, (10, 5), (10, 35), width=3), frame[9:12, 5:36].mean(axis=0), atol=1e-12
    )


@pytest.mark.parametrize(("start", "end"), [((0, 0), (0, 40)), ((5, 5), (5, 5)), ((0, 3), (20, 3))])
def test_lines_outside_the_frame_or_of_no_length_are_refused(start, end):
    with pytest.raises(InputError):
        line_profile(np.zeros((20, 20)), start, end, width=2)


def test_gradients_of_a_ramp_and_of_a_region():
    row, column = np.mgrid[:20, :30]
    frame = 0.03 * row + 0.04 * column

    assert gradient_strength(frame) == pytest.approx((0.05, 0.05))
    frame[10:, :] = 0
    assert gradient_strength(frame, row > 12) == pytest.approx((0, 0))
    assert gradient_strength(0.02 * X) == pytest.approx((0.02, 0.02))
    with pytest.raises(InputError):
        gradient_strength(frame, np.zeros(frame.shape, bool))


def test_blur_widens_and_weakens():
    frame = np.zeros((41, 41))
    frame[20, 20] = 1
    sharp, soft = gaussian_filter(frame, 1), gaussian_filter(frame, 2)

    assert fwhm(soft[20]) == pytest.approx(2 * fwhm(sharp[20]), rel=0.02)
    assert gradient_strength(soft)[0] < gradient_strength(sharp)[0]
    assert michelson_contrast(0.1 + soft) < michelson_contrast(0.1 + sharp)


def test_contrast_has_its_extremes():
    assert michelson_contrast(np.array([0.0, 0.5])) == 1
    assert michelson_contrast(np.array([0.5, 0.5])) == 0
    assert michelson_contrast(np.array([0.3, 0.6])) == pytest.approx(1 / 3)
    assert math.isnan(michelson_contrast(np.zeros(3)))


@pytest.mark.parametrize("profile", [np.zeros(5), np.zeros((10, 10)), np.full(20, np.nan)])
def test_unfit_profiles_are_refused(profile):
    for metric in (fwhm, edge_fwhm, overshoot, undershoot):
        with pytest.raises(InputError):
            metric(profile)
