"""Drawn phantoms: repeatable, in range, and of the sharpness that they promise."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from USEnhanceLib.training.phantoms import OVERSAMPLING, PhantomSource, draw_phantom  # noqa: E402

COUNT = 40


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def scenes(size: int = 64) -> torch.Tensor:
    generator = seeded(3)
    return torch.stack([draw_phantom(size, generator) for _ in range(COUNT)])


def test_a_seed_gives_the_same_phantoms_and_another_seed_others():
    assert torch.equal(draw_phantom(64, seeded(1)), draw_phantom(64, seeded(1)))
    assert not torch.equal(draw_phantom(64, seeded(1)), draw_phantom(64, seeded(2)))


def test_phantoms_are_grey_values():
    drawn = scenes()
    assert drawn.shape == (COUNT, 64, 64)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert torch.isfinite(drawn).all()


def test_a_patch_is_its_own_target():
    frames, targets = PhantomSource(64).draw(3, seeded())
    assert frames.shape == (3, 64, 64)
    assert torch.equal(frames, targets)


def test_many_scenes_have_steps_within_two_pixels_and_some_have_none():
    steps = (scenes().diff(dim=-1).abs()).amax((-2, -1))
    assert (steps > 0.15).sum() > COUNT / 2
    assert (steps < 0.01).any()


def test_a_third_of_the_scenes_is_nearly_black():
    dark = (scenes().flatten(1).median(1).values < 0.1).float().mean()
    assert 0.15 < dark < 0.6


def test_edges_fall_between_pixels():
    values = scenes().flatten(1)
    partial = [(scene.unique().numel() > OVERSAMPLING) for scene in values]
    assert sum(partial) > COUNT / 2
