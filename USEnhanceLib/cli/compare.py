"""`usenhance compare IN`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from ..device import check_device_name
from ..enhancement import check_method, load_enhancer
from ..errors import InputError
from ..frames import read_frames
from ..frames.labels import read_labels
from ..segmentation import BACKGROUND, STRUCTURES, check_segmenter, load_segmenter
from ..segmentation.comparison import Comparison, compare
from ..segmentation.orientation import inferior_side_of
from .beside import describe
from .console import Console
from .places import same_file

LABELS = (BACKGROUND, *(structure.label for structure in STRUCTURES))


def run(arguments: argparse.Namespace, console: Console) -> None:
    """Enhance, outline before and after, and compare."""
    source = Path(arguments.input)
    target = None if arguments.json is None else Path(arguments.json)
    if target is not None:
        _check_place(target, source, arguments.reference)
    check_method(arguments.method)
    check_segmenter(arguments.model)
    check_device_name(arguments.device)
    frames = read_frames(source, arguments.axis)
    reference = None
    if arguments.reference is not None:
        reference = read_labels(Path(arguments.reference), frames, LABELS)
    console.fact("Input", describe(frames))

    enhancer = load_enhancer(arguments.method, arguments.device)
    segmenter = load_segmenter(arguments.model, arguments.device)
    for what, facts in (("Method", enhancer.description), ("Segmenter", segmenter.description)):
        name = facts.get("method") or facts["model"]
        console.fact(what, f"{name} {facts['model_version']} on {facts['device']} ({facts['device_reason']})")
    result = enhancer(frames.pixels, progress=console.progress("frames enhanced"), seed=arguments.seed)
    enhanced = frames.with_pixels(result.frames).pixels
    before, after = (
        segmenter(pixels, progress=console.progress(f"{name} frames outlined"))
        for name, pixels in (("original", frames.pixels), ("enhanced", enhanced))
    )
    sector = frames.sector if frames.sector.ndim == 2 else frames.sector.any(0)
    side = inferior_side_of(arguments.display)
    found = compare(before, after, reference, sector, frames.pixel_size, inferior_side=side)
    for note in dict.fromkeys((*frames.notes, *result.notes, *found.notes)):
        console.fact("Note", note)
    for line in lines_of(found):
        console.say(line)
    if target is not None:
        from ..benchmarks.record import write_json

        record = {
            "input": frames.name,
            "frames": len(before),
            "provenance": {**result.provenance(), **segmenter.provenance()},
            **found.to_json(),
        }
        write_json(target, record)
        console.fact("Written", str(target))


def lines_of(found: Comparison) -> Iterator[str]:
    """Yield the means as sentences; figures without a reference are called agreement."""
    means = found.means()
    if not found.has_reference:
        yield "No reference: what follows tells how far original and enhanced agree, not which is right."
    describe_structure = _against_reference if found.has_reference else _agreement
    for structure in STRUCTURES:
        yield f"{structure.name}: {describe_structure(means[structure.name], found.unit)}"
    for which in ("original", "enhanced", *(["reference"] if found.has_reference else [])):
        yield f"Angle of progression, {which}: {_angles(found, which)}"


def _against_reference(own: Mapping[str, float], unit: str) -> str:
    measured = (("dice", "Dice", ""), ("hd95", "HD95", unit), ("asd", "mean distance", unit))
    return "; ".join(
        f"{title} {_shown(own[f'{key}_original'], of)} before and {_shown(own[f'{key}_enhanced'], of)} after"
        for key, title, of in measured
    )


def _agreement(own: Mapping[str, float], unit: str) -> str:
    return (
        f"agreement: Dice {_shown(own['agreement_dice'])}; HD95 {_shown(own['agreement_hd95'], unit)}; "
        f"mean distance {_shown(own['agreement_asd'], unit)}"
    )


def _angles(found: Comparison, which: str) -> str:
    degrees = [getattr(row, f"degrees_{which}") for row in found.progression]
    known = [value for value in degrees if not math.isnan(value)]
    reasons = dict.fromkeys(filter(None, (getattr(row, f"reason_{which}") for row in found.progression)))
    if not known:
        return f"none. {' '.join(reasons)}"
    spread = f" ({min(known):.0f} to {max(known):.0f})" if len(known) > 1 else ""
    text = f"{np.mean(known):.1f} degrees{spread}"
    if len(known) == len(degrees):
        return text
    return f"{text} in {len(known)} of {len(degrees)} frames. {' '.join(reasons)}"


def _shown(value: float, unit: str = "") -> str:
    return "none" if math.isnan(value) else f"{value:.3f} {unit}".rstrip()


def _check_place(target: Path, source: Path, reference: str | None) -> None:
    for other in (source, *([] if reference is None else [Path(reference)])):
        if same_file(target, other):
            raise InputError(f"{target} is an input itself: give --json another name.")
    if not target.absolute().parent.is_dir():
        raise InputError(f"The folder of {target} does not exist: create it or choose another file.")
