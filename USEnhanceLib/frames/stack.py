"""`Frames`: a stack of B-mode frames, with all that is needed to give back exactly what came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..errors import USEnhanceError
from .intensity import add_change, to_unit
from .validation import AXES

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where the voxels lie: LPS, in the order i, j, k, as in SimpleITK.

    spacing: distance of voxels along i, j, k; origin: position of voxel (0, 0, 0); direction: row-major
    3 x 3 matrix whose columns are the unit vectors of i, j, k. Only where `calibrated` is true are
    these millimetres, and only then may a length be reported. The spacing of frames of a cine along k
    is 1: it is time, not length.
    """

    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = IDENTITY
    calibrated: bool = False


@dataclass(frozen=True, eq=False)
class Frames:
    """A stack of B-mode frames, ready to be enhanced, and the image that they came from.

    pixels: float32 [N, H, W], luminance in 0..1
    sector: bool [H, W] or [N, H, W], true inside the scan sector; nothing else is ever changed
    source: the array as stored, [K, J, I] or [K, J, I, 3], any real dtype; never written to
    axis: the axis of `source` along which the frames are stacked: "k" (N = K), "j" or "i"
    intensity_range: the values of `source` that are 0 and 1 in `pixels`
    geometry: position and spacing of `source`
    name: file or node, for messages
    notes: sentences that the user should read
    attributes: provenance, written into files that can hold it
    planar: the image had two dimensions: `to_array` and files give two dimensions back
    file: the file that they were read from, if any: a derived DICOM image takes its study from there
    """

    pixels: np.ndarray
    sector: np.ndarray
    source: np.ndarray
    axis: str
    intensity_range: tuple[float, float]
    geometry: Geometry
    name: str
    notes: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    planar: bool = False
    file: Path | None = None

    @property
    def colour(self) -> bool:
        """Whether `source` is RGB."""
        return self.source.ndim == 4

    @property
    def pixel_size(self) -> tuple[float, float] | None:
        """Height and width of a pixel of `pixels` in millimetres; None without calibration."""
        if not self.geometry.calibrated:
            return None
        rows, columns = [axis for axis in AXES if axis != self.axis]
        return self.geometry.spacing["ijk".index(rows)], self.geometry.spacing["ijk".index(columns)]

    def with_pixels(self, pixels: np.ndarray, attributes: Mapping[str, str] | None = None) -> Frames:
        """Return the same frames with new luminance `pixels`, [N, H, W] in 0..1.

        `attributes` are added to those that the frames have. Raises ValueError for another shape and
        USEnhanceError for NaN or infinite values.
        """
        pixels = np.asarray(pixels, dtype=np.float32)
        if pixels.shape != self.pixels.shape:
            raise ValueError(f"pixels must have the shape {self.pixels.shape}, not {pixels.shape}")
        if not (np.isfinite(pixels.min()) and np.isfinite(pixels.max())):
            raise USEnhanceError(
                f"The enhanced frames of {self.name} hold NaN or infinite values: try the device cpu."
            )
        return replace(self, pixels=pixels, attributes={**self.attributes, **(attributes or {})})

    def to_array(self) -> np.ndarray:
        """Return `pixels` as an image like `source`: its dtype, shape and layout.

        What is stored is `source` plus the rounded change of luminance, the same for R, G and B, so that
        colour stays; it is limited to the intensity range, and for RGB so that no channel clips. Outside
        the sector, where the luminance is as it was, and in frames of one constant luminance (a black
        frame holds nothing to enhance), the bits are those of `source`.
        Works frame by frame: the peak is one copy of `source` and a few frames of float64.
        """
        result = self.source.copy()
        slices = slice_view(result, self.axis)
        for index, new in enumerate(self.pixels):
            frame = slices[index]
            old = to_unit(frame, self.intensity_range)
            if old.min() == old.max():
                continue
            change = np.subtract(new, old, dtype=np.float64)
            sector = self.sector if self.sector.ndim == 2 else self.sector[index]
            slices[index] = add_change(frame, change, sector, self.intensity_range)
        return result[0] if self.planar else result


def slice_view(source: np.ndarray, axis: str) -> np.ndarray:
    """Return a view of `source` [K, J, I(, 3)] with the slice axis first: [N, H, W(, 3)]."""
    return np.moveaxis(source, AXES.index(axis), 0)


def stack_luminance(source: np.ndarray, axis: str, intensity_range: tuple[float, float]) -> np.ndarray:
    """Return the luminance of `source` as float32 [N, H, W] in 0..1, made frame by frame."""
    slices = slice_view(source, axis)
    pixels = np.empty(slices.shape[:3], dtype=np.float32)
    for index, frame in enumerate(slices):
        pixels[index] = to_unit(frame, intensity_range)
    return pixels
