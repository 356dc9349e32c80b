"""The samples that are beamformed, in depth and line, and the pixels that are shown: scan conversion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .probes import Probe, find_probe
from .setting import Setting, pixel_spacing


@dataclass(frozen=True, eq=False)
class ImageGrid:
    """Where the samples [A, L] of a frame are, and how they become pixels [H, W].

    Attributes:
        probe: the probe.
        depths: of the samples below the surface, m, [A]; two to a pixel.
        lines: m from the middle for a linear array, else angles in rad, [L].
        pixel: spacing (vertical, horizontal) of the pixels, m.
        corner: (x, z) of the centre of the first pixel, m.
        size: edge of the square image, pixels.
        half_angle: of the sector, rad; 0 for a rectangle.
    """

    probe: Probe
    depths: NDArray[np.float64]
    lines: NDArray[np.float64]
    pixel: tuple[float, float]
    corner: tuple[float, float]
    size: int
    half_angle: float

    @property
    def is_sector(self) -> bool:
        """Whether the lines fan out."""
        return self.half_angle > 0

    @property
    def apex(self) -> float:
        """Distance of the lines' common origin behind the surface, m; 0 for flat arrays."""
        return self.probe.radius if math.isfinite(self.probe.radius) else 0.0

    @property
    def spacing(self) -> tuple[float, float]:
        """Distance between samples in depth (m) and between lines (m or rad)."""
        return self.depths[1] - self.depths[0], self.lines[1] - self.lines[0]

    def place(
        self, depths: NDArray[np.float64], lines: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return x and z in m of points given by depth and line, in their broadcast shape."""
        if not self.is_sector:
            return np.broadcast_arrays(lines, depths)[0] + 0.0, np.broadcast_arrays(lines, depths)[1] + 0.0
        radius = depths + self.apex
        return radius * np.sin(lines), radius * np.cos(lines) - self.probe.centre_height

    def locate(
        self, x: NDArray[np.float64], z: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return depth and line of points given by x and z in m: the inverse of `place`."""
        if not self.is_sector:
            return z, x
        below = z + self.probe.centre_height
        return np.hypot(x, below) - self.apex, np.arctan2(x, below)

    def cell_area(self, depths: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the area of tissue that a sample stands for at some depths, m^2."""
        step, line = self.spacing
        return step * line * (depths + self.apex if self.is_sector else np.ones_like(depths))

    @cached_property
    def pixels(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Centres x and z of the pixels, m, each [H, W]."""
        places = np.arange(self.size)
        x = self.corner[0] + self.pixel[1] * places
        z = self.corner[1] + self.pixel[0] * places
        return np.meshgrid(x, z)

    @cached_property
    def sector(self) -> NDArray[np.bool_]:
        """The pixels that show tissue, [H, W]; all of a rectangle."""
        depth, line = self.locate(*self.pixels)
        within = (depth >= self.depths[0]) & (depth <= self.depths[-1]) & (np.abs(line) <= self.half_angle)
        return within if self.is_sector else np.ones_like(within)

    def conversion(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the four samples around every pixel, as flat indices [4, H, W], and their weights.

        Weights are bilinear in depth and line and sum to 1; pixels outside the sector take the nearest.
        """
        depth, line = self.locate(*self.pixels)
        row = (depth - self.depths[0]) / self.spacing[0]
        column = (line - self.lines[0]) / self.spacing[1]
        return bilinear(row, column, (len(self.depths), len(self.lines)))

    def to_pixels(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return an image [H, W] from samples [A, L]."""
        indices, weights = self._conversion
        return (samples.reshape(-1)[indices] * weights).sum(axis=0)

    def of_map(
        self, pixels: NDArray[np.float32], x: NDArray[np.float64], z: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Return what a map over the image's pixels [H, W] has at points x, z in m, mirrored at its edges."""
        indices, weights = self.around(x, z)
        return (pixels.reshape(-1)[indices] * weights).sum(axis=0)

    def around(
        self, x: NDArray[np.float64], z: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the four pixels around points, as flat indices [4, ...], and their weights; see `of_map`."""
        row = _mirrored((z - self.corner[1]) / self.pixel[0], self.size)
        column = _mirrored((x - self.corner[0]) / self.pixel[1], self.size)
        return bilinear(row, column, (self.size, self.size))

    @cached_property
    def _conversion(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        return self.conversion()


def image_grid(setting: Setting) -> ImageGrid:
    """Return the grid of a setting.

    Samples are half a pixel apart in depth, so that no resolution cell is missed. Lines of a linear array are
    a pixel apart; those of a sector are a pixel apart where it is deepest.
    """
    probe = find_probe(setting.probe)
    size = setting.size
    pixel = pixel_spacing(probe, setting.depths, setting.half_angle, size)
    first, last = setting.depths
    places = np.arange(size)
    if probe.kind == "linear":
        corner = (-(size - 1) / 2 * pixel[1], first + pixel[0] / 2)
        # Every second sample is the centre of a pixel: nothing is smoothed.
        depths = corner[1] + pixel[0] / 2 * np.arange(2 * size - 1)
        return ImageGrid(probe, depths, corner[0] + pixel[1] * places, pixel, corner, size, 0.0)
    angle = math.radians(setting.half_angle)
    apex = probe.radius if math.isfinite(probe.radius) else 0.0
    depths = np.linspace(first, last, math.ceil(2 * (last - first) / pixel[0]) + 1)
    lines = np.linspace(-angle, angle, math.ceil(2 * angle * (apex + last) / pixel[1]) + 1)
    top = (apex + first) * math.cos(angle) - probe.centre_height
    bottom = apex + last - probe.centre_height
    middle = (top + bottom) / 2
    corner = (-(size - 1) / 2 * pixel[1], middle - (size - 1) / 2 * pixel[0])
    return ImageGrid(probe, depths, lines, pixel, corner, size, angle)


def bilinear(
    row: NDArray[np.float64], column: NDArray[np.float64], shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return flat indices and weights, each [4, ...], of bilinear interpolation; beyond edges the nearest."""
    row = np.clip(row, 0, shape[0] - 1)
    column = np.clip(column, 0, shape[1] - 1)
    top = np.minimum(row.astype(np.int64), max(shape[0] - 2, 0))
    left = np.minimum(column.astype(np.int64), max(shape[1] - 2, 0))
    down, right = row - top, column - left
    corner = top * shape[1] + left
    indices = np.stack((corner, corner + 1, corner + shape[1], corner + shape[1] + 1))
    weights = np.stack(((1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right))
    return indices, weights.astype(np.float32)


def _mirrored(places: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return places from 0 to size - 1 that a map continued by its mirror image has there."""
    period = 2 * (size - 1)
    places = np.mod(places, period)
    return np.minimum(places, period - places)
