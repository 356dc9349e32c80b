"""Long cines: what a stack costs beyond the two arrays that the contract asks for."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from USEnhanceLib.frames import frames_from_array

FRAMES, HEIGHT, WIDTH = 2000, 96, 128


@pytest.fixture(scope="module")
def volume():
    """A generated cine of 2,000 frames with a black border."""
    generator = np.random.default_rng(0)
    array = np.zeros((FRAMES, HEIGHT, WIDTH), dtype=np.uint8)
    array[:, 10:90, 20:110] = generator.integers(20, 235, (FRAMES, 80, 90), dtype=np.uint8)
    return array


def peak_of(work):
    tracemalloc.start()
    try:
        result = work()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("axis", "kji")
def test_two_thousand_frames_cost_their_luminance_and_little_more(volume, axis):
    frames, peak = peak_of(lambda: frames_from_array(volume, axis=axis))
    assert frames.pixels.nbytes == 4 * volume.size
    assert frames.source is volume
    assert peak < 1.2 * frames.pixels.nbytes


def test_colour_costs_no_more(volume):
    rgb = np.repeat(volume[:500, ..., None], 3, axis=-1)
    frames, peak = peak_of(lambda: frames_from_array(rgb))
    assert peak < 1.35 * frames.pixels.nbytes


def test_giving_back_costs_one_copy_of_the_source(volume):
    frames = frames_from_array(volume)
    changed = frames.with_pixels(frames.pixels)
    result, peak = peak_of(changed.to_array)
    assert np.array_equal(result, volume)
    assert peak < 1.1 * volume.nbytes


def test_replacing_pixels_copies_nothing(volume):
    frames = frames_from_array(volume)
    new = frames.pixels.copy()
    changed, peak = peak_of(lambda: frames.with_pixels(new))
    assert changed.pixels is new
    assert peak < 0.05 * new.nbytes


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, USEnhanceLib.frames; "
        "heavy = {'torch', 'monai', 'SimpleITK', 'skimage', 'scipy', 'pydicom'} & set(sys.modules); "
        "sys.exit(' '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
