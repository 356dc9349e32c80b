"""How results are shown: before or after in the slice viewers, and the uncertainty as an overlay."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk

from .distrust import labels_of, show_labels
from .sequences import shown_volume
from .volumes import pixels_of

INFERNO = "vtkMRMLColorTableNodeFileInferno.txt"
# Of the largest uncertainty (99.9th percentile): less than this share is transparent.
TRANSPARENT_BELOW = 0.2
_LARGEST_PERCENTILE = 99.9
_SMALLEST_RANGE = 1e-3
_SAMPLED_PIXELS = 100_000


def display_like(volume: Any, source: Any | None) -> None:
    """Show `volume` with the window, level, colours and interpolation of `source`, so that they compare."""
    if volume.GetDisplayNode() is None:
        volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    pattern = None if source is None else source.GetDisplayNode()
    if display is None or pattern is None:
        return
    was_modifying = display.StartModify()
    # Auto would give each image another window: the comparison would be one of windows.
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(pattern.GetWindow(), pattern.GetLevel())
    display.SetInterpolate(pattern.GetInterpolate())
    if pattern.GetColorNodeID():
        display.SetAndObserveColorNodeID(pattern.GetColorNodeID())
    display.EndModify(was_modifying)


def display_uncertainty(volume: Any, image: vtk.vtkImageData) -> None:
    """Show an uncertainty map, whose pixels are `image`, in Inferno colours, transparent where it is low."""
    if volume.GetDisplayNode() is None:
        volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    if display is None:
        return
    values = pixels_of(image).ravel()
    # Some of the pixels tell as much, and at once.
    sample = values[:: 1 + values.size // _SAMPLED_PIXELS]
    high = max(float(np.percentile(sample, _LARGEST_PERCENTILE)), _SMALLEST_RANGE)
    was_modifying = display.StartModify()
    display.SetAndObserveColorNodeID(INFERNO)
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0.0, high)
    display.AutoThresholdOff()
    display.SetThreshold(TRANSPARENT_BELOW * high, 1.0)
    display.ApplyThresholdOn()
    display.EndModify(was_modifying)


def show(node: Any) -> bool:
    """Show a volume, or the current frame of a sequence, in all slice viewers; return whether it could be.

    Views that show nothing yet are fitted to it; others keep their position and zoom, so that switching
    between before and after moves nothing.
    """
    volume = shown_volume(node)
    if volume is None:
        return False
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    is_first = not any(composite.GetBackgroundVolumeID() for composite in composites)
    slicer.util.setSliceViewerLayers(background=volume, fit=is_first)
    return True


def show_overlay(node: Any | None, opacity: float) -> bool:
    """Lay an uncertainty map over all slice viewers with `opacity` in 0..1; None takes the overlay away.

    The regions that are not to be trusted come and go with it. Return whether there is something to see.
    """
    volume = None if node is None else shown_volume(node)
    slicer.util.setSliceViewerLayers(foreground=volume, foregroundOpacity=opacity if volume else 0.0)
    show_labels(labels_of(node), opacity)
    return volume is not None


def is_overlaid(node: Any) -> bool:
    """Whether the map `node` lies over any slice viewer."""
    volume = shown_volume(node)
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    return volume is not None and any(c.GetForegroundVolumeID() == volume.GetID() for c in composites)


def shown_input() -> Any | None:
    """Return the volume that the first slice viewer shows, or None."""
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        if composite.GetBackgroundVolumeID():
            return slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID())
    return None
