"""Figures of merit of uncertainty maps, on errors whose spread is known."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from USEnhanceLib.errors import InputError
from USEnhanceLib.quality.calibration import (
    NORMAL_COVERAGE,
    Calibration,
    ause,
    calibration_error,
    caught_error,
    coverage,
    fit_calibration,
    pearson,
    sparsification,
    spearman,
)


@pytest.fixture
def deviation() -> np.ndarray:
    """A true standard deviation for every pixel."""
    return np.random.default_rng(0).uniform(0.01, 0.1, (200, 250))


@pytest.fixture
def error(deviation: np.ndarray) -> np.ndarray:
    return np.abs(deviation * np.random.default_rng(1).standard_normal(deviation.shape))


def test_correlations_are_those_of_scipy(deviation: np.ndarray, error: np.ndarray) -> None:
    coarse = np.round(deviation, 2)  # with ties
    flat = coarse.ravel(), error.ravel()
    assert pearson(coarse, error) == pytest.approx(scipy.stats.pearsonr(*flat).statistic)
    assert spearman(coarse, error) == pytest.approx(scipy.stats.spearmanr(*flat).statistic)


def test_a_constant_map_says_nothing(error: np.ndarray) -> None:
    constant = np.full_like(error, 0.3)
    assert pearson(constant, error) == 0
    assert spearman(constant, error) == 0
    assert caught_error(constant, error) == pytest.approx(0.1, abs=0.01)


def test_caught_error_counts_the_most_uncertain_tenth() -> None:
    errors = np.arange(1.0, 101)
    assert caught_error(errors, errors) == pytest.approx(errors[-10:].sum() / errors.sum())
    assert caught_error(-errors + 101, errors) == pytest.approx(errors[:10].sum() / errors.sum())


def test_true_deviations_cover_as_a_normal_distribution_does(
    deviation: np.ndarray, error: np.ndarray
) -> None:
    assert coverage(deviation, error) == pytest.approx(NORMAL_COVERAGE, abs=0.005)
    assert coverage(deviation / 2, error) == pytest.approx(0.683, abs=0.01)
    assert calibration_error(deviation, error) < 0.03
    assert calibration_error(deviation / 2, error) == pytest.approx(1, abs=0.05)


def test_sparsification_begins_at_one_and_falls_where_the_map_is_right(
    deviation: np.ndarray, error: np.ndarray
) -> None:
    curve = sparsification(deviation, error)
    assert curve[0] == pytest.approx(1)
    assert curve[-1] < 0.5
    assert (np.diff(sparsification(error, error)) < 0).all()


def test_sparsification_equals_its_definition(deviation: np.ndarray, error: np.ndarray) -> None:
    claimed, actual = deviation[:4].ravel(), error[:4].ravel()
    for i, value in enumerate(sparsification(claimed, actual, 10)):
        keep = np.argsort(-claimed)[i * actual.size // 10 :]
        assert value == pytest.approx(actual[keep].mean() / actual.mean())


def test_area_orders_maps_from_perfect_to_misleading(deviation: np.ndarray, error: np.ndarray) -> None:
    noise = np.random.default_rng(2).random(error.shape)
    areas = [ause(map_, error) for map_ in (error, deviation, noise, error.max() - error)]
    assert areas[0] == 0
    assert areas == sorted(areas)


def test_scale_and_floor_are_found(deviation: np.ndarray, error: np.ndarray) -> None:
    fitted = fit_calibration((deviation - 0.005) / 3, error)
    assert fitted.scale == pytest.approx(3, rel=0.05)
    assert fitted.floor == pytest.approx(0.005, abs=0.002)
    calibrated = fitted((deviation - 0.005) / 3)
    assert coverage(calibrated, error) == pytest.approx(NORMAL_COVERAGE, abs=0.01)
    assert calibration_error(calibrated, error) < 0.05


def test_a_spread_that_overstates_gets_no_negative_floor(deviation: np.ndarray, error: np.ndarray) -> None:
    fitted = fit_calibration(deviation + 0.02, error)
    assert fitted.floor == 0
    assert fitted.scale > 0


def test_a_spread_of_zero_everywhere_gets_the_whole_error_as_floor(error: np.ndarray) -> None:
    fitted = fit_calibration(np.zeros_like(error), error)
    assert fitted.scale == 0
    assert fitted.floor == pytest.approx(np.sqrt(np.mean(error**2)), rel=0.05)


def test_calibration_keeps_type_and_ranking(deviation: np.ndarray) -> None:
    spread = deviation.astype(np.float32)
    calibrated = Calibration(2.5, 0.01)(spread)
    assert calibrated.dtype == np.float32
    assert spearman(calibrated, spread) == pytest.approx(1)


def test_no_error_is_no_division_by_zero() -> None:
    nothing = np.zeros((4, 4))
    spread = np.ones((4, 4))
    assert caught_error(spread, nothing) == 0
    assert ause(spread, nothing) == 0
    assert calibration_error(nothing, nothing) == 0
    assert calibration_error(nothing, spread) == np.inf
    with pytest.raises(InputError, match="equal their targets"):
        fit_calibration(spread, nothing)


@pytest.mark.parametrize(
    ("uncertainty", "error", "reason"),
    [
        (np.ones((2, 3)), np.ones((3, 2)), "one shape"),
        (np.ones(0), np.ones(0), "one shape"),
        (np.array([-1.0, 1]), np.ones(2), "negative"),
        (np.ones(2), np.array([np.nan, 1]), "NaN"),
    ],
)
def test_maps_that_do_not_fit_are_refused(uncertainty: np.ndarray, error: np.ndarray, reason: str) -> None:
    for figure in (pearson, spearman, caught_error, coverage, ause, calibration_error, fit_calibration):
        with pytest.raises(InputError, match=reason):
            figure(uncertainty, error)
