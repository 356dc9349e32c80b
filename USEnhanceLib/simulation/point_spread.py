"""Images of single points: what the fast engine blends, and how bright tissue is.

The mean power of speckle from tissue of echogenicity 1 is the energy of the point spread function there. So
the gain of the display needs no phantom with speckle of its own, and never the pair that is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .beamforming import delay_and_sum, demodulate
from .grid import ImageGrid, image_grid
from .probes import SPEED_OF_SOUND, find_probe
from .pulse import Band, receiving_band
from .setting import Setting
from .simus import echo_spectra
from .waves import Waves, transmitted_waves

DEPTHS = 7
"""Depths at which the spread is found."""
LATERAL = (0.0, 0.4, 0.7, 0.88, 1.0)
"""Lines at which it is found, as shares of the way from the middle to the edge; arrays are symmetrical."""
REACH = (2.5, 7.0)
"""Half sizes of the patch in resolution cells, in depth and across."""


@dataclass(frozen=True, eq=False)
class PointSpread:
    """Point spread functions over a frame.

    Attributes:
        depths: m, [D].
        lines: m or rad, [L], from edge to edge.
        patches: complex64, [D, L, h, w], h and w odd, with the point in the middle.
        power: mean power of the samples from tissue of echogenicity 1, [D, L].
        finer: patches have so many columns from line to line of the frame's grid.
    """

    depths: NDArray[np.float64]
    lines: NDArray[np.float64]
    patches: NDArray[np.complex64]
    power: NDArray[np.float64]
    finer: int

    def blend(self, grid: ImageGrid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the shares of depths in the grid's depths, [A, D], and of lines in its lines, [L', L]."""
        return _hats(grid.depths, self.depths), _hats(grid.lines, self.lines)

    def power_of(self, grid: ImageGrid) -> NDArray[np.float32]:
        """Return the mean level of tissue of echogenicity 1 at the grid's samples, dB, [A, L']."""
        by_depth, by_line = self.blend(grid)
        return (by_depth @ (10 * np.log10(self.power)) @ by_line.T).astype(np.float32)


def transmission(setting: Setting) -> tuple[ImageGrid, Waves, Band]:
    """Return what a setting transmits and receives, and where it samples."""
    probe, grid = find_probe(setting.probe), image_grid(setting)
    waves = transmitted_waves(setting, probe)
    depth = grid.depths[-1] + 3 * setting.axial_width
    edge = grid.half_angle + 0.15 if grid.is_sector else probe.aperture / 2 + 3e-3
    corners = np.stack(grid.place(np.array(depth), np.array([-edge, edge])), axis=1)
    back = np.hypot(*(probe.element_positions[:, None] - corners).T).max() / SPEED_OF_SOUND
    latest = waves.times(corners[:, 0], corners[:, 1]).max() + back
    return grid, waves, receiving_band(setting, probe, latest)


def find_point_spread(setting: Setting) -> PointSpread:
    """Return the point spread functions of a setting, whatever its seed, size of speckle and display."""
    return _find(replace(setting, seed=0, dynamic_range=55.0, contrast=38.0, scatterers=10.0))


@lru_cache(maxsize=64)
def _find(setting: Setting) -> PointSpread:
    grid, waves, band = transmission(setting)
    finer = 1 if grid.is_sector else 2
    depths = np.linspace(grid.depths[0], grid.depths[-1], DEPTHS)
    half = np.array(LATERAL) * grid.lines[-1]
    rows, columns = _patch(setting, grid, finer)
    patches = np.empty((DEPTHS, 2 * len(half) - 1, len(rows), len(columns)), np.complex64)
    for place, depth in enumerate(depths):
        for beside, line in enumerate(half):
            patch = _image_of_point(depth, line, rows, columns, grid, waves, band, setting)
            patches[place, len(half) - 1 + beside] = patch
            patches[place, len(half) - 1 - beside] = patch[:, ::-1]
    area = grid.cell_area(depths)[:, None] / finer
    power = (np.abs(patches) ** 2).sum(axis=(-2, -1), dtype=np.float64) * area
    middle = patches[..., len(rows) // 2, len(columns) // 2]
    # The phase in the middle means nothing for speckle, but spreads are blended.
    patches *= (np.conj(middle) / np.maximum(np.abs(middle), 1e-30))[..., None, None]
    return PointSpread(depths, np.concatenate((-half[:0:-1], half)), patches, power, finer)


def _patch(setting: Setting, grid: ImageGrid, finer: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return offsets of a patch's rows (m) and columns (m or rad) from its middle."""
    step, line = grid.spacing[0], grid.spacing[1] / finer
    cell = max(
        setting.lateral_width(depth) / (depth + grid.apex if grid.is_sector else 1)
        for depth in (grid.depths[0], grid.depths[-1])
    )
    above = int(np.ceil(REACH[0] * setting.axial_width / step))
    beside = min(int(np.ceil(REACH[1] * cell / line)), len(grid.lines) * finer // 2)
    return step * np.arange(-above, above + 1), line * np.arange(-beside, beside + 1)


def _image_of_point(
    depth: float,
    line: float,
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    grid: ImageGrid,
    waves: Waves,
    band: Band,
    setting: Setting,
) -> NDArray[np.complex64]:
    """Return the complex image [h, w] around a point of unit reflection."""
    point = np.stack(grid.place(np.array([depth]), np.array([line])), axis=1)
    spectra = echo_spectra(point, np.ones(1), grid.probe, waves, band, attenuation=setting.attenuation)
    # Rows above the probe's surface have nothing to show.
    near = np.maximum(depth + rows, 1e-4)
    places, lines = (np.ravel(part) for part in np.meshgrid(near, line + columns, indexing="ij"))
    samples = delay_and_sum(demodulate(spectra, band), places, lines, grid, waves, setting)
    return samples.reshape(len(rows), len(columns))


def _hats(places: NDArray[np.float64], nodes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of linear interpolation from nodes [K] to places [P], [P, K]."""
    return np.stack([np.interp(places, nodes, row) for row in np.eye(len(nodes))], axis=1)
