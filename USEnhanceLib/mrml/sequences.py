"""Sequence nodes: their items, an index like that of another sequence, and playing in step with it."""

from __future__ import annotations

from typing import Any

import slicer

from ..errors import InputError
from .volumes import VolumeLayout, layout_of

SEQUENCE = "vtkMRMLSequenceNode"


def is_sequence(node: Any) -> bool:
    """Whether `node` is a sequence of nodes, as ultrasound cines become in Slicer's DICOM module."""
    return node.IsA(SEQUENCE)


def layout_of_item(sequence: Any, index: int) -> VolumeLayout:
    """Return the layout of an item of a sequence. Raises InputError unless it is a volume with pixels."""
    name = f"Frame {index + 1} of {sequence.GetName()}"
    item = sequence.GetNthDataNode(index)
    if item is None:
        raise InputError(f"{name} is missing: load the sequence again.")
    return layout_of(item, name)


def copy_index(source: Any, target: Any) -> None:
    """Give the sequence `target` the kind of index (name, unit, numeric or text) that `source` has."""
    target.SetIndexName(source.GetIndexName())
    target.SetIndexUnit(source.GetIndexUnit())
    target.SetIndexType(source.GetIndexType())
    target.SetNumericIndexValueTolerance(source.GetNumericIndexValueTolerance())


def find_browser(sequence: Any) -> Any | None:
    """Return a browser node that plays `sequence`, or None."""
    browsers = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")
    return next((browser for browser in browsers if browser.IsSynchronizedSequenceNode(sequence, True)), None)


def play_with(sequence: Any, leader: Any) -> Any | None:
    """Make `sequence` play in step with the sequence `leader`; return a browser made for it, else None.

    It joins the leader's browser. A leader that has none gets one, so that both can be seen at all.
    """
    browser = find_browser(leader)
    created = None
    if browser is None:
        name = slicer.mrmlScene.GenerateUniqueName(f"{leader.GetName()} browser")
        browser = created = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", name)
        browser.SetAndObserveMasterSequenceNodeID(leader.GetID())
    if not browser.IsSynchronizedSequenceNode(sequence, True):
        browser.AddSynchronizedSequenceNode(sequence)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    return created


def shown_volume(node: Any) -> Any | None:
    """Return the volume that viewers show for `node`: itself, or the current frame of a sequence.

    None for a sequence that no browser plays.
    """
    if not is_sequence(node):
        return node
    browser = find_browser(node)
    return None if browser is None else browser.GetProxyNode(node)


def sequence_of(volume: Any) -> Any | None:
    """Return the sequence whose current frame the node `volume` shows, or None."""
    for browser in slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode"):
        sequence = browser.GetSequenceNode(volume)
        if sequence is not None:
            return sequence
    return None
