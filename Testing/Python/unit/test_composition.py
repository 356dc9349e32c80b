"""What the composition of training inputs adds to the paper's: speckle, blur alone, and their shares."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from USEnhanceLib.degradation import CompositionRecipe, degrade  # noqa: E402

COUNT = 400


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def flat(level: float = 0.5, size: int = 32) -> torch.Tensor:
    return torch.full((COUNT, size, size), level)


def only(**entries: object) -> CompositionRecipe:
    """A recipe whose every frame gets the first kind of degradation, and none the second."""
    return CompositionRecipe(blur_then_noise=1.0, noise_then_blur=0.0, **entries)


def test_blur_alone_leaves_flat_frames_as_they_are():
    out = degrade(flat(), seeded(), only(noiseless=1.0))
    assert torch.allclose(out, flat(), atol=1e-6)


def test_blur_alone_smooths_an_edge():
    frames = flat(0.0)
    frames[:, :, 16:] = 1
    out = degrade(frames, seeded(), only(noiseless=1.0))
    step = out.diff(dim=-1).amax((-2, -1))
    assert (step < 0.999).all()
    assert (step.min() < 0.2) & (step.max() > 0.8)


def test_anisotropic_blur_is_wider_across_the_beam_than_along_it():
    points = flat(0.0, 33)
    points[:, 16, 16] = 1
    recipe = only(noiseless=1.0, anisotropic=1.0, steering=0.0)
    out = degrade(points, seeded(), recipe)
    offset = (torch.arange(33) - 16.0).square()
    total = out.sum((1, 2))
    axial = ((out.sum(2) * offset).sum(1) / total).sqrt()
    lateral = ((out.sum(1) * offset).sum(1) / total).sqrt()
    assert (lateral >= axial - 0.05).all()
    assert lateral.max() > 3
    assert lateral.max() < recipe.widest + 0.2
    steered = degrade(points, seeded(), only(noiseless=1.0, anisotropic=1.0, steering=45.0))
    assert not torch.allclose(steered, out, atol=1e-3)


def test_the_noiseless_share_is_kept():
    out = degrade(flat(), seeded(), only(noiseless=0.3, sharp=1.0))
    untouched = (out == flat()).flatten(1).all(1).float().mean()
    assert abs(untouched - 0.3) < 0.08


def test_speckle_takes_its_share_and_black_tells_its_two_models_apart():
    """On black, multiplicative speckle leaves nothing, while Rayleigh and Gaussian noise do."""
    out = degrade(flat(0.0), seeded(), only(speckle=1.0, sharp=1.0))
    black = (out == 0).flatten(1).all(1).float().mean()
    assert abs(black - 0.2) < 0.07


def test_rayleigh_speckle_is_skewed_where_gaussian_noise_is_not():
    def skewness(recipe: CompositionRecipe) -> float:
        noise = degrade(flat(), seeded(), recipe).flatten(1)
        noise = (noise - noise.mean(1, keepdim=True)) / noise.std(1, keepdim=True)
        return float(noise.pow(3).mean())

    speckle = only(speckle=1.0, sharp=1.0, speckle_range=(60.0, 60.0), speckle_sigma=(0.05, 0.05))
    gaussian = only(spatial=1.0, sharp=1.0, sigma=(0.1, 0.1))
    assert skewness(speckle) < -0.5
    assert abs(skewness(gaussian)) < 0.1


def test_everything_stays_in_range_and_depends_on_the_seed_alone():
    recipe = CompositionRecipe(speckle=0.4, noiseless=0.2, sigma=(0.0, 0.5), g=(0.0, 0.9))
    frames = torch.rand(COUNT, 32, 32, generator=seeded(9))
    out = degrade(frames, seeded(1), recipe)
    assert out.min() >= 0
    assert out.max() <= 1
    assert torch.equal(out, degrade(frames, seeded(1), recipe))
    assert not torch.equal(out, degrade(frames, seeded(2), recipe))
