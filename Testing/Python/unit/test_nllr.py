"""NLLR: less speckle in homogeneous regions, edges and means kept, bad frames survived."""

from __future__ import annotations

import numpy as np
import torch

from USEnhanceLib.classical.nllr import NLLRParameters, denoise_nllr, estimate_noise


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
    low, high = estimate_noise(0.1 * grain), estimate_noise(0.2 * grain)
    assert 0.08 < low < 0.12
    assert 0.16 < high < 0.24
