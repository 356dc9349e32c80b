"""NLLR: less speckle in homogeneous regions, edges and means kept, bad frames survived."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from USEnhanceLib.classical.nllr import NLLRParameters, denoise_nllr
from USEnhanceLib.classical.nllr_noise import (
    Whitening,
    estimate_noise,
    noise_covariance,
    rayleigh_share,
    rayleigh_step,
)
from USEnhanceLib.classical.nonlocal_means import filter_nonlocal_means
from USEnhanceLib.degradation.speckle import rayleigh_speckle


def speckled_disc(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """A disc [96, 96] on a background, clean and with log-compressed, correlated Rayleigh speckle."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:96, :96]
    clean = np.where((row - 48) ** 2 + (column - 48) ** 2 < 24**2, 0.65, 0.35).astype(np.float32)
    field = rng.normal(size=(2, 98, 98))
    field = (field[:, :-2] + 2 * field[:, 1:-1] + field[:, 2:])[:, :, 1:-1] / np.sqrt(6)
    speckle = np.log(np.hypot(*field)) * 0.12
    return torch.from_numpy(clean)[None], torch.from_numpy(
        (clean + speckle - speckle.mean()).astype(np.float32)
    )[None].clamp(0, 1)


def test_speckle_falls_and_the_disc_stays() -> None:
    clean, noisy = speckled_disc()
    result = denoise_nllr(noisy)
    inner, outer = (slice(None), slice(38, 58), slice(38, 58)), (slice(None), slice(4, 20), slice(4, 92))
    assert result[outer].std() < 0.5 * noisy[outer].std()
    contrast = float(result[inner].mean() - result[outer].mean())
    assert abs(contrast - float(noisy[inner].mean() - noisy[outer].mean())) < 0.03
    assert (result - clean).square().mean() < 0.5 * (noisy - clean).square().mean()


def test_result_is_reproducible_and_the_input_untouched() -> None:
    _, noisy = speckled_disc()
    before = noisy.clone()
    assert torch.equal(denoise_nllr(noisy), denoise_nllr(noisy))
    assert torch.equal(noisy, before)


def test_frames_without_texture_and_tiny_frames_come_back() -> None:
    for frame in (torch.zeros(1, 40, 40), torch.full((1, 40, 40), 0.3), torch.rand(1, 7, 3)):
        assert torch.equal(denoise_nllr(frame), frame)


def test_half_flat_frame_does_not_break_the_eigenvalue_solver() -> None:
    _, noisy = speckled_disc()
    noisy[:, :, 40:] = 0
    result = denoise_nllr(noisy, NLLRParameters(iterations=2))
    assert torch.isfinite(result).all()
    assert float(result[:, :, 60:].max()) < 1e-5


def test_estimated_noise_grows_with_the_noise() -> None:
    grain = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    low, high = (float(np.mean(estimate_noise(level * grain).sigmas)) for level in (0.1, 0.2))
    assert 0.08 < low < 0.12
    assert 0.16 < high < 0.24


def flat_speckle(grain: float, dynamic_range: float = 50.0, seed: int = 0) -> torch.Tensor:
    """Rayleigh speckle [96, 96] on a flat background."""
    generator = torch.Generator().manual_seed(seed)
    return rayleigh_speckle(torch.full((1, 96, 96), 0.5), dynamic_range, generator, grain)[0]


@pytest.mark.parametrize("grain", [0.0, 0.8, 1.2, 1.6])
def test_level_and_grain_of_rayleigh_speckle_are_found(grain: float) -> None:
    noise = estimate_noise(flat_speckle(grain))
    assert float(np.mean(noise.sigmas)) == pytest.approx(5.57 / 50, rel=0.2)
    for found in noise.grain:
        assert found == pytest.approx(grain, abs=0.35)


def test_noise_that_differs_between_dark_and_bright_is_told_apart() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.full((128, 128), 0.2)
    image[64:] = 0.7
    sigma = torch.where(image < 0.5, 0.02, 0.1)
    noise = estimate_noise(image + sigma * torch.randn(128, 128, generator=generator))
    dark, bright = noise.level(torch.tensor([0.2, 0.7])).tolist()
    assert dark == pytest.approx(0.02, rel=0.25)
    assert bright == pytest.approx(0.1, rel=0.25)
    assert noise.scaled(2).level(torch.tensor([0.2])).item() == pytest.approx(2 * dark)


@pytest.mark.parametrize("grain", [(0.0, 0.0), (1.2, 0.7)])
def test_whitened_speckle_is_white_and_comes_back(grain: tuple[float, float]) -> None:
    covariance = noise_covariance(5, grain)
    assert torch.linalg.eigvalsh(covariance).min() > 0
    whitening = Whitening.of(5, grain, torch.zeros(1, dtype=torch.float64))
    white = whitening.forward.T @ covariance @ whitening.forward
    centring = torch.eye(25).double() - 1 / 25
    torch.testing.assert_close(white, centring, atol=1e-6, rtol=0)
    for forward, back in (
        (whitening.forward, whitening.back),
        (whitening.forward_cosine, whitening.back_cosine),
    ):
        torch.testing.assert_close(forward @ back, centring, atol=1e-6, rtol=0)


def test_rayleigh_step_carries_less_noise_and_no_bias() -> None:
    speckle = flat_speckle(0.0, 100.0) - 0.5
    level = torch.full_like(speckle, 5.57 / 100)
    assert rayleigh_share(speckle / level) > 0.8
    assert rayleigh_share(-speckle / level) == 0
    step, reduction = rayleigh_step(speckle, level, 1.0)
    assert abs(float(step.mean())) < 0.05 * 5.57 / 100
    assert float(step.std()) == pytest.approx(reduction * 5.57 / 100, rel=0.1)
    assert reduction < 0.8


@pytest.mark.parametrize("grain", [0.0, 1.2])
def test_flat_tissue_becomes_flat_and_keeps_its_mean(grain: float) -> None:
    noisy = flat_speckle(grain)
    result = denoise_nllr(noisy[None])[0]
    assert float(result.std()) < 0.25 * float(noisy.std())
    assert abs(float(result.mean()) - 0.5) < 0.02


def test_stronger_speckle_leaves_a_larger_error_and_every_frame_improves() -> None:
    clean = speckled_disc()[0]
    errors = []
    for dynamic_range in (80.0, 50.0, 30.0):
        generator = torch.Generator().manual_seed(0)
        noisy = rayleigh_speckle(clean, dynamic_range, generator, 1.0)
        errors.append(float((denoise_nllr(noisy) - clean).square().mean()))
        assert errors[-1] < 0.35 * float((noisy - clean).square().mean())
    assert errors == sorted(errors)


@pytest.mark.parametrize("grain", [0.0, 1.2])
def test_blind_result_is_better_than_nlm_that_is_told_the_noise(grain: float) -> None:
    clean = speckled_disc()[0]
    noisy = rayleigh_speckle(clean, 45.0, torch.Generator().manual_seed(1), grain)
    error = (denoise_nllr(noisy) - clean).square().mean()
    for strength in (0.4, 0.6, 0.8, 1.1, 1.5):
        others = filter_nonlocal_means(noisy.numpy(), noise=5.57 / 45, strength=strength)
        assert error < np.square(others - clean.numpy()).mean()


def test_frames_are_filtered_each_for_itself() -> None:
    first, second = flat_speckle(1.0, seed=0), speckled_disc()[1][0]
    together = denoise_nllr(torch.stack([first, second]))
    assert torch.equal(together[0], denoise_nllr(first[None])[0])
    assert torch.equal(together[1], denoise_nllr(second[None])[0])


@pytest.mark.parametrize("shape", [(10, 10), (11, 37), (53, 16), (61, 47)])
def test_odd_and_small_frames_keep_their_shape_and_range(shape: tuple[int, int]) -> None:
    frame = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0))
    result = denoise_nllr(frame)
    assert result.shape == frame.shape
    assert torch.isfinite(result).all()
    assert 0 <= float(result.min()) <= float(result.max()) <= 1


def test_logarithm_of_linear_intensity_can_be_filtered_instead() -> None:
    clean = speckled_disc()[0]
    noisy = (
        clean * torch.exp(0.2 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0)))
    ).clamp(0, 1)
    result = denoise_nllr(noisy, NLLRParameters(log_offset=0.02))
    assert (result - clean).square().mean() < 0.3 * (noisy - clean).square().mean()


def test_frame_takes_seconds_not_minutes() -> None:
    frame = torch.rand(1, 256, 256, generator=torch.Generator().manual_seed(0))
    started = time.process_time()
    denoise_nllr(frame)
    assert time.process_time() - started < 30
