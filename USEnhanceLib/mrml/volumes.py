"""Volume nodes: their pixels as arrays, their geometry, and new volumes laid out like them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from ..errors import InputError
from ..frames import Geometry

SCALAR = "vtkMRMLScalarVolumeNode"
VECTOR = "vtkMRMLVectorVolumeNode"
VOLUMES = (SCALAR, VECTOR)
LABELS = "vtkMRMLLabelMapVolumeNode"
# RAS, in which Slicer thinks, and LPS, in which files and `Geometry` do, differ in the first two axes.
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class VolumeLayout:
    """All of a volume but its pixels: what an output must share with its input.

    class_name: of the node; scalar_type: VTK's number of the voxel type; components: values per voxel;
    extent: of the image (i, j, k, first and last); ijk_to_ras: 4 x 4, voxel indices to RAS millimetres.
    """

    class_name: str
    scalar_type: int
    components: int
    extent: tuple[int, ...]
    ijk_to_ras: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array of pixels: [K, J, I], or [K, J, I, components] where there are several."""
        first_i, last_i, first_j, last_j, first_k, last_k = self.extent
        size = (last_k - first_k + 1, last_j - first_j + 1, last_i - first_i + 1)
        return size if self.components == 1 else (*size, self.components)

    def of_floats(self) -> VolumeLayout:
        """Return the layout of a scalar volume of float32 in the same place."""
        return replace(self, class_name=SCALAR, scalar_type=vtk.VTK_FLOAT, components=1)

    def of_labels(self) -> VolumeLayout:
        """Return the layout of a label volume of uint8 in the same place."""
        return replace(self, class_name=LABELS, scalar_type=vtk.VTK_UNSIGNED_CHAR, components=1)

    def matches(self, other: VolumeLayout) -> bool:
        """Whether both have the same kind and number of pixels, wherever they lie."""
        return (self.class_name, self.scalar_type, self.shape) == (
            other.class_name,
            other.scalar_type,
            other.shape,
        )

    def new_image(self) -> vtk.vtkImageData:
        """Return an image of this layout, its pixels not yet set."""
        image = vtk.vtkImageData()
        image.SetExtent(*self.extent)
        image.AllocateScalars(self.scalar_type, self.components)
        return image

    def place(self, volume: Any, image: vtk.vtkImageData) -> None:
        """Make `image` the pixels of the node `volume`, and put it where this layout lies."""
        was_modifying = volume.StartModify()
        volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(self.ijk_to_ras))
        volume.SetAndObserveImageData(image)
        volume.EndModify(was_modifying)


def describe_type(node: Any) -> str:
    """Return the kind of a node in words, for messages."""
    return str(node.GetNodeTagName() or node.GetClassName())


def layout_of(volume: Any, name: str | None = None, class_names: tuple[str, ...] = VOLUMES) -> VolumeLayout:
    """Return the layout of a volume node; `name` is what messages call it.

    Raises InputError for a volume without pixels and for nodes of other classes than `class_names`, as a
    rule scalar and vector volumes.
    """
    name = name or volume.GetName()
    if volume.GetClassName() not in class_names:
        raise InputError(
            f"{name} is not a greyscale or colour volume ({describe_type(volume)}): "
            "choose a scalar or vector volume."
        )
    image = volume.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0 or image.GetPointData().GetScalars() is None:
        raise InputError(f"{name} has no pixels: load or choose a volume that is not empty.")
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return VolumeLayout(
        class_name=volume.GetClassName(),
        scalar_type=image.GetScalarType(),
        components=image.GetNumberOfScalarComponents(),
        extent=tuple(image.GetExtent()),
        ijk_to_ras=slicer.util.arrayFromVTKMatrix(matrix),
    )


def pixels_of(image: vtk.vtkImageData) -> np.ndarray:
    """Return a view of an image's pixels, [K, J, I] or [K, J, I, components], as VTK stores them."""
    values = vtk_to_numpy(image.GetPointData().GetScalars())
    columns, rows, slices = image.GetDimensions()
    components = image.GetNumberOfScalarComponents()
    shape = (slices, rows, columns)
    return values.reshape(shape if components == 1 else (*shape, components))


def geometry_of(layout: VolumeLayout, calibrated: bool) -> Geometry:
    """Return where a volume lies, in LPS, as the library wants it."""
    columns = layout.ijk_to_ras[:3, :3]
    spacing = np.linalg.norm(columns, axis=0)
    direction = _RAS_TO_LPS @ (columns / spacing)
    origin = _RAS_TO_LPS @ layout.ijk_to_ras[:3, 3]
    return Geometry(
        spacing=tuple(float(value) for value in spacing),
        origin=tuple(float(value) for value in origin),
        direction=tuple(float(value) for value in direction.ravel()),
        calibrated=calibrated,
    )


def new_volume(layout: VolumeLayout, name: str) -> Any:
    """Return a volume node of a layout's class, without pixels and in no scene."""
    volume = getattr(slicer, layout.class_name)()
    volume.SetName(name)
    return volume
