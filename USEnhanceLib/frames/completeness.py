"""Files that are cut short but that ITK reads all the same, filling the rest with zeros or dropping pages.

ITK reports truncated NRRD, MHA and PNG files itself; NIfTI, JPEG and TIFF it does not.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

NIFTI1_HEADER = 348
JPEG_END = b"\xff\xd9"
# Some writers pad a JPEG file after its end marker.
JPEG_TAIL = 4096
TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
STRIP_OFFSETS, STRIP_BYTES, TILE_OFFSETS, TILE_BYTES = 273, 279, 324, 325


def is_complete(path: Path, extension: str) -> bool:
    """Return whether the file holds all that its header announces; true for kinds that ITK checks."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if extension == ".nii":
            return size >= _nifti_size(file)
        if extension in (".jpg", ".jpeg"):
            file.seek(max(0, size - JPEG_TAIL))
            return JPEG_END in file.read()
        if extension in (".tif", ".tiff"):
            return _tiff_size(file, size) <= size
    return True


def _nifti_size(file: BinaryIO) -> int:
    """Return the number of bytes that a NIfTI-1 header announces; 0 for other headers."""
    header = file.read(NIFTI1_HEADER)
    order = "<" if header[:4] == struct.pack("<i", NIFTI1_HEADER) else ">"
    if len(header) < NIFTI1_HEADER or struct.unpack(order + "i", header[:4])[0] != NIFTI1_HEADER:
        return 0
    dimensions = struct.unpack(order + "8h", header[40:56])
    (bits,) = struct.unpack(order + "h", header[72:74])
    (offset,) = struct.unpack(order + "f", header[108:112])
    voxels = 1
    for length in dimensions[1 : dimensions[0] + 1]:
        voxels *= length
    return int(offset) + voxels * bits // 8


def _tiff_size(file: BinaryIO, size: int) -> int:
    """Return the last byte that the pages of a classic TIFF refer to; 0 for BigTIFF."""
    header = file.read(8)
    order = "<" if header[:2] == b"II" else ">"
    if len(header) < 8:
        return size + 1
    magic, page = struct.unpack(order + "HI", header[2:])
    if magic != 42:
        return 0
    needed, seen = 0, set()
    while page and page not in seen:
        seen.add(page)
        file.seek(page)
        raw = file.read(2)
        if len(raw) < 2:
            return size + 1
        (count,) = struct.unpack(order + "H", raw)
        entries = file.read(12 * count + 4)
        if len(entries) < 12 * count + 4:
            return size + 1
        tags = dict(_tiff_entry(file, entries[12 * n : 12 * n + 12], order) for n in range(count))
        for offsets, lengths in ((STRIP_OFFSETS, STRIP_BYTES), (TILE_OFFSETS, TILE_BYTES)):
            ends = [a + b for a, b in zip(tags.get(offsets, ()), tags.get(lengths, ()), strict=False)]
            needed = max([needed, *ends])
        (page,) = struct.unpack(order + "I", entries[-4:])
    return needed


def _tiff_entry(file: BinaryIO, entry: bytes, order: str) -> tuple[int, tuple[int, ...]]:
    """Return tag and values of a TIFF entry; no values unless they are offsets or lengths."""
    tag, kind, count = struct.unpack(order + "HHI", entry[:8])
    if tag not in (STRIP_OFFSETS, STRIP_BYTES, TILE_OFFSETS, TILE_BYTES) or kind not in (3, 4):
        return tag, ()
    length = TIFF_SIZES[kind] * count
    raw = entry[8 : 8 + length]
    if length > 4:
        (where,) = struct.unpack(order + "I", entry[8:])
        file.seek(where)
        raw = file.read(length)
        if len(raw) < length:
            return tag, (where + length,)
    return tag, struct.unpack(f"{order}{count}{'H' if kind == 3 else 'I'}", raw)
