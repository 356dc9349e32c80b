"""The transmitted pulse and the response of the probe, in frequencies.

Both are those of SIMUS: D. Garcia, "SIMUS: an open-source simulator for medical ultrasound imaging. Part I",
Computer Methods and Programs in Biomedicine 218, 2022.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .probes import Probe
from .setting import Setting


@dataclass(frozen=True, eq=False)
class Band:
    """Evenly spaced frequencies, and what the whole chain of pulse, probe and filter does to each.

    Attributes:
        frequencies: Hz, [F]; multiples of `step`.
        centre: one of them, of pulse and probe, Hz.
        step: between them, Hz; signals repeat after 1 / step seconds.
        weights: complex [F]; the product of pulse spectrum, probe response (twice) and receiving filter.
    """

    frequencies: NDArray[np.float64]
    centre: float
    step: float
    weights: NDArray[np.complex128]


def pulse_spectrum(frequencies: NDArray[np.float64], centre: float, cycles: float) -> NDArray[np.complex128]:
    """Spectrum of a sine of so many cycles, [F], around time 0: i (sinc - sinc), of peak about 1."""
    length = cycles / centre
    return 1j * (np.sinc(length * (frequencies - centre)) - np.sinc(length * (frequencies + centre)))


def probe_response(frequencies: NDArray[np.float64], centre: float, bandwidth: float) -> NDArray[np.float64]:
    """Response of the probe on one way, [F]: the root of a generalised normal window.

    The window is 1/2 where the pulse-echo response has fallen by 6 dB, half the bandwidth (in % of the
    centre) from it, and 2^-126 at frequency 0.
    """
    half = bandwidth * centre / 200
    power = math.log(126) / math.log(centre / half)
    return np.exp(-math.log(2) / 2 * (np.abs(frequencies - centre) / half) ** power)


def receiving_band(setting: Setting, probe: Probe, latest: float) -> Band:
    """Return the frequencies to simulate: those that the receiving filter of the scanner passes.

    The filter is a raised cosine over the main lobe of the pulse's spectrum, so its side lobes (in
    frequency, and so ringing in depth) do not have to be simulated.

    Args:
        setting, probe: what is simulated.
        latest: time at which an echo arrives, s.
    """
    duration = latest + 4 * setting.cycles / setting.frequency
    # The centre is a multiple of the step, so that demodulation is a shift by whole numbers.
    count = math.ceil(setting.frequency * duration)
    step = setting.frequency / count
    half = min(math.ceil(count / setting.cycles), count) - 1
    places = np.arange(-half, half + 1)
    frequencies = (count + places) * step
    taper = np.cos(np.pi / 2 * places / (half + 1)) ** 2
    weights = pulse_spectrum(frequencies, setting.frequency, setting.cycles)
    weights = weights * probe_response(frequencies, setting.frequency, probe.bandwidth) ** 2 * taper
    return Band(frequencies, setting.frequency, step, weights)
