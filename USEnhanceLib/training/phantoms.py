"""Drawn phantoms of known truth: points, lines, edges and discs, as in a test object for resolution.

Neither photographs nor filtered scans hold point targets and ideal edges, and a network that never saw them
cannot be asked to restore them. Truth is exact here, so the targets need no filter.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

OVERSAMPLING = 4
"""Phantoms are drawn on a finer grid and averaged, so that edges may lie between pixels."""


class PhantomSource:
    """Draws phantoms of `patch` x `patch` pixels; a patch is its own target."""

    def __init__(self, patch: int) -> None:
        self._patch = patch

    def draw(self, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return phantoms [count, h, w] in [0, 1], twice: as frames and as targets."""
        phantoms = torch.stack([draw_phantom(self._patch, generator) for _ in range(count)])
        return phantoms, phantoms


def draw_phantom(size: int, generator: Generator) -> Tensor:
    """A random scene [size, size] in [0, 1]: a flat or sloping background with shapes on it.

    Points have a radius of .4 to 1 pixel, lines are as wide, discs have a radius of 3 pixels to a third of
    the patch. A third of the backgrounds is nearly black, as around the wires of a resolution phantom.
    """

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand(1, generator=generator))

    fine = size * OVERSAMPLING
    x = (torch.arange(fine) + 0.5) / OVERSAMPLING
    y = x[:, None]
    x = x[None]
    dark = uniform(0, 1) < 1 / 3
    level = uniform(0, 0.08) if dark else uniform(0.05, 0.9)
    slope_y, slope_x = uniform(-0.2, 0.2) / size, uniform(-0.2, 0.2) / size
    scene = (level + slope_y * (y - size / 2) + slope_x * (x - size / 2)).clamp(0, 1)

    def value() -> float:
        return uniform(0.3, 1) if dark else uniform(0, 1)

    if uniform(0, 1) < 0.4:
        angle, offset = uniform(0, 2 * math.pi), uniform(-0.3, 0.3) * size
        side = (x - size / 2) * math.cos(angle) + (y - size / 2) * math.sin(angle) > offset
        scene = torch.where(side, value(), scene)
    if uniform(0, 1) < 0.5:
        for _ in range(int(uniform(1, 4))):
            radius = 3 * (size / 9) ** uniform(0, 1)
            inside = (x - uniform(0, size)).square() + (y - uniform(0, size)).square() < radius**2
            scene = torch.where(inside, value(), scene)
    if uniform(0, 1) < 0.25:
        for _ in range(int(uniform(1, 4))):
            angle, width = uniform(0, math.pi), uniform(0.4, 1)
            distance = (x - uniform(0, size)) * math.cos(angle) + (y - uniform(0, size)) * math.sin(angle)
            scene = torch.where(distance.abs() < width, value(), scene)
    if uniform(0, 1) < 0.5:
        for _ in range(int(uniform(2, 14))):
            radius = uniform(0.4, 1)
            inside = (x - uniform(0, size)).square() + (y - uniform(0, size)).square() < radius**2
            scene = torch.where(inside, value(), scene)
    return functional.avg_pool2d(scene.expand(fine, fine)[None], OVERSAMPLING)[0]
