"""Label volumes of the regions that are not to be trusted: their colours, and how they are shown.

A map of the uncertainty refers to the labels that were made with it: who has the map, has them too.
"""

from __future__ import annotations

from typing import Any

import slicer

from ..enhancement.distrust import threshold_in_words
from .sequences import sequence_of, shown_volume

DISTRUST_ROLE = "USEnhance.Distrust"
ABOVE = "USEnhance.DistrustAbove"
"""Attribute of labels and of their colours: the threshold, a share of the grey scale."""

# Not among the colours of the uncertainty, and seen on grey.
_COLOUR = (0.0, 0.8, 1.0, 1.0)


def labels_of(uncertainty: Any | None) -> Any | None:
    """Return the labels, a volume or a sequence, that were made with a map; None without."""
    return None if uncertainty is None else uncertainty.GetNodeReference(DISTRUST_ROLE)


def link(uncertainty: Any, labels: Any) -> None:
    """Make a map refer to its labels."""
    uncertainty.SetNodeReferenceID(DISTRUST_ROLE, labels.GetID())


def attribute_of(above: float) -> str:
    """Return a threshold as it stands in an attribute."""
    return f"{above:.6g}"


def find_colours(above: float) -> Any | None:
    """Return the table of colours for a threshold that the scene has, or None."""
    tables = slicer.util.getNodesByClass("vtkMRMLColorTableNode")
    return next((table for table in tables if table.GetAttribute(ABOVE) == attribute_of(above)), None)


def new_colours(above: float) -> Any:
    """Return a table of colours, in no scene, whose one entry says what is labelled; zero is transparent."""
    words = f"do not trust ({threshold_in_words(above)})"
    table = slicer.vtkMRMLColorTableNode()
    table.SetTypeToUser()
    table.SetName(slicer.mrmlScene.GenerateUniqueName(words))
    table.SetAttribute(ABOVE, attribute_of(above))
    table.SetNumberOfColors(2)
    table.SetColor(0, "", 0.0, 0.0, 0.0, 0.0)
    table.SetColor(1, words, *_COLOUR)
    return table


def display_labels(volume: Any, colours: Any) -> None:
    """Show a label volume in a table of colours."""
    if volume.GetDisplayNode() is None:
        volume.CreateDefaultDisplayNodes()
    if volume.GetDisplayNode() is not None:
        volume.GetDisplayNode().SetAndObserveColorNodeID(colours.GetID())


def show_labels(labels: Any | None, opacity: float) -> None:
    """Show labels in the label layer of all slice viewers with `opacity` in 0..1.

    None takes away those that lie there, but no labels that are not from here.
    """
    volume = None if labels is None else shown_volume(labels)
    if volume is not None:
        slicer.util.setSliceViewerLayers(label=volume, labelOpacity=opacity)
        return
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        shown = slicer.mrmlScene.GetNodeByID(composite.GetLabelVolumeID() or "")
        if shown is not None and (sequence_of(shown) or shown).GetAttribute(ABOVE):
            composite.SetLabelVolumeID(None)
