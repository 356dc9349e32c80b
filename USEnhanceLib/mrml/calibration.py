"""The pixel size of a volume: from the node, or from the DICOM file that it was loaded from.

Slicer gives an ultrasound DICOM that is loaded as a plain volume a spacing of 1, 1, 1: the calibration in
its SequenceOfUltrasoundRegions is lost. Through the DICOM module the same file keeps it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

_DICOM_MAGIC_OFFSET = 128
_DICOM_MAGIC = b"DICM"


def is_calibrated(spacing: tuple[float, float, float]) -> bool:
    """Whether `spacing` (i, j, k) is a physical one: Slicer gives images without calibration exactly 1."""
    return not np.allclose(spacing[:2], 1.0, rtol=0.0, atol=1e-6)


def file_of(volume: Any) -> Path | None:
    """Return the file that a volume node was loaded from or saved to, or None."""
    storage = volume.GetStorageNode()
    return Path(storage.GetFileName()) if storage is not None and storage.GetFileName() else None


def pixel_size_in_file(path: Path) -> tuple[float, float] | None:
    """Return width and height of a pixel in mm from a DICOM file.

    None where the file is gone or no DICOM, or is not calibrated either.
    """
    if not _is_dicom(path):
        return None
    from ..frames.dicom import read_pixel_size

    return read_pixel_size(path)


def _is_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(_DICOM_MAGIC_OFFSET)
            return file.read(len(_DICOM_MAGIC)) == _DICOM_MAGIC
    except OSError:
        return False
