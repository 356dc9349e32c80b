"""Reading frames from files: DICOM through pydicom, everything else through SimpleITK."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .arrays import frames_from_array
from .completeness import is_complete
from .dependencies import load
from .nifti import is_finite
from .stack import IDENTITY, Frames, Geometry
from .validation import check_axis, check_components

if TYPE_CHECKING:
    import SimpleITK

DICOM_EXTENSIONS = (".dcm", ".dicom", ".ima")
PICTURE_EXTENSIONS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
PROVENANCE_PREFIX = "USEnhance."


def read_frames(path: str | os.PathLike[str], axis: str = "k") -> Frames:
    """Return the frames of the image file `path`.

    Reads DICOM (multi-frame, palette, RGB, YBR, compressed where a decoder is installed), NRRD, NIfTI,
    MHA, PNG, JPEG, TIFF and what else SimpleITK reads. axis: the axis along which the frames are
    taken, "k" (the slices of the file), "j" or "i".
    Physical pixel sizes come from the file; a picture's dots per inch and a spacing of exactly 1 x 1 are
    none. Peak memory: the stored image twice or once plus 4 bytes a pixel, whichever is more.

    Raises InputError for a file that is missing, unreadable, cut short or no B-mode image, and
    OptionError for an unknown axis.
    """
    check_axis(axis)
    path = Path(path)
    _check_readable(path)
    extension = file_extension(path)
    if _is_dicom(path, extension):
        from .dicom import read_dicom

        return read_dicom(path, axis)
    if extension == ".nii.gz":
        return _read_compressed_nifti(path, axis)
    return _read_image(path, path, extension, axis)


def file_extension(path: Path) -> str:
    """Return the extension of `path` in lower case, with both parts of ".nii.gz"."""
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else Path(name).suffix


def _check_readable(path: Path) -> None:
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder: choose one image file in it.")
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}: check its name and folder.") from None
    except OSError as error:
        raise InputError(
            f"{path.name} cannot be opened ({error.strerror}): check its permissions."
        ) from error
    if empty:
        raise InputError(f"{path.name} is an empty file: copy or export it again.")


def _is_dicom(path: Path, extension: str) -> bool:
    with path.open("rb") as file:
        file.seek(128)
        return file.read(4) == b"DICM" or extension in DICOM_EXTENSIONS


def _read_compressed_nifti(path: Path, axis: str) -> Frames:
    """Read a .nii.gz through an unpacked copy.

    ITK silently reads scan.nii when asked for scan.nii.gz beside it, and zeros from a truncated archive.
    """
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / "image.nii"
        try:
            with gzip.open(path) as packed, unpacked.open("wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"{path.name} is damaged or cut short: copy or export it again.") from error
        except OSError as error:
            raise InputError(
                f"{path.name} cannot be unpacked in {folder} ({error.strerror}): make room there."
            ) from error
        return _read_image(unpacked, path, ".nii", axis)


def _read_image(file: Path, path: Path, extension: str, axis: str) -> Frames:
    """Return the frames in `file`, which the user knows as `path`."""
    sitk = load("SimpleITK")
    name = path.name
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(file))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(
            f"{name} is no image that can be read, or it is damaged: "
            "choose a DICOM, NRRD, NIfTI, MHA, PNG, JPEG or TIFF file."
        ) from error
    if "complex" in sitk.GetPixelIDValueAsString(reader.GetPixelID()):
        raise InputError(f"{name} holds complex numbers: take their magnitude before enhancing it.")
    check_components(reader.GetNumberOfComponents(), name)
    if reader.GetDimension() not in (2, 3):
        raise InputError(
            f"{name} has {reader.GetDimension()} dimensions: save one frame (2) or a stack of frames (3)."
        )
    if not is_complete(file, extension):
        raise InputError(f"{name} is cut short: copy or export it again.")
    try:
        image = reader.Execute()
    except (RuntimeError, MemoryError) as error:
        raise InputError(f"{name} is damaged, cut short or too large: copy or export it again.") from error
    if extension == ".nii" and not is_finite(file):
        raise InputError(f"{name} holds NaN or infinite pixels: give those pixels finite values first.")
    array = sitk.GetArrayFromImage(image)
    keys = [key for key in image.GetMetaDataKeys() if key.startswith(PROVENANCE_PREFIX)]
    return frames_from_array(
        array,
        axis=axis,
        geometry=_image_geometry(image, extension),
        name=name,
        colour=image.GetNumberOfComponentsPerPixel() == 3,
        attributes={key: image.GetMetaData(key) for key in keys},
        file=path,
    )


def _image_geometry(image: SimpleITK.Image, extension: str) -> Geometry:
    """Return the geometry of a SimpleITK image; a 2-D one lies in the plane z = 0."""
    spacing, origin, direction = image.GetSpacing(), image.GetOrigin(), image.GetDirection()
    calibrated = extension not in PICTURE_EXTENSIONS and spacing[:2] != (1.0, 1.0)
    if image.GetDimension() == 2:
        (ii, ij), (ji, jj) = np.reshape(direction, (2, 2))
        direction = (float(ii), float(ij), 0.0, float(ji), float(jj), 0.0, *IDENTITY[6:])
        spacing, origin = (*spacing, 1.0), (*origin, 0.0)
    return Geometry(spacing=spacing, origin=origin, direction=direction, calibrated=calibrated)
