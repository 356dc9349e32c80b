"""What NLLR must know of the noise: its level, and how its pixels hang together.

Log-compressed speckle is additive and as strong everywhere, but its grain spans pixels: a patch of noise is
far from white, and a filter for white noise takes the grain for structure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

FLAT = 1e-3
"""Standard deviation below which a block has no texture."""

BLOCK = 8
"""Edge of the blocks in which noise is measured."""

HOMOGENEOUS = (0.05, 0.4)
"""Blocks between these quantiles of the variance are taken as homogeneous."""

SELECTION = 1.2
"""Variance of noise in units of that of the blocks so chosen, which are the calmer ones by chance too."""

TYPICAL = (0.2, 0.8)
"""Blocks of a residual between these quantiles count."""

LEFT_OVER = 1.1
"""Variance of noise in units of that of the residual of a first pass."""

LOWERED = 0.9
"""The residual of a first pass lowers the level of the noise at most to this share."""

MAXIMAL_BINS = 6
BLOCKS_PER_BIN = 60

COARSEST = 3.0
"""Largest grain that blocks of this edge can tell."""

SKEWNESS = -1.1
"""Of log-compressed Rayleigh speckle, beyond 4 standard deviations cut off."""

EULER = 0.5772156649015329
LARGEST_LOG = 1.6
"""Residuals beyond it are no speckle (one pixel in 140) and are not amplified further."""

_WHITE_SHARE = 0.03


@dataclass(frozen=True)
class NoiseStatistics:
    """Noise of log-compressed speckle.

    Attributes:
        intensities: at these mean values of the surroundings, rising, the noise was measured.
        sigmas: standard deviation of the noise there, in the unit of the frame; empty without any texture.
        grain: standard deviation, in pixels down and across, of the Gaussian that would smooth a white
            complex field into this speckle; 0 is white noise.
    """

    intensities: tuple[float, ...] = ()
    sigmas: tuple[float, ...] = ()
    grain: tuple[float, float] = (0.0, 0.0)

    @property
    def is_none(self) -> bool:
        """Whether no noise was found."""
        return not self.sigmas

    def scaled(self, factor: float) -> NoiseStatistics:
        """Return such noise that is `factor` times as strong."""
        return replace(self, sigmas=tuple(factor * sigma for sigma in self.sigmas))

    def level(self, intensity: Tensor) -> Tensor:
        """Return the standard deviation of the noise where the surroundings have these mean values."""
        if len(self.sigmas) == 1:
            return torch.full_like(intensity, self.sigmas[0])
        knots, sigmas = intensity.new_tensor(self.intensities), intensity.new_tensor(self.sigmas)
        right = torch.searchsorted(knots, intensity.contiguous()).clamp_(1, len(knots) - 1)
        left = right - 1
        share = ((intensity - knots[left]) / (knots[right] - knots[left]).clamp_min(1e-9)).clamp(0, 1)
        return torch.lerp(sigmas[left], sigmas[right], share)


@dataclass(frozen=True, eq=False)
class Whitening:
    """Maps that make the noise in a patch without its mean white, and back.

    Attributes:
        forward: [P, P], from the right of patches as rows.
        back: [P, P], undoes `forward` for patches of mean 0.
        forward_cosine: `forward` and then the cosine transform.
        back_cosine: the inverse of both.
        mean_variance: variance of a patch's mean where that of a pixel is 1.
    """

    forward: Tensor
    back: Tensor
    forward_cosine: Tensor
    back_cosine: Tensor
    mean_variance: float

    @classmethod
    def of(cls, size: int, grain: tuple[float, float], like: Tensor) -> Whitening:
        """Return the maps for square patches of this edge, of the type and on the device of `like`."""
        covariance = noise_covariance(size, grain)
        centring = torch.eye(size**2).double() - 1 / size**2
        values, vectors = torch.linalg.eigh(centring @ covariance @ centring)
        inverse = torch.where(values > 1e-3, values.clamp_min(1e-3).rsqrt(), 0.0)
        root = torch.where(values > 1e-3, values.clamp_min(0).sqrt(), 0.0)
        forward, back = ((vectors * scale) @ vectors.T for scale in (inverse, root))
        place = torch.arange(size, dtype=torch.float64)
        line = functional.normalize(torch.cos(math.pi / size * place[:, None] * (place + 0.5)), dim=1)
        cosine = torch.kron(line, line).T
        maps = (forward, back, forward @ cosine, cosine.T @ back)
        return cls(*(matrix.to(like) for matrix in maps), float(covariance.mean()))


def estimate_noise(image: Tensor) -> NoiseStatistics:
    """Level and grain of the noise in [H, W], seen in homogeneous regions.

    Where tissue is homogeneous, all that varies within a block of 8 x 8 pixels, apart from a slope, is
    speckle: among blocks of about the same mean, those of low variance are such regions. Blocks without
    texture (background) do not count, and clipped ones only where there is nothing else. The grain follows
    from differences of neighbours: their mean square is 2 sigma^2 (1 - correlation). Within a block
    correlated noise varies less than in a frame, which is corrected.
    """
    blocks = _blocks(image)
    clipped = ((blocks <= image.min()) | (blocks >= image.max())).float().mean((1, 2))
    return _measure(blocks, blocks.mean((1, 2)), clipped, HOMOGENEOUS, SELECTION)


def refine_noise(
    residual: Tensor, estimate: Tensor, noise: NoiseStatistics, factor: float
) -> NoiseStatistics:
    """Noise as it is seen in the residual of a first pass, [H, W] as the estimate; by `factor` stronger.

    Structure, which makes white noise look grainy and strong, is not in it, so half of all blocks count. What
    the first pass left of the noise is not in it either: a constant allows for that, and speckle that the
    pass took for structure cannot lower the level without end.
    """
    clipped = (_blocks(residual).abs() < FLAT / 10).float().mean((1, 2))
    found = _measure(_blocks(residual), _blocks(estimate).mean((1, 2)), clipped, TYPICAL, LEFT_OVER)
    if found.is_none:
        return noise
    before = noise.level(estimate.new_tensor(found.intensities)).tolist()
    sigmas = (max(factor * new, LOWERED * old) for new, old in zip(found.sigmas, before, strict=True))
    return replace(found, sigmas=tuple(sigmas))


def _blocks(image: Tensor) -> Tensor:
    return image.unfold(0, BLOCK, BLOCK).unfold(1, BLOCK, BLOCK).flatten(0, 1)


def _measure(
    blocks: Tensor, means: Tensor, clipped: Tensor, quantiles: tuple[float, float], correction: float
) -> NoiseStatistics:
    blocks = _without_slope(blocks)
    variance = blocks.square().sum((1, 2)) / (BLOCK**2 - 3)
    textured = variance > FLAT**2
    usable = textured & (clipped < 0.05)
    usable = usable if int(usable.sum()) >= 8 else textured
    if not bool(usable.any()):
        return NoiseStatistics()
    order = means[usable].argsort()
    means, blocks, variance = means[usable][order], blocks[usable][order], variance[usable][order]

    bins = max(1, min(MAXIMAL_BINS, len(order) // BLOCKS_PER_BIN))
    intensities, within, homogeneous = [], [], []
    for part in torch.arange(len(order), device=blocks.device).tensor_split(bins):
        low, high = variance[part].quantile(variance.new_tensor(quantiles)).tolist()
        chosen = part[(variance[part] >= low) & (variance[part] <= high)]
        chosen = chosen if len(chosen) else part
        intensities.append(float(means[part].mean()))
        within.append(float(variance[chosen].mean()))
        homogeneous.append(blocks[chosen] / math.sqrt(within[-1]))
    grain = _grain_of(torch.cat(homogeneous))
    correction = correction / _share_within(*grain)
    sigmas = [math.sqrt(variance * correction) for variance in within]
    return NoiseStatistics(tuple(intensities), tuple(sigmas), grain)


def rayleigh_share(normalised: Tensor) -> float:
    """How much residuals in units of the noise look like those of Rayleigh speckle, 0 to 1, by skewness."""
    bounded = normalised.clamp(-4, 4)
    bounded = bounded - bounded.mean()
    skewness = float(bounded.pow(3).mean() / bounded.square().mean().clamp_min(1e-12).pow(1.5))
    return min(max(skewness / SKEWNESS, 0.0), 1.0)


def rayleigh_step(residual: Tensor, level: Tensor, share: float) -> tuple[Tensor, float]:
    """Residuals of log-compressed Rayleigh speckle, weighted by information, and the noise they carry.

    With u the residual in natural units of intensity, the score of the distribution is exp(u) - 1, of
    variance 1 where that of u is pi^2 / 6. `share` of it is mixed with the residual. Returns the mixture and
    its noise in units of that of the residual.
    """
    unit = math.pi / math.sqrt(6)
    score = torch.exp((residual / level * unit - EULER).clamp(-8, LARGEST_LOG)) - 1
    return torch.lerp(residual, score * level / unit, share), 1 - share + share / unit


def _grain_of(blocks: Tensor) -> tuple[float, float]:
    """Grain of the noise in homogeneous blocks, scaled to unit variance and without slope."""
    steps = [float(blocks.diff(dim=axis).square().mean()) for axis in (1, 2)]
    total, grain = 1.0, (0.0, 0.0)
    for _ in range(4):
        grain = (_grain(1 - steps[0] / (2 * total)), _grain(1 - steps[1] / (2 * total)))
        total = 1 / _share_within(*grain)
    return grain


def noise_covariance(size: int, grain: tuple[float, float]) -> Tensor:
    """Covariance, float64 [size^2, size^2], of log-compressed speckle of unit variance in a square patch.

    The intensity of a Gaussian field whose correlation is r correlates by r^2, its logarithm by
    Li2(r^2) / (pi^2 / 6) (dilogarithm). A share of white noise keeps the matrix well conditioned.
    """
    place = torch.arange(size, dtype=torch.float64)
    rows, columns = place.repeat_interleave(size), place.repeat(size)
    exponent = _exponent(rows, grain[0]) + _exponent(columns, grain[1])
    return (1 - _WHITE_SHARE) * _correlation(exponent) + _WHITE_SHARE * torch.eye(size**2).double()


def _exponent(place: Tensor, grain: float) -> Tensor:
    lag = (place[:, None] - place).square()
    return lag / (2 * grain**2) if grain > 0 else torch.where(lag > 0, torch.inf, 0.0).double()


def _correlation(exponent: Tensor) -> Tensor:
    """Correlation of the log intensity where that of the intensity is exp(-exponent)."""
    order = torch.arange(1, 60, dtype=torch.float64)
    series = (torch.exp(-exponent[..., None] * order) / order.square()).sum(-1) / (math.pi**2 / 6)
    return torch.where(exponent == 0, 1.0, series)


def _grain(correlation: float) -> float:
    """Grain whose noise correlates like this between neighbours."""
    grains = torch.linspace(0.2, COARSEST, 141, dtype=torch.float64)
    nearest = torch.searchsorted(_correlation(1 / (2 * grains.square())), max(correlation, 0.0))
    return 0.0 if nearest == 0 else float(grains[min(int(nearest), 140)])


def _share_within(down: float, across: float) -> float:
    """Share of the variance of such noise that is left in a block after its slope is taken off."""
    slope = _slope_basis()
    covariance = noise_covariance(BLOCK, (down, across))
    left = BLOCK**2 - float(torch.einsum("ia,ij,ja->", slope, covariance, slope))
    return left / (BLOCK**2 - 3)


def _slope_basis() -> Tensor:
    place = torch.arange(BLOCK, dtype=torch.float64) - (BLOCK - 1) / 2
    planes = torch.stack(
        (torch.ones(BLOCK, BLOCK).double(), place[:, None].expand(BLOCK, BLOCK), place.expand(BLOCK, BLOCK)),
        -1,
    )
    return functional.normalize(planes.reshape(-1, 3), dim=0)


def _without_slope(blocks: Tensor) -> Tensor:
    slope = _slope_basis().to(blocks)
    flat = blocks.reshape(len(blocks), -1)
    return (flat - (flat @ slope) @ slope.T).view_as(blocks)
