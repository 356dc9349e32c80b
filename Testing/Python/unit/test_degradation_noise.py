"""The two noise families: deviation, mean, spectrum, and how strong noise in the Fourier domain is."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from USEnhanceLib.degradation import fourier_noise, gaussian_noise


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def natural_patch(size: int, rms: float) -> torch.Tensor:
    """A frame [1, size, size] in [0, 1] with the 1/f spectrum of natural images and the given rms."""
    f = torch.fft.fftfreq(size) * size
    radius = (f[:, None] ** 2 + f**2).sqrt()
    radius[0, 0] = math.inf
    field = torch.fft.ifft2(torch.fft.fft2(torch.randn(size, size, generator=generator())) / radius).real
    field = 0.5 + 0.15 * field / field.std()
    for _ in range(50):
        field = (field * rms / field.square().mean().sqrt()).clamp(0, 1)
    return field[None]


def psnr(first: torch.Tensor, second: torch.Tensor) -> float:
    return -10 * math.log10(float((first - second).square().mean()))


def octaves(noise: torch.Tensor) -> list[float]:
    """Mean power of [N, S, S] in rings of spatial frequency, from .05 to .5 cycles a pixel."""
    power = torch.fft.fft2(noise).abs().square().mean(0)
    f = torch.fft.fftfreq(noise.shape[-1])
    radius = (f[:, None] ** 2 + f**2).sqrt()
    edges = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
    rings = itertools.pairwise(edges)
    return [float(power[(radius >= low) & (radius < high)].mean()) for low, high in rings]


@pytest.mark.parametrize("noise", ["gaussian", "fourier"])
def test_spectrum_of_the_noise_is_flat(noise: str) -> None:
    frames = torch.full((8, 96, 96), 0.5)
    noisy = (
        gaussian_noise(frames, 0.05, generator())
        if noise == "gaussian"
        else fourier_noise(frames, 0.1, generator())
    )
    residual = noisy - noisy.mean()
    power = octaves(residual)
    assert max(power) / min(power) < 1.1
    # Parseval: the mean power is the variance of all pixels.
    assert sum(power) / len(power) == pytest.approx(float(residual.var()) * 96**2, rel=0.05)


def test_gaussian_noise_keeps_the_mean() -> None:
    frames = torch.full((8, 96, 96), 0.5)
    noise = gaussian_noise(frames, 0.1, generator()) - frames
    assert float(noise.mean()) == pytest.approx(0, abs=4 * 0.1 / math.sqrt(noise.numel()))
    assert float(noise.std()) == pytest.approx(0.1, rel=0.01)


def test_noise_is_clipped_to_the_range() -> None:
    frames = torch.tensor([0.0, 1.0])[:, None, None].expand(2, 32, 32)
    for noisy in (gaussian_noise(frames, 0.3, generator()), fourier_noise(frames, 0.4, generator())):
        assert float(noisy.min()) == 0
        assert float(noisy.max()) <= 1
    saturated = gaussian_noise(frames, 0.3, generator())
    assert float((saturated[1] == 1).float().mean()) == pytest.approx(0.5, abs=0.06)


def test_fourier_noise_dims_the_frame_and_adds_noise_in_its_proportion() -> None:
    frames = torch.full((8, 64, 64), 0.5)
    noisy = fourier_noise(frames, 0.1, generator())
    # Only the part in phase with the frame counts at first order: half of the complex variance.
    assert float(noisy.std()) == pytest.approx(0.1 * 0.5 / math.sqrt(2), rel=0.02)
    assert float(noisy.mean()) == pytest.approx(0.9 * 0.5, rel=0.01)


def test_fourier_noise_of_share_one_is_a_rayleigh_field_without_the_frame() -> None:
    frames = torch.full((8, 64, 64), 0.25)
    frames[:, 20:40] = 0.1
    noise = fourier_noise(frames, 1.0, generator())
    rms = float(frames.square().mean().sqrt())
    assert float(noise.mean()) == pytest.approx(rms * math.sqrt(math.pi) / 2, rel=0.01)
    assert float(noise.mean() / noise.std()) == pytest.approx(math.sqrt(math.pi / (4 - math.pi)), rel=0.02)
    assert float(noise[:, 20:40].mean()) == pytest.approx(float(noise[:, :20].mean()), rel=0.02)


@pytest.mark.parametrize(("g", "expected"), [(0.02, 36.0), (0.1, 22.1), (0.2, 16.3)])
def test_rms_fourier_noise_has_the_published_strength_on_a_natural_patch(g: float, expected: float) -> None:
    # The figures hold for a frame of root mean square .64, whatever its size.
    for size in (64, 160):
        frames = natural_patch(size, 0.64)
        assert psnr(fourier_noise(frames, g, generator(1)), frames) == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize("rms", [0.3, 0.45, 0.6])
@pytest.mark.parametrize("g", [0.02, 0.1])
def test_strength_of_rms_fourier_noise_follows_from_the_brightness_alone(g: float, rms: float) -> None:
    frames = natural_patch(64, rms)
    expected = -20 * math.log10(g * rms) - 10 * math.log10(1.5)
    assert psnr(fourier_noise(frames, g, generator(1)), frames) == pytest.approx(expected, abs=0.4)


def test_printed_fourier_noise_depends_on_the_size() -> None:
    small, large = natural_patch(64, 0.64), natural_patch(256, 0.64)
    weak, drowned = (
        psnr(fourier_noise(frames, 0.02, generator(1), scale="max"), frames) for frames in (small, large)
    )
    assert weak == pytest.approx(10.7, abs=1.5)
    assert drowned < weak - 1
    # With more of it hardly a pixel is left below white: only the frame's distance from white counts.
    white = fourier_noise(small, 0.2, generator(1), scale="max")
    assert float((white == 1).float().mean()) > 0.95
    assert psnr(white, small) == pytest.approx(psnr(torch.ones_like(small), small), abs=0.3)
