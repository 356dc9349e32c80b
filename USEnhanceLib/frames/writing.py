"""Writing frames to files: all or nothing, and only into formats that can hold them exactly."""

from __future__ import annotations

import gzip
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, OutputError
from .completeness import is_complete
from .dependencies import load
from .reading import DICOM_EXTENSIONS, file_extension
from .stack import Frames

if TYPE_CHECKING:
    import SimpleITK

VOLUME_EXTENSIONS = (".nrrd", ".mha", ".nii", ".nii.gz")
TIFF_TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32")
FILE_TYPES = (*TIFF_TYPES, "int64", "uint64", "float64")
METADATA_EXTENSIONS = (".nrrd", ".mha")


def check_writable(path: str | os.PathLike[str], frames: Frames | None = None) -> Path:
    """Return `path` if a file can be written there; to be called before hours of work.

    Creates a file in the folder and removes it again: permissions alone do not tell on network drives.
    With `frames` also checks that the format can hold them and that they do not come from that very file.
    Raises InputError for a missing or read-only folder, a protected file and an unknown extension.
    """
    path = Path(path)
    extension = file_extension(path)
    if extension not in (*VOLUME_EXTENSIONS, *DICOM_EXTENSIONS, ".png", ".tif", ".tiff"):
        if extension in (".jpg", ".jpeg"):
            raise InputError(f"{path.name} cannot be JPEG, which would alter every pixel: use .png or .nrrd.")
        raise InputError(
            f"{path.name} has no extension that can be written: use .nrrd, .mha, .nii.gz, .dcm, .png or .tif."
        )
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}: create it, or write elsewhere.")
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the name of a file.")
    if path.exists() and not os.access(path, os.W_OK):
        raise InputError(f"{path} is protected against writing: choose another name.")
    probe = _partial(path, extension)
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"The folder {path.parent} cannot be written to ({error.strerror}): choose another one."
        ) from error
    if frames is not None:
        _check_format(path, extension, frames)
    return path


def write_frames(path: str | os.PathLike[str], frames: Frames) -> Path:
    """Write `frames` with the dtype, size and geometry of their source, and return the path.

    The extension decides: .nrrd, .mha, .nii, .nii.gz (any stack), .tif (no 64-bit numbers; keeps the
    pixel size only), .png (one frame of uint8 or uint16), .dcm (frames read from DICOM: a derived image
    of the same patient and study in a new series). `Frames.attributes` go into NRRD and MHA as
    key/value pairs and into DICOM as its derivation. The file appears complete or not at all: it is
    written under another name in the same folder, checked, then renamed. An existing file is replaced.

    Raises InputError (before any work) as `check_writable`, and OutputError where writing fails midway.
    """
    path = check_writable(path, frames)
    extension = file_extension(path)
    with _appearing(path, extension) as partial:
        if extension in DICOM_EXTENSIONS:
            from .derived import write_derived

            write_derived(partial, frames)
        else:
            _write_image(partial, extension, frames)
    return path


def _check_format(path: Path, extension: str, frames: Frames) -> None:
    if frames.file is not None and path.exists() and path.samefile(frames.file):
        raise InputError(f"{path.name} is the input itself: write the result under another name.")
    source, dtype = frames.source, frames.source.dtype.name
    if extension in DICOM_EXTENSIONS:
        from .derived import check_derivable

        check_derivable(path, frames)
    elif extension == ".png" and (len(source) > 1 or dtype not in ("uint8", "uint16")):
        raise InputError(
            f"{path.name} cannot hold {len(source)} frames of {dtype}, as PNG is one frame of 8 or 16 bits: "
            "use .nrrd."
        )
    elif dtype not in (TIFF_TYPES if extension in (".tif", ".tiff") else FILE_TYPES):
        raise InputError(
            f"{path.name} cannot hold numbers of type {dtype}: use .nrrd with float32 or float64."
        )


def _partial(path: Path, extension: str) -> Path:
    """Return a name in the folder of `path` that no other process uses, with the same extension."""
    return path.with_name(f".{path.name[: -len(extension)]}.{uuid.uuid4().hex[:12]}.part{extension}")


@contextmanager
def _appearing(path: Path, extension: str) -> Iterator[Path]:
    """Give the name to write to; rename it to `path` afterwards, or remove it after an error."""
    partial = _partial(path, extension)
    try:
        yield partial
        if not is_complete(partial, extension):
            raise OSError("the file is cut short")
        _flush(partial)
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "no room left, or the drive is gone"
        raise OutputError(
            f"{path} could not be written ({reason}): free some space and try again."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Wait until the file is on the drive: network and full drives report errors only then."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _write_image(path: Path, extension: str, frames: Frames) -> None:
    sitk = load("SimpleITK")
    array = frames.to_array()
    if extension == ".png" and not frames.planar:
        array = array[0]
    image = sitk.GetImageFromArray(
        array.astype(array.dtype.newbyteorder("="), copy=False), isVector=frames.colour
    )
    del array
    _set_geometry(image, frames)
    if extension in METADATA_EXTENSIONS:
        for key, value in frames.attributes.items():
            image.SetMetaData(str(key), " ".join(str(value).split()))
    if extension == ".nii.gz":
        _write_compressed_nifti(path, image)
    else:
        sitk.WriteImage(image, str(path))


def _set_geometry(image: SimpleITK.Image, frames: Frames) -> None:
    geometry = frames.geometry
    dimension = image.GetDimension()
    direction = np.reshape(geometry.direction, (3, 3))[:dimension, :dimension]
    image.SetSpacing(geometry.spacing[:dimension])
    image.SetOrigin(geometry.origin[:dimension])
    # A frame cut out of an oblique volume has no direction of its own in two dimensions.
    if abs(np.linalg.det(direction)) > 0.5:
        image.SetDirection([float(value) for value in direction.ravel()])


def _write_compressed_nifti(path: Path, image: SimpleITK.Image) -> None:
    """Write a .nii.gz: ITK ignores a full disk while it compresses, the gzip module does not."""
    sitk = load("SimpleITK")
    plain = path.with_name(path.name[: -len(".gz")])
    try:
        sitk.WriteImage(image, str(plain))
        if not is_complete(plain, ".nii"):
            raise OSError("the file is cut short")
        with plain.open("rb") as file, gzip.open(path, "wb", compresslevel=5) as packed:
            shutil.copyfileobj(file, packed, 1 << 20)
    finally:
        plain.unlink(missing_ok=True)
