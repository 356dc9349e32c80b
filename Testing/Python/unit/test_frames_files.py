"""Files that SimpleITK reads and writes: round trips, geometry, and what is refused."""

from __future__ import annotations

import gzip
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from USEnhanceLib.errors import InputError, OptionError, OutputError
from USEnhanceLib.frames import Geometry, check_writable, frames_from_array, read_frames, write_frames

SimpleITK = pytest.importorskip("SimpleITK")

GEOMETRY = Geometry(
    spacing=(0.31, 0.42, 1.5),
    origin=(10.5, -20.25, 3.0),
    direction=(-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0),
    calibrated=True,
)
INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32"]
ALL_TYPES = [*INTEGERS, "int64", "uint64", "float32", "float64"]
SUPPORTED = {
    ".nrrd": ALL_TYPES,
    ".mha": ALL_TYPES,
    ".nii": ALL_TYPES,
    ".nii.gz": ALL_TYPES,
    ".tif": [*INTEGERS, "float32"],
    ".png": ["uint8", "uint16"],
}
KINDS = {"stack": (4, 30, 26), "colour stack": (3, 30, 26, 3), "frame": (30, 26), "colour frame": (30, 26, 3)}


def make(dtype, shape):
    generator = np.random.default_rng(0)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return (generator.standard_normal(shape) * 300).astype(dtype)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)


def write_image(path, array, colour=False):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array, isVector=colour), str(path))
    return path


def same_geometry(first, second, tolerance):
    return all(
        np.allclose(getattr(first, name), getattr(second, name), rtol=0, atol=tolerance)
        for name in ("spacing", "origin", "direction")
    )


@pytest.mark.parametrize(
    ("extension", "dtype", "kind"),
    [
        (extension, dtype, kind)
        for extension, types in SUPPORTED.items()
        for dtype in types
        for kind in KINDS
        if extension != ".png" or "stack" not in kind
    ],
)
def test_every_supported_type_comes_back_identical(tmp_path, extension, dtype, kind):
    array = make(dtype, KINDS[kind])
    frames = frames_from_array(array, colour="colour" in kind, geometry=GEOMETRY)
    path = write_frames(tmp_path / f"out{extension}", frames)
    assert path == tmp_path / f"out{extension}"
    again = read_frames(path)
    assert again.to_array().dtype == array.dtype
    assert np.array_equal(again.to_array(), array)
    assert again.intensity_range == frames.intensity_range
    assert sorted(tmp_path.iterdir()) == [path]
    if extension in (".nrrd", ".mha"):
        plane = Geometry(spacing=(0.31, 0.42, 1.0), origin=(10.5, -20.25, 0.0), direction=GEOMETRY.direction)
        assert same_geometry(again.geometry, plane if frames.planar else GEOMETRY, 1e-12)
        assert again.geometry.calibrated
    elif extension.startswith(".nii"):
        assert same_geometry(again.geometry, GEOMETRY if not frames.planar else again.geometry, 1e-6)
        assert np.allclose(again.geometry.spacing[:2], GEOMETRY.spacing[:2], atol=1e-6)


def test_an_oblique_volume_keeps_its_geometry(tmp_path):
    angle = 0.3
    direction = (np.cos(angle), 0, np.sin(angle), 0, 1, 0, -np.sin(angle), 0, np.cos(angle))
    geometry = Geometry(spacing=(0.5, 0.25, 2.0), origin=(1, 2, 3), direction=direction, calibrated=True)
    frames = frames_from_array(make("int16", (4, 30, 26)), geometry=geometry)
    for extension, tolerance in ((".nrrd", 1e-12), (".mha", 1e-6), (".nii", 1e-6)):
        again = read_frames(write_frames(tmp_path / f"oblique{extension}", frames))
        assert same_geometry(again.geometry, geometry, tolerance)


def test_a_stack_of_one_slice_stays_a_stack(tmp_path):
    array = make("uint8", (1, 30, 26))
    again = read_frames(write_frames(tmp_path / "one.nrrd", frames_from_array(array)))
    assert again.to_array().shape == array.shape
    assert not again.planar
    picture = read_frames(write_frames(tmp_path / "one.png", again))
    assert np.array_equal(picture.to_array(), array[0])


@pytest.mark.parametrize("axis", "kji")
def test_a_sweep_is_written_in_its_own_layout(tmp_path, axis):
    path = write_image(tmp_path / "sweep.nrrd", make("uint8", (26, 28, 30)))
    frames = read_frames(path, axis=axis)
    changed = frames.pixels.copy()
    changed[3] = 1
    result = read_frames(write_frames(tmp_path / "out.nrrd", frames.with_pixels(changed)))
    difference = result.source != frames.source
    assert difference.any()
    assert not np.delete(np.moveaxis(difference, "kji".index(axis), 0), 3, axis=0).any()


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (1, 1, 1), (1, 7, 3)])
@pytest.mark.parametrize("extension", [".nrrd", ".nii.gz", ".png"])
def test_the_smallest_frames_work(tmp_path, shape, extension):
    frames = frames_from_array(np.arange(np.prod(shape), dtype=np.uint8).reshape(shape) * 9)
    again = read_frames(write_frames(tmp_path / f"small{extension}", frames))
    assert np.array_equal(again.source, frames.source)


def test_provenance_is_written_and_read_again(tmp_path):
    attributes = {"USEnhance.Method": "scunet", "USEnhance.Parameters": '{"strength": 0.5}'}
    frames = frames_from_array(make("uint8", (2, 30, 26)))
    frames = frames.with_pixels(frames.pixels, attributes)
    for extension in (".nrrd", ".mha"):
        assert read_frames(write_frames(tmp_path / f"p{extension}", frames)).attributes == attributes


def test_line_breaks_in_provenance_do_not_break_the_header(tmp_path):
    frames = frames_from_array(
        make("uint8", (2, 30, 26)), attributes={"USEnhance.Notes": "one\ntwo\r\nthree"}
    )
    for extension in (".nrrd", ".mha"):
        again = read_frames(write_frames(tmp_path / f"p{extension}", frames))
        assert again.attributes == {"USEnhance.Notes": "one two three"}
        assert np.array_equal(again.source, frames.source)


def test_a_nifti_and_its_compressed_namesake_are_told_apart(tmp_path):
    """ITK alone reads scan.nii where scan.nii.gz is asked for."""
    first, second = make("uint8", (3, 30, 26)), 255 - make("uint8", (3, 30, 26))
    write_frames(tmp_path / "scan.nii", frames_from_array(first))
    write_frames(tmp_path / "scan.nii.gz", frames_from_array(second))
    assert np.array_equal(read_frames(tmp_path / "scan.nii").source, first)
    assert np.array_equal(read_frames(tmp_path / "scan.nii.gz").source, second)


def test_dots_per_inch_and_unit_spacing_are_no_calibration(tmp_path):
    frames = frames_from_array(make("uint8", (30, 26)), geometry=GEOMETRY)
    for extension in (".png", ".tif"):
        again = read_frames(write_frames(tmp_path / f"picture{extension}", frames))
        assert again.pixel_size is None
        assert any("millimetres" in note for note in again.notes)
    plain = write_image(tmp_path / "plain.nrrd", make("uint8", (3, 30, 26)))
    assert read_frames(plain).pixel_size is None


def test_writing_replaces_an_existing_file_but_never_the_input(tmp_path):
    path = write_image(tmp_path / "in.nrrd", make("uint8", (3, 30, 26)))
    frames = read_frames(path)
    changed = frames.with_pixels(1 - frames.pixels)
    target = tmp_path / "out.nrrd"
    target.write_bytes(b"old")
    write_frames(target, changed)
    assert np.array_equal(read_frames(target).source, changed.to_array())
    before = path.read_bytes()
    with pytest.raises(InputError, match="input itself"):
        write_frames(tmp_path / "." / "in.nrrd", changed)
    assert path.read_bytes() == before


def assert_one_sentence(error, name):
    message = str(error.value)
    assert name in message
    assert message.endswith(".")
    assert ". " not in message
    assert "\n" not in message
    assert ":" in message or "," in message  # what is wrong, and what to do


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.95, 0.999])
@pytest.mark.parametrize("extension", [".nrrd", ".mha", ".nii", ".nii.gz", ".png", ".jpg", ".tif"])
def test_files_that_are_cut_short_are_refused(tmp_path, extension, share):
    array = make("uint8", (50, 40) if extension in (".png", ".jpg") else (4, 50, 40))
    whole = write_image(tmp_path / f"whole{extension}", array).read_bytes()
    path = tmp_path / f"cut{extension}"
    path.write_bytes(whole[: min(int(len(whole) * share), len(whole) - 1)])
    if extension == ".tif" and share == 0.999:
        path.write_bytes(whole[:-400])
    with pytest.raises(InputError) as error:
        read_frames(path)
    assert_one_sentence(error, path.name)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("text.png", b"hello", "no image"),
        ("noise.nrrd", bytes(range(256)) * 4, "no image"),
        ("empty.mha", b"", "empty"),
        ("broken.nii.gz", gzip.compress(b"x" * 4000, mtime=0)[:-9], "cut short"),
        ("other.nii.gz", b"not gzip at all", "damaged"),
        ("text.dcm", b"hello, this is no DICOM file" * 9, "DICOM"),
    ],
)
def test_files_that_are_no_images_are_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read_frames(tmp_path / name)
    assert_one_sentence(error, name)


def test_missing_files_folders_and_unknown_axes_are_refused(tmp_path):
    with pytest.raises(InputError, match="no file") as error:
        read_frames(tmp_path / "missing.nrrd")
    assert_one_sentence(error, "missing.nrrd")
    (tmp_path / "folder.dcm").mkdir()
    with pytest.raises(InputError, match="folder") as error:
        read_frames(tmp_path / "folder.dcm")
    assert_one_sentence(error, "folder.dcm")
    with pytest.raises(OptionError):
        read_frames(tmp_path / "missing.nrrd", axis="z")


@pytest.mark.parametrize(
    ("array", "colour", "words"),
    [
        (np.zeros((3, 20, 20, 4), np.uint8), True, "RGBA"),
        (np.zeros((3, 20, 20, 7), np.uint8), True, "7 components"),
        (np.zeros((3, 20, 20), np.complex64), False, "complex"),
        (np.zeros((2, 3, 20, 20), np.uint8), False, "4 dimensions"),
        (np.full((3, 20, 20), np.nan, np.float32), False, "NaN"),
        (np.full((3, 20, 20), np.inf, np.float64), False, "infinite"),
    ],
)
def test_images_that_are_no_frames_are_refused(tmp_path, array, colour, words):
    path = write_image(tmp_path / "other.nrrd", array, colour)
    with pytest.raises(InputError, match=words) as error:
        read_frames(path)
    assert_one_sentence(error, "other.nrrd")


def test_a_picture_with_an_alpha_channel_is_refused(tmp_path):
    path = write_image(tmp_path / "alpha.png", np.zeros((20, 20, 4), np.uint8), True)
    with pytest.raises(InputError, match="alpha"):
        read_frames(path)


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("cine.png", np.zeros((2, 30, 30), np.uint8), r"2 frames.*\.nrrd"),
        ("float.png", np.zeros((30, 30), np.float32), r"float32.*\.nrrd"),
        ("long.tif", np.zeros((30, 30), np.int64), r"int64.*\.nrrd"),
        ("half.nrrd", np.zeros((30, 30), np.float16), "float16"),
        ("lossy.jpg", np.zeros((30, 30), np.uint8), "JPEG"),
        ("noextension", np.zeros((30, 30), np.uint8), "extension"),
        ("film.avi", np.zeros((30, 30), np.uint8), "extension"),
        ("study.dcm", np.zeros((30, 30), np.uint8), "not read from a DICOM"),
    ],
)
def test_formats_that_cannot_hold_the_frames_are_refused(tmp_path, name, array, words):
    with pytest.raises(InputError, match=words) as error:
        write_frames(tmp_path / name, frames_from_array(array))
    assert_one_sentence(error, name)
    assert list(tmp_path.iterdir()) == []


def test_check_writable_leaves_nothing_behind_and_returns_the_path(tmp_path):
    assert check_writable(str(tmp_path / "out.nrrd")) == tmp_path / "out.nrrd"
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_refused_before_any_work(tmp_path):
    with pytest.raises(InputError, match="no folder") as error:
        check_writable(tmp_path / "none" / "out.nrrd")
    assert_one_sentence(error, "none")
    (tmp_path / "out.nrrd").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        check_writable(tmp_path / "out.nrrd")


def in_child(work):
    """Return the exit status of `work()` in a forked child, which may change its own limits and user."""
    child = os.fork()
    if child == 0:
        try:
            status = work()
        except BaseException:
            status = 99
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="users and limits of POSIX")


@needs_posix
def test_a_read_only_folder_and_file_are_refused():
    # Not below pytest's folders, which nobody else may enter.
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        refuse_what_is_read_only(Path(place))


def refuse_what_is_read_only(place):
    folder = place / "fixed"
    folder.mkdir()
    (place / "fixed.nrrd").write_bytes(b"old")
    (place / "fixed.nrrd").chmod(0o444)
    folder.chmod(0o555)

    def work():
        if os.getuid() == 0:  # root may write anywhere
            os.setuid(65534)
        for path in (folder / "out.nrrd", place / "fixed.nrrd"):
            try:
                check_writable(path)
            except InputError:
                continue
            return 1
        return 0

    assert in_child(work) == 0


@needs_posix
@pytest.mark.parametrize("extension", [".nrrd", ".mha", ".nii", ".nii.gz", ".tif", ".png"])
def test_a_full_disk_leaves_the_old_file_and_no_remains(tmp_path, extension):
    """A limit on the size of files makes write() fail midway, as a full disk does."""
    array = make("uint8", (300, 200) if extension == ".png" else (30, 50, 40))
    frames = frames_from_array(array)
    path = tmp_path / f"out{extension}"
    path.write_bytes(b"old")

    def work():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            write_frames(path, frames)
        except OutputError as error:
            return 0 if path.name in str(error) and str(error).endswith("try again.") else 2
        return 1

    assert in_child(work) == 0
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_real_files_come_back_identical(tmp_path, data_folder):
    files = [
        "phantom/clarius-ocular-image.png",
        "phantom/interson-image.jpg",
        "phantom/sonivate-anechoic_1-1.nrrd",
        "phantom/sonosite-anon-eye1.jpg",
        "mri/mni152",
        "psfhs/image",
        "hc18/image",
    ]
    for name in files:
        path = data_folder / name
        path = min(file for file in path.iterdir() if file.suffix != ".csv") if path.is_dir() else path
        frames = read_frames(path)
        again = read_frames(write_frames(tmp_path / f"{Path(name).stem}.nrrd", frames))
        assert again.source.dtype == frames.source.dtype
        assert np.array_equal(again.to_array(), frames.source[0] if frames.planar else frames.source)
        assert same_geometry(again.geometry, frames.geometry, 1e-12)


def test_the_real_picture_with_an_alpha_channel_is_refused(data_folder):
    with pytest.raises(InputError, match=r"interson-phantom.png has 4 components per pixel \(RGBA\)"):
        read_frames(data_folder / "phantom" / "interson-phantom.png")


@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nifti_with_pixels_that_itk_would_replace_is_refused(tmp_path, extension, dtype, value):
    array = np.random.default_rng(0).random((2, 20, 30)).astype(dtype)
    path = tmp_path / f"scan{extension}"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(path))
    assert read_frames(path).pixels.shape == (2, 20, 30)
    array[1, 3, 4] = value
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(path))
    with pytest.raises(InputError, match="NaN or infinite"):
        read_frames(path)
