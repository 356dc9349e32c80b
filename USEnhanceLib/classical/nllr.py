"""NLLR: non-local low-rank filtering of speckle (after Zhu, Fu, Brown, Wang and Heng, CVPR 2017).

A B-mode frame is log-compressed, so its speckle is additive. Patches that look alike on a smoothed guide
form a matrix; clean patches span few dimensions, so the matrix is recovered by shrinking its singular values
with a truncated weighted nuclear norm: the leading ones are left as they are, the others shrink the more the
smaller they are, and those that noise alone would reach vanish. Overlapping results are averaged, the
residual is put back, and all is repeated with patches found on the estimate.

Beyond the paper, each of it measured by the benchmark `teachers`:

- Speckle is grainy. Patches are whitened with the covariance of the grain that the frame shows, so that
  grain is not taken for structure.
- A patch's mean is filtered apart from its pattern: where nothing stands out, the pattern goes altogether.
- The mean of log-compressed Rayleigh speckle is a poor estimator, for its dark tail is long. The residual is
  put back through the score of that distribution (one step of Fisher scoring; E. L. Lehmann, G. Casella,
  Theory of Point Estimation, 1998, section 6.4), as far as the residual's skewness is that of Rayleigh.
- The last pass is an empirical Wiener filter of whitened patches in the cosine basis, with the power of the
  estimate, as in BM3D's second stage (Dabov et al., IEEE Transactions on Image Processing 16(8), 2007).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from .nllr_noise import (
    NoiseStatistics,
    Whitening,
    estimate_noise,
    rayleigh_share,
    rayleigh_step,
    refine_noise,
)

ALGORITHM_VERSION = "2"
"""Changes whenever the same parameters give another result: belongs in the key of every kept result."""

_GROUPS_AT_ONCE = 1024


@dataclass(frozen=True)
class NLLRParameters:
    """Parameters of NLLR; lengths in pixels.

    Attributes:
        patch: edge of a patch.
        group: number of patches that form a matrix.
        window: patches are sought within this distance of the reference.
        stride: distance of reference patches in the last pass.
        first_stride: the same in the passes before.
        search_stride: distance of candidates within the window.
        nearness: patches at the distance `window` count as less alike by this share.
        iterations: number of passes; the last of three or more is the Wiener filter.
        residual: share of the residual put back before each further pass.
        keep: number of leading singular values left untouched where they exceed the edge of the noise.
        weight: c of the weights c group sigma^2 / s.
        edge: singular values below `edge` times the largest that noise alone would have vanish.
        guide_sigma: standard deviation of the Gaussian that smooths the first guide.
        noise_factor: the estimated noise is multiplied by this; more than 1 smooths more.
        score: share of the Rayleigh score by which the residual is put back, if it is as skew as that.
        log_offset: None takes the frame as log-compressed, as B-mode is. A number filters log(I + log_offset)
            instead, for frames of linear intensity.
    """

    patch: int = 5
    group: int = 64
    window: int = 12
    stride: int = 3
    first_stride: int = 5
    search_stride: int = 2
    nearness: float = 2.0
    iterations: int = 3
    residual: float = 1.0
    keep: int = 1
    weight: float = 1.0
    edge: float = 1.0
    guide_sigma: float = 1.5
    noise_factor: float = 1.0
    score: float = 0.8
    log_offset: float | None = None


def denoise_nllr(frames: Tensor, parameters: NLLRParameters | None = None) -> Tensor:
    """Filter speckle from frames [N, H, W] in [0, 1]; returns the same shape and range, on the same device.

    Nothing is told of the noise: its level and grain come from each frame alone. Frames without texture come
    back as they are. Frames smaller than two patches are returned unchanged, because no similar patches can
    be found in them.
    """
    parameters = parameters or NLLRParameters()
    return torch.stack([_denoise(frame, parameters) for frame in frames])


def _denoise(frame: Tensor, p: NLLRParameters) -> Tensor:
    if min(frame.shape) < 2 * p.patch:
        return frame.clone()
    noisy = frame if p.log_offset is None else torch.log(frame + p.log_offset)
    noise = estimate_noise(noisy).scaled(p.noise_factor)
    if noise.is_none:
        return frame.clone()
    first = filter_noise(noisy, noise, replace(p, iterations=1, stride=p.first_stride))
    noise = refine_noise(noisy - first, first, noise, p.noise_factor)
    estimate = filter_noise(noisy, noise, p, first)
    out = estimate if p.log_offset is None else torch.exp(estimate) - p.log_offset
    return torch.where(_flat_surroundings(frame), frame, out).clamp_(0, 1)


def filter_noise(
    noisy: Tensor, noise: NoiseStatistics, p: NLLRParameters, first: Tensor | None = None
) -> Tensor:
    """Filter an image [H, W] of any range, the noise of which is known and additive.

    first: the result of the first pass, where it is there already.
    """
    whitening = Whitening.of(p.patch, noise.grain, noisy)
    guide, current, reduction = _smooth(noisy, p.guide_sigma), noisy, 1.0
    estimate = noisy if first is None else first
    for iteration in range(0 if first is None else 1, p.iterations):
        if iteration:
            residual = noisy - estimate
            level = noise.level(estimate)
            share = p.score * rayleigh_share(residual / level)
            step, reduction = rayleigh_step(residual, level, share)
            current = estimate + p.residual * step
            reduction *= p.residual
            guide = estimate
        last = iteration == p.iterations - 1
        pilot = estimate if last and iteration >= 2 else None
        stride = p.stride if last else p.first_stride
        estimate = _pass(current, guide, pilot, noise.scaled(reduction), whitening, replace(p, stride=stride))
    return estimate


def _pass(
    image: Tensor,
    guide: Tensor,
    pilot: Tensor | None,
    noise: NoiseStatistics,
    whitening: Whitening,
    p: NLLRParameters,
) -> Tensor:
    """Group, recover and aggregate once."""
    height, width = image.shape
    margin = p.window
    sides = (margin, margin + -(width - p.patch) % p.stride, margin, margin + -(height - p.patch) % p.stride)
    image, guide = (functional.pad(x[None, None], sides, mode="replicate")[0, 0] for x in (image, guide))
    starts = _similar_patches(guide, margin, p)
    inside = torch.arange(p.patch, device=image.device)
    pixels = (inside[:, None] * image.shape[1] + inside).flatten()
    textured = _variance(guide, p.patch).flatten()[starts[:, 0]] > 1e-12
    values = image.flatten()
    if pilot is not None:
        pilot = functional.pad(pilot[None, None], sides, mode="replicate").flatten()
    total, weights = torch.zeros_like(values), torch.zeros_like(values)
    for part in starts[textured].split(_GROUPS_AT_ONCE):
        index = part[..., None] + pixels
        group = values[index]
        level = noise.level(group.mean((1, 2)))[:, None, None]
        if pilot is None:
            recovered, weight = _shrink(group, level, whitening, p)
        else:
            recovered, weight = _wiener(group, pilot[index], level, whitening)
        weight = (weight / level.squeeze() ** 2)[:, None, None]
        total.index_add_(0, index.flatten(), (recovered * weight).flatten())
        weights.index_add_(0, index.flatten(), weight.expand_as(recovered).flatten())
    out = torch.where(weights > 0, total / weights.clamp_min(1e-20), values).view(image.shape)
    return out[margin : margin + height, margin : margin + width]


def _similar_patches(guide: Tensor, margin: int, p: NLLRParameters) -> Tensor:
    """Upper left pixels, as indices into the padded guide, of the most similar patches, [references, group].

    The first of each row is the reference itself.
    """
    rows, columns = guide.shape[0] - 2 * margin, guide.shape[1] - 2 * margin
    centre = guide[margin : margin + rows, margin : margin + columns]
    steps = range(p.search_stride, p.window + 1, p.search_stride)
    reach = [*(-step for step in reversed(steps)), 0, *steps]
    distances, offsets = [], []
    for down in reach:
        for right in reach:
            moved = guide[margin + down :, margin + right :][:rows, :columns]
            difference = (centre - moved).square_()[None, None]
            distance = functional.avg_pool2d(difference, p.patch, p.stride).flatten()
            distances.append(distance * (1 + p.nearness * math.hypot(down, right) / p.window))
            offsets.append(down * guide.shape[1] + right)
    distance = torch.stack(distances, 1)
    distance[:, len(offsets) // 2] = -1
    nearest = distance.topk(min(p.group, len(offsets)), 1, largest=False).indices
    top, left = (
        torch.arange(margin, margin + length - p.patch + 1, p.stride, device=guide.device)
        for length in (rows, columns)
    )
    reference = (top[:, None] * guide.shape[1] + left).flatten()
    return reference[:, None] + torch.tensor(offsets, device=guide.device)[nearest]


def _shrink(group: Tensor, level: Tensor, whitening: Whitening, p: NLLRParameters) -> tuple[Tensor, Tensor]:
    """Recover low-rank groups [B, K, P]; also the weight of each, [B], larger where the rank is smaller.

    level: standard deviation of the noise, [B, 1, 1]. The singular values and right vectors come from the
    P x P Gram matrix, which is several times faster than the decomposition of the K x P matrix itself.
    """
    count, size = group.shape[1:]
    mean, pattern = _split(group)
    spread = (mean - mean.mean(1, keepdim=True)).square().mean(1, keepdim=True)
    noise = whitening.mean_variance * level.square()
    gain = torch.where(spread > 1.2 * noise, 1 - noise / spread.clamp_min(1e-20), 0)
    mean = torch.lerp(mean.mean(1, keepdim=True), mean, gain)

    pattern = pattern / level @ whitening.forward
    squares, vectors = torch.linalg.eigh(pattern.transpose(1, 2) @ pattern)
    squares = squares.clamp_min(0) / count
    kept = squares > (p.edge * (1 + math.sqrt(size / count))) ** 2
    gains = (1 - p.weight / squares.clamp_min(1e-12)).clamp_min(0)
    if p.keep:
        gains[:, -p.keep :] = 1
    gains = gains * kept
    recovered = (pattern @ (vectors * gains[:, None])) @ vectors.transpose(1, 2)
    recovered = recovered @ whitening.back * level + mean
    return recovered, 1 / (1 + gains.square().sum(1) + gain[:, 0, 0])


def _wiener(group: Tensor, pilot: Tensor, level: Tensor, whitening: Whitening) -> tuple[Tensor, Tensor]:
    """Filter groups [B, K, P] by the power that a pilot estimate has in the cosine basis."""
    count = group.shape[1]
    mean, pattern = _split(group)
    pilot_mean, pilot_pattern = _split(pilot)
    power = (pilot_mean - pilot_mean.mean(1, keepdim=True)).square().mean(1, keepdim=True)
    gain = power / (power + whitening.mean_variance * level.square())
    mean = torch.lerp(mean.mean(1, keepdim=True), mean, gain)

    gains = (pilot_pattern @ whitening.forward_cosine).square_()
    gains = gains / (gains + level.square())
    recovered = (pattern @ whitening.forward_cosine * gains) @ whitening.back_cosine + mean
    return recovered, 1 / (1 + gains.square().sum((1, 2)) / count + gain[:, 0, 0])


def _split(group: Tensor) -> tuple[Tensor, Tensor]:
    """Mean of every patch, and what is left of the patch."""
    mean = group.mean(2, keepdim=True)
    return mean, group - mean


def _variance(image: Tensor, size: int) -> Tensor:
    """Variance over the square whose upper left pixel is the given one; same shape, 0 beyond the border."""
    x = image.double()[None, None]
    mean, square = (functional.avg_pool2d(y, size, 1) for y in (x, x.square()))
    return functional.pad((square - mean.square())[0, 0], (0, size - 1, 0, size - 1))


def _flat_surroundings(frame: Tensor) -> Tensor:
    """Where all pixels within one pixel's distance are equal: background, which stays as it is."""
    x = functional.pad(frame[None, None], (1,) * 4, mode="replicate")
    return (functional.max_pool2d(x, 3, 1) == -functional.max_pool2d(-x, 3, 1))[0, 0]


def _smooth(image: Tensor, sigma: float) -> Tensor:
    if sigma <= 0:
        return image
    radius = math.ceil(3 * sigma)
    x = torch.arange(-radius, radius + 1, device=image.device)
    profile = torch.exp(-(x**2) / (2 * sigma**2))
    profile = (profile / profile.sum())[None, None]
    image = functional.pad(image[None, None], (radius,) * 4, mode="replicate")
    return functional.conv2d(functional.conv2d(image, profile[:, :, None]), profile[..., None])[0, 0]
