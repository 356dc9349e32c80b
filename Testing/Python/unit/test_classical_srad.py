from __future__ import annotations

import numpy as np
import pytest

from USEnhanceLib.classical.filters import apply_filter
from USEnhanceLib.classical.srad import estimate_speckle_scale, filter_srad

HALF = 48


def speckled_phantom(dark: float, bright: float, variation: float, seed: int) -> np.ndarray:
    """An envelope-like frame [1, 96, 96]: two homogeneous halves under multiplicative gamma speckle."""
    generator = np.random.default_rng(seed)
    reflectivity = np.full((2 * HALF, 2 * HALF), dark)
    reflectivity[:, HALF:] = bright
    shape = 1 / variation**2
    return (reflectivity * generator.gamma(shape, 1 / shape, reflectivity.shape))[None].astype(np.float32)


@pytest.fixture(scope="module")
def phantom() -> np.ndarray:
    return speckled_phantom(0.15, 0.5, variation=0.2, seed=5)


def coefficient_of_variation(region: np.ndarray) -> float:
    return float(region.std() / region.mean())


def test_speckle_falls_while_means_and_the_edge_stay(phantom):
    result = filter_srad(phantom, iterations=200, time_step=0.2, speckle_scale=0.2, compressed=False)

    for columns in (slice(4, HALF - 4), slice(HALF + 4, -4)):
        before, after = phantom[..., columns], result[..., columns]
        assert coefficient_of_variation(after) < 0.3 * coefficient_of_variation(before)
        assert after.mean() == pytest.approx(before.mean(), rel=0.02)
    profile = result[0].mean(axis=0)
    one_pixel_step = profile[HALF] - profile[HALF - 1]
    full_step = profile[HALF + 8] - profile[HALF - 8]
    assert one_pixel_step > 0.7 * full_step


def test_edge_is_kept_better_than_by_linear_diffusion_that_smooths_no_more(phantom):
    from scipy.ndimage import gaussian_filter

    result = filter_srad(phantom, iterations=200, time_step=0.2, speckle_scale=0.2, compressed=False)[0]
    blurred = gaussian_filter(phantom[0], 2.0)

    flat = slice(8, HALF - 8)
    assert coefficient_of_variation(result[:, flat]) <= 1.1 * coefficient_of_variation(blurred[:, flat])
    sharpness = [abs(np.diff(frame.mean(axis=0))).max() for frame in (result, blurred)]
    assert sharpness[0] > 2 * sharpness[1]


def test_mean_of_an_envelope_is_conserved(phantom):
    result = filter_srad(phantom, iterations=50, time_step=0.5, compressed=False)

    assert result.mean(dtype=float) == pytest.approx(phantom.mean(dtype=float), rel=1e-5)


def test_largest_allowed_time_step_is_stable(phantom):
    result = filter_srad(phantom, iterations=300, time_step=1.0, speckle_scale=5.0, compressed=False)

    assert phantom.min() - 1e-6 <= result.min()
    assert result.max() <= phantom.max() + 1e-6


@pytest.mark.parametrize("variation", [0.1, 0.2, 0.3])
def test_speckle_scale_is_estimated_across_an_edge(variation):
    frame = speckled_phantom(0.15, 0.5, variation, seed=8)[0]

    assert estimate_speckle_scale(frame) == pytest.approx(variation, rel=0.12)


def test_estimated_and_known_speckle_scale_give_nearly_the_same(phantom):
    known = filter_srad(phantom, iterations=50, time_step=0.2, speckle_scale=0.2, compressed=False)
    estimated = filter_srad(phantom, iterations=50, time_step=0.2, compressed=False)

    assert np.abs(known - estimated).mean() < 0.1 * np.abs(known - phantom).mean()


def test_one_step_agrees_with_the_equations_written_pixel_by_pixel():
    generator = np.random.default_rng(1)
    image = generator.uniform(0.2, 0.8, (6, 7))
    scale, step = 0.3, 0.4
    height, width = image.shape

    def at(array: np.ndarray, i: int, j: int) -> float:
        return array[min(max(i, 0), height - 1), min(max(j, 0), width - 1)]

    conduction = np.empty_like(image)
    for i in range(height):
        for j in range(width):
            centre = image[i, j]
            steps = [at(image, i + a, j + b) - centre for a, b in ((-1, 0), (1, 0), (0, -1), (0, 1))]
            gradient = sum(value**2 for value in steps) / centre**2
            laplacian = sum(steps) / centre
            squared = (gradient / 2 - laplacian**2 / 16) / (1 + laplacian / 4) ** 2
            conduction[i, j] = min(1, 1 / (1 + (squared - scale**2) / (scale**2 * (1 + scale**2))))
    expected = np.empty_like(image)
    for i in range(height):
        for j in range(width):
            centre = image[i, j]
            flow = conduction[i, j] * (at(image, i - 1, j) - centre + at(image, i, j - 1) - centre)
            flow += at(conduction, i + 1, j) * (at(image, i + 1, j) - centre)
            flow += at(conduction, i, j + 1) * (at(image, i, j + 1) - centre)
            expected[i, j] = centre + step / 4 * flow

    offset = 1 / 255  # what keeps black pixels of an envelope positive
    result = filter_srad(
        (image - offset)[None].astype(np.float32),
        iterations=1,
        time_step=step,
        speckle_scale=scale,
        compressed=False,
    )

    np.testing.assert_allclose(result[0] + offset, expected, atol=1e-6)


def test_log_compressed_frames_with_a_black_background_stay_finite_and_black():
    frames = np.zeros((1, 40, 40), np.float32)
    frames[:, 10:30, 10:30] = np.random.default_rng(2).uniform(0.3, 0.5, (1, 20, 20))

    result = apply_filter("srad", frames, iterations=50, time_step=0.2)

    assert np.isfinite(result).all()
    assert result[:, :5].max() < 1e-3
    assert result[:, 13:27, 13:27].std() < 0.6 * frames[:, 13:27, 13:27].std()
