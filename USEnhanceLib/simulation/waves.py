"""The transmitted waves: delays and apodization of the elements, and when a wave passes a point."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .probes import SPEED_OF_SOUND, Probe
from .setting import Setting

SOURCE_DISTANCE = 4e-3
"""Of the virtual sources behind a phased array, m: near enough that every wave fills the sector."""
TAPERED = 0.25
"""Share of a full aperture over which its apodization falls to zero, so that its ends send no edge waves."""


@dataclass(frozen=True, eq=False)
class Waves:
    """The transmissions of a frame.

    Attributes:
        delays: s from the first element that fires, [T, E], 0 or more.
        apodization: of the elements, [T, E] in [0, 1].
        weights: of the transmissions in compounding, [T]; their sum is 1.
        sources: where diverging waves seem to come from, m, [T, 2] (x, z); None for plane waves.
        angles: of plane waves from the z axis, rad, [T]; None for diverging ones.
        starts: what a wave's time of flight is short of, s, [T], because the first element fires at time 0.
    """

    delays: NDArray[np.float64]
    apodization: NDArray[np.float64]
    weights: NDArray[np.float64]
    sources: NDArray[np.float64] | None
    angles: NDArray[np.float64] | None
    starts: NDArray[np.float64]

    def times(self, x: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return when each wave passes points [P] (m), s, [T, P]."""
        if self.angles is not None:
            paths = np.sin(self.angles)[:, None] * x + np.cos(self.angles)[:, None] * z
        else:
            paths = np.hypot(x - self.sources[:, :1], z - self.sources[:, 1:])
        return paths / SPEED_OF_SOUND - self.starts[:, None]


def transmitted_waves(setting: Setting, probe: Probe) -> Waves:
    """Return the transmissions of a setting; see `Setting.transmits`."""
    values = np.array(setting.transmits)
    positions = probe.element_positions
    weights = _compounding_weights(len(values))
    if probe.kind == "linear":
        angles = np.deg2rad(values)
        paths = np.sin(angles)[:, None] * positions[:, 0] + np.cos(angles)[:, None] * positions[:, 1]
        apodization = np.tile(_tapered(probe.elements), (len(values), 1))
        return _waves(paths, apodization, weights, None, angles)
    if probe.kind == "convex":
        # A source beside the centre of curvature: the wave leaves the middle of the array at that angle.
        sources = np.stack(
            (-probe.radius * np.tan(np.deg2rad(values)), np.full(len(values), -probe.centre_height)), axis=1
        )
        apodization = np.tile(_tapered(probe.elements), (len(values), 1))
    else:
        sources = np.stack((values * 1e-3, np.full(len(values), -SOURCE_DISTANCE)), axis=1)
        # The elements in front of the source, within 60 degrees to either side.
        reach = SOURCE_DISTANCE * math.tan(math.radians(60))
        beside = np.clip(np.abs(positions[:, 0] - sources[:, :1]) / reach, 0, 1)
        apodization = np.cos(np.pi / 2 * beside) ** 2
    paths = np.hypot(positions[:, 0] - sources[:, :1], positions[:, 1] - sources[:, 1:])
    return _waves(paths, apodization, weights, sources, None)


def _waves(
    paths: NDArray[np.float64],
    apodization: NDArray[np.float64],
    weights: NDArray[np.float64],
    sources: NDArray[np.float64] | None,
    angles: NDArray[np.float64] | None,
) -> Waves:
    """Return waves from the lengths [T, E] that they have to the elements, in m."""
    apodization = np.where(apodization < 1e-6, 0.0, apodization)
    starts = np.where(apodization > 0, paths, np.inf).min(axis=1) / SPEED_OF_SOUND
    delays = np.where(apodization > 0, paths / SPEED_OF_SOUND - starts[:, None], 0.0)
    return Waves(delays, apodization, weights, sources, angles, starts)


def _tapered(count: int) -> NDArray[np.float64]:
    """Return a window of ones whose ends fall to zero as a raised cosine, [count]."""
    distance = (np.arange(count) + 0.5) / count
    distance = np.minimum(distance, 1 - distance) / (TAPERED / 2)
    return np.sin(np.pi / 2 * np.minimum(distance, 1)) ** 2


def _compounding_weights(count: int) -> NDArray[np.float64]:
    """Return raised-cosine weights over the transmissions, [count]: low side lobes of the compound beam."""
    places = (np.arange(count) - (count - 1) / 2) / ((count + 1) / 2)
    weights = np.cos(np.pi / 2 * places) ** 2
    return weights / weights.sum()
