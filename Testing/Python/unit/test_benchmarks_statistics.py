from __future__ import annotations

import numpy as np
import pytest

from USEnhanceLib.benchmarks.images import draw_evenly
from USEnhanceLib.benchmarks.statistics import bootstrap_mean


def test_interval_covers_the_true_mean_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(300):
        estimate = bootstrap_mean(generator.normal(2.0, 1.0, 40), seed=trial, resamples=500)
        covered += estimate.low <= 2.0 <= estimate.high

    assert 0.90 <= covered / 300 <= 0.98


def test_interval_agrees_with_the_standard_error():
    values = np.random.default_rng(1).normal(size=400)
    estimate = bootstrap_mean(values)

    assert estimate.mean == pytest.approx(values.mean())
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_duplicates_in_groups_add_no_evidence():
    values = np.random.default_rng(2).normal(size=30)
    repeated = np.repeat(values, 8)
    groups = np.repeat([f"sweep {index:02d}" for index in range(30)], 8)

    alone = bootstrap_mean(values)
    grouped = bootstrap_mean(repeated, groups)
    ungrouped = bootstrap_mean(repeated)

    assert grouped.high - grouped.low == pytest.approx(alone.high - alone.low, rel=1e-6)
    assert ungrouped.high - ungrouped.low < 0.5 * (alone.high - alone.low)


def test_groups_of_unequal_size_weigh_by_their_images():
    estimate = bootstrap_mean([1.0, 1.0, 1.0, 5.0], ["a", "a", "a", "b"])

    assert estimate.mean == 2.0
    assert (estimate.low, estimate.high) == (1.0, 5.0)


def test_equal_values_and_equal_seeds():
    assert bootstrap_mean([3.0, 3.0, 3.0]).low == bootstrap_mean([3.0, 3.0, 3.0]).high == 3.0
    values = np.random.default_rng(3).normal(size=20)
    assert bootstrap_mean(values, seed=5) == bootstrap_mean(values, seed=5)
    assert bootstrap_mean(values, seed=5) != bootstrap_mean(values, seed=6)


@pytest.mark.parametrize(("count", "limit"), [(147, 32), (97, 32), (10, 9), (5, 1)])
def test_images_are_drawn_evenly_and_repeatably(count, limit):
    drawn = draw_evenly(count, limit, "0/psfhs")

    assert drawn == draw_evenly(count, limit, "0/psfhs")
    assert len(set(drawn)) == limit
    assert min(drawn) >= 0
    assert max(drawn) < count
    steps = np.diff(drawn)
    assert not steps.size or steps.max() - steps.min() <= 1


def test_another_seed_draws_other_images_and_no_limit_draws_all():
    assert draw_evenly(1000, 10, "0/psfhs") != draw_evenly(1000, 10, "1/psfhs")
    assert draw_evenly(4, None, "0/psfhs") == draw_evenly(4, 9, "0/psfhs") == [0, 1, 2, 3]
