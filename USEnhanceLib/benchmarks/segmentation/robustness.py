"""What else a user's frame may be like: mirrored, of other size, gain or aspect ratio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...segmentation import STRUCTURES, load_segmenter
from ...training.structure_data import BOTH, outlined_frames
from ..enhance.intervals import cell, interval
from .scores import dice_of, pixels_of

NOTES = """\
All val frames of PSFHS, changed together with their labels (labels by the nearest pixel); mean Dice [95 %
bootstrap interval over groups]. Half and double size: the frame has that many pixels. Shown half and 1.5
times as large: the picture is scaled on a frame of the same size, and what leaves it is cut off. Gain: grey
values times a factor, clipped.
"""

Changed = tuple[np.ndarray, np.ndarray]


def changes() -> dict[str, Callable[[np.ndarray, np.ndarray], Changed]]:
    """Name -> what it makes of a frame, float32 [H, W] in [0, 1], and its labels."""
    return {
        "as it is": lambda frame, labels: (frame, labels),
        "mirrored": lambda frame, labels: (frame[:, ::-1], labels[:, ::-1]),
        "half size": lambda frame, labels: _resized(frame, labels, 0.5, 0.5),
        "double size": lambda frame, labels: _resized(frame, labels, 2.0, 2.0),
        "shown half as large": lambda frame, labels: _shown(frame, labels, 0.5),
        "shown 1.5 times as large": lambda frame, labels: _shown(frame, labels, 1.5),
        "gain -30 %": lambda frame, labels: (frame * np.float32(0.7), labels),
        "gain -15 %": lambda frame, labels: (frame * np.float32(0.85), labels),
        "gain +15 %": lambda frame, labels: ((frame * np.float32(1.15)).clip(0, 1), labels),
        "gain +30 %": lambda frame, labels: ((frame * np.float32(1.3)).clip(0, 1), labels),
        "aspect 4:3": lambda frame, labels: _resized(frame, labels, 0.75, 1.0),
        "aspect 3:4": lambda frame, labels: _resized(frame, labels, 1.0, 0.75),
    }


def measure(
    data: Path,
    models: Mapping[str, str],
    *,
    limit: int | None,
    device: str,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Outline changed val frames; parameters as of `accuracy.measure`."""
    frames = outlined_frames(data / BOTH, "val", limit)
    kinds = changes()
    found: dict[str, Any] = {"groups": [frame.group for frame in frames], "dice": {}}
    done = 0
    for key, model in models.items():
        segmenter = load_segmenter(model, device)
        found["dice"][key] = {}
        for name, change in kinds.items():
            dices = []
            for frame in frames:
                pixels, labels = map(np.ascontiguousarray, change(pixels_of(frame), frame.labels))
                dices.append(dice_of(segmenter(pixels[None])[0], labels))
            found["dice"][key][name] = dices
            done += 1
            if progress is not None:
                progress(done, len(kinds) * len(models))
    return found


def render(found: Mapping[str, Any]) -> str:
    """Return the section of what `measure` returned."""
    shorts = [s.short for s in reversed(STRUCTURES)]
    heads = [f"{short}, {key}" for key in found["dice"] for short in shorts]
    lines = [NOTES, "| | " + " | ".join(heads) + " |", "|---" * (1 + len(heads)) + "|"]
    first = next(iter(found["dice"].values()))
    for name in first:
        cells = [
            cell(interval([frame[short] for frame in own[name]], found["groups"]), 3)
            for own in found["dice"].values()
            for short in shorts
        ]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def _resized(frame: np.ndarray, labels: np.ndarray, down: float, across: float) -> Changed:
    from PIL import Image

    height, width = (
        round(length * factor) for length, factor in zip(frame.shape, (down, across), strict=True)
    )
    smooth = Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR)
    nearest = Image.fromarray(labels).resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(smooth).clip(0, 1), np.asarray(nearest)


def _shown(frame: np.ndarray, labels: np.ndarray, factor: float) -> Changed:
    """Scale about the middle on a frame of the same size."""
    scaled = _resized(frame, labels, factor, factor)
    return tuple(_centred(own, frame.shape) for own in scaled)


def _centred(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    canvas = np.zeros(shape, picture.dtype)
    source, target = [], []
    for own, wanted in zip(picture.shape, shape, strict=True):
        length = min(own, wanted)
        source.append(slice((own - length) // 2, (own - length) // 2 + length))
        target.append(slice((wanted - length) // 2, (wanted - length) // 2 + length))
    canvas[tuple(target)] = picture[tuple(source)]
    return canvas
