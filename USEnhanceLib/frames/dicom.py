"""Reading DICOM: pixels through pydicom, or through SimpleITK where pydicom lacks a decoder."""

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
from .calibration import find_geometry
from .dependencies import load
from .stack import Frames

if TYPE_CHECKING:
    from pydicom import Dataset

PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
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
        geometry, notes = find_geometry(dataset, source.shape)
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


def read_pixel_size(path: Path) -> tuple[float, float] | None:
    """Return width and height of a pixel in millimetres from the header of a DICOM file.

    None where `path` is no readable DICOM file, or one without calibration.
    """
    pydicom = load("pydicom")
    with discreet():
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
            geometry, _ = find_geometry(dataset, (1,))
        except Exception:  # pydicom raises any kind for files that are damaged
            return None
    return geometry.spacing[:2] if geometry.calibrated else None


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
    pydicom = load("pydicom")
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
    sitk = load("SimpleITK")
    syntax = getattr(dataset.file_meta, "TransferSyntaxUID", None) if hasattr(dataset, "file_meta") else None
    rescaled = (dataset.get("RescaleSlope", 1), dataset.get("RescaleIntercept", 0)) != (1, 0)
    # GDCM fills what is missing in an uncompressed image with whatever it finds: no second opinion there.
    if syntax is None or not syntax.is_compressed or rescaled:
        raise InputError(f"The image in {path.name} is damaged or cut short: export it again.") from error
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    try:
        source = sitk.GetArrayFromImage(reader.Execute())
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
