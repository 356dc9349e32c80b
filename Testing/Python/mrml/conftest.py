"""Real MRML with the logics that Slicer's own modules would bring; no Qt."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import vtk
from vtk.util.numpy_support import get_vtk_array_type, vtk_to_numpy

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SlicerStandIn"))


@pytest.fixture(scope="session")
def slicer_scene():
    """slicer.mrmlScene and slicer.modules, with the logics of colours, volumes, sequences and more."""
    from standin.scene import shared_scene

    return shared_scene()


@pytest.fixture
def scene(slicer_scene, monkeypatch):
    """slicer.mrmlScene without nodes of other tests. What an observer raises fails the test."""
    from standin import failures

    slicer_scene.install()
    slicer_scene.clear()
    failures.forget()
    monkeypatch.setattr(sys, "excepthook", failures.record_uncaught)
    yield slicer_scene.scene
    slicer_scene.clear()
    failures.raise_recorded()


@pytest.fixture
def speckle():
    """Makes arrays like speckled B-mode of any shape and dtype, the same ones each time."""

    def make(shape, dtype=np.uint8, high=200):
        values = np.random.default_rng(7).rayleigh(0.3, shape).clip(0.0, 1.0)
        return (values * high).astype(dtype)

    return make


@pytest.fixture
def add_volume(scene):
    """Adds a volume with pixels [K, J, I] or [K, J, I, components] of any dtype that VTK has."""

    def add(array, name="B-mode", spacing=(0.4, 0.3, 1.0), class_name=None):
        components = array.shape[3] if array.ndim == 4 else 1
        class_name = class_name or (
            "vtkMRMLVectorVolumeNode" if components > 1 else "vtkMRMLScalarVolumeNode"
        )
        image = vtk.vtkImageData()
        image.SetDimensions(*reversed(array.shape[:3]))
        image.AllocateScalars(get_vtk_array_type(array.dtype), components)
        vtk_to_numpy(image.GetPointData().GetScalars())[...] = array.reshape(
            (-1, components) if components > 1 else -1
        )
        volume = scene.AddNewNodeByClass(class_name, name)
        volume.SetSpacing(*spacing)
        volume.SetOrigin(5.0, -7.0, 11.0)
        volume.SetIJKToRASDirections(-1, 0, 0, 0, -1, 0, 0, 0, 1)
        volume.SetAndObserveImageData(image)
        volume.CreateDefaultDisplayNodes()
        return volume

    return add


@pytest.fixture
def add_sequence(scene, add_volume):
    """Adds a sequence of volumes with the given index values."""

    def add(arrays, name="Cine", index_values=None, spacing=(0.51, 0.51, 1.0)):
        sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
        sequence.SetIndexName("frame")
        sequence.SetIndexUnit("")
        for number, array in enumerate(arrays):
            volume = add_volume(array, "Item", spacing)
            volume.SetOrigin(0.0, 0.0, float(number))
            sequence.SetDataNodeAtValue(volume, str(number) if index_values is None else index_values[number])
            for index in range(volume.GetNumberOfDisplayNodes()):
                scene.RemoveNode(volume.GetNthDisplayNode(index))
            scene.RemoveNode(volume)
        return sequence

    return add


@pytest.fixture
def result_of():
    """Makes what an enhancer returns: the frames changed by a known amount, with a known uncertainty.

    uncertainty: whether there is one, or its values.
    """

    def make(frames, change=0.1, uncertainty=False, above=0.08):
        from USEnhanceLib.enhancement import EnhancementResult

        pixels = np.clip(frames.pixels + np.float32(change), 0.0, 1.0)
        spread = uncertainty
        if isinstance(uncertainty, bool):
            spread = np.full_like(pixels, 0.05) if uncertainty else None
        return EnhancementResult(
            frames=pixels,
            uncertainty=spread,
            seconds=0.1,
            device="cpu",
            device_reason="chosen by the test",
            method="scunet",
            model_version="1.0",
            parameters={"strength": 1.0, "seed": 0, **({} if spread is None else {"distrust_above": above})},
            notes=("A note of the enhancer.",),
        )

    return make
