"""The exact engine against PyMUST's SIMUS, and where it puts points."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from USEnhanceLib.simulation.beamforming import delay_and_sum, demodulate
from USEnhanceLib.simulation.point_spread import transmission
from USEnhanceLib.simulation.probes import PROBES, as_pymust, find_probe
from USEnhanceLib.simulation.pulse import Band, probe_response, pulse_spectrum
from USEnhanceLib.simulation.setting import draw_setting
from USEnhanceLib.simulation.simus import BLOCK, echo_spectra
from USEnhanceLib.simulation.waves import Waves

NAMES = [probe.name for probe in PROBES]
CYCLES = 2.0


@pytest.fixture
def pymust():
    package = pytest.importorskip("pymust")
    yield package
    logging.getLogger().setLevel(logging.WARNING)


def waves_of(delays: np.ndarray, apodization: np.ndarray) -> Waves:
    """Return transmissions given by delays and apodization, each [T, E]."""
    count = len(delays)
    return Waves(delays, apodization, np.full(count, 1 / count), None, np.zeros(count), np.zeros(count))


def random_points(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return points in front of any of the probes, [count, 2]."""
    return np.stack((rng.uniform(-0.01, 0.01, count), rng.uniform(0.013, 0.03, count)), axis=1)


def short_band(probe) -> Band:
    """Return a few frequencies around a probe's own."""
    step = probe.frequency / 200
    frequencies = probe.frequency + step * np.arange(-8, 9)
    return Band(frequencies, probe.frequency, step, np.ones(17, complex))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("attenuation", [0.0, 0.5])
def test_spectra_are_those_of_simus(pymust, name, attenuation):
    probe, rng = find_probe(name), np.random.default_rng(1)
    points, reflections = random_points(rng, 10), rng.normal(size=10)
    delays, apodization = rng.uniform(0, 1e-6, probe.elements), rng.uniform(0, 1, probe.elements)
    param = as_pymust(probe, cycles=CYCLES)
    # Without an elevation axis: the sums are in two dimensions.
    param.attenuation, param.focus, param.height = attenuation, np.inf, np.inf
    param.TXapodization = apodization.copy()
    options = pymust.utils.Options()
    options.ElementSplitting, options.WaitBar = 1, False
    x, z = points.T
    _, spectra = pymust.simus(x[None], z[None], reflections[None], delays[None].copy(), param, options)

    frequencies = np.linspace(0, 2 * probe.frequency, len(spectra))
    used = np.flatnonzero(np.abs(spectra).sum(axis=1))
    kept = slice(used[0], used[-1] + 1)
    passed = frequencies[kept]
    weights = pulse_spectrum(passed, probe.frequency, CYCLES)
    weights = weights * probe_response(passed, probe.frequency, probe.bandwidth) ** 2
    band = Band(passed, probe.frequency, frequencies[1], weights)
    waves = waves_of(delays[None], apodization[None])
    ours = echo_spectra(points, reflections, probe, waves, band, attenuation=attenuation)
    assert len(passed) > 300
    assert np.abs(ours[:, 0] - spectra[kept]).max() < 1e-4 * np.abs(spectra).max()


def test_all_transmissions_in_one_pass_are_each_alone():
    probe, rng = find_probe("P6-3"), np.random.default_rng(2)
    points, reflections = random_points(rng, 20), rng.normal(size=20)
    delays, apodization = rng.uniform(0, 1e-6, (3, 64)), rng.uniform(0, 1, (3, 64))
    band = short_band(probe)
    together = echo_spectra(points, reflections, probe, waves_of(delays, apodization), band)
    for index in range(3):
        one = waves_of(delays[index : index + 1], apodization[index : index + 1])
        alone = echo_spectra(points, reflections, probe, one, band)
        np.testing.assert_allclose(together[:, index], alone[:, 0], rtol=0, atol=1e-5 * np.abs(alone).max())


def test_blocks_of_scatterers_add_up():
    probe, rng = find_probe("C5-2v"), np.random.default_rng(3)
    count = BLOCK + 40
    points, reflections = random_points(rng, count), rng.normal(size=count)
    waves, band = waves_of(np.zeros((1, 128)), np.ones((1, 128))), short_band(probe)
    parts = [
        echo_spectra(points[part], reflections[part], probe, waves, band)
        for part in (slice(100), slice(100, None))
    ]
    whole = echo_spectra(points, reflections, probe, waves, band)
    np.testing.assert_allclose(whole, sum(parts), rtol=0, atol=2e-5 * np.abs(whole).max())


@pytest.mark.parametrize(("name", "point"), [("L11-5v", (0.0, -0.01)), ("C5-2v", (0.0, 0.005))])
def test_what_is_behind_the_probe_is_not_seen(name, point):
    probe = find_probe(name)
    waves = waves_of(np.zeros((1, probe.elements)), np.ones((1, probe.elements)))
    spectra = echo_spectra(np.array([point]), np.ones(1), probe, waves, short_band(probe))
    assert np.abs(spectra).max() == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("aside", [0.0, 0.6])
def test_a_point_appears_where_it_is(name, aside):
    setting = draw_setting(name, np.random.default_rng(0))
    grid, waves, band = transmission(setting)
    depth, line = np.mean(grid.depths), aside * grid.lines[-1]
    point = np.stack(grid.place(np.array([depth]), np.array([line])), axis=1)
    spectra = echo_spectra(point, np.ones(1), grid.probe, waves, band)
    width = setting.lateral_width(depth) / (depth + grid.apex if grid.is_sector else 1)
    near = depth + np.linspace(-2, 2, 41) * setting.axial_width
    across = line + np.linspace(-2, 2, 41) * width
    depths, lines = (np.ravel(part) for part in np.meshgrid(near, across, indexing="ij"))
    image = np.abs(delay_and_sum(demodulate(spectra, band), depths, lines, grid, waves, setting))
    row, column = divmod(int(image.argmax()), 41)
    assert abs(near[row] - depth) < 0.2 * setting.axial_width
    assert abs(across[column] - line) < 0.25 * width
