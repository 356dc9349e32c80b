"""A speckled frame and the clean one of the same tissue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, OptionError
from .beamforming import delay_and_sum, demodulate
from .compression import compress, level_of_samples, level_of_tissue
from .grid import ImageGrid, image_grid
from .point_spread import find_point_spread, transmission
from .scatterers import draw_scatterers
from .setting import Setting
from .simus import echo_spectra

ENGINES = ("simus", "fast")
"""simus: the sums of SIMUS over point scatterers; fast: noise convolved with point spread functions."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A simulated frame.

    Attributes:
        speckled, clean: float32 [H, W] in [0, 1], over the dynamic range of the setting; their difference is
            0 on average where neither is cut off. Outside a sector both are 0.
        setting: what it was simulated with.
    """

    speckled: NDArray[np.float32]
    clean: NDArray[np.float32]
    setting: Setting


def simulate_pair(echogenicity: NDArray[np.float32], setting: Setting, engine: str = "simus") -> Pair:
    """Return the frame of a tissue.

    Args:
        echogenicity: mean power of the echo, [H, W] in [0, 1], on the square of pixels that is shown; H and
            W are the setting's size.
        setting: probe, image and display; its seed decides the scatterers.
        engine: one of `ENGINES`.

    Raises:
        InputError: the echogenicity has another shape, or values out of [0, 1].
        OptionError: there is no such engine.
    """
    grid = image_grid(setting)
    level = simulate_level(echogenicity, setting, engine)
    speckled = compress(grid.to_pixels(level), setting.dynamic_range)
    return Pair(speckled * grid.sector, clean_frame(echogenicity, grid, setting), setting)


def clean_frame(echogenicity: NDArray[np.float32], grid: ImageGrid, setting: Setting) -> NDArray[np.float32]:
    """Return what the tissue would look like without speckle, [H, W] in [0, 1]."""
    return compress(level_of_tissue(echogenicity), setting.dynamic_range) * grid.sector


def simulate_level(
    echogenicity: NDArray[np.float32], setting: Setting, engine: str = "simus"
) -> NDArray[np.float32]:
    """Return the level of the frame's samples before compression and scan conversion, dB, [A, L].

    Its mean is 0 in tissue of echogenicity 1. Arguments and errors are those of `simulate_pair`.
    """
    echogenicity = checked_echogenicity(echogenicity, setting.size)
    if engine == "simus":
        return _exact_level(echogenicity, setting)
    if engine == "fast":
        from .fast import fast_level

        return fast_level(echogenicity, setting)
    raise OptionError(f"There is no engine {engine!r}: choose one of {', '.join(ENGINES)}.")


def checked_echogenicity(echogenicity: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return a map as float32 [size, size]; InputError where it is none."""
    echogenicity = np.asarray(echogenicity, np.float32)
    if echogenicity.shape != (size, size):
        shape = " x ".join(map(str, echogenicity.shape))
        raise InputError(f"The echogenicity is {shape}: give {size} x {size} values.")
    if not (np.isfinite(echogenicity).all() and echogenicity.min() >= 0 and echogenicity.max() <= 1):
        raise InputError("The echogenicity has values outside 0 to 1: scale it to that range.")
    return echogenicity


def _exact_level(echogenicity: NDArray[np.float32], setting: Setting) -> NDArray[np.float32]:
    grid, waves, band = transmission(setting)
    tissue = draw_scatterers(echogenicity, grid, setting)
    spectra = echo_spectra(
        tissue.positions, tissue.reflections, grid.probe, waves, band, attenuation=setting.attenuation
    )
    depths, lines = np.meshgrid(grid.depths, grid.lines, indexing="ij")
    samples = delay_and_sum(demodulate(spectra, band), depths.ravel(), lines.ravel(), grid, waves, setting)
    return level_of_samples(samples.reshape(depths.shape), find_point_spread(setting).power_of(grid))
