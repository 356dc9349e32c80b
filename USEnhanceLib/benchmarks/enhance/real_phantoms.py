"""Targets of the real phantom scans, chosen by eye: where wires cross the image, and where cysts lie.

Places are (row, column) in pixels of the file's frame, 0 being the first pixel. Scans of 2083 x 1455 pixels
show each echo some 40 pixels wide, for the scanner enlarged them for its screen; so they are measured as
stored, with 4 x 4 pixels averaged (0.116 mm a pixel, as frames of PSFHS and HC18 are sampled), and with 8 x 8
averaged (0.233 mm, about the distance of scan lines).

Wires ("sonoque_axial-lateral-resolution-2020.dcm", 10 MHz, 60 dB, 0.0291 mm a pixel): the rows and columns of
their brightest pixels. Of wires that touch in one direction only the other is measured. Their tops are
saturated, as log-compressed wires are, so the half height lies between speckle and white.

Cysts: two anechoic ones of 3 mm at 17 mm depth and a hypoechoic one at 31 mm
("sonoque_anechoic-3mm-3mm.dcm"), a hypoechoic one at 15 mm ("sonoque_axial-lateral-resolution-2020.dcm"), and
one in plain speckle ("sonivate-anechoic_1-1.nrrd").
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...frames import read_frames

WIRES_FILE = "phantom/sonoque_axial-lateral-resolution-2020.dcm"
CYSTS_FILE = "phantom/sonoque_anechoic-3mm-3mm.dcm"
PLAIN_FILE = "phantom/sonivate-anechoic_1-1.nrrd"
SECTOR = (100, 1412, 376, 1704)
WIRES_CROP = (900, 1204, 900, 1476)
WIRES_VIEWS = ((1, WIRES_CROP), (4, SECTOR), (8, SECTOR))
"""How wires are shown to methods: how many pixels are averaged, and in which part of the frame."""

LATERAL, AXIAL = "lateral", "axial"
REACH = {LATERAL: 60, AXIAL: 40}
"""Half length of the measuring lines, pixels of the file."""

INSIDE = 0.75
RING = (1.3, 1.7)
"""A cyst's grey values are taken within .75 radii, those around it between 1.3 and 1.7 radii."""


@dataclass(frozen=True)
class Wire:
    """A wire and the directions in which it stands free."""

    row: int
    column: int
    directions: tuple[str, ...]


WIRES = (
    Wire(1106, 999, (LATERAL, AXIAL)),
    Wire(1103, 1135, (LATERAL, AXIAL)),
    Wire(1070, 1247, (LATERAL,)),
    Wire(1037, 1321, (LATERAL, AXIAL)),
    Wire(1001, 1360, (LATERAL,)),
    Wire(966, 1378, (LATERAL,)),
)


@dataclass(frozen=True)
class Cyst:
    """A round target: its file, and its centre and radius in pixels of the file."""

    title: str
    file: str
    row: float
    column: float
    radius: float


CYSTS = (
    Cyst("anechoic 3 mm, left", CYSTS_FILE, 632, 846, 48),
    Cyst("anechoic 3 mm, right", CYSTS_FILE, 625, 1410, 48),
    Cyst("hypoechoic, 31 mm deep", CYSTS_FILE, 1126, 754, 118),
    Cyst("hypoechoic, 15 mm deep", WIRES_FILE, 593, 1111, 108),
    Cyst("in plain speckle", PLAIN_FILE, 418, 198, 42),
)
CROPS = {CYSTS_FILE: (SECTOR, 4), WIRES_FILE: (SECTOR, 4), PLAIN_FILE: ((40, 510, 133, 379), 1)}
"""File -> the part of the frame that methods see (top, bottom, left, right), and how it is shrunk."""


def read_crop(data: Path, file: str, crop: tuple[int, int, int, int], scale: int) -> np.ndarray:
    """Return a part of a scan, float32 [H, W] in [0, 1], `scale` x `scale` pixels averaged."""
    top, bottom, left, right = crop
    frame = read_frames(data / file).pixels[0, top:bottom, left:right]
    height, width = frame.shape[0] // scale, frame.shape[1] // scale
    blocks = frame[: height * scale, : width * scale].reshape(height, scale, width, scale)
    return np.ascontiguousarray(blocks.mean(axis=(1, 3), dtype=np.float64), dtype=np.float32)


def place_in_crop(place: float, start: int, scale: int) -> float:
    """Return where a pixel of the file lies in a crop that starts at `start` and is shrunk by `scale`."""
    return (place - start + 0.5) / scale - 0.5


def wire_lines(
    crop: tuple[int, int, int, int], scale: int
) -> list[tuple[str, tuple[float, float], tuple[float, float]]]:
    """Return (direction, start, end) of the lines through the wires, in pixels of a crop."""
    lines = []
    for wire in WIRES:
        row = place_in_crop(wire.row, crop[0], scale)
        column = place_in_crop(wire.column, crop[2], scale)
        for direction in wire.directions:
            reach = REACH[direction] / scale
            rows, columns = (0.0, reach) if direction == LATERAL else (reach, 0.0)
            lines.append((direction, (row - rows, column - columns), (row + rows, column + columns)))
    return lines


def cyst_regions(cyst: Cyst, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels inside and around a cyst, bool [H, W] each, in the crop of its file."""
    (top, _, left, _), scale = CROPS[cyst.file]
    row, column = np.ogrid[: shape[0], : shape[1]]
    distance = np.hypot(
        row - place_in_crop(cyst.row, top, scale), column - place_in_crop(cyst.column, left, scale)
    ) / (cyst.radius / scale)
    return distance < INSIDE, (distance > RING[0]) & (distance < RING[1])
