"""Point scatterers whose echoes interfere to fully developed speckle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .grid import ImageGrid
from .setting import Setting

MARGIN_CELLS = 2.5
"""Tissue around the image that is simulated too, in resolution cells."""


@dataclass(frozen=True, eq=False)
class Scatterers:
    """Positions (x, z) in m, [S, 2], and reflection coefficients, [S]."""

    positions: NDArray[np.float64]
    reflections: NDArray[np.float64]


def draw_scatterers(echogenicity: NDArray[np.float32], grid: ImageGrid, setting: Setting) -> Scatterers:
    """Return random scatterers of a tissue.

    One lies at a random place in each of many small cells, of which `Setting.scatterers` make a resolution
    cell, and reflects with a uniformly distributed strength of variance echogenicity x area of the small
    cell: so the mean power of the echo depends on the echogenicity alone. With ten scatterers a resolution
    cell, speckle is then fully developed (a ratio of mean to standard deviation of 1.91); in such small cells
    random signs of one strength make it too even (1.97), normal strengths too uneven (1.87).

    Args:
        echogenicity: mean power of the echo, [H, W] in [0, 1], on the pixels of the image; continued beyond
            its edges by its mirror image.
        grid, setting: of the frame; the seed is the setting's.
    """
    rng = np.random.default_rng(setting.seed)
    share = math.sqrt(setting.scatterers)
    margin = MARGIN_CELLS * setting.axial_width
    first = max(grid.depths[0] - margin, 0.5 * setting.wavelength)
    last = grid.depths[-1] + margin
    edges = np.linspace(first, last, math.ceil((last - first) / (setting.axial_width / share)) + 1)
    positions, areas = [], []
    for top, bottom in pairwise(edges):
        depth = (top + bottom) / 2
        reach = _reach(grid, setting, depth)
        # Lines of a sector are angles: the radius makes widths of them.
        radius = depth + grid.apex if grid.is_sector else 1.0
        count = math.ceil(2 * reach * radius / (setting.lateral_width(depth) / share))
        lines = -reach + 2 * reach / count * (np.arange(count) + rng.random(count))
        positions.append(np.stack(grid.place(rng.uniform(top, bottom, count), lines), axis=1))
        areas.append(np.full(count, (bottom - top) * 2 * reach * radius / count))
    places, area = np.concatenate(positions), np.concatenate(areas)
    power = grid.of_map(echogenicity, places[:, 0], places[:, 1]) * area
    strengths = rng.uniform(-(3**0.5), 3**0.5, len(power))
    kept = power > 0
    return Scatterers(places[kept], (strengths * np.sqrt(power))[kept])


def _reach(grid: ImageGrid, setting: Setting, depth: float) -> float:
    """Return how far to the side tissue is simulated at a depth, as a line: m or rad."""
    width = MARGIN_CELLS * setting.lateral_width(depth)
    if grid.is_sector:
        # Not much more than the sector even where it is narrow.
        return grid.half_angle + min(width / (depth + grid.apex), 0.15)
    return grid.lines[-1] + max(width, grid.probe.aperture / 2 - grid.lines[-1])
