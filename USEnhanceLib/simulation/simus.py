"""Echoes of scatterers at the elements of a probe, in frequencies: the exact engine.

The sums are those of SIMUS in two dimensions: D. Garcia, "SIMUS: an open-source simulator for medical
ultrasound imaging. Part I: theory & examples", Computer Methods and Programs in Biomedicine 218, 2022. A
point at distance r and angle a from the normal of an element of width b sees, at wavenumber k,

    D(a) exp(i k r - alpha r) / sqrt(r),   D(a) = sinc(k_c b sin(a) / 2) cos(a),

with the directivity taken at the centre of the band (k_c), a soft baffle (cos a) and one piece per element.
The pressure of a transmission is the sum over the elements with their delays and apodization, and an element
receives the sum over all scatterers of that pressure times the reflection coefficient times the same factor.

PyMUST evaluates one transmission at a time, over all scatterers. Here the factor, by far the largest array,
is made for blocks of scatterers that stay in the processor's cache, advanced from frequency to frequency by
one multiplication, and shared by all transmissions in two matrix products.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .probes import SPEED_OF_SOUND, Probe
from .pulse import Band
from .waves import Waves

BLOCK = 256
"""Scatterers that are worked on together: 128 elements of them are 256 KiB."""


def echo_spectra(
    positions: NDArray[np.float64],
    reflections: NDArray[np.float64],
    probe: Probe,
    waves: Waves,
    band: Band,
    *,
    attenuation: float = 0.0,
) -> NDArray[np.complex64]:
    """Return the spectra that the elements receive from all scatterers.

    Args:
        positions: of the scatterers, m, [S, 2] (x, z); those behind the probe are not seen.
        reflections: their reflection coefficients, [S].
        probe, waves, band: what transmits and receives.
        attenuation: of the tissue, dB/cm/MHz, one way.

    Returns:
        Complex spectra [F, T, E] with the phase convention of SIMUS: an echo after the time t has the phase
        +2 pi f t.
    """
    import torch

    count, (transmits, elements) = len(band.frequencies), waves.delays.shape
    steering = torch.from_numpy(_as_real_product(transmit_factors(waves, band.frequencies)))
    total = torch.zeros((count, 2 * transmits, 2 * elements))
    for start in range(0, len(positions), BLOCK):
        block = slice(start, start + BLOCK)
        weights = torch.from_numpy(reflections[block].astype(np.float32))[:, None]
        factors = element_factors(positions[block], probe, band, attenuation)
        for index, factor in enumerate(factors):
            # Real products of pairs (real, imaginary) are twice as fast as complex ones of this shape.
            pairs = torch.from_numpy(factor.view(np.float32))
            pressure = pairs @ steering[index]
            pressure *= weights
            total[index].addmm_(pressure.T, pairs)
    parts = total.numpy().reshape(count, transmits, 2, elements, 2)
    real = parts[:, :, 0, :, 0] - parts[:, :, 1, :, 1]
    spectra = real + 1j * (parts[:, :, 0, :, 1] + parts[:, :, 1, :, 0])
    # The integration over frequency, and the elements' width, as SIMUS scales its spectra in 2-D.
    scale = band.weights * band.step * probe.width
    return spectra * scale.astype(np.complex64)[:, None, None]


def transmit_factors(waves: Waves, frequencies: NDArray[np.float64]) -> NDArray[np.complex64]:
    """Return what delays and apodization do to the elements' pressure, [F, E, T]."""
    phases = 2j * np.pi * frequencies[:, None, None] * waves.delays.T
    return (np.exp(phases) * waves.apodization.T).astype(np.complex64)


def _as_real_product(matrices: NDArray[np.complex64]) -> NDArray[np.float32]:
    """Return matrices [F, E, T] as real ones [F, 2 E, 2 T] that multiply pairs (real, imaginary)."""
    count, rows, columns = matrices.shape
    real = np.empty((count, rows, 2, columns, 2), np.float32)
    real[:, :, 0, :, 0] = real[:, :, 1, :, 1] = matrices.real
    real[:, :, 0, :, 1] = matrices.imag
    real[:, :, 1, :, 0] = -matrices.imag
    return real.reshape(count, 2 * rows, 2 * columns)


def element_factors(
    positions: NDArray[np.float64], probe: Probe, band: Band, attenuation: float
) -> Iterator[NDArray[np.complex64]]:
    """Yield the factor between elements and points [B, E], frequency by frequency, in one array."""
    elements, angles = probe.element_positions, probe.element_angles
    across = positions[:, :1] - elements[:, 0]
    along = positions[:, 1:] - elements[:, 1]
    straight = np.maximum(np.hypot(across, along), 1e-9)
    distance = np.maximum(straight, SPEED_OF_SOUND / band.centre / 2)
    sine = (across * np.cos(angles) - along * np.sin(angles)) / straight
    cosine = (along * np.cos(angles) + across * np.sin(angles)) / straight
    directivity = np.sinc(band.centre / SPEED_OF_SOUND * probe.width * sine) * np.maximum(cosine, 1e-7)
    directivity = directivity * _in_front(positions, probe)[:, None]

    # Nepers per m and Hz: from dB per cm and MHz, with the 8.69 dB of a neper that MUST rounds to.
    loss = attenuation / 8.69 * 1e-4
    exponent = (2j * np.pi / SPEED_OF_SOUND - loss) * distance
    factor = (directivity / np.sqrt(distance) * np.exp(exponent * band.frequencies[0])).astype(np.complex64)
    advance = np.exp(exponent * band.step).astype(np.complex64)
    for index in range(len(band.frequencies)):
        if index:
            factor *= advance
        yield factor


def _in_front(positions: NDArray[np.float64], probe: Probe) -> NDArray[np.bool_]:
    """Tell which points are on the side of the probe that sound goes to."""
    front = positions[:, 1] >= 0
    if math.isfinite(probe.radius):
        from_centre = np.hypot(positions[:, 0], positions[:, 1] + probe.centre_height)
        front &= from_centre > probe.radius
    return front
