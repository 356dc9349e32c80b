"""What every random operator promises: seeds, devices, batches, ranges and refusals; and the two orders."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch

from USEnhanceLib.degradation import (
    blur,
    blur_then_noise,
    fourier_noise,
    gaussian_noise,
    gaussian_psf,
    multiplicative_speckle,
    noise_then_blur,
    rayleigh_speckle,
)
from USEnhanceLib.degradation.draw import standard_normal
from USEnhanceLib.errors import OptionError

# Each with levels that it is used with.
OPERATORS = {
    "gaussian": (gaussian_noise, (0.05, 0.1, 0.2, 0.25)),
    "fourier": (fourier_noise, (0.05, 0.1, 0.2, 0.4)),
    "printed": (partial(fourier_noise, scale="max"), (0.005, 0.01, 0.02, 0.04)),
    "multiplicative": (multiplicative_speckle, (0.1, 0.2, 0.4, 0.8)),
    "rayleigh": (rayleigh_speckle, (70.0, 60.0, 50.0, 30.0)),
    "grain": (partial(rayleigh_speckle, grain=1.2), (70.0, 60.0, 50.0, 30.0)),
}
operators = pytest.mark.parametrize(("operator", "levels"), OPERATORS.values(), ids=OPERATORS.keys())


def generator(seed: int = 0, device: str = "cpu") -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def scene() -> torch.Tensor:
    return torch.rand(4, 24, 40, generator=generator(99))


@operators
def test_the_seed_alone_decides(operator, levels) -> None:
    frames = scene()
    before = frames.clone()
    first = operator(frames, levels[1], generator(5))
    assert torch.equal(first, operator(frames, levels[1], generator(5)))
    assert not torch.equal(first, operator(frames, levels[1], generator(6)))
    assert torch.equal(frames, before)
    torch.manual_seed(5)
    assert torch.equal(first, operator(frames, levels[1]))


@operators
def test_results_are_frames(operator, levels) -> None:
    frames = scene()
    out = operator(frames, torch.tensor(levels), generator())
    assert out.shape == frames.shape
    assert out.dtype == frames.dtype
    assert float(out.min()) >= 0
    assert float(out.max()) <= 1
    assert not torch.equal(out, frames)


@operators
def test_each_frame_has_its_own_level_and_no_part_in_the_others(operator, levels) -> None:
    frames = scene()
    together = operator(frames, torch.tensor(levels), generator())
    for index, level in enumerate(levels):
        others = torch.zeros_like(frames)
        others[index] = frames[index]
        alone = operator(others, level, generator())[index]
        assert torch.allclose(together[index], alone, atol=1e-5)
        assert torch.equal(
            operator(frames[:1], levels[0], generator()), operator(frames[:1], [levels[0]], generator())
        )


@operators
def test_higher_levels_change_more(operator, levels) -> None:
    frames = scene()[:1].repeat(4, 1, 1)
    error = (operator(frames, torch.tensor(levels), generator()) - frames).square().mean((1, 2))
    assert bool((error.diff() > 0).all())


@operators
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_cpu_generator_serves_frames_on_a_gpu(operator, levels) -> None:
    frames, level = scene(), torch.tensor(levels)
    out = operator(frames.cuda(), level, generator())
    assert out.is_cuda
    assert torch.allclose(out.cpu(), operator(frames, level, generator()), atol=1e-4)
    own = operator(frames.cuda(), level.cuda(), generator(3, "cuda"))
    assert torch.equal(own, operator(frames.cuda(), level, generator(3, "cuda")))


@pytest.mark.parametrize("circular", [False, True])
def test_noise_is_drawn_on_the_device_of_its_generator(circular: bool) -> None:
    # Drawn on the frames' device, here one that holds no numbers, the CPU generator would not move on.
    drawn, elsewhere = generator(), generator()
    standard_normal(scene(), drawn, circular=circular)
    noise = standard_normal(scene().to("meta"), elsewhere, circular=circular)
    assert noise.device.type == "meta"
    assert noise.is_complex() == circular
    assert torch.equal(drawn.get_state(), elsewhere.get_state())
    assert not torch.equal(drawn.get_state(), generator().get_state())


@pytest.mark.parametrize("operator", [gaussian_noise, multiplicative_speckle])
def test_level_zero_is_the_identity(operator) -> None:
    frames = scene()
    assert torch.equal(operator(frames, 0.0, generator()), frames)
    assert torch.allclose(fourier_noise(frames, 0.0, generator()), frames, atol=1e-6)


@pytest.mark.parametrize("level", [-0.1, math.nan, math.inf, [0.1, 0.2], [0.1, 0.1, 0.1, -0.1]])
@operators
def test_impossible_levels_are_refused(operator, levels, level) -> None:
    with pytest.raises(OptionError, match="Give"):
        operator(scene(), level, generator())


def test_ranges_of_the_levels_are_stated() -> None:
    with pytest.raises(OptionError, match="between 0 and 1"):
        fourier_noise(scene(), 1.01, generator())
    with pytest.raises(OptionError, match="dynamic range in dB from 1 up"):
        rayleigh_speckle(scene(), 0.0, generator())
    with pytest.raises(OptionError, match="grain from 0 up"):
        rayleigh_speckle(scene(), 60, generator(), grain=-1)
    with pytest.raises(OptionError, match="each of 4 frames as grain, not 3"):
        rayleigh_speckle(scene(), 60, generator(), grain=torch.ones(3))


@operators
def test_orders_differ_by_where_the_blur_is(operator, levels) -> None:
    frames, psf = scene(), gaussian_psf(9)
    sharp_noise = blur_then_noise(frames, psf, operator, levels[2], generator())
    soft_noise = noise_then_blur(frames, psf, operator, levels[2], generator())
    assert torch.equal(sharp_noise, operator(blur(frames, psf).clamp(0, 1), levels[2], generator()))
    assert torch.equal(soft_noise, blur(operator(frames, levels[2], generator()), psf).clamp(0, 1))

    def roughness(image: torch.Tensor) -> float:
        return float(image.diff(dim=-1).square().mean())

    assert roughness(soft_noise) < roughness(sharp_noise) / 2
