"""Point spread functions: energy, moments and orientation, and what blurring by them keeps."""

from __future__ import annotations

import math

import pytest
import torch

from USEnhanceLib.degradation import BLUR_SIZES, anisotropic_psf, blur, blur_sigma, blur_size, gaussian_psf
from USEnhanceLib.errors import OptionError


def covariance(psf: torch.Tensor) -> tuple[float, float, float]:
    """Second moments of a centred PSF of sum 1: over rows, over columns, mixed."""
    x = torch.arange(psf.shape[-1], dtype=torch.float64) - psf.shape[-1] // 2
    psf = psf.double()
    return (
        float((psf.sum(1) * x**2).sum()),
        float((psf.sum(0) * x**2).sum()),
        float((psf * x[:, None] * x[None]).sum()),
    )


def test_size_and_sigma_belong_together() -> None:
    assert [blur_size(blur_sigma(size)) for size in BLUR_SIZES] == list(BLUR_SIZES)
    assert blur_size(0.0) == 1
    assert blur_size(2.68) == 19


@pytest.mark.parametrize(
    ("axial", "lateral", "angle"), [(0.8, 2.0, 0), (1.5, 3.0, 30), (0.2, 0.4, 0), (0, 1, 90)]
)
def test_energy_is_one_and_nothing_is_negative(axial: float, lateral: float, angle: float) -> None:
    psf = anisotropic_psf(25, axial, lateral, angle)
    assert psf.shape == (25, 25)
    assert float(psf.sum()) == pytest.approx(1, abs=1e-6)
    assert float(psf.min()) >= 0
    assert torch.allclose(psf, psf.flip(0, 1), atol=1e-9)
    # Denormal numbers make a convolution many times as slow.
    assert float(psf[psf > 0].min()) > torch.finfo(torch.float32).tiny


def test_axial_width_runs_down_the_rows() -> None:
    rows, columns, mixed = covariance(anisotropic_psf(25, 1.0, 3.0))
    assert rows == pytest.approx(1.0, rel=0.01)
    assert columns == pytest.approx(9.0, rel=0.02)
    assert mixed == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("angle", [-60, 20, 45])
def test_angle_turns_the_beam_towards_larger_columns(angle: float) -> None:
    rows, columns, mixed = covariance(anisotropic_psf(31, 1.0, 3.0, angle))
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    assert rows == pytest.approx(cos**2 * 1 + sin**2 * 9, rel=0.02)
    assert columns == pytest.approx(sin**2 * 1 + cos**2 * 9, rel=0.02)
    assert mixed == pytest.approx(cos * sin * (1 - 9), rel=0.02)


def test_equal_widths_are_the_isotropic_psf_at_any_angle() -> None:
    assert torch.allclose(anisotropic_psf(9, 1.2, 1.2, 33), gaussian_psf(9, 1.2), atol=1e-7)


def test_width_zero_does_not_blur() -> None:
    frames = torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(blur(frames, anisotropic_psf(5, 0, 0)), frames, atol=1e-6)
    assert torch.equal(blur(frames, gaussian_psf(1)), frames)
    rows, columns, _ = covariance(anisotropic_psf(15, 0, 2))
    assert rows == 0
    assert columns == pytest.approx(4, rel=0.02)


def test_parameters_for_each_frame_give_a_psf_for_each() -> None:
    lateral, angle = torch.tensor([0.5, 1.0, 2.0]), torch.tensor([0.0, 15.0, -40.0])
    psfs = anisotropic_psf(13, 0.7, lateral, angle)
    assert psfs.shape == (3, 13, 13)
    for psf, width, turn in zip(psfs, lateral, angle, strict=True):
        assert torch.allclose(psf, anisotropic_psf(13, 0.7, float(width), float(turn)), atol=1e-7)


@pytest.mark.parametrize("psf", [gaussian_psf(17), anisotropic_psf(17, 0.6, 2.4, 25)], ids=["round", "long"])
def test_blur_keeps_a_constant_frame_and_the_energy_of_a_point(psf: torch.Tensor) -> None:
    frames = torch.full((2, 40, 40), 0.37)
    frames[1] = 0
    frames[1, 20, 20] = 1
    constant, point = blur(frames, psf)
    assert torch.allclose(constant, frames[0], atol=1e-6)
    assert float(point.sum()) == pytest.approx(1, abs=1e-5)
    assert torch.allclose(point[12:29, 12:29], psf, atol=1e-6)


def test_blurs_in_a_row_add_their_variances() -> None:
    point = torch.zeros(1, 41, 41)
    point[0, 20, 20] = 1
    twice = blur(blur(point, anisotropic_psf(11, 1.0, 1.5)), anisotropic_psf(19, 2.0, 1.0))[0]
    rows, columns, _ = covariance(twice)
    assert rows == pytest.approx(1 + 4, rel=0.03)
    assert columns == pytest.approx(1.5**2 + 1, rel=0.03)


@pytest.mark.parametrize("size", [0, 4, -3])
def test_even_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="odd number of pixels"):
        anisotropic_psf(size, 1, 1)
    with pytest.raises(ValueError, match="odd number of pixels"):
        gaussian_psf(size)


@pytest.mark.parametrize("bad", [(-1, 1, 0), (1, math.nan, 0), (1, math.inf, 0), (1, 1, math.inf)])
def test_impossible_widths_are_refused(bad: tuple[float, float, float]) -> None:
    with pytest.raises(OptionError, match="widths"):
        anisotropic_psf(5, *bad)


def test_blur_refuses_what_is_no_psf_of_the_frames() -> None:
    frames = torch.zeros(3, 8, 8)
    for psf in (torch.ones(4, 4), torch.ones(3, 5), torch.ones(9)):
        with pytest.raises(ValueError, match="square with an odd size"):
            blur(frames, psf)
    with pytest.raises(ValueError, match="3 frames"):
        blur(frames, torch.ones(2, 3, 3))
