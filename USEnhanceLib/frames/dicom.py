"""Reading DICOM: pixels through pydicom (SimpleITK where pydicom lacks a decoder), calibration, geometry."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .arrays import frames_from_array
from .stack import IDENTITY, Frames, Geometry

if TYPE_CHECKING:
    from pydicom import Dataset

CENTIMETRES = 3  # PhysicalUnitsXDirection, PS3.3 C.8.5.5.1.15
SPATIAL_2D = 1  # RegionSpatialFormat, PS3.3 C.8.5.5.1.1
PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
SEVERAL_REGIONS = (
    "The image has regions of different pixel sizes: millimetres hold for the largest region only."
)
# The pip package with a decoder, by words in the name of the transfer syntax.
DECODERS = (
    ("JPEG-LS", "pyjpegls"),
    ("JPEG 2000", "pylibjpeg pylibjpeg-openjpeg"),
    ("JPEG", "pylibjpeg pylibjpeg-libjpeg"),
)


def read_dicom(path: Path, axis: str) -> Frames:
    """Return the frames of the DICOM file `path`, always as a stack [K, J, I] or [K, J, I, 3].

    Stored values are kept (no window, no rescaling). MONOCHROME1 is inverted to MONOCHROME2, palettes are
    applied and YBR becomes RGB, so that the result looks as on the scanner. The pixel size comes from
    SequenceOfUltrasoundRegions, else from PixelSpacing; frames are 1 apart along k (time, not length)
    unless the file gives SpacingBetweenSlices. Raises InputError.
    """
    with discreet():
        dataset = _read_dataset(path)
        _check_image(dataset, path)
        source = _read_pixels(dataset, path)
        geometry, notes = _find_geometry(dataset, source.shape)
    del dataset
    return frames_from_array(
        source,
        axis=axis,
        geometry=geometry,
        name=path.name,
        colour=source.ndim == 4,
        notes=notes,
        file=path,
    )


@contextmanager
def discreet() -> Iterator[None]:
    """Silence pydicom's warnings and log: they quote the values of elements, that is, patient data."""
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def _read_dataset(path: Path) -> Dataset:
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        try:
            return pydicom.dcmread(path)
        except InvalidDicomError:
            dataset = pydicom.dcmread(path, force=True)
            if "Rows" not in dataset:
                raise
            return dataset
    except Exception as error:  # pydicom raises any kind for files that are damaged
        raise InputError(
            f"{path.name} is not a DICOM file, or it is damaged or cut short: copy or export it again."
        ) from error


def _check_image(dataset: Dataset, path: Path) -> None:
    """Raise InputError unless `dataset` has pixels, of one or three components."""
    from pydicom.uid import UID

    if not any(keyword in dataset for keyword in PIXEL_KEYWORDS):
        kind = UID(str(dataset.get("SOPClassUID", ""))).name
        what = f" ({kind})" if kind and not kind[0].isdigit() else ""
        raise InputError(
            f"{path.name} is a DICOM file{what} without an image, or it is cut short: "
            "choose an ultrasound image or cine."
        )
    try:
        rows, columns = int(dataset.Rows), int(dataset.Columns)
        samples = int(dataset.get("SamplesPerPixel", 1))
        frames = int(dataset.get("NumberOfFrames") or 1)
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f"{path.name} does not say how large its DICOM image is: export it again from the scanner."
        ) from error
    if min(rows, columns, frames) < 1:
        raise InputError(f"{path.name} is a DICOM file with an image of no pixels: choose another one.")
    if samples not in (1, 3):
        raise InputError(
            f"{path.name} has {samples} components per pixel: convert it to grey (1) or RGB (3)."
        )


def _read_pixels(dataset: Dataset, path: Path) -> np.ndarray:
    """Return the frames as shown: [K, J, I], or [K, J, I, 3] as RGB, in native byte order."""
    try:
        source = _decode(dataset)
    except Exception as error:  # decoders raise any kind
        source = _decode_with_itk(dataset, path, error)
    expected = int(dataset.get("NumberOfFrames") or 1)
    if len(source) < expected:
        raise InputError(f"{path.name} is cut short ({len(source)} of {expected} frames): copy it again.")
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        source = _invert(source, dataset)
    return source


def _decode(dataset: Dataset) -> np.ndarray:
    """Decode with pydicom, frame by frame: only one is held in float while its colour is converted."""
    from pydicom.pixels import apply_color_lut, iter_pixels

    palette = dataset.get("PhotometricInterpretation") == "PALETTE COLOR"
    source = None
    count = 0
    for index, stored in enumerate(iter_pixels(dataset)):
        frame = stored
        if palette:
            frame = _to_eight_bits(apply_color_lut(stored, dataset))
        elif stored.ndim == 3:
            frame = as_rgb(stored)
        if source is None:
            frames = int(dataset.get("NumberOfFrames") or 1)
            source = np.empty((frames, *frame.shape), dtype=frame.dtype.newbyteorder("="))
        source[index] = frame
        count = index + 1
    if source is None:
        raise ValueError("no frames")
    return source[:count]


def _decode_with_itk(dataset: Dataset, path: Path, error: Exception) -> np.ndarray:
    """Decode with SimpleITK what pydicom could not: GDCM brings decoders of its own."""
    import SimpleITK

    syntax = getattr(dataset.file_meta, "TransferSyntaxUID", None) if hasattr(dataset, "file_meta") else None
    rescaled = (dataset.get("RescaleSlope", 1), dataset.get("RescaleIntercept", 0)) != (1, 0)
    # GDCM fills what is missing in an uncompressed image with whatever it finds: no second opinion there.
    if syntax is None or not syntax.is_compressed or rescaled:
        raise InputError(f"The image in {path.name} is damaged or cut short: export it again.") from error
    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    try:
        source = SimpleITK.GetArrayFromImage(reader.Execute())
    except RuntimeError:
        raise InputError(_undecodable(path, syntax, error)) from error
    if source.ndim == 2 or (source.ndim == 3 and dataset.get("SamplesPerPixel", 1) == 3):
        source = source[None]
    if source.ndim == 4 and source.shape[-1] == 3:
        for index, frame in enumerate(source):
            source[index] = as_rgb(frame)
    return source


def _undecodable(path: Path, syntax: Any, error: Exception) -> str:
    """Return what to do about pixels that no installed decoder reads."""
    if "missing dependencies" in str(error):
        for words, packages in DECODERS:
            if words in syntax.name:
                return (
                    f"{path.name} is compressed as {syntax.name}, for which no decoder is installed: "
                    f"install it with pip install {packages}."
                )
    if any(words in syntax.name for words in ("MPEG", "HEVC")):
        return f"{path.name} holds a video stream ({syntax.name}): export it as a multi-frame JPEG cine."
    return f"The image in {path.name} ({syntax.name}) is damaged or cut short: export it again."


def as_rgb(frame: np.ndarray) -> np.ndarray:
    """Return `frame` [J, I, 3], said to be RGB, as RGB although it may hold YBR_FULL.

    Some scanners claim RGB for JPEG data that hold YCbCr. A B-mode image is mostly grey, so most of its
    pixels then have both chroma values within two steps of 128 while the first channel has not.
    """
    if frame.dtype != np.uint8:
        return frame
    first, second, third = (np.median(np.abs(frame[..., n].astype(np.int16) - 128)) for n in range(3))
    if second > 2 or third > 2 or first <= 10:
        return frame
    y, cb, cr = (frame[..., n].astype(np.float32) - (0, 128, 128)[n] for n in range(3))
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=-1)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def _to_eight_bits(frame: np.ndarray) -> np.ndarray:
    """Return a frame of 16-bit palette colours as shown on a display: the upper eight bits."""
    return (frame >> 8).astype(np.uint8) if frame.dtype.itemsize == 2 else frame.astype(np.uint8)


def _invert(source: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Return MONOCHROME1 `source`, where the least value is white, as MONOCHROME2."""
    if source.dtype.kind == "i":
        return -1 - source
    if source.dtype.kind == "f":
        return source.max() - source + source.min()
    largest = max(2 ** int(dataset.get("BitsStored", 8 * source.dtype.itemsize)) - 1, int(source.max()))
    return np.subtract(np.array(largest, source.dtype), source)


def _find_geometry(dataset: Dataset, shape: tuple[int, ...]) -> tuple[Geometry, tuple[str, ...]]:
    """Return the geometry in LPS and notes about it. Values that make no sense count as absent."""
    size, notes = _region_pixel_size(dataset)
    if size is None:
        spacing = _numbers(dataset, "PixelSpacing", 2)
        size = (spacing[1], spacing[0]) if spacing and min(spacing) > 0 else None
    between = _numbers(dataset, "SpacingBetweenSlices", 1)
    k_spacing = between[0] if between and between[0] > 0 and shape[0] > 1 else 1.0
    origin = _numbers(dataset, "ImagePositionPatient", 3) or (0.0, 0.0, 0.0)
    geometry = Geometry(
        spacing=(*(size or (1.0, 1.0)), k_spacing),
        origin=origin,
        direction=_direction(dataset),
        calibrated=size is not None,
    )
    return geometry, notes


def _region_pixel_size(dataset: Dataset) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Return width and height of a pixel in mm from the largest 2-D region in centimetres."""
    sizes = []
    for region in dataset.get("SequenceOfUltrasoundRegions") or ():
        try:
            units = int(region.PhysicalUnitsXDirection), int(region.PhysicalUnitsYDirection)
            delta = abs(float(region.PhysicalDeltaX)), abs(float(region.PhysicalDeltaY))
            width = int(region.RegionLocationMaxX1) - int(region.RegionLocationMinX0)
            height = int(region.RegionLocationMaxY1) - int(region.RegionLocationMinY0)
            is_image = int(region.RegionSpatialFormat) == SPATIAL_2D
        except (AttributeError, TypeError, ValueError):
            continue
        if is_image and units == (CENTIMETRES, CENTIMETRES) and all(0 < d < np.inf for d in delta):
            sizes.append((width * height, (10.0 * delta[0], 10.0 * delta[1])))
    if not sizes:
        return None, ()
    largest = max(sizes)[1]
    differ = any(not np.allclose(size, largest, rtol=1e-3) for _, size in sizes)
    return largest, (SEVERAL_REGIONS,) if differ else ()


def _direction(dataset: Dataset) -> tuple[float, ...]:
    cosines = _numbers(dataset, "ImageOrientationPatient", 6)
    if cosines is None:
        return IDENTITY
    i, j = np.array(cosines[:3]), np.array(cosines[3:])
    if abs(i @ i - 1) > 1e-3 or abs(j @ j - 1) > 1e-3 or abs(i @ j) > 1e-3:
        return IDENTITY
    # Printed cosines are rounded; file formats want them orthonormal.
    i = i / np.linalg.norm(i)
    j = j - (i @ j) * i
    j = j / np.linalg.norm(j)
    return tuple(float(value) for value in np.stack([i, j, np.cross(i, j)], axis=1).ravel())


def _numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Return `count` finite numbers of an element; None where it is absent or something else."""
    value = dataset.get(keyword)
    try:
        values = tuple(float(item) for item in np.atleast_1d(np.asarray(value, dtype=np.float64)))
    except (TypeError, ValueError):
        return None
    return values if len(values) == count and all(np.isfinite(values)) else None


def read_pixel_size(path: Path) -> tuple[float, float] | None:
    """Return width and height of a pixel in millimetres from the header of a DICOM file.

    None where `path` is no readable DICOM file, or one without calibration.
    """
    import pydicom

    try:
        with warnings.catch_warnings():
            # Warnings of pydicom may quote values of tags, that is, patient data.
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
            geometry, _ = _find_geometry(dataset, (1,))
    except Exception:  # pydicom raises any kind for files that are damaged
        return None
    return geometry.spacing[:2] if geometry.calibrated else None
