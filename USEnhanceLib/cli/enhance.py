"""`usenhance enhance IN OUT`."""

from __future__ import annotations

import argparse
import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..enhancement import EnhancementResult, check_method, load_enhancer
from ..enhancement.device import check_device_name
from ..errors import InputError, OptionError
from ..frames import Frames, check_writable, frames_from_array, read_frames, write_frames
from ..frames.stack import slice_view
from .console import Console
from .places import same_file


def run(arguments: argparse.Namespace, console: Console) -> None:
    """Enhance a file. All that can be checked is checked before a network is loaded."""
    source, target = Path(arguments.input), Path(arguments.output)
    uncertainty = Path(arguments.uncertainty) if arguments.uncertainty is not None else None
    _check_places(source, target, uncertainty)
    check_method(arguments.method)
    check_device_name(arguments.device)
    frames = read_frames(source, arguments.axis)
    check_writable(target, frames)
    if uncertainty is not None:
        check_writable(uncertainty, _without_values(frames))
    console.fact("Input", describe(frames))

    enhancer = load_enhancer(
        arguments.method,
        arguments.device,
        strength=arguments.strength,
        tile=arguments.tile,
        steps=arguments.steps,
        samples=arguments.samples,
    )
    facts = enhancer.description
    console.fact("Model", f"{facts['method']} {facts['model_version']}")
    console.fact("Device", f"{facts['device']} ({facts['device_reason']})")
    progress = console.progress("frames")
    progress(0, len(frames.pixels))
    result = enhancer(
        frames.pixels, progress=progress, seed=arguments.seed, uncertainty=uncertainty is not None
    )
    for note in dict.fromkeys((*frames.notes, *result.notes)):
        console.fact("Note", note)
    write_results(frames, result, target, uncertainty)
    rate = len(result.frames) / max(result.seconds, 1e-9)
    console.fact("Done", f"{result.seconds:.1f} s on {result.device}, {rate:.3g} frames/s")
    for path in (target, uncertainty):
        if path is not None:
            console.fact("Written", str(path))


def describe(frames: Frames) -> str:
    """Return name, size, kind and pixel size of frames."""
    count, height, width = frames.pixels.shape
    kind = f"{frames.source.dtype.name}, {'colour' if frames.colour else 'grey'}"
    size = frames.pixel_size
    scale = f"{size[1]:.3g} x {size[0]:.3g} mm per pixel" if size else "no physical pixel size"
    plural = "s" if count > 1 else ""
    return f"{frames.name}, {count} frame{plural} of {width} x {height} pixels, {kind}, {scale}"


def write_results(frames: Frames, result: EnhancementResult, target: Path, uncertainty: Path | None) -> None:
    """Write the enhanced frames and, where asked, their uncertainty: both files or none."""
    enhanced = frames.with_pixels(result.frames, result.provenance())
    if uncertainty is None:
        write_frames(target, enhanced)
        return
    waiting = uncertainty.with_name(f".{uuid.uuid4().hex[:12]}.{uncertainty.name}")
    try:
        write_frames(waiting, uncertainty_frames(frames, result))
        write_frames(target, enhanced)
        waiting.replace(uncertainty)
    finally:
        waiting.unlink(missing_ok=True)


def uncertainty_frames(frames: Frames, result: EnhancementResult) -> Frames:
    """Return the standard deviation as float32 where `frames` lie, in shares of the grey scale.

    Outside the scan sector, where nothing changes, it is 0. Raises OptionError where there is none.
    """
    if result.uncertainty is None:
        raise OptionError(f"The method {result.method} gives no uncertainty: leave --uncertainty out.")
    values = np.zeros(frames.source.shape[:3], dtype=np.float32)
    slice_view(values, frames.axis)[...] = result.uncertainty * frames.sector
    return frames_from_array(
        values[0] if frames.planar else values,
        axis=frames.axis,
        geometry=frames.geometry,
        name=f"uncertainty of {frames.name}",
        sector=np.zeros(frames.pixels.shape[1:], dtype=bool),
        attributes={**result.provenance(), "USEnhance.Content": "standard deviation"},
    )


def _without_values(frames: Frames) -> Frames:
    """Return frames of the kind that the uncertainty will have, which take no memory."""
    return replace(frames, source=np.broadcast_to(np.float32(0), frames.source.shape[:3]))


def _check_places(source: Path, target: Path, uncertainty: Path | None) -> None:
    if same_file(source, target):
        raise InputError(f"{target} is the input itself: write the result under another name.")
    check_writable(target)
    if uncertainty is not None:
        for other, what in ((source, "the input"), (target, "the output")):
            if same_file(uncertainty, other):
                raise InputError(f"{uncertainty} is {what} itself: give --uncertainty another name.")
        check_writable(uncertainty)
