"""`usenhance enhance IN OUT`."""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..device import check_device_name
from ..enhancement import EnhancementResult, check_method, check_uncertainty, load_enhancer
from ..enhancement.distrust import SETTING, distrusted, threshold_in_words
from ..errors import InputError, OptionError
from ..frames import Frames, check_writable, read_frames, write_frames
from .beside import beside, describe, without_values
from .console import Console
from .places import same_file


def run(arguments: argparse.Namespace, console: Console) -> None:
    """Enhance a file. All that can be checked is checked before a network is loaded."""
    source, target = Path(arguments.input), Path(arguments.output)
    uncertainty, distrust = (
        None if path is None else Path(path) for path in (arguments.uncertainty, arguments.distrust)
    )
    wants_uncertainty = uncertainty is not None or distrust is not None
    _check_places(source, target, {"--uncertainty": uncertainty, "--distrust": distrust})
    check_method(arguments.method)
    if wants_uncertainty:
        check_uncertainty(arguments.method, arguments.samples)
    check_device_name(arguments.device)
    frames = read_frames(source, arguments.axis)
    check_writable(target, frames)
    if uncertainty is not None:
        check_writable(uncertainty, without_values(frames, np.float32(0)))
    if distrust is not None:
        check_writable(distrust, without_values(frames, np.uint8(0)))
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
    result = enhancer(frames.pixels, progress=progress, seed=arguments.seed, uncertainty=wants_uncertainty)
    for note in dict.fromkeys((*frames.notes, *result.notes)):
        console.fact("Note", note)
    write_results(frames, result, target, uncertainty, distrust)
    if distrust is not None:
        console.fact("Distrust", f"where labelled 1: {threshold_in_words(result.parameters[SETTING])}")
    rate = len(result.frames) / max(result.seconds, 1e-9)
    console.fact("Done", f"{result.seconds:.1f} s on {result.device}, {rate:.3g} frames/s")
    for path in (target, uncertainty, distrust):
        if path is not None:
            console.fact("Written", str(path))


def write_results(
    frames: Frames,
    result: EnhancementResult,
    target: Path,
    uncertainty: Path | None,
    distrust: Path | None,
) -> None:
    """Write the enhanced frames and, where asked, their uncertainty and what not to trust: all or none."""
    enhanced = frames.with_pixels(result.frames, result.provenance())
    waiting: dict[Path, Path] = {}
    try:
        for path, make in ((uncertainty, uncertainty_frames), (distrust, distrust_frames)):
            if path is not None:
                waiting[path] = path.with_name(f".{uuid.uuid4().hex[:12]}.{path.name}")
                write_frames(waiting[path], make(frames, result))
        write_frames(target, enhanced)
        for path, complete in waiting.items():
            complete.replace(path)
    finally:
        for incomplete in waiting.values():
            incomplete.unlink(missing_ok=True)


def uncertainty_frames(frames: Frames, result: EnhancementResult) -> Frames:
    """Return the standard deviation as float32 where `frames` lie, in shares of the grey scale.

    Outside the scan sector, where nothing changes, it is 0. Raises OptionError where there is none.
    """
    attributes = {**result.provenance(), "USEnhance.Content": "standard deviation"}
    return beside(frames, _spread(result) * frames.sector, f"uncertainty of {frames.name}", attributes)


def distrust_frames(frames: Frames, result: EnhancementResult) -> Frames:
    """Return the regions not to be trusted as uint8 where `frames` lie: 1, and 0 elsewhere.

    Raises OptionError where there is no uncertainty.
    """
    spread = _spread(result)
    above = result.parameters[SETTING]
    attributes = {
        **result.provenance(),
        "USEnhance.Content": "labels: 1 = do not trust",
        "USEnhance.DistrustAbove": f"{above:.6g}",
    }
    labels = distrusted(spread, above, frames.sector)
    return beside(frames, labels, f"labels of {frames.name}", attributes)


def _spread(result: EnhancementResult) -> np.ndarray:
    if result.uncertainty is None:
        raise OptionError(
            f"The method {result.method} gives no uncertainty: leave --uncertainty and --distrust out."
        )
    return result.uncertainty


def _check_places(source: Path, target: Path, others: Mapping[str, Path | None]) -> None:
    if same_file(source, target):
        raise InputError(f"{target} is the input itself: write the result under another name.")
    check_writable(target)
    taken = {"the input": source, "the output": target}
    for option, path in others.items():
        if path is None:
            continue
        for what, other in taken.items():
            if same_file(path, other):
                raise InputError(f"{path} is {what} itself: give {option} another name.")
        check_writable(path)
        taken[f"the file of {option}"] = path
