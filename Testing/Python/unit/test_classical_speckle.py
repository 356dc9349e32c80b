"""Every filter, told nothing, on speckle of log-compressed B-mode; the published equations; noise levels."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from USEnhanceLib.classical.filters import apply_filter, filter_names
from USEnhanceLib.classical.noise_level import estimate_noise

HALF = 48
DYNAMIC_RANGE = 60.0
REGIONS = (np.s_[0, 4:-4, 4 : HALF - 4], np.s_[0, 4:-4, HALF + 4 : -4])
MULTIPLICATIVE = ("lee", "frost", "kuan", "srad")


def rayleigh(shape: tuple[int, int], grain: float, seed: int) -> np.ndarray:
    """Log-compressed, fully developed speckle of mean 0, in shares of the dynamic range."""
    generator = np.random.default_rng(seed)
    field = [gaussian_filter(generator.standard_normal(shape), grain) for _ in range(2)]
    decibels = 20 * np.log10(np.hypot(*field))
    return (decibels - decibels.mean()) / DYNAMIC_RANGE


@pytest.fixture(scope="module")
def phantom() -> np.ndarray:
    """Two homogeneous halves of log-compressed tissue, float32 [1, 96, 96]."""
    clean = np.full((2 * HALF, 2 * HALF), 0.35)
    clean[:, HALF:] = 0.65
    return np.clip(clean + rayleigh(clean.shape, 0.5, seed=5), 0, 1).astype(np.float32)[None]


@pytest.fixture(scope="module", params=filter_names())
def filtered(request: pytest.FixtureRequest, phantom: np.ndarray) -> tuple[str, np.ndarray]:
    """The name of a filter and its answer at its default parameters."""
    return request.param, apply_filter(request.param, phantom)


def test_speckle_falls(filtered, phantom):
    _, result = filtered
    for region in REGIONS:
        assert result[region].std() < 0.6 * phantom[region].std()


def test_the_brightness_of_tissue_stays(filtered, phantom):
    """Within a third of a decibel for averages; the median of log-compressed speckle lies 0.9 dB higher."""
    name, result = filtered
    allowed = (1.0 if name == "median" else 0.5) / DYNAMIC_RANGE
    for region in REGIONS:
        assert abs(float(result[region].mean() - phantom[region].mean())) < allowed


def test_an_edge_stays(filtered, phantom):
    """Three quarters of the step lie within three pixels, where a blur of the same smoothness has half."""
    name, result = filtered
    profile = result[0].mean(axis=0)
    step = result[REGIONS[1]].mean() - result[REGIONS[0]].mean()
    assert (profile[HALF + 1] - profile[HALF - 2]) / step > 0.75, name
    assert step > 0.9 * (phantom[REGIONS[1]].mean() - phantom[REGIONS[0]].mean())


@pytest.mark.parametrize("name", MULTIPLICATIVE)
def test_the_mean_of_the_domain_that_is_filtered_stays(name, phantom):
    result = apply_filter(name, phantom)
    for region in REGIONS:
        assert np.exp(result[region]).mean() == pytest.approx(np.exp(phantom[region]).mean(), rel=1e-3)


@pytest.mark.parametrize("name", MULTIPLICATIVE)
def test_an_envelope_keeps_its_mean(name):
    generator = np.random.default_rng(7)
    frames = (0.3 * generator.gamma(25, 1 / 25, (1, 80, 80))).astype(np.float32)
    result = apply_filter(name, frames, compressed=False)
    assert result[0, 4:-4, 4:-4].mean() == pytest.approx(frames[0, 4:-4, 4:-4].mean(), rel=5e-3)
    assert result.std() < 0.5 * frames.std()


@pytest.mark.parametrize("name", filter_names())
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 7), (1, 9, 8), (1, 7, 40)])
def test_frames_of_any_size_are_filtered(name, shape):
    frames = np.random.default_rng(1).random(shape, dtype=np.float32)
    result = apply_filter(name, frames)
    assert result.shape == shape
    assert np.isfinite(result).all()


def test_obnlm_takes_seconds():
    frames = np.clip(0.5 + rayleigh((256, 256), 1.0, seed=2), 0, 1).astype(np.float32)[None]
    begin = time.thread_time()
    apply_filter("obnlm", frames)
    assert time.thread_time() - begin < 5


# The equations, written pixel by pixel


def window_of(image: np.ndarray, i: int, j: int, radius: int) -> np.ndarray:
    return np.pad(image, radius, mode="symmetric")[i : i + 2 * radius + 1, j : j + 2 * radius + 1]


@pytest.mark.parametrize("name", ["lee", "kuan"])
@pytest.mark.parametrize("compressed", [False, True])
def test_local_statistics_agree_with_their_equations(name, compressed):
    scale = 0.3
    frame = np.random.default_rng(4).uniform(0.1, 0.9, (6, 7)).astype(np.float32)
    image = np.exp(frame.astype(float)) if compressed else frame.astype(float) + 1 / 255
    expected = np.empty_like(image)
    for i, j in np.ndindex(image.shape):
        window = window_of(image, i, j, 1)
        mean, variance = window.mean(), window.var()
        signal = max(0.0, (variance + mean**2) / (1 + scale**2) - mean**2)
        weight = signal / (signal + (mean * scale) ** 2) if name == "lee" else signal / variance
        expected[i, j] = mean + weight * (image[i, j] - mean)
    expected = np.log(expected) if compressed else expected - 1 / 255

    result = apply_filter(name, frame[None], size=3, speckle_scale=scale, compressed=compressed)

    np.testing.assert_allclose(result[0], expected, atol=1e-5)


def test_frost_agrees_with_its_equation():
    scale, damping = 0.2, 0.4
    frame = np.random.default_rng(5).uniform(0.1, 0.9, (6, 7)).astype(np.float32)
    image = frame.astype(float) + 1 / 255
    distance = np.hypot(*np.mgrid[-2:3, -2:3])
    expected = np.empty_like(image)
    for i, j in np.ndindex(image.shape):
        window = window_of(image, i, j, 2)
        variation = window.var() / window.mean() ** 2
        weights = np.exp(-damping * variation / scale**2 * distance)
        expected[i, j] = (weights * window).sum() / weights.sum() - 1 / 255

    result = apply_filter(
        "frost", frame[None], size=5, damping=damping, speckle_scale=scale, compressed=False
    )

    np.testing.assert_allclose(result[0], expected, atol=1e-5)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_obnlm_agrees_with_its_equations(step):
    """Frames of more than one strip of blocks, whose number is no multiple of the step."""
    noise, strength, reach, radius, exponent, ratio = 0.1, 1.2, 2, 1, 0.5, 0.8
    frame = np.random.default_rng(6).uniform(0.2, 0.9, (70 * step if step == 1 else 17, 6)).astype(np.float32)
    height, width = frame.shape
    padded = np.pad(frame.astype(float), reach + radius, mode="symmetric")
    cut_off = (strength * noise / frame.mean() ** exponent) ** 2
    side = 2 * radius + 1

    def block(i: int, j: int) -> np.ndarray:
        return padded[i + reach : i + reach + side, j + reach : j + reach + side]

    total, count = np.zeros((height + 2, width + 2)), np.zeros((height + 2, width + 2))
    for i in sorted({*range(0, height, step), height - 1}):
        for j in sorted({*range(0, width, step), width - 1}):
            here, values, weights = block(i, j), 0.0, 0.0
            for a, b in np.ndindex(2 * reach + 1, 2 * reach + 1):
                there = block(i + a - reach, j + b - reach)
                if ratio <= there.mean() / here.mean() <= 1 / ratio:
                    weight = math.exp(-((here - there) ** 2 / there ** (2 * exponent)).mean() / cut_off)
                    values, weights = values + weight * there, weights + weight
            total[i : i + side, j : j + side] += values / weights
            count[i : i + side, j : j + side] += 1

    result = apply_filter(
        "obnlm",
        frame[None],
        noise=noise,
        strength=strength,
        patch_size=side,
        search_distance=reach,
        step=step,
        exponent=exponent,
        mean_ratio=ratio,
    )

    np.testing.assert_allclose(result[0], (total / count)[1:-1, 1:-1], atol=1e-4)


# The level of noise


@pytest.mark.parametrize("sigma", [0.03, 0.1, 0.2])
def test_noise_is_estimated_across_edges(sigma):
    clean = np.where(np.arange(128) < 61, 0.4, 0.6)[None] * np.ones((128, 1))
    noisy = clean + sigma * np.random.default_rng(1).standard_normal(clean.shape)
    assert estimate_noise(noisy) == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize("grain", [0.0, 0.5, 1.0])
def test_noise_of_speckle_is_found_however_coarse(grain):
    speckle = rayleigh((256, 256), grain, seed=3)
    assert estimate_noise(0.5 + speckle) == pytest.approx(speckle.std(), rel=0.25)


def test_multiplicative_noise_is_told_as_coefficient_of_variation():
    brightness = np.linspace(0.1, 0.9, 128)
    noisy = brightness * np.random.default_rng(2).gamma(100, 1 / 100, (128, 128))
    assert estimate_noise(noisy, exponent=1) == pytest.approx(0.1, rel=0.15)


def test_a_black_background_hides_no_noise():
    noisy = np.zeros((128, 128))
    noisy[40:90, 40:90] = 0.5 + 0.1 * np.random.default_rng(3).standard_normal((50, 50))
    noisy[:, :30] = 0.003 * np.random.default_rng(4).random((128, 30))
    assert estimate_noise(noisy) == pytest.approx(0.1, rel=0.25)


@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (64, 64)])
def test_a_constant_frame_has_no_noise(shape):
    assert estimate_noise(np.full(shape, 0.3)) == 0
