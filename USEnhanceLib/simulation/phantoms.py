"""Tissues that are known exactly: what simulated frames are checked with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .grid import ImageGrid, image_grid
from .setting import Setting

DISC_RADIUS = 0.10
"""Of the anechoic disc, as a share of the image's height."""
CORE = 0.6
"""Share of the disc's radius in which its level is measured: the rest is blurred into."""


def homogeneous(size: int) -> NDArray[np.float32]:
    """Return tissue of echogenicity 1 everywhere, [size, size]."""
    return np.ones((size, size), np.float32)


def disc(grid: ImageGrid, level: float = -np.inf) -> NDArray[np.float32]:
    """Return homogeneous tissue with a disc in the middle, [H, W] in [0, 1].

    Args:
        grid: of the frame.
        level: of the disc, dB, 0 or less; anechoic when not given.
    """
    tissue = homogeneous(grid.size)
    tissue[disc_mask(grid)] = 10 ** (level / 10)
    return tissue


def disc_mask(grid: ImageGrid, share: float = 1.0) -> NDArray[np.bool_]:
    """Return the pixels within a share of the disc's radius, [H, W]."""
    x, z = grid.pixels
    depth = (grid.depths[0] + grid.depths[-1]) / 2
    middle_x, middle_z = (float(value) for value in grid.place(np.array(depth), np.array(0.0)))
    radius = DISC_RADIUS * grid.size * grid.pixel[0]
    return np.hypot(x - middle_x, z - middle_z) < share * radius


def disc_darkness(setting: Setting, engine: str = "simus") -> float:
    """Return the mean power in the core of an anechoic disc relative to the tissue around it, dB.

    It is how far clutter (side lobes, grating lobes) fills what should be black; tissue that is darker than
    that cannot be told from it.
    """
    from .pair import simulate_level

    grid = image_grid(setting)
    power = grid.to_pixels(10 ** (simulate_level(disc(grid), setting, engine) / 10))
    beside = ~disc_mask(grid, 1.5) & disc_mask(grid, 2.5) & grid.sector
    return float(10 * np.log10(power[disc_mask(grid, CORE)].mean() / power[beside].mean()))
