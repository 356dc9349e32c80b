"""From an array to luminance and back: nothing changes but what was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from USEnhanceLib.errors import InputError, OptionError, USEnhanceError
from USEnhanceLib.frames import Geometry, find_intensity_range, frames_from_array
from USEnhanceLib.frames.colour import luminance

DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">u2", ">i4", ">f4", "longdouble"]
SHAPES = {
    "volume": (5, 17, 13),
    "colour volume": (4, 16, 15, 3),
    "one slice": (1, 9, 8),
    "one pixel": (1, 1, 1),
    "7 x 3": (1, 7, 3),
    "three columns": (6, 7, 3),
}


def make(dtype, shape, seed=0):
    """Noise over much of the dtype's range, with the extremes of integers included."""
    generator = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return (generator.standard_normal(shape) * 1000).astype(dtype)
    limits = np.iinfo(dtype)
    array = generator.integers(limits.min, limits.max, shape, dtype=dtype.newbyteorder("="), endpoint=True)
    array.flat[0], array.flat[-1] = limits.max, limits.min
    return array.astype(dtype)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_unchanged_luminance_gives_the_same_bits(dtype, shape):
    array = make(dtype, shape)
    frames = frames_from_array(array)
    result = frames.with_pixels(frames.pixels.copy()).to_array()
    assert result.dtype == array.dtype
    assert result.shape == array.shape
    assert np.array_equal(result, array)
    assert result is not array


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", "kji")
def test_pixels_outside_the_sector_keep_their_bits(dtype, axis):
    array = make(dtype, (4, 6, 5, 3) if axis == "j" else (4, 6, 5))
    probe = frames_from_array(array, axis=axis)
    sector = np.zeros(probe.pixels.shape[1:], dtype=bool)
    sector[1:3, 1:4] = True
    frames = frames_from_array(array, axis=axis, sector=sector)
    result = frames.with_pixels(1 - frames.pixels).to_array()
    outside = np.moveaxis(array, "kji".index(axis), 0)[:, ~sector]
    assert np.array_equal(np.moveaxis(result, "kji".index(axis), 0)[:, ~sector], outside)
    assert not np.array_equal(result, array)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("extreme", [0.0, 1.0])
def test_results_stay_within_the_intensity_range(dtype, extreme):
    array = make(dtype, (3, 8, 9))
    frames = frames_from_array(array)
    result = frames.with_pixels(np.full_like(frames.pixels, extreme)).to_array()
    low, high = frames.intensity_range
    assert result.dtype == array.dtype
    assert float(result.min()) >= low
    assert float(result.max()) <= high
    target = high if extreme else low
    # float32 luminance resolves 2^-24 of the range.
    assert np.abs(result.astype(np.float64) - target).max() <= 2e-7 * (high - low) + 1


def test_new_luminance_is_rounded_to_the_nearest_stored_value():
    array = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    frames = frames_from_array(array)
    wanted = array[:, ::-1, ::-1]
    assert np.array_equal(frames.with_pixels(wanted / np.float32(255)).to_array(), wanted)
    near = frames.pixels + np.float32(0.4 / 255)
    assert np.array_equal(frames.with_pixels(near).to_array(), array)


def test_twelve_bit_values_are_reached_exactly():
    generator = np.random.default_rng(1)
    array = generator.integers(0, 4096, (2, 20, 20), dtype=np.uint16)
    array.flat[:2] = 0, 4095
    wanted = generator.integers(0, 4096, array.shape, dtype=np.uint16)
    frames = frames_from_array(array)
    assert frames.intensity_range == (0, 4095)
    assert np.array_equal(frames.with_pixels(wanted / np.float32(4095)).to_array(), wanted)


@pytest.mark.parametrize(("axis", "shape"), [("k", (4, 5, 6)), ("j", (5, 4, 6)), ("i", (6, 4, 5))])
def test_frames_are_the_slices_along_the_axis(axis, shape):
    array = np.random.default_rng(2).integers(0, 255, (4, 5, 6), dtype=np.uint8)
    frames = frames_from_array(array, axis=axis)
    assert frames.pixels.shape == shape
    index = tuple(2 if axis == name else slice(None) for name in "kji")
    assert np.allclose(frames.pixels[2], array[index] / 255, atol=1e-7)
    changed = frames.pixels.copy()
    changed[2] = 1
    result = frames.with_pixels(changed).to_array()
    assert (result[index] == 255).all()
    result[index] = array[index]
    assert np.array_equal(result, array)


def test_grey_pixels_stored_as_rgb_enhance_as_grey_ones():
    grey = np.random.default_rng(3).integers(0, 256, (2, 30, 30), dtype=np.uint8)
    scalar, colour = frames_from_array(grey), frames_from_array(np.repeat(grey[..., None], 3, axis=-1))
    assert np.array_equal(scalar.pixels, colour.pixels)
    new = np.random.default_rng(4).random(grey.shape, dtype=np.float32)
    result = colour.with_pixels(new).to_array()
    assert np.array_equal(result[..., 0], scalar.with_pixels(new).to_array())
    assert np.ptp(result, axis=-1).max() == 0


def test_colour_keeps_its_chroma_and_never_clips():
    rgb = np.random.default_rng(5).integers(0, 256, (2, 40, 40, 3), dtype=np.uint8)
    frames = frames_from_array(rgb)
    assert np.allclose(frames.pixels, rgb @ np.array([0.299, 0.587, 0.114]) / 255, atol=1e-6)
    result = frames.with_pixels(np.random.default_rng(6).random(frames.pixels.shape)).to_array()
    change = result.astype(int) - rgb
    assert np.ptp(change, axis=-1).max() == 0  # the same for R, G and B: Cb and Cr stay
    assert np.abs(change).max() > 100
    wanted = luminance(rgb) + change[..., 0]
    assert np.allclose(luminance(result), wanted)


def test_saturated_colour_cannot_move_where_it_would_clip():
    red = np.zeros((1, 8, 8, 3), dtype=np.uint8)
    red[..., 0] = 255
    red[0, 0, 0] = 10
    frames = frames_from_array(red)
    for value in (0, 1):
        result = frames.with_pixels(np.full_like(frames.pixels, value)).to_array()
        assert np.array_equal(result[0, 1:], red[0, 1:])


def test_a_sector_may_differ_from_frame_to_frame():
    array = np.random.default_rng(7).integers(50, 200, (3, 6, 6), dtype=np.uint8)
    sector = np.zeros(array.shape, dtype=bool)
    for index in range(3):
        sector[index, index] = True
    frames = frames_from_array(array, sector=sector)
    result = frames.with_pixels(np.ones_like(frames.pixels)).to_array()
    assert np.array_equal(result != array, sector)


def test_black_frames_come_back_unchanged_with_a_note():
    for array in (
        np.zeros((3, 30, 30), np.uint8),
        np.zeros((2, 30, 30, 3), np.float32),
        np.full((1, 9, 9), 700),
    ):
        frames = frames_from_array(array)
        assert any("nothing to enhance" in note for note in frames.notes)
        assert frames.pixels.max() == 0
        result = frames.with_pixels(np.full_like(frames.pixels, 0.7)).to_array()
        assert np.array_equal(result, array)


def test_a_black_frame_within_a_cine_comes_back_unchanged():
    array = np.random.default_rng(8).integers(0, 256, (3, 30, 30), dtype=np.uint8)
    array[1] = 0
    frames = frames_from_array(array)
    result = frames.with_pixels(np.full_like(frames.pixels, 0.6)).to_array()
    assert (result[1] == 0).all()
    assert (result[[0, 2]] == 153).all()


@pytest.mark.parametrize("colour", [False, True])
def test_two_dimensions_come_back_as_two(colour):
    array = np.random.default_rng(9).integers(0, 256, (7, 3, 3) if colour else (7, 3), dtype=np.uint8)
    frames = frames_from_array(array, colour=colour)
    assert frames.pixels.shape == (1, 7, 3)
    assert frames.planar
    assert frames.with_pixels(frames.pixels).to_array().shape == array.shape
    with pytest.raises(InputError, match="axis"):
        frames_from_array(array, colour=colour, axis="j")


def test_three_dimensions_are_a_stack_even_where_the_last_is_three_long():
    frames = frames_from_array(np.random.default_rng(0).random((5, 7, 3)))
    assert frames.pixels.shape == (5, 7, 3)
    assert not frames.colour


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[[0, 1]]], np.uint8), (0, 255)),
        (np.array([[[0, 255]]], np.int16), (0, 255)),
        (np.array([[[3, 90]]], np.int64), (0, 255)),
        (np.array([[[0, 4095]]], np.uint16), (0, 4095)),
        (np.array([[[-5, 90]]], np.int8), (-5, 90)),
        (np.array([[[0.25, 0.5]]], np.float32), (0, 1)),
        (np.array([[[-60.0, -3.0]]]), (-60, -3)),
        (np.array([[[0.0, 255.0]]]), (0, 255)),
        (np.array([[[700, 700]]], np.uint16), (700, 701)),
    ],
)
def test_intensity_range(array, expected):
    assert find_intensity_range(array) == expected


def test_the_range_of_a_huge_constant_is_not_empty():
    low, high = find_intensity_range(np.full((1, 2, 2), 1e300))
    assert low < high


def test_with_pixels_adds_attributes_and_checks_shape_and_values():
    frames = frames_from_array(np.random.default_rng(0).random((2, 4, 4)), attributes={"a": "1", "b": "2"})
    changed = frames.with_pixels(frames.pixels, {"b": "3"})
    assert changed.attributes == {"a": "1", "b": "3"}
    assert frames.attributes == {"a": "1", "b": "2"}
    with pytest.raises(ValueError, match="shape"):
        frames.with_pixels(frames.pixels[:1])
    broken = frames.pixels.copy()
    for value in (np.nan, np.inf):
        broken[1, 2, 3] = value
        with pytest.raises(USEnhanceError, match="NaN"):
            frames.with_pixels(broken)


def test_the_source_is_never_written_to():
    array = np.random.default_rng(0).integers(0, 256, (3, 30, 30), dtype=np.uint8)
    array.flags.writeable = False
    frames = frames_from_array(array)
    result = frames.with_pixels(1 - frames.pixels).to_array()
    assert result.flags.writeable
    assert frames.source is array


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 5, 5, 4), np.uint8), "RGBA"),
        (np.zeros((2, 5, 5, 2), np.uint8), "2 components"),
        (np.zeros((2, 5, 5), complex), "complex"),
        (np.zeros((2, 5, 5), bool), "mask"),
        (np.full((2, 5, 5), "a"), "numbers"),
        (np.full((2, 5, 5), None), "numbers"),
        (np.zeros((2, 0, 5)), "no pixels"),
        (np.zeros((0, 5, 5), np.uint8), "no pixels"),
        (np.array([[[0, np.nan]]]), "NaN"),
        (np.array([[[0, -np.inf]]], np.float32), "infinite"),
        (np.zeros(5), "1 dimensions"),
        (np.zeros((2, 2, 5, 5, 3)), "dimensions"),
    ],
)
def test_what_is_no_image_is_refused_in_one_sentence_with_its_name(array, words):
    with pytest.raises(InputError, match=words) as error:
        frames_from_array(array, name="Cine 7")
    message = str(error.value)
    assert message.startswith("Cine 7 ")
    assert message.endswith(".")
    assert ". " not in message
    assert "\n" not in message


def test_an_unknown_axis_and_a_sector_of_another_shape_are_refused():
    array = np.random.default_rng(0).random((3, 30, 40))
    with pytest.raises(OptionError, match="'x'"):
        frames_from_array(array, axis="x")
    with pytest.raises(InputError, match="sector"):
        frames_from_array(array, sector=np.ones((40, 30), bool))


def test_calibration_gives_the_pixel_size_along_each_axis():
    array = np.random.default_rng(0).random((3, 30, 40))
    geometry = Geometry(spacing=(0.1, 0.2, 0.3), calibrated=True)
    sizes = {axis: frames_from_array(array, axis=axis, geometry=geometry).pixel_size for axis in "kji"}
    assert sizes == {"k": (0.2, 0.1), "j": (0.3, 0.1), "i": (0.3, 0.2)}
    frames = frames_from_array(array)
    assert frames.pixel_size is None
    assert any("millimetres" in note for note in frames.notes)
