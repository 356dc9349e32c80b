"""The probes that frames are simulated for, with the geometry of the real ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DependencyError, OptionError

SPEED_OF_SOUND = 1540.0
"""In soft tissue, m/s."""


@dataclass(frozen=True)
class Probe:
    """An array of equal elements.

    Attributes:
        name: of the product.
        kind: "linear" (a rectangular image), "convex" or "phased" (a sector).
        elements: their number.
        pitch: between the centres of neighbours, m.
        width: of an element, m.
        height: of an element in elevation, m; infinite where the manufacturer's is not known.
        focus: of the lens in elevation, m; infinite where there is none or it is not known.
        radius: of curvature, m; infinite for a flat array.
        frequency: of its centre, Hz.
        bandwidth: fractional at -6 dB, pulse and echo, %.
    """

    name: str
    kind: str
    elements: int
    pitch: float
    width: float
    height: float
    focus: float
    radius: float
    frequency: float
    bandwidth: float

    @property
    def aperture(self) -> float:
        """Length of the array along its surface, m."""
        return self.elements * self.pitch

    @property
    def element_angles(self) -> NDArray[np.float64]:
        """Angle of each element's normal from the z axis, rad, [elements]; zeros for a flat array."""
        places = np.arange(self.elements) - (self.elements - 1) / 2
        # The pitch is the chord between neighbours.
        return places * (2 * math.asin(self.pitch / 2 / self.radius))

    @property
    def element_positions(self) -> NDArray[np.float64]:
        """Centres (x, z) of the elements, m, [elements, 2]; z is 0 at the outermost ones, depth is +z."""
        if math.isinf(self.radius):
            x = (np.arange(self.elements) - (self.elements - 1) / 2) * self.pitch
            return np.stack((x, np.zeros_like(x)), axis=1)
        angles = self.element_angles
        return np.stack(
            (self.radius * np.sin(angles), self.radius * np.cos(angles) - self.centre_height), axis=1
        )

    @property
    def centre_height(self) -> float:
        """How far the centre of curvature lies above z = 0, m; 0 for a flat array."""
        return 0.0 if math.isinf(self.radius) else self.radius * math.cos(self.element_angles[-1])


# Geometry, frequency and bandwidth of MUST's `getparam` (D. Garcia, "Make the most of MUST, an open-source
# Matlab UltraSound Toolbox", IEEE IUS 2021), which has them from the manufacturers.
_INFINITE = math.inf
PROBES: tuple[Probe, ...] = (
    Probe("L11-5v", "linear", 128, 0.300e-3, 0.270e-3, 5.0e-3, 18e-3, _INFINITE, 7.60e6, 77.0),
    Probe("L12-3v", "linear", 192, 0.200e-3, 0.170e-3, 5.0e-3, 20e-3, _INFINITE, 7.54e6, 93.0),
    Probe("C5-2v", "convex", 128, 0.508e-3, 0.460e-3, 13.5e-3, 60e-3, 49.57e-3, 3.57e6, 79.0),
    Probe("P4-2v", "phased", 64, 0.300e-3, 0.250e-3, 14.0e-3, 60e-3, _INFINITE, 2.72e6, 74.0),
    Probe("P6-3", "phased", 64, 0.218e-3, 0.193e-3, _INFINITE, _INFINITE, _INFINITE, 4.50e6, 200 / 3),
)


def find_probe(name: str) -> Probe:
    """Return the probe of this name, upper and lower case alike; OptionError where there is none."""
    for probe in PROBES:
        if probe.name.lower() == name.lower():
            return probe
    names = ", ".join(probe.name for probe in PROBES)
    raise OptionError(f"There is no probe {name!r}: choose one of {names}.")


def as_pymust(probe: Probe, *, frequency: float | None = None, cycles: float = 1.0) -> Any:
    """Return the probe as PyMUST's structure of parameters, to compare with that simulator.

    Args:
        probe: the probe.
        frequency: centre of pulse and probe, Hz; the probe's where not given.
        cycles: of the transmitted pulse.

    Raises:
        DependencyError: PyMUST is not installed.
    """
    try:
        import pymust
    except ImportError as error:
        raise DependencyError("PyMUST is missing: install it with pip install pymust.") from error
    param = pymust.utils.Param()
    param.fc = probe.frequency if frequency is None else frequency
    param.Nelements, param.pitch, param.width = probe.elements, probe.pitch, probe.width
    param.kerf = probe.pitch - probe.width
    param.height, param.focus, param.radius = probe.height, probe.focus, probe.radius
    param.bandwidth, param.c, param.TXnow = probe.bandwidth, SPEED_OF_SOUND, cycles
    return param
