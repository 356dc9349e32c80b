"""All that decides how one frame is simulated, as numbers that a manifest can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from ..errors import OptionError
from .compression import HEADROOM
from .probes import SPEED_OF_SOUND, Probe, find_probe

AXIAL_PIXELS = 1.5
"""Length of the resolution cell in pixels: below one, the speckle of a column would be white noise."""

# Measured on point spread functions: the full width at half maximum of a pulse of one cycle, in wavelengths.
AXIAL_WIDTH_OF_CYCLE = 0.62
SHORTEST, LONGEST = 1.0, 12.0
"""Pulses that are drawn, cycles."""
LATERAL_WIDTH = 1.6
"""Also measured: full width at half maximum, in wavelengths times the f-number, of the tapered apertures."""


@dataclass(frozen=True)
class _Usual:
    """How a probe is used by default, and how far that varies."""

    frequency: float  # Hz
    depths: tuple[float, float]  # m
    half_angle: float  # degrees
    steering: float  # largest, degrees; mm for phased arrays
    waves: int
    f_number: float
    frequencies: tuple[float, float]  # Hz


# Frequencies are low enough, and waves many enough, that grating lobes leave an anechoic disc dark.
_USUAL = {
    "L11-5v": _Usual(4.8e6, (4e-3, 38.5e-3), 0.0, 12.0, 15, 1.5, (4.4e6, 5.2e6)),
    "L12-3v": _Usual(6.5e6, (4e-3, 38.5e-3), 0.0, 14.0, 15, 1.5, (5.0e6, 7.0e6)),
    "C5-2v": _Usual(2.5e6, (10e-3, 85e-3), 27.0, 9.0, 15, 1.8, (2.2e6, 2.6e6)),
    "P4-2v": _Usual(2.7e6, (10e-3, 80e-3), 37.0, 8.6, 15, 0.0, (2.2e6, 3.0e6)),
    "P6-3": _Usual(4.0e6, (8e-3, 60e-3), 37.0, 6.2, 15, 0.0, (3.3e6, 4.3e6)),
}


@dataclass(frozen=True)
class Setting:
    """Probe, transmission, image and display of a simulated frame.

    Attributes:
        probe: name of one of `PROBES`.
        frequency: centre of pulse and probe, Hz.
        cycles: of the transmitted pulse, from .5.
        transmits: one number per transmission, compounded coherently. Linear arrays send plane waves
            steered by so many degrees; convex arrays circular waves, steered by so many degrees from the
            normal in the middle; phased arrays diverging waves from virtual sources so many mm beside the
            middle of the array.
        depths: first and last below the surface of the probe, m.
        half_angle: of the sector, degrees; 0 for a rectangle.
        attenuation: of the tissue, dB/cm/MHz, one way.
        f_number: of the receiving aperture; 0 uses all elements.
        dynamic_range: from black to white, dB.
        contrast: between the brightest and the darkest tissue of the MRI, dB.
        scatterers: per resolution cell, from 1; speckle is fully developed from 10.
        size: edge of the square image, pixels.
        seed: of the scatterers.

    Raises:
        OptionError: a value is out of its range, or there is no such probe.
    """

    probe: str
    frequency: float
    cycles: float
    transmits: tuple[float, ...]
    depths: tuple[float, float]
    half_angle: float
    attenuation: float
    f_number: float
    dynamic_range: float
    contrast: float
    scatterers: float
    size: int
    seed: int

    def __post_init__(self) -> None:
        probe = find_probe(self.probe)
        # JSON knows lists only, and a frozen setting has to be hashable.
        object.__setattr__(self, "transmits", tuple(float(value) for value in self.transmits))
        object.__setattr__(self, "depths", tuple(float(value) for value in self.depths))
        flat = probe.kind == "linear"
        valid = {
            "frequency": 0.3 * probe.frequency <= self.frequency <= 1.7 * probe.frequency,
            "cycles": 0.5 <= self.cycles <= 20,
            "transmits": bool(self.transmits) and all(map(math.isfinite, self.transmits)),
            "depths": len(self.depths) == 2 and 0.5e-3 <= self.depths[0] < self.depths[1] <= 0.5,
            "half_angle": self.half_angle == 0 if flat else 5 <= self.half_angle <= 60,
            "attenuation": 0 <= self.attenuation <= 5,
            "f_number": 0 <= self.f_number <= 20,
            "dynamic_range": 10 <= self.dynamic_range <= 120,
            "contrast": 0 < self.contrast <= 120,
            "scatterers": 1 <= self.scatterers <= 100,
            "size": 16 <= self.size <= 1024,
            "seed": 0 <= self.seed < 2**32,
        }
        for name, fits in valid.items():
            if not fits:
                value = getattr(self, name)
                raise OptionError(f"A setting of {probe.name} cannot have {name} {value}: see Setting.")

    @property
    def wavelength(self) -> float:
        """At the centre frequency, m."""
        return SPEED_OF_SOUND / self.frequency

    @property
    def axial_width(self) -> float:
        """Expected length of the resolution cell, full width at half maximum, m."""
        return AXIAL_WIDTH_OF_CYCLE * self.cycles * self.wavelength

    def lateral_width(self, depth: float) -> float:
        """Expected width of the resolution cell at a depth in m, m: by the f-number there."""
        return LATERAL_WIDTH * self.wavelength * max(self.f_number, depth / find_probe(self.probe).aperture)

    def to_json(self) -> dict[str, Any]:
        """Return the setting as a dictionary of numbers, strings and lists."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Setting:
        """Return the setting of such a dictionary; OptionError where it holds something else."""
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            different = ", ".join(sorted(set(values) ^ names))
            raise OptionError(f"A setting lacks or does not know {different}: simulate the data again.")
        try:
            return cls(**values)
        except TypeError as error:
            raise OptionError("A setting holds a value of a wrong type: simulate the data again.") from error


def draw_setting(
    probe: Probe | str, rng: np.random.Generator, diversified: bool = False, *, size: int = 128
) -> Setting:
    """Return a setting of a probe with a random seed.

    Args:
        probe: the probe or its name.
        rng: source of randomness.
        diversified: also draw frequency, pulse length, depth, sector, steering, aperture, attenuation and
            dynamic range; else they are those that the probe is usually used with.
        size: edge of the image, pixels.

    Raises:
        OptionError: there is no such probe, or the size is out of range.
    """
    probe = find_probe(probe) if isinstance(probe, str) else probe
    usual = _USUAL[probe.name]
    seed = int(rng.integers(2**32))

    def draw(low: float, high: float, default: float) -> float:
        return float(rng.uniform(low, high)) if diversified else default

    frequency = draw(*usual.frequencies, usual.frequency)
    depth = usual.depths[0] + (usual.depths[1] - usual.depths[0]) * draw(0.8, 1.2, 1.0)
    half_angle = usual.half_angle * draw(0.85, 1.1, 1.0)
    steering = usual.steering * draw(0.75, 1.0, 1.0)
    # Rounded, so that a manifest can be read by people too.
    angles = np.linspace(-steering, steering, usual.waves).round(4)
    pixel = pixel_spacing(probe, (usual.depths[0], depth), half_angle, size)[0]
    axial = pixel * AXIAL_PIXELS * draw(0.8, 1.4, 1.0)
    cycles = axial * frequency / (AXIAL_WIDTH_OF_CYCLE * SPEED_OF_SOUND)
    dynamic_range = round(draw(50, 60, 55), 2)
    return Setting(
        probe=probe.name,
        frequency=round(frequency),
        cycles=round(min(max(cycles, SHORTEST), LONGEST), 3),
        transmits=tuple(angles.tolist()),
        depths=(usual.depths[0], round(depth, 6)),
        half_angle=round(half_angle, 3),
        attenuation=round(draw(0.2, 0.8, 0.5), 3),
        f_number=round(usual.f_number * draw(0.85, 1.4, 1.0), 3),
        dynamic_range=dynamic_range,
        # Black tissue is just above black, where its speckle is not all cut off.
        contrast=round(dynamic_range - HEADROOM - draw(0, 6, 2), 2),
        scatterers=10.0,
        size=size,
        seed=seed,
    )


def pixel_spacing(
    probe: Probe, depths: tuple[float, float], half_angle: float, size: int
) -> tuple[float, float]:
    """Return the spacing (vertical, horizontal) in m of the pixels of an image with `size` pixels a side.

    A linear array's image spans nine tenths of its aperture and the depths; a sector is held by a square.
    """
    if probe.kind == "linear":
        return (depths[1] - depths[0]) / size, 0.9 * probe.aperture / size
    apex = 0.0 if math.isinf(probe.radius) else probe.radius
    angle = math.radians(half_angle)
    width = 2 * (apex + depths[1]) * math.sin(angle)
    height = (apex + depths[1]) - (apex + depths[0]) * math.cos(angle)
    return (max(width, height) / size,) * 2
