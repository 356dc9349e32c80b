"""From the spectra that elements receive to the complex samples of a frame.

Delay and sum with coherent compounding: G. Montaldo, M. Tanter, J. Bercoff, N. Benech, M. Fink, "Coherent
plane-wave compounding for very high frame rate ultrasonography", IEEE TUFFC 56, 2009; the receiving aperture
grows with depth so that its f-number stays (V. Perrot, M. Polichetti, F. Varray, D. Garcia, "So you think you
can DAS?", Ultrasonics 111, 2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .grid import ImageGrid
from .probes import SPEED_OF_SOUND
from .pulse import Band
from .setting import Setting
from .waves import Waves

OVERSAMPLING = 4
"""Of the demodulated signals, whose samples are interpolated linearly."""


@dataclass(frozen=True, eq=False)
class Signals:
    """Demodulated echoes.

    Attributes:
        samples: complex, [E, T, n], from time 0 on; they repeat after n.
        interval: between samples, s.
        carrier: the frequency that was taken off, Hz.
    """

    samples: NDArray[np.complex64]
    interval: float
    carrier: float


def demodulate(spectra: NDArray[np.complex64], band: Band) -> Signals:
    """Return the analytic signals of spectra [F, T, E], shifted down by the centre of the band."""
    count = len(band.frequencies)
    length = 2 ** int(np.ceil(np.log2(OVERSAMPLING * count)))
    middle = round((band.centre - band.frequencies[0]) / band.step)
    padded = np.zeros((*spectra.shape[:0:-1], length), np.complex64)
    # SIMUS has +phase for later echoes; Fourier transforms have -phase.
    shifted = np.conj(spectra).transpose(2, 1, 0)
    padded[..., : count - middle] = shifted[..., middle:]
    padded[..., length - middle :] = shifted[..., :middle]
    samples = np.fft.ifft(padded, axis=-1).astype(np.complex64) * np.float32(length)
    return Signals(samples, 1 / (length * band.step), band.centre)


def delay_and_sum(
    signals: Signals,
    depths: NDArray[np.float64],
    lines: NDArray[np.float64],
    grid: ImageGrid,
    waves: Waves,
    setting: Setting,
) -> NDArray[np.complex64]:
    """Return the complex samples of the points at depths [P] (m) on lines [P] (m or rad), [P].

    The phase that a carrier has at the depth is taken off, so samples vary as slowly as the envelope.
    """
    x, z = grid.place(depths, lines)
    arrivals = waves.times(x, z)
    turning = (2j * np.pi * signals.carrier * arrivals).astype(np.complex128)
    turns = (np.exp(turning) * waves.weights[:, None]).astype(np.complex64)
    arrivals = (arrivals / signals.interval).astype(np.float32)
    length = signals.samples.shape[-1]
    rows = (np.arange(len(arrivals)) * length)[:, None]
    total = np.zeros(len(x), np.complex64)
    centre, half = _receiving_aperture(depths, lines, grid, setting)
    elements = grid.probe.element_positions
    along = (np.arange(grid.probe.elements) - (grid.probe.elements - 1) / 2) * grid.probe.pitch
    for index, (element_x, element_z) in enumerate(elements):
        beside = np.abs(along[index] - centre) / half
        used = np.flatnonzero(beside < 1)
        if len(used) == 0:
            continue
        back = np.hypot(x[used] - element_x, z[used] - element_z) / SPEED_OF_SOUND
        window = np.cos(np.pi / 2 * beside[used]) ** 2
        window = (window * np.exp(2j * np.pi * signals.carrier * back)).astype(np.complex64)
        places = arrivals[:, used] + (back / signals.interval).astype(np.float32)
        whole = places.astype(np.int32)
        fraction = places - whole
        # Points later than the record have nothing to show; the record is periodic.
        flat = rows + whole % length
        following = rows + (whole + 1) % length
        record = signals.samples[index].reshape(-1)
        values = record.take(flat)
        values += fraction * (record.take(following) - values)
        values *= turns[:, used]
        total[used] += values.sum(axis=0) * window
    carried = np.exp(-4j * np.pi * signals.carrier / SPEED_OF_SOUND * depths)
    return total * carried.astype(np.complex64)


def _receiving_aperture(
    depths: NDArray[np.float64], lines: NDArray[np.float64], grid: ImageGrid, setting: Setting
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the middle and half the length of the aperture that listens to points, m along the surface."""
    if grid.probe.kind == "phased":
        centre = np.zeros_like(lines)
    else:
        centre = lines * grid.apex if grid.is_sector else lines
    largest = grid.probe.aperture / 2 if grid.probe.kind == "phased" else grid.probe.aperture
    half = np.full_like(depths, largest)
    if setting.f_number > 0:
        # Never fewer than a few elements, which hear the nearest points at all.
        half = np.clip(depths / (2 * setting.f_number), 4 * grid.probe.pitch, largest)
    return centre, half
