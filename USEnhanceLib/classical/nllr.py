"""NLLR: non-local low-rank filtering of speckle (Zhu, Fu, Brown, Wang and Heng, CVPR 2017).

The frame is taken to the log domain, where speckle is additive. Patches that look alike on a smoothed guide
form a matrix; clean patches span few dimensions, so the matrix is recovered by shrinking its singular values
with a truncated weighted nuclear norm: the leading ones are left as they are, the others shrink the more the
smaller they are. Overlapping results are averaged, part of the residual is put back, and all is repeated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

ALGORITHM_VERSION = "1"
"""Changes whenever the same frame and parameters give another result: no kept result outlives its code."""

FLAT = 1e-3
"""Standard deviation in the log domain below which a block has no texture."""


@dataclass(frozen=True)
class NLLRParameters:
    """Parameters of NLLR; lengths in pixels.

    Attributes:
        patch: edge of a patch.
        group: number of patches that form a matrix.
        window: patches are sought within this distance of the reference.
        stride: distance of reference patches.
        search_stride: distance of candidates within the window.
        iterations: number of passes.
        residual: share of the residual put back before each further pass.
        keep: number of leading singular values left untouched.
        weight: c of the weights c sqrt(group) sigma^2 / s.
        guide_sigma: standard deviation of the Gaussian that smooths the guide.
        log_offset: added before the logarithm, in units of intensity; keeps the noise of dark regions down.
    """

    patch: int = 6
    group: int = 32
    window: int = 10
    stride: int = 4
    search_stride: int = 2
    iterations: int = 4
    residual: float = 0.1
    keep: int = 1
    weight: float = 2 * math.sqrt(2)
    guide_sigma: float = 1.0
    log_offset: float = 0.1


def estimate_noise(image: Tensor, block: int = 8, quantile: float = 0.3) -> float:
    """Standard deviation of the speckle in [H, W], seen in homogeneous regions.

    Speckle is correlated over a resolution cell, so estimators for white noise see only a part of it. Where
    tissue is homogeneous, all that varies within a block is speckle: a low quantile of the standard deviation
    over blocks finds those regions. Blocks without texture (background) do not count.
    """
    blocks = image.unfold(0, block, block).unfold(1, block, block).flatten(2)
    deviation = blocks.std(-1)
    deviation = deviation[deviation > FLAT]
    return float(deviation.quantile(quantile)) if deviation.numel() else 0.0


def denoise_nllr(frames: Tensor, parameters: NLLRParameters | None = None) -> Tensor:
    """Filter speckle from frames [N, H, W] in [0, 1]; returns the same shape and range.

    Frames without texture come back as they are. Frames smaller than two patches are returned unchanged,
    because no similar patches can be found in them.
    """
    parameters = parameters or NLLRParameters()
    return torch.stack([_denoise(frame, parameters) for frame in frames])


def _denoise(frame: Tensor, p: NLLRParameters) -> Tensor:
    if min(frame.shape) < 2 * p.patch:
        return frame.clone()
    noisy = torch.log(frame + p.log_offset)
    noise = estimate_noise(noisy)
    if noise == 0:
        return frame.clone()
    estimate = noisy
    for iteration in range(p.iterations):
        current = estimate + p.residual * (noisy - estimate) if iteration else noisy
        removed = float((noisy - current).square().mean())
        sigma = math.sqrt(max(noise**2 - removed, (0.2 * noise) ** 2))
        estimate = _low_rank_pass(current, sigma, p)
    return (torch.exp(estimate) - p.log_offset).clamp_(0, 1)


def _low_rank_pass(image: Tensor, sigma: float, p: NLLRParameters) -> Tensor:
    margin = p.window + p.patch
    padded = functional.pad(image[None, None], (margin,) * 4, mode="replicate")
    guide = _smooth(padded, p.guide_sigma)[0, 0]
    padded = padded[0, 0]
    height, width = padded.shape

    def positions(length: int) -> Tensor:
        last = length - margin - p.patch
        steps = torch.arange(margin, last + 1, p.stride)
        return steps if steps[-1] == last else torch.cat((steps, steps.new_tensor([last])))

    rows, columns = torch.meshgrid(positions(height), positions(width), indexing="ij")
    reference = (rows * width + columns).flatten()
    inside = torch.arange(p.patch)
    patch_offsets = (inside[:, None] * width + inside[None]).flatten()
    textured = _texture(padded, p.patch).flatten()[reference] > FLAT**2
    reference = reference[textured]

    total, weights = torch.zeros(height * width), torch.zeros(height * width)
    for part in reference.split(4096):
        starts = part[:, None] + _nearest(guide, part, p)
        index = starts[..., None] + patch_offsets
        group = padded.flatten()[index]
        recovered, weight = _shrink(group, sigma, p)
        total.index_add_(0, index.flatten(), (recovered * weight[:, None, None]).flatten())
        weights.index_add_(0, index.flatten(), weight[:, None, None].expand_as(recovered).flatten())
    covered = weights > 0
    out = torch.where(covered, total / weights.clamp_min(1e-12), padded.flatten()).view(height, width)
    return out[margin:-margin, margin:-margin]


def _nearest(guide: Tensor, reference: Tensor, p: NLLRParameters) -> Tensor:
    """Offsets of the `group` most similar patches in the window, [references, group]."""
    width = guide.shape[1]
    reach = torch.arange(-p.window, p.window + 1, p.search_stride)
    distances, offsets = [], []
    for down in reach.tolist():
        for right in reach.tolist():
            difference = (guide - torch.roll(guide, (-down, -right), (0, 1))).square_()
            offset = down * width + right
            distances.append(_box_sum(difference, p.patch).flatten()[reference])
            offsets.append(offset)
    distance = torch.stack(distances, 1)
    chosen = distance.topk(min(p.group, distance.shape[1]), 1, largest=False, sorted=False).indices
    return torch.tensor(offsets)[chosen]


def _box_sum(image: Tensor, size: int) -> Tensor:
    """Sum over the square whose upper left pixel is the given one, by running sums."""
    sums = functional.pad(image, (1, size - 1, 1, size - 1)).double().cumsum(0).cumsum(1)
    out = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    return out.float()


def _texture(image: Tensor, size: int) -> Tensor:
    count = size * size
    return _box_sum(image.square(), size) / count - (_box_sum(image, size) / count).square()


def _smooth(image: Tensor, sigma: float) -> Tensor:
    radius = math.ceil(3 * sigma)
    x = torch.arange(-radius, radius + 1)
    profile = torch.exp(-(x**2) / (2 * sigma**2))
    profile = (profile / profile.sum())[None, None]
    image = functional.pad(image, (radius,) * 4, mode="replicate")
    return functional.conv2d(functional.conv2d(image, profile[:, :, None]), profile[..., None])


def _shrink(group: Tensor, sigma: float, p: NLLRParameters) -> tuple[Tensor, Tensor]:
    """Recover low-rank groups [B, K, P]; also the weight of each, [B], larger where the rank is smaller.

    The singular values and right vectors come from the P x P Gram matrix, which is several times faster than
    the decomposition of the K x P matrix itself.
    """
    mean = group.mean(1, keepdim=True)
    centred = group - mean
    # In single precision the Gram matrix of a group with flat parts underflows, and the solver gives up.
    squares, vectors = torch.linalg.eigh((centred.transpose(1, 2) @ centred).double())
    squares, vectors = squares.to(group.dtype), vectors.to(group.dtype)
    singular = squares.clamp_min(0).sqrt()
    threshold = p.weight * math.sqrt(group.shape[1]) * sigma**2
    shrunk = (singular - threshold / singular.clamp_min(1e-8)).clamp_min(0)
    if p.keep:
        shrunk[:, -p.keep :] = singular[:, -p.keep :]
    gain = shrunk / singular.clamp_min(1e-8)
    recovered = (centred @ (vectors * gain[:, None])) @ vectors.transpose(1, 2) + mean
    size = group.shape[2]
    return recovered, (1 - (shrunk > 0).sum(1) / size).clamp_min(1 / size)
