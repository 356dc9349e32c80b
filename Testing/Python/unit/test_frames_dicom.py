"""DICOM: every kind of pixel, calibration, what is refused, and derived images."""

from __future__ import annotations

import builtins
import shutil
from pathlib import Path

import numpy as np
import pytest

from USEnhanceLib.errors import InputError
from USEnhanceLib.frames import frames_from_array, read_frames, write_frames
from USEnhanceLib.frames.dicom import as_rgb, read_pixel_size

pydicom = pytest.importorskip("pydicom")

WHEEL = Path(pydicom.__file__).parent / "data" / "test_files"
ULTRASOUND = {
    "examples_ybr_color.dcm": (30, 240, 320, 3),
    "examples_rgb_color.dcm": (1, 240, 320, 3),
    "examples_palette.dcm": (1, 350, 800, 3),
    "examples_jpeg2k.dcm": (1, 480, 640, 3),
}


def make_dataset(array, **elements):
    """An ultrasound image of `array`, [K, J, I] or [K, J, I, 3], with `elements` set on top."""
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = generate_uid()
    dataset.PatientName, dataset.PatientID, dataset.StudyID = "Doe^Jane", "42", "7"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "FETAL", "0001"]
    dataset.Modality = "US"
    dataset.SamplesPerPixel = 3 if array.ndim == 4 else 1
    dataset.PhotometricInterpretation = "RGB" if array.ndim == 4 else "MONOCHROME2"
    if array.ndim == 4:
        dataset.PlanarConfiguration = 0
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = array.shape[:3]
    bits = 8 * array.dtype.itemsize
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, int(array.dtype.kind == "i")
    data = array.tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def save(dataset, path):
    dataset.save_as(path, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return path


def make_region(delta=(0.02, 0.03), units=(3, 3), box=(0, 0, 30, 20), spatial=1):
    region = pydicom.Dataset()
    region.RegionSpatialFormat, region.RegionDataType = spatial, 1
    region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection = units
    region.PhysicalDeltaX, region.PhysicalDeltaY = delta
    region.RegionLocationMinX0, region.RegionLocationMinY0 = box[:2]
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = box[2:]
    return region


def cine(dtype="uint8", shape=(3, 26, 30)):
    limits = np.iinfo(dtype)
    return np.random.default_rng(0).integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)


@pytest.mark.parametrize("name", ULTRASOUND)
def test_real_ultrasound_reads_and_comes_back_identical(name, tmp_path):
    frames = read_frames(WHEEL / name)
    assert frames.source.shape == ULTRASOUND[name]
    assert frames.source.dtype == np.uint8
    assert np.array_equal(frames.to_array(), frames.source)
    for extension in (".dcm", ".nrrd"):
        again = read_frames(write_frames(tmp_path / f"out{extension}", frames))
        assert np.array_equal(again.source, frames.source)
        assert again.geometry.calibrated == frames.geometry.calibrated
        assert np.allclose(again.geometry.spacing, frames.geometry.spacing, rtol=1e-12)


@pytest.mark.parametrize("name", ULTRASOUND)
def test_the_pixels_are_those_that_itk_shows(name):
    """GDCM is a decoder independent of pydicom's."""
    sitk = pytest.importorskip("SimpleITK")
    ours = read_frames(WHEEL / name).source.astype(int)
    theirs = sitk.GetArrayFromImage(sitk.ReadImage(str(WHEEL / name)))
    # JPEG decoders and the rounding of YBR may differ by a few levels, a wrong colour space by a hundred.
    assert np.abs(ours - theirs).max() <= 4


def test_the_pixel_size_of_real_cines_comes_from_the_ultrasound_regions(data_folder):
    expected = {
        "dicom/examples_ybr_color.dcm": 0.5104970559,
        "dicom/examples_palette.dcm": 0.2622878766,
        "phantom/sonoque_anechoic-3mm-3mm.dcm": 0.0291,
        "phantom/sonoque_axial-lateral-resolution-2020.dcm": 0.0291,
    }
    for name, size in expected.items():
        frames = read_frames(data_folder / name)
        assert np.allclose(frames.pixel_size, size, rtol=1e-8)
        assert frames.geometry.spacing[2] == 1
        assert frames.geometry.origin == (0, 0, 0)
        assert not any("millimetres" in note for note in frames.notes)


def test_phantoms_that_claim_rgb_but_hold_ybr_are_grey(data_folder):
    for path in sorted((data_folder / "phantom").glob("sonoque_*.dcm")):
        source = read_frames(path).source
        # A green or pink image has chroma everywhere; a few coloured marks remain.
        assert (np.ptp(source.astype(int), axis=-1) > 8).mean() < 1e-3
        assert source[0, 600:900, 800:1200].std() > 5


def test_ybr_under_the_name_of_rgb_is_recognised():
    generator = np.random.default_rng(0)
    grey = np.clip(generator.rayleigh(30, (60, 60)), 0, 255).astype(np.uint8)
    ybr = np.stack([grey, np.full_like(grey, 128), np.full_like(grey, 128)], axis=-1)
    ybr[:5, :5] = 76, 85, 255  # pure red
    rgb = as_rgb(ybr)
    assert np.array_equal(rgb[10:], np.repeat(grey[10:, :, None], 3, axis=-1))
    assert np.abs(rgb[0, 0].astype(int) - (254, 0, 0)).max() <= 1
    for honest in (
        np.repeat(grey[..., None], 3, axis=-1),
        np.full((60, 60, 3), 128, np.uint8),
        generator.integers(0, 256, (60, 60, 3), dtype=np.uint8),
    ):
        assert as_rgb(honest) is honest


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32"])
def test_grey_frames_of_every_type(dtype, tmp_path):
    array = cine(dtype)
    frames = read_frames(save(make_dataset(array), tmp_path / "in.dcm"))
    assert frames.source.dtype == dtype
    assert np.array_equal(frames.source, array)
    assert frames.pixel_size is None
    assert any("millimetres" in note for note in frames.notes)


def test_one_frame_without_a_number_of_frames(tmp_path):
    dataset = make_dataset(cine(shape=(1, 26, 30)))
    del dataset.NumberOfFrames
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.6.1"
    frames = read_frames(save(dataset, tmp_path / "still.dcm"))
    assert frames.source.shape == (1, 26, 30)
    again = read_frames(write_frames(tmp_path / "out.dcm", frames))
    assert np.array_equal(again.source, frames.source)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (2, 7, 3, 3)])
def test_tiny_dicom_frames(shape, tmp_path):
    array = cine(shape=shape)
    frames = read_frames(save(make_dataset(array), tmp_path / "tiny.dcm"))
    assert np.array_equal(frames.source, array)
    assert np.array_equal(read_frames(write_frames(tmp_path / "out.dcm", frames)).source, array)


@pytest.mark.parametrize(
    ("dtype", "stored", "largest"), [("uint8", 8, 255), ("uint16", 12, 4095), ("int16", 16, None)]
)
def test_monochrome1_is_shown_with_white_as_white(dtype, stored, largest, tmp_path):
    array = np.arange(3 * 26 * 30).reshape(3, 26, 30).astype(dtype)
    if largest:
        array = np.minimum(array, largest).astype(dtype)
    dataset = make_dataset(
        array, PhotometricInterpretation="MONOCHROME1", BitsStored=stored, HighBit=stored - 1
    )
    frames = read_frames(save(dataset, tmp_path / "inverse.dcm"))
    expected = largest - array.astype(int) if largest else -1 - array.astype(int)
    assert np.array_equal(frames.source, expected)
    assert frames.source.dtype == dtype


def test_a_palette_of_sixteen_bits_becomes_rgb(tmp_path):
    indices = cine()
    ramp = np.arange(256, dtype=np.uint16)
    tables = {"Red": ramp * 257, "Green": ramp[::-1] * 257, "Blue": np.full(256, 51 * 257, np.uint16)}
    dataset = make_dataset(indices, PhotometricInterpretation="PALETTE COLOR")
    for colour, table in tables.items():
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", table.astype(np.uint16).tobytes())
    frames = read_frames(save(dataset, tmp_path / "palette.dcm"))
    expected = np.stack([indices, 255 - indices, np.full_like(indices, 51)], axis=-1)
    assert np.array_equal(frames.source, expected)
    again = read_frames(write_frames(tmp_path / "out.dcm", frames))
    assert np.array_equal(again.source, expected)


def test_planes_of_colour_and_uncompressed_ybr(tmp_path):
    rgb = cine(shape=(2, 26, 30, 3))
    dataset = make_dataset(rgb, PlanarConfiguration=1)
    dataset.PixelData = np.ascontiguousarray(np.moveaxis(rgb, -1, 1)).tobytes()
    assert np.array_equal(read_frames(save(dataset, tmp_path / "planes.dcm")).source, rgb)
    grey = np.repeat(cine(shape=(2, 26, 30))[..., None], 3, axis=-1)
    ybr = grey.copy()
    ybr[..., 1:] = 128
    dataset = make_dataset(ybr, PhotometricInterpretation="YBR_FULL")
    assert np.array_equal(read_frames(save(dataset, tmp_path / "ybr.dcm")).source, grey)


@pytest.mark.parametrize(
    ("regions", "size", "note"),
    [
        ([make_region()], (0.3, 0.2), False),
        ([make_region(delta=(-0.02, -0.03))], (0.3, 0.2), False),
        ([make_region(units=(4, 3))], None, False),
        ([make_region(delta=(0.0, 0.03))], None, False),
        ([make_region(spatial=4, units=(3, 3))], None, False),
        ([make_region(), make_region((0.05, 0.05), box=(0, 0, 5, 5))], (0.3, 0.2), True),
        ([make_region((0.05, 0.05), box=(0, 0, 5, 5)), make_region()], (0.3, 0.2), True),
        ([make_region(), make_region(box=(0, 0, 5, 5))], (0.3, 0.2), False),
        ([pydicom.Dataset()], None, False),
        ([], None, False),
    ],
)
def test_ultrasound_regions(regions, size, note, tmp_path):
    dataset = make_dataset(cine(), SequenceOfUltrasoundRegions=regions)
    frames = read_frames(save(dataset, tmp_path / "regions.dcm"))
    if size is None:
        assert frames.pixel_size is None
        assert frames.geometry.spacing == (1, 1, 1)
    else:
        assert np.allclose(frames.pixel_size, size)
    assert any("regions" in text for text in frames.notes) == note


def test_other_geometry_of_dicom(tmp_path):
    elements = {
        "PixelSpacing": [0.4, 0.3],
        "SpacingBetweenSlices": 1.5,
        "ImagePositionPatient": [1, 2, 3],
        "ImageOrientationPatient": [0, 1, 0, 0, 0, -1],
    }
    path = save(make_dataset(cine(), **elements), tmp_path / "volume.dcm")
    geometry = read_frames(path).geometry
    assert geometry.spacing == (0.3, 0.4, 1.5)
    assert geometry.origin == (1, 2, 3)
    assert np.allclose(np.reshape(geometry.direction, (3, 3)), [[0, 0, -1], [1, 0, 0], [0, -1, 0]])
    region = make_dataset(cine(), SequenceOfUltrasoundRegions=[make_region()], **elements)
    assert np.allclose(read_frames(save(region, tmp_path / "both.dcm")).geometry.spacing, (0.2, 0.3, 1.5))
    flat = make_dataset(cine(), ImageOrientationPatient=[1, 0, 0, 1, 0, 0])
    assert read_frames(save(flat, tmp_path / "flat.dcm")).geometry.direction == (1, 0, 0, 0, 1, 0, 0, 0, 1)


def test_the_pixel_size_alone_comes_from_the_header(tmp_path):
    dataset = make_dataset(cine(), SequenceOfUltrasoundRegions=[make_region()])
    assert np.allclose(read_pixel_size(save(dataset, tmp_path / "sized.dcm")), (0.2, 0.3))
    assert read_pixel_size(save(make_dataset(cine()), tmp_path / "bare.dcm")) is None
    (tmp_path / "text.dcm").write_text("hello")
    assert read_pixel_size(tmp_path / "text.dcm") is None
    assert read_pixel_size(tmp_path / "missing.dcm") is None


def assert_one_sentence(error, name):
    message = str(error.value)
    assert name in message
    assert message.endswith(".")
    assert ". " not in message
    assert "\n" not in message


@pytest.mark.parametrize("share", [0.0005, 0.003, 0.01, 0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", ULTRASOUND)
def test_dicom_files_that_are_cut_short_are_refused(name, share, tmp_path):
    whole = (WHEEL / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError) as error:
        read_frames(path)
    assert_one_sentence(error, name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("test-SR.dcm", r"Comprehensive SR Storage.*without an image"),
        ("rtplan.dcm", "RT Plan"),
        ("waveform_ecg.dcm", "without an image"),
        ("dicomdirtests/DICOMDIR", "without an image"),
        ("badVR.dcm", "how large"),
        ("MR_truncated.dcm", "cut short"),
        ("JPEG2000-embedded-sequence-delimiter.dcm", "damaged"),
    ],
)
def test_dicom_files_without_a_usable_image_are_refused(name, words):
    with pytest.raises(InputError, match=words) as error:
        read_frames(WHEEL / name)
    assert_one_sentence(error, Path(name).name)


def test_elements_of_the_wrong_kind_are_refused(tmp_path):
    for number, (keyword, value) in enumerate(
        [("Rows", None), ("Rows", 0), ("SamplesPerPixel", 4), ("BitsAllocated", 7)]
    ):
        path = save(make_dataset(cine(), **{keyword: value}), tmp_path / f"wrong{number}.dcm")
        with pytest.raises(InputError) as error:
            read_frames(path)
        assert_one_sentence(error, path.name)
    path = save(make_dataset(cine(), NumberOfFrames=40), tmp_path / "promises.dcm")
    with pytest.raises(InputError, match="cut short") as error:
        read_frames(path)
    assert_one_sentence(error, path.name)


@pytest.mark.parametrize(
    "name", ["SC_rgb_jpeg_gdcm.dcm", "SC_rgb_jls_lossy_line.dcm", "MR_small_jpeg_ls_lossless.dcm"]
)
def test_itk_decodes_what_pydicom_cannot(name):
    sitk = pytest.importorskip("SimpleITK")
    frames = read_frames(WHEEL / name)
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(WHEEL / name)))
    assert np.array_equal(frames.source, expected)


def test_the_fallback_also_recognises_ybr_under_the_name_of_rgb(data_folder, monkeypatch):
    """As in a Python without Pillow, where pydicom has no JPEG decoder."""
    path = data_folder / "phantom" / "sonoque_anechoic-3mm-3mm.dcm"
    expected = read_frames(path).source
    decoder = pydicom.pixels.decoders.JPEGBaseline8BitDecoder
    assert decoder.is_available
    monkeypatch.setattr(decoder, "_available", {})
    assert not decoder.is_available
    source = read_frames(path).source
    assert np.abs(source.astype(int) - expected).max() <= 2


def test_a_missing_decoder_is_named_with_its_package(monkeypatch):
    """As in a Python where neither pydicom's plugins nor SimpleITK can decode JPEG-LS."""
    sitk = pytest.importorskip("SimpleITK")

    def refuse(self):
        raise RuntimeError("no decoder")

    monkeypatch.setattr(sitk.ImageFileReader, "Execute", refuse)
    with pytest.raises(InputError, match=r"JPEG-LS.*pip install pyjpegls") as error:
        read_frames(WHEEL / "MR_small_jpeg_ls_lossless.dcm")
    assert_one_sentence(error, "MR_small_jpeg_ls_lossless.dcm")


def test_nothing_of_the_patient_is_printed_or_logged(tmp_path, capfd, caplog, recwarn):
    dataset = make_dataset(cine(), PatientBirthDate="not a date", SOPInstanceUID="1.2.Doe")
    path = save(dataset, tmp_path / "private.dcm")
    caplog.clear()
    recwarn.clear()
    capfd.readouterr()
    frames = read_frames(path)
    write_frames(tmp_path / "out.dcm", frames)
    printed = "".join(capfd.readouterr()) + caplog.text + "".join(str(warning.message) for warning in recwarn)
    for secret in ("Doe", "not a date"):
        assert secret not in printed
        assert secret not in repr(frames.attributes) + frames.name + "".join(frames.notes)


def test_a_derived_image_stays_with_its_patient_in_a_series_of_its_own(tmp_path):
    dataset = make_dataset(cine("uint8", (4, 26, 30)), SequenceOfUltrasoundRegions=[make_region()])
    dataset.SeriesDescription, dataset.FrameTime = "Fetal head", "33.3"
    dataset.LossyImageCompression = "01"
    frames = read_frames(save(dataset, tmp_path / "in.dcm"))
    attributes = {"USEnhance.Method": "scunet", "USEnhance.Parameters": '{"strength": 0.5}'}
    path = write_frames(tmp_path / "out.dcm", frames.with_pixels(1 - frames.pixels, attributes))
    derived = pydicom.dcmread(path)
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyID", "FrameTime", "SOPClassUID"):
        assert derived[keyword].value == dataset[keyword].value
    assert list(derived.ImageType) == ["DERIVED", "SECONDARY", "FETAL", "0001"]
    assert "scunet" in derived.DerivationDescription
    assert '"strength": 0.5' in derived.DerivationDescription
    assert derived.SOPInstanceUID != dataset.SOPInstanceUID
    assert derived.SeriesInstanceUID != dataset.SeriesInstanceUID
    assert derived.file_meta.MediaStorageSOPInstanceUID == derived.SOPInstanceUID
    assert derived.SourceImageSequence[0].ReferencedSOPInstanceUID == dataset.SOPInstanceUID
    assert derived.SeriesDescription == "Fetal head USEnhance"
    assert derived.LossyImageCompression == "01"
    assert np.allclose(read_frames(path).pixel_size, (0.3, 0.2))
    assert np.array_equal(derived.pixel_array, frames.with_pixels(1 - frames.pixels).to_array())
    second = pydicom.dcmread(write_frames(tmp_path / "second.dcm", frames))
    assert second.SOPInstanceUID != derived.SOPInstanceUID


def test_a_derived_image_conforms_for_itk(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    for name in ULTRASOUND:
        frames = read_frames(WHEEL / name)
        path = write_frames(tmp_path / name, frames)
        assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), frames.source)


@pytest.mark.parametrize(
    ("name", "words"), [("CT_small.dcm", "no ultrasound"), ("ExplVR_BigEnd.dcm", "big-endian")]
)
def test_images_that_no_ultrasound_can_be_derived_from(name, words, tmp_path):
    with pytest.raises(InputError, match=rf"{words}.*write \.nrrd") as error:
        write_frames(tmp_path / "out.dcm", read_frames(WHEEL / name))
    assert_one_sentence(error, "out.dcm")
    assert list(tmp_path.iterdir()) == []


def test_types_that_ultrasound_dicom_does_not_have_are_refused(tmp_path):
    frames = read_frames(save(make_dataset(cine("int16")), tmp_path / "in.dcm"))
    with pytest.raises(InputError, match="int16"):
        write_frames(tmp_path / "out.dcm", frames)


def test_an_original_that_is_gone_is_said(tmp_path):
    path = Path(shutil.copy(WHEEL / "examples_rgb_color.dcm", tmp_path / "in.dcm"))
    frames = read_frames(path)
    path.unlink()
    with pytest.raises(InputError, match="no longer there"):
        write_frames(tmp_path / "out.dcm", frames)
    with pytest.raises(InputError, match="not read from a DICOM"):
        write_frames(tmp_path / "out.dcm", frames_from_array(frames.source))
    assert list(tmp_path.iterdir()) == []


def test_dicom_is_recognised_without_its_extension(tmp_path):
    path = tmp_path / "IM0001"
    shutil.copy(WHEEL / "examples_rgb_color.dcm", path)
    assert np.array_equal(read_frames(path).source, read_frames(WHEEL / "examples_rgb_color.dcm").source)


def test_reading_pictures_does_not_need_pydicom(tmp_path, monkeypatch):
    path = write_frames(tmp_path / "a.nrrd", frames_from_array(cine()))
    real = builtins.__import__

    def without_pydicom(name, *rest):
        if name.split(".")[0] == "pydicom":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_pydicom)
    assert read_frames(path).source.shape == (3, 26, 30)
