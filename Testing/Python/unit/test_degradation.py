"""Degradation: energy, mean and spectrum of each operator, and how they are combined."""

from __future__ import annotations

import math

import pytest
import torch

from USEnhanceLib.degradation import (
    BLUR_SIZES,
    CompositionRecipe,
    blur,
    blur_sigma,
    degrade,
    fourier_noise,
    gaussian_noise,
    gaussian_psf,
)
from USEnhanceLib.errors import OptionError


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", BLUR_SIZES)
def test_size_of_the_psf_holds_three_standard_deviations(size: int) -> None:
    assert 2 * math.ceil(3 * blur_sigma(size) - 1e-9) + 1 == size
    psf = gaussian_psf(size)
    assert psf.shape == (size, size)
    assert float(psf.sum()) == pytest.approx(1, abs=1e-6)
    assert torch.equal(psf, psf.T)


def test_blur_keeps_the_mean_and_moves_no_structure() -> None:
    point = torch.zeros(1, 33, 33)
    point[0, 16, 16] = 1
    blurred = blur(point, gaussian_psf(9))
    assert float(blurred.sum()) == pytest.approx(1, abs=1e-5)
    axis = torch.arange(33.0)
    assert float((blurred[0].sum(1) * axis).sum()) == pytest.approx(16, abs=1e-4)
    second_moment = float((blurred[0].sum(1) * (axis - 16) ** 2).sum())
    assert second_moment == pytest.approx(blur_sigma(9) ** 2, rel=0.05)


def test_each_frame_may_have_its_own_psf() -> None:
    frames = torch.rand(2, 20, 20, generator=generator())
    wide = torch.zeros(5, 5)
    wide[1:4, 1:4] = gaussian_psf(3)
    both = blur(frames, torch.stack((wide, gaussian_psf(5))))
    assert torch.allclose(both[0], blur(frames[:1], gaussian_psf(3))[0], atol=1e-6)
    assert torch.allclose(both[1], blur(frames[1:], gaussian_psf(5))[0], atol=1e-6)


def test_gaussian_noise_has_the_standard_deviation_and_a_flat_spectrum() -> None:
    frames = torch.full((4, 128, 128), 0.5)
    noise = gaussian_noise(frames, torch.tensor([0.02, 0.05, 0.08, 0.1]), generator()) - frames
    assert noise.std((1, 2)).tolist() == pytest.approx([0.02, 0.05, 0.08, 0.1], rel=0.03)
    power = torch.fft.fft2(noise[3]).abs().square()
    assert float(power[:32, :32].mean() / power[32:64, 32:64].mean()) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("size", [64, 256])
@pytest.mark.parametrize(("g", "psnr"), [(0.02, 36.0), (0.1, 22.1), (0.2, 16.3)])
def test_rms_fourier_noise_does_not_depend_on_the_size(size: int, g: float, psnr: float) -> None:
    frames = torch.rand(4, size, size, generator=generator())
    error = (fourier_noise(frames, g, generator(1)) - frames).square().mean()
    assert -10 * math.log10(float(error)) == pytest.approx(psnr, abs=1.5)


def test_fourier_noise_of_share_zero_changes_nothing() -> None:
    frames = torch.rand(1, 32, 32, generator=generator())
    assert torch.allclose(fourier_noise(frames, 0.0, generator()), frames, atol=1e-5)


def test_the_printed_scale_drowns_the_frame() -> None:
    frames = torch.rand(1, 64, 64, generator=generator())
    rms = (fourier_noise(frames, 0.02, generator()) - frames).square().mean()
    printed = (fourier_noise(frames, 0.02, generator(), scale="max") - frames).square().mean()
    assert printed > 100 * rms
    with pytest.raises(OptionError, match="rms"):
        fourier_noise(frames, 0.02, generator(), scale="mean")


def test_composition_is_reproducible_and_within_range() -> None:
    frames = torch.rand(64, 32, 32, generator=generator())
    before = frames.clone()
    first, second = degrade(frames, generator(5)), degrade(frames, generator(5))
    assert torch.equal(first, second)
    assert torch.equal(frames, before)
    assert not torch.equal(first, degrade(frames, generator(6)))
    assert float(first.min()) >= 0
    assert float(first.max()) <= 1


def test_share_of_untouched_frames_follows_the_probabilities() -> None:
    frames = torch.rand(2000, 8, 8, generator=generator())
    recipe = CompositionRecipe()
    untouched = (degrade(frames, generator(1), recipe) == frames).all(2).all(1).float().mean()
    expected = (1 - recipe.blur_then_noise) * (1 - recipe.noise_then_blur)
    assert float(untouched) == pytest.approx(expected, abs=0.03)
