"""The geometry of a DICOM image: pixel size from its ultrasound regions, position, direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .stack import IDENTITY, Geometry

if TYPE_CHECKING:
    from pydicom import Dataset

CENTIMETRES = 3  # PhysicalUnitsXDirection, PS3.3 C.8.5.5.1.15
SPATIAL_2D = 1  # RegionSpatialFormat, PS3.3 C.8.5.5.1.1
SEVERAL_REGIONS = (
    "The image has regions of different pixel sizes: millimetres hold for the largest region only."
)


def find_geometry(dataset: Dataset, shape: tuple[int, ...]) -> tuple[Geometry, tuple[str, ...]]:
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
