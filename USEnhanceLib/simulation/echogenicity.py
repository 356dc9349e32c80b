"""Tissue from MRI: slices of pictures and volumes, and the echogenicity of the imaged plane."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..frames.dependencies import load

SUFFIXES = (".png", ".jpg", ".tif", ".nii", ".nii.gz", ".nrrd", ".mha")
BLACK, WHITE = 1.0, 99.5
"""Percentiles of an MRI's grey values that become black, and of those above it that become white."""
AXES = "kji"
TONES = 0.6, 2.5
"""Limits of the exponents that are drawn."""


@dataclass(frozen=True, eq=False)
class Tissue:
    """An MRI.

    Attributes:
        values: float32 in [0, 1], [K, J, I]; K is 1 for a picture.
        spacing: of the voxels along k, j and i, mm.
    """

    values: NDArray[np.float32]
    spacing: tuple[float, float, float]


@dataclass(frozen=True)
class View:
    """The part of an MRI that is imaged.

    Attributes:
        axis: along which the slice is taken, "k", "j" or "i".
        index: of the slice.
        row, column: centre of the image, as shares of the slice's edges.
        extent: edge of the square image as a share of the slice's shorter edge.
        angle: by which the image is turned, degrees.
        mirrored: whether left and right are exchanged.
        tone: exponent of the grey values; above 1 the image is darker.
    """

    axis: str
    index: int
    row: float
    column: float
    extent: float
    angle: float
    mirrored: bool
    tone: float

    def to_json(self) -> dict[str, Any]:
        """Return the view as a dictionary of numbers and strings."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> View:
        """Return the view of such a dictionary."""
        return cls(**values)


def find_mri(path: Path) -> list[Path]:
    """Return the MRI files of a folder and those below it, or the one file; sorted.

    Raises:
        InputError: there are none.
    """
    if path.is_file():
        files = [path]
    else:
        files = sorted(file for file in path.rglob("*") if file.name.lower().endswith(SUFFIXES))
    if not files:
        raise InputError(f"{path} has no MRI: give a file or a folder of {', '.join(SUFFIXES)} files.")
    return files


def subject_of(file: Path) -> str:
    """Return whose MRI a file is: its folder's name and its own, without the number of the slice."""
    stem = file.name.split(".")[0]
    return f"{file.parent.name}/{re.sub(r'_[0-9]+$', '', stem)}"


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


@lru_cache(maxsize=16)
def read_tissue(file: Path) -> Tissue:
    """Return the MRI of a file, its grey values stretched to [0, 1].

    Volumes are turned so that slices along j and i have the head up, as pictures mostly have.

    Raises:
        InputError: the file cannot be read, or all its values are the same.
    """
    sitk = load("SimpleITK")
    try:
        image = sitk.ReadImage(str(file))
        if image.GetDimension() == 3 and image.GetDepth() > 1:
            image = sitk.DICOMOrient(image, "LPS")
    except RuntimeError as error:
        raise InputError(f"{file} cannot be read as an MRI: give a picture or a volume.") from error
    values = sitk.GetArrayFromImage(image).astype(np.float32)
    if image.GetNumberOfComponentsPerPixel() > 1:
        values = values[..., :3].mean(axis=-1)
    if image.GetDimension() not in (2, 3):
        raise InputError(f"{file} has {image.GetDimension()} dimensions: give a picture or a volume.")
    values = values.reshape(-1, *values.shape[-2:])[::-1]
    black = float(np.percentile(values, BLACK))
    # The background would count for too much.
    tissue = values[values > black]
    if len(tissue) == 0:
        raise InputError(f"{file} shows nothing, all its values are the same: give another MRI.")
    spacing = (*image.GetSpacing()[:2], *image.GetSpacing()[2:], 1.0)[2::-1]
    white = float(np.percentile(tissue, WHITE))
    return Tissue(np.clip((values - black) / (white - black), 0, 1), spacing)


def draw_view(tissue: Tissue, rng: np.random.Generator) -> View:
    """Return a random view that shows tissue in most of the image, if one is found."""
    flat = tissue.values.shape[0] == 1
    for _ in range(30):
        axis = "k" if flat else str(rng.choice(list(AXES)))
        count = tissue.values.shape[AXES.index(axis)]
        index = 0 if flat else int(rng.integers(round(0.2 * count), max(round(0.8 * count), 1)))
        extent = float(rng.uniform(0.45, 0.95))
        free = (1 - extent) / 2
        view = View(
            axis=axis,
            index=index,
            row=round(0.5 + float(rng.uniform(-free, free)), 4),
            column=round(0.5 + float(rng.uniform(-free, free)), 4),
            extent=round(extent, 4),
            angle=round(float(rng.uniform(-20, 20)), 2),
            mirrored=bool(rng.integers(2)),
            tone=1.0,
        )
        seen = imaged_plane(tissue, view, 32)
        if (seen > 0.08).mean() > 0.6:
            break
    # MRI is as bright as its sequence makes it: the mean is drawn, as a sonographer turns the gain.
    mean = float(np.clip(seen.mean(), 0.02, 0.98))
    tone = np.clip(math.log(rng.uniform(0.3, 0.6)) / math.log(mean), *TONES)
    return replace(view, tone=round(float(tone), 3))


def imaged_plane(tissue: Tissue, view: View, size: int) -> NDArray[np.float32]:
    """Return the grey values of a view, [size, size] in [0, 1]; beyond the slice it is mirrored."""
    from scipy import ndimage

    axis = AXES.index(view.axis)
    plane = np.take(tissue.values, min(view.index, tissue.values.shape[axis] - 1), axis=axis)
    row_mm, column_mm = (spacing for place, spacing in enumerate(tissue.spacing) if place != axis)
    height, width = plane.shape[0] * row_mm, plane.shape[1] * column_mm
    edge = view.extent * min(height, width)
    step = edge / size
    # What is smaller than a pixel must not turn into patterns.
    blur = [max(0.0, 0.5 * math.sqrt(max((step / mm) ** 2 - 1, 0))) for mm in (row_mm, column_mm)]
    places = (np.arange(size) - (size - 1) / 2) * step
    down, right = np.meshgrid(places, -places if view.mirrored else places, indexing="ij")
    cos, sin = math.cos(math.radians(view.angle)), math.sin(math.radians(view.angle))
    rows = (view.row * height + down * cos + right * sin) / row_mm - 0.5
    columns = (view.column * width + right * cos - down * sin) / column_mm - 0.5
    smooth = ndimage.gaussian_filter(plane, blur)
    grey = ndimage.map_coordinates(smooth, [rows, columns], order=1, mode="reflect")
    return np.clip(grey, 0, 1) ** np.float32(view.tone)


def echogenicity_of(grey: NDArray[np.float32], contrast: float) -> NDArray[np.float32]:
    """Return the mean power of echoes, in [0, 1], of tissue with grey values in [0, 1].

    Grey values are taken for levels, as a B-mode image shows them: white is 0 dB, black `contrast` dB less.
    """
    return (10 ** (-contrast / 10 * (1 - grey))).astype(np.float32)
