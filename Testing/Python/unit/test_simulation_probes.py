"""The probes, their geometry, and the settings that frames are simulated with."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from USEnhanceLib.errors import OptionError
from USEnhanceLib.simulation.grid import image_grid
from USEnhanceLib.simulation.probes import PROBES, as_pymust, find_probe
from USEnhanceLib.simulation.setting import Setting, draw_setting
from USEnhanceLib.simulation.waves import transmitted_waves

NAMES = [probe.name for probe in PROBES]


def usual_setting(name: str, **changes) -> Setting:
    """Return the setting that a probe is usually used with."""
    return replace(draw_setting(name, np.random.default_rng(0)), **changes)


def test_a_probe_is_found_by_its_name():
    assert find_probe("l11-5V").elements == 128


def test_an_unknown_probe_is_told_with_the_known_ones():
    with pytest.raises(OptionError, match="L12-3v"):
        find_probe("L99")


@pytest.mark.parametrize("name", NAMES)
def test_elements_are_a_pitch_apart_and_do_not_overlap(name):
    probe = find_probe(name)
    steps = np.hypot(*np.diff(probe.element_positions, axis=0).T)
    np.testing.assert_allclose(steps, probe.pitch, rtol=1e-9)
    assert probe.width < probe.pitch


@pytest.mark.parametrize("name", NAMES)
def test_geometry_is_that_of_must(name):
    pymust = pytest.importorskip("pymust")
    probe, real = find_probe(name), pymust.getparam(name)
    assert (probe.elements, probe.pitch, probe.frequency) == (real.Nelements, real.pitch, real.fc)
    assert probe.bandwidth == pytest.approx(real.bandwidth)
    assert probe.width == pytest.approx(real.get("width") or real.pitch - real.kerf)
    assert probe.radius == (real.get("radius") or math.inf)
    x, z, angles, _ = as_pymust(probe).getElementPositions()
    np.testing.assert_allclose(probe.element_positions, np.stack((x[0], z[0]), axis=1), atol=1e-12)
    np.testing.assert_allclose(probe.element_angles, angles[0], atol=1e-12)


def test_probes_and_settings_load_nothing_heavy():
    code = (
        "import sys, USEnhanceLib.simulation.probes, USEnhanceLib.simulation.setting;"
        "print({'pymust', 'torch', 'scipy'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("diversified", [False, True])
def test_a_setting_survives_json(name, diversified):
    setting = draw_setting(name, np.random.default_rng(3), diversified)
    assert Setting.from_json(json.loads(json.dumps(setting.to_json()))) == setting


def test_drawn_settings_differ_in_their_seed_alone_unless_diversified():
    rng = np.random.default_rng(4)
    first, second = (draw_setting("C5-2v", rng) for _ in range(2))
    assert first != second
    assert replace(first, seed=second.seed) == second
    first, second = (draw_setting("C5-2v", rng, diversified=True) for _ in range(2))
    assert len({first.frequency, second.frequency}) == len({first.f_number, second.f_number}) == 2
    assert len({first.depths, second.depths}) == len({first.attenuation, second.attenuation}) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"probe": "L99"},
        {"frequency": 100e6},
        {"transmits": ()},
        {"depths": (0.04, 0.03)},
        {"half_angle": 20.0},
        {"size": 8},
        {"seed": -1},
        {"f_number": math.nan},
    ],
)
def test_settings_that_make_no_sense_are_refused(change):
    with pytest.raises(OptionError):
        usual_setting("L11-5v", **change)


def test_a_setting_of_other_fields_is_refused():
    values = usual_setting("P6-3").to_json()
    with pytest.raises(OptionError, match="colour"):
        Setting.from_json({**values, "colour": 1})


@pytest.mark.parametrize("name", NAMES)
def test_waves_reach_the_elements_when_they_fire(name):
    probe = find_probe(name)
    waves = transmitted_waves(usual_setting(name), probe)
    assert waves.delays.min() == 0
    times = waves.times(*probe.element_positions.T)
    fires = waves.apodization > 0
    np.testing.assert_allclose(times[fires], waves.delays[fires], atol=1e-12)
    assert waves.weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
def test_depth_and_line_are_found_back(name):
    grid = image_grid(usual_setting(name))
    depths, lines = np.meshgrid(grid.depths, grid.lines, indexing="ij")
    found = grid.locate(*grid.place(depths, lines))
    np.testing.assert_allclose(found, (depths, lines), atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_scan_conversion_keeps_what_is_linear_in_depth(name):
    grid = image_grid(usual_setting(name))
    shown = grid.to_pixels(np.tile(grid.depths[:, None], (1, len(grid.lines))).astype(np.float32))
    depth, _ = grid.locate(*grid.pixels)
    np.testing.assert_allclose(shown[grid.sector], depth[grid.sector], rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_map_is_found_back_at_its_own_pixels(name):
    grid = image_grid(usual_setting(name))
    tissue = np.random.default_rng(5).random((grid.size, grid.size), np.float32)
    np.testing.assert_allclose(grid.of_map(tissue, *grid.pixels), tissue, atol=1e-5)


def test_rectangles_show_tissue_everywhere_and_sectors_do_not():
    assert image_grid(usual_setting("L12-3v")).sector.all()
    sector = image_grid(usual_setting("P4-2v")).sector
    assert 0.3 < sector.mean() < 0.7
    assert np.array_equal(sector, sector[:, ::-1])
