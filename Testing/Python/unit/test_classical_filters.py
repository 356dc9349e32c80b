from __future__ import annotations

import math

import numpy as np
import pytest

from USEnhanceLib.classical.filters import FILTERS, apply_filter, filter_names, find_filter
from USEnhanceLib.errors import InputError, OptionError

NOISE = 0.1


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    """A frame with a step edge, a disc and a ramp, so that smoothing alone is not enough."""
    row, column = np.mgrid[:64, :72]
    frame = np.where(column < 36, 0.25, 0.65) + 0.002 * row
    frame[(row - 32) ** 2 + (column - 52) ** 2 < 100] = 0.3
    return frame[None].astype(np.float32)


@pytest.fixture(scope="module")
def noisy(clean: np.ndarray) -> np.ndarray:
    generator = np.random.default_rng(3)
    return np.clip(clean + NOISE * generator.standard_normal(clean.shape), 0, 1).astype(np.float32)


def mean_squared_error(frames: np.ndarray, reference: np.ndarray) -> float:
    return float(((frames.astype(float) - reference) ** 2).mean())


@pytest.mark.parametrize("name", filter_names())
def test_every_filter_halves_the_error_and_keeps_the_contract(name, clean, noisy):
    before = noisy.copy()
    known = {"noise": NOISE} if "noise" in find_filter(name).parameters else {}

    result = apply_filter(name, noisy, **known)

    assert result.dtype == np.float32
    assert result.shape == noisy.shape
    assert result.min() >= 0
    assert result.max() <= 1
    assert mean_squared_error(result, clean) < 0.5 * mean_squared_error(noisy, clean)
    np.testing.assert_array_equal(noisy, before)


@pytest.mark.parametrize("name", filter_names())
def test_frames_are_filtered_independently_and_repeatably(name, noisy):
    other = noisy[:, ::-1, ::-1]

    together = apply_filter(name, np.concatenate([noisy, other]))

    np.testing.assert_array_equal(together[:1], apply_filter(name, noisy))
    np.testing.assert_array_equal(together[1:], apply_filter(name, other))


@pytest.mark.parametrize("name", filter_names())
@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_constant_frames_stay_as_they_are(name, value):
    frames = np.full((1, 32, 32), value, np.float32)

    np.testing.assert_allclose(apply_filter(name, frames), frames, atol=2e-3)


@pytest.mark.parametrize("name", filter_names())
def test_parameters_are_documented_and_default_to_allowed_values(name, noisy):
    entry = find_filter(name)

    assert entry.source
    assert all(parameter.meaning for parameter in entry.parameters.values())
    np.testing.assert_array_equal(entry(noisy, **entry.defaults), entry(noisy))


def test_names_are_unique():
    assert len({entry.name for entry in FILTERS}) == len(FILTERS)


def test_unknown_filter_is_refused_with_the_choices():
    with pytest.raises(OptionError, match=r"'blur'.*median"):
        find_filter("blur")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("median", {"radius": 3}),
        ("median", {"size": 4}),
        ("median", {"size": 3.0}),
        ("median", {"size": None}),
        ("nlm", {"noise": -0.1}),
        ("nlm", {"noise": math.nan}),
        ("srad", {"time_step": 1.5}),
        ("bm3d", {"noise": "high"}),
    ],
)
def test_unknown_parameters_and_values_are_refused(name, parameters, noisy):
    with pytest.raises(OptionError, match=next(iter(parameters))):
        apply_filter(name, noisy, **parameters)


@pytest.mark.parametrize(
    "frames",
    [np.zeros((8, 8), np.float32), np.zeros((0, 8, 8), np.float32), np.full((1, 8, 8), np.nan, np.float32)],
)
def test_unusable_frames_are_refused(frames):
    with pytest.raises(InputError, match="median"):
        apply_filter("median", frames)
