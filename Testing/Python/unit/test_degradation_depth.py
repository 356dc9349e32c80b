"""Blur that changes with depth: the widths of each row, what stays, and what is refused."""

from __future__ import annotations

import pytest
import torch

from USEnhanceLib.degradation import anisotropic_psf, blur, blur_size, blur_with_depth
from USEnhanceLib.errors import OptionError


def lateral_widths(frames: torch.Tensor) -> torch.Tensor:
    """Standard deviation over the columns of a blurred vertical line, of each row."""
    x = torch.arange(frames.shape[-1], dtype=torch.float64)
    weight = frames.double() / frames.double().sum(-1, keepdim=True)
    centre = (weight * x).sum(-1, keepdim=True)
    return (weight * (x - centre) ** 2).sum(-1).sqrt()


def line(rows: int = 51, columns: int = 61) -> torch.Tensor:
    frame = torch.zeros(1, rows, columns)
    frame[..., columns // 2] = 1
    return frame


@pytest.mark.parametrize(("axial", "lateral"), [(0.4, 2.0), (1 / 3, 1 / 3), (0, 3.0), (2.0, 0)])
def test_equal_widths_do_what_an_anisotropic_psf_does(axial: float, lateral: float) -> None:
    frames = torch.rand(2, 40, 50, generator=torch.Generator().manual_seed(0))
    expected = blur(frames, anisotropic_psf(blur_size(max(axial, lateral)), axial, lateral))
    same = blur_with_depth(frames, (axial, lateral), (axial, lateral))
    # Each direction is cut off at its own three standard deviations.
    assert torch.allclose(same, expected, atol=0.01)
    assert float((same - expected).square().mean().sqrt()) < 0.001


def test_lateral_width_grows_linearly_down_the_rows() -> None:
    frame = line()
    widths = lateral_widths(blur_with_depth(frame, (0.0, 1.0), (0.0, 4.0))[0])
    assert widths.tolist() == pytest.approx(torch.linspace(1, 4, 51).tolist(), rel=0.03)


def test_axial_width_grows_down_the_rows() -> None:
    frame = torch.zeros(1, 121, 3)
    frame[:, [20, 100]] = 1
    profile = blur_with_depth(frame, (1.0, 0.0), (4.0, 0.0))[0, :, 1].double()
    y = torch.arange(40, dtype=torch.float64) - 20

    def width(part: torch.Tensor) -> float:
        part = part / part.sum()
        return float((part * y**2).sum().sqrt())

    # A row's own width weighs what it gathers: the profile is skewed, its middle has the row's width.
    assert width(profile[:40]) == pytest.approx(1 + 3 * 20 / 120, rel=0.06)
    assert width(profile[80:120]) == pytest.approx(1 + 3 * 100 / 120, rel=0.06)


def test_beam_is_narrowest_at_its_focus() -> None:
    frame = line(61)
    widths = lateral_widths(
        blur_with_depth(frame, (0.5, 3.0), (0.5, 4.0), focus=(0.5, 1.0), focal_depth=1 / 3)[0]
    )
    assert int(widths.argmin()) == 20
    assert widths[[0, 20, 60]].tolist() == pytest.approx([3, 1, 4], rel=0.03)
    assert bool((widths[:20].diff() < 0).all())
    assert bool((widths[21:].diff() > 0).all())
    # As in a Gaussian beam: the squares differ by a parabola.
    assert float(widths[40]) == pytest.approx((1 + (16 - 1) / 4) ** 0.5, rel=0.03)


def test_constant_frames_stay_and_the_range_is_kept() -> None:
    constant = torch.full((1, 30, 30), 0.6)
    profile = {"near": (0.4, 1.0), "far": (1.0, 3.5), "focus": (0.4, 0.6)}
    assert torch.allclose(blur_with_depth(constant, **profile), constant, atol=1e-6)
    frames = torch.rand(3, 30, 30, generator=torch.Generator().manual_seed(0)).round()
    blurred = blur_with_depth(frames, **profile)
    assert float(blurred.min()) >= 0
    assert float(blurred.max()) <= 1 + 1e-6


def test_width_zero_changes_nothing() -> None:
    frames = torch.rand(2, 20, 20, generator=torch.Generator().manual_seed(0))
    before = frames.clone()
    assert torch.equal(blur_with_depth(frames, (0, 0), (0, 0)), frames)
    blur_with_depth(frames, (1, 1), (2, 2))
    assert torch.equal(frames, before)


def test_each_frame_may_have_its_own_widths() -> None:
    frames = torch.rand(3, 24, 32, generator=torch.Generator().manual_seed(0))
    axial, lateral, depth = (
        torch.tensor([0.3, 0.6, 1.0]),
        torch.tensor([0.8, 1.6, 3.0]),
        torch.tensor([0.2, 0.5, 0.9]),
    )
    focus = (axial, lateral / 2)
    together = blur_with_depth(frames, (axial, lateral), (axial, 2 * lateral), focus=focus, focal_depth=depth)
    for index in range(3):
        near = (float(axial[index]), float(lateral[index]))
        alone = blur_with_depth(
            frames[index : index + 1],
            near,
            (near[0], 2 * near[1]),
            focus=(near[0], near[1] / 2),
            focal_depth=float(depth[index]),
        )
        assert torch.allclose(together[index], alone[0], atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_frames_on_a_gpu_stay_there() -> None:
    frames = torch.rand(2, 24, 32)
    arguments = ((0.5, torch.tensor([1.0, 2.0])), (1.0, 3.0))
    blurred = blur_with_depth(frames.cuda(), *arguments)
    assert blurred.is_cuda
    assert torch.allclose(blurred.cpu(), blur_with_depth(frames, *arguments), atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"near": (-0.1, 1)}, "axial width from 0 up"),
        ({"far": (1, float("nan"))}, "finite lateral width"),
        ({"near": (1, torch.ones(3))}, "lateral width, not 3"),
        ({"focus": (1.0, 2.5)}, "no larger lateral width at the focus"),
        ({"focus": (1.0, 1.0), "focal_depth": 1.0}, "focal depth between"),
    ],
)
def test_impossible_profiles_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        blur_with_depth(torch.zeros(2, 8, 8), **{"near": (1.0, 2.0), "far": (1.0, 3.0), **arguments})
