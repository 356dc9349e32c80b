"""Writing DICOM: an image derived from the one that the frames were read from.

PS3.3 C.7.6.1.1.2 (Image Type), C.12.4 (derivation), C.7.5.2 (contributing equipment).
The result stays with its patient and study, in a series of its own, and is stored uncompressed.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .dicom import discreet
from .stack import Frames

if TYPE_CHECKING:
    from pydicom import Dataset

US_IMAGE = "1.2.840.10008.5.1.4.1.1.6.1"
US_MULTIFRAME = "1.2.840.10008.5.1.4.1.1.3.1"
DERIVED_CLASSES = (US_IMAGE, US_MULTIFRAME)
BIG_ENDIAN = "1.2.840.10008.1.2.2"
MAXIMUM_BYTES = 2**32 - 2
METHOD_KEYS = ("USEnhance.Method", "USEnhance.ModelVersion", "USEnhance.Parameters")
# Elements that describe the stored pixels of the original and would be wrong for the derived image.
STALE = (
    "PaletteColorLookupTableUID",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "IconImageSequence",
    "ICCProfile",
    "DigitalSignaturesSequence",
    "MACParametersSequence",
)


def check_derivable(path: Path, frames: Frames) -> None:
    """Raise InputError unless `frames` came from an ultrasound DICOM file and fit into DICOM."""
    advice = "write .nrrd instead."
    dataset = _read_header(frames)
    if dataset is None:
        raise InputError(
            f"{path.name} cannot be DICOM, as {frames.name} was not read from a DICOM file: {advice}"
        )
    if str(dataset.get("SOPClassUID", "")) not in DERIVED_CLASSES:
        raise InputError(
            f"{path.name} cannot be DICOM, as {frames.name} is no ultrasound image or cine: {advice}"
        )
    if str(dataset.file_meta.get("TransferSyntaxUID", "")) == BIG_ENDIAN:
        raise InputError(
            f"{path.name} cannot be DICOM, as {frames.name} is in the retired big-endian encoding: {advice}"
        )
    # The IODs of ultrasound allow 8 bits, grey or colour, and 16 bits for grey (PS3.3 C.8.5.6.1).
    allowed = ("uint8",) if frames.colour else ("uint8", "uint16")
    if frames.source.dtype.name not in allowed or frames.source.nbytes > MAXIMUM_BYTES:
        raise InputError(
            f"{path.name} cannot be DICOM, which has no {frames.source.dtype.name} ultrasound of this size: "
            f"{advice}"
        )


def write_derived(path: Path, frames: Frames) -> None:
    """Write `frames` as the derived ultrasound DICOM file `path`; `check_derivable` comes first."""
    from pydicom.uid import ExplicitVRLittleEndian

    with discreet():
        dataset = _read_header(frames)
        _set_pixels(dataset, frames.to_array())
        _set_derivation(dataset, frames)
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        try:
            dataset.save_as(path, enforce_file_format=True, implicit_vr=False, little_endian=True)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{frames.name} has DICOM elements that cannot be copied as they are not valid: "
                "write .nrrd instead."
            ) from error


def _read_header(frames: Frames) -> Dataset | None:
    """Return all but the pixels of the DICOM file behind `frames`; None if there is none."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    if frames.file is None:
        return None
    try:
        with discreet():
            return pydicom.dcmread(frames.file, stop_before_pixels=True)
    except InvalidDicomError:
        return None
    except OSError as error:
        raise InputError(
            f"{frames.name} is no longer there to copy its study from: write .nrrd instead."
        ) from error


def _set_pixels(dataset: Dataset, array: np.ndarray) -> None:
    """Put `array` [K, J, I] or [K, J, I, 3] into `dataset`, with all elements that describe pixels."""
    for keyword in STALE:
        if keyword in dataset:
            delattr(dataset, keyword)
    bits = 8 * array.dtype.itemsize
    colour = array.ndim == 4
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
    elif "PlanarConfiguration" in dataset:
        del dataset.PlanarConfiguration
    if bits == 8 or "BitsStored" not in dataset:
        dataset.BitsStored = bits
    dataset.BitsAllocated, dataset.HighBit, dataset.PixelRepresentation = bits, dataset.BitsStored - 1, 0
    dataset.Rows, dataset.Columns = array.shape[1:3]
    if len(array) > 1 or "NumberOfFrames" in dataset:
        dataset.NumberOfFrames = len(array)
    data = array.tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"


def _set_derivation(dataset: Dataset, frames: Frames) -> None:
    """Give `dataset` identifiers of its own and say what it was made from, how and by what."""
    from pydicom import Dataset, Sequence
    from pydicom.uid import generate_uid

    from .. import __version__

    now = datetime.datetime.now().astimezone()
    method = "; ".join(
        f"{key.rpartition('.')[2]}: {frames.attributes[key]}"
        for key in METHOD_KEYS
        if key in frames.attributes
    )
    equipment = Dataset()
    equipment.PurposeOfReferenceCodeSequence = Sequence([_code("109103", "Modifying Equipment")])
    equipment.Manufacturer = "USEnhance"
    equipment.ManufacturerModelName = "USEnhance"
    equipment.SoftwareVersions = __version__
    equipment.ContributionDateTime = now.strftime("%Y%m%d%H%M%S")
    equipment.ContributionDescription = "Enhanced the B-mode frames"

    rest = list(dataset.get("ImageType") or ())[2:]
    dataset.ImageType = ["DERIVED", "SECONDARY", *rest]
    if "SOPInstanceUID" in dataset:
        source = Dataset()
        source.ReferencedSOPClassUID = dataset.SOPClassUID
        source.ReferencedSOPInstanceUID = dataset.SOPInstanceUID
        source.PurposeOfReferenceCodeSequence = Sequence(
            [_code("121322", "Source Image for Image Processing Operation")]
        )
        dataset.SourceImageSequence = Sequence([source])
    dataset.DerivationDescription = f"Enhanced with USEnhance {__version__}. {method}".strip()[:1024]
    dataset.ContributingEquipmentSequence = Sequence(
        [*dataset.get("ContributingEquipmentSequence", ()), equipment]
    )
    dataset.SOPInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = generate_uid()
    dataset.SeriesDescription = f"{dataset.get('SeriesDescription') or ''} USEnhance".strip()[-64:]
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = (
        now.strftime("%Y%m%d"),
        now.strftime("%H%M%S"),
    )


def _code(value: str, meaning: str) -> Dataset:
    from pydicom import Dataset

    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code
