"""`usenhance segment IN OUT`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from ..device import check_device_name
from ..errors import InputError
from ..frames import Frames, check_writable, read_frames, write_frames
from ..segmentation import STRUCTURES, check_segmenter, load_segmenter
from ..segmentation.segmentation_file import segment_attributes
from .beside import beside, describe, without_values
from .console import Console
from .places import same_file


def run(arguments: argparse.Namespace, console: Console) -> None:
    """Outline a file. All that can be checked is checked before a network is loaded."""
    source, target = Path(arguments.input), Path(arguments.output)
    if same_file(source, target):
        raise InputError(f"{target} is the input itself: write the labels under another name.")
    check_writable(target)
    check_segmenter(arguments.model)
    check_device_name(arguments.device)
    frames = read_frames(source, arguments.axis)
    check_writable(target, without_values(frames, np.uint8(0)))
    console.fact("Input", describe(frames))

    segmenter = load_segmenter(arguments.model, arguments.device)
    facts = segmenter.description
    console.fact("Model", f"{facts['model']} {facts['model_version']}")
    console.fact("Device", f"{facts['device']} ({facts['device_reason']})")
    progress = console.progress("frames")
    progress(0, len(frames.pixels))
    begun = time.perf_counter()
    labels = segmenter(frames.pixels, progress=progress)
    seconds = time.perf_counter() - begun
    for note in frames.notes:
        console.fact("Note", note)
    write_frames(target, label_frames(frames, labels, segmenter.provenance()))
    for structure in STRUCTURES:
        found = int((labels == structure.label).any((1, 2)).sum())
        text = f"label {structure.label}, in {found} of {len(labels)} frames"
        console.fact(structure.name, text)
    console.fact("Done", f"{seconds:.1f} s, {len(labels) / max(seconds, 1e-9):.3g} frames/s")
    console.fact("Written", str(target))


def label_frames(frames: Frames, labels: np.ndarray, provenance: dict[str, str]) -> Frames:
    """Return labels [N, H, W] as an image where `frames` lie, with names and colours for Slicer."""
    attributes = {**provenance, **segment_attributes()}
    return beside(frames, labels, f"structures of {frames.name}", attributes)
