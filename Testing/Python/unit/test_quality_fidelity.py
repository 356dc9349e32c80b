from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from USEnhanceLib.errors import InputError
from USEnhanceLib.quality.fidelity import SSIM_WINDOW, psnr, ssim


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    ramp = np.linspace(0.1, 0.9, 40) * np.ones((3, 32, 1))
    noise = np.array([0.02, 0.1, 0.3])[:, None, None] * generator.standard_normal(ramp.shape)
    return np.clip(ramp + noise, 0, 1).astype(np.float32), ramp.astype(np.float32)


def test_psnr_of_each_frame_agrees_with_scikit_image(pair):
    expected = [peak_signal_noise_ratio(r, f, data_range=1.0) for f, r in zip(*pair, strict=True)]

    np.testing.assert_allclose(psnr(*pair), expected, atol=1e-3)


def test_psnr_of_a_known_offset():
    reference = np.full((2, 16, 16), 0.5, np.float32)

    np.testing.assert_allclose(psnr(reference + np.float32(0.1), reference), [20.0, 20.0], atol=1e-3)


def test_ssim_of_each_frame_agrees_with_scikit_image_inside_the_border(pair):
    border = SSIM_WINDOW // 2
    expected = []
    for frame, reference in zip(*pair, strict=True):
        _, similarity = structural_similarity(
            frame.astype(float),
            reference.astype(float),
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            full=True,
        )
        expected.append(similarity[border:-border, border:-border].mean())

    np.testing.assert_allclose(ssim(*pair), expected, atol=1e-4)


def test_equal_frames_are_perfect(pair):
    _, reference = pair

    assert all(math.isinf(value) for value in psnr(reference, reference))
    np.testing.assert_allclose(ssim(reference, reference), 1, atol=1e-6)


@pytest.mark.parametrize("metric", [psnr, ssim])
@pytest.mark.parametrize(("first", "second"), [((1, 16, 16), (1, 16, 17)), ((16, 16), (16, 16))])
def test_frames_of_other_shapes_are_refused(metric, first, second):
    with pytest.raises(InputError, match="16, 16"):
        metric(np.zeros(first, np.float32), np.zeros(second, np.float32))


def test_frames_smaller_than_the_window_are_refused():
    with pytest.raises(InputError, match="11 x 11"):
        ssim(np.zeros((1, 10, 40), np.float32), np.zeros((1, 10, 40), np.float32))


def test_only_pixels_of_a_region_count(pair):
    frames, reference = pair
    region = np.zeros(frames.shape[1:], bool)
    region[:, :20] = True
    spoilt = frames.copy()
    spoilt[:, :, 30:] = 0

    np.testing.assert_allclose(
        psnr(spoilt, reference, region), psnr(frames[:, :, :20], reference[:, :, :20]), atol=1e-3
    )
    # Windows reach half their size beyond the region, so those of the spoilt columns are too far.
    np.testing.assert_allclose(ssim(spoilt, reference, region), ssim(frames, reference, region), atol=1e-6)


def test_a_region_of_all_pixels_changes_nothing(pair):
    everywhere = np.ones(pair[0].shape[1:], bool)

    np.testing.assert_allclose(psnr(*pair, everywhere), psnr(*pair), atol=1e-4)
    np.testing.assert_allclose(ssim(*pair, everywhere), ssim(*pair), atol=1e-5)


@pytest.mark.parametrize("metric", [psnr, ssim])
@pytest.mark.parametrize("region", [np.ones((2, 2), bool), np.zeros((32, 40), bool)])
def test_a_region_that_does_not_fit_is_refused(pair, metric, region):
    with pytest.raises(InputError, match="region"):
        metric(*pair, region)
