"""The Dice that degradation costs, and what of it enhancement gives back; the segmenter stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...degradation import blur, gaussian_psf
from ...segmentation import STRUCTURES, load_segmenter
from ...training.structure_data import BOTH, outlined_frames
from ..conditions import FOURIER, GAUSSIAN, LEVELS, SPECKLE, Condition
from ..contenders import INPUT, Contender
from ..enhance.answers import answer_all
from ..enhance.intervals import Interval, interval
from ..pool import map_tasks
from .scores import dice_of, independent, pixels_of

CLEAN = "clean"
NOISE = {GAUSSIAN: (0.05, 0.10, 0.20), FOURIER: (0.05, 0.10, 0.20), SPECKLE: LEVELS[SPECKLE]}
BLURRED = (9, 17)
SMALLEST_LOSS = 0.01
"""Dice that must be lost before a share of it can be given back."""
HARM = 0.005

NOTES = """\
One val frame of each group of PSFHS, drawn by the seed, as it is and degraded: Gaussian noise (standard
deviation), Fourier noise (share g, scaled by the rms), log-compressed Rayleigh speckle of 1 pixel's grain
(dynamic range in dB), Gaussian blur (pixels). Every method gets the degraded frame and is told nothing.
Cells: mean Dice of the outlines found with the annotator's; in brackets the paired difference to the degraded
frame's with its 95 % bootstrap interval over groups. Bold: at least half of the Dice that was lost came back,
of at least {loss}; on clean frames: not more than {harm} was lost.
"""


@dataclass(frozen=True)
class Blur:
    """A Gaussian blur of so many pixels, with sigma (size - 1) / 6; used as a `Condition` is."""

    size: int

    @property
    def name(self) -> str:
        """The key in records."""
        return f"blur {self.size}"

    def degrade(self, frame: np.ndarray) -> np.ndarray:
        """Blur a frame, float32 [H, W] in [0, 1]."""
        pixels = torch.from_numpy(np.ascontiguousarray(frame))[None]
        return blur(pixels, gaussian_psf(self.size)).clamp_(0, 1)[0].numpy()


def conditions() -> list[str]:
    """Names of the conditions in the order of the table."""
    noise = [Condition(family, level).name for family, levels in NOISE.items() for level in levels]
    return [CLEAN, *noise, *(Blur(size).name for size in BLURRED)]


def degraded_frames(frame: np.ndarray, name: str, seed: int) -> list[np.ndarray]:
    """The versions of a frame, float32 [H, W] in [0, 1], in the order of `conditions`."""
    noise = [
        Condition(family, level).degrade(frame, name, seed).pixels
        for family, levels in NOISE.items()
        for level in levels
    ]
    return [frame, *noise, *(Blur(size).degrade(frame) for size in BLURRED)]


def measure(
    data: Path,
    models: Mapping[str, str],
    rows: Sequence[Contender],
    *,
    limit: int | None,
    seed: int,
    processes: int | None,
    device: str,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Enhance degraded frames with each method and outline them with each model.

    models: key in the record -> name or folder of a segmenter.  rows: the input and the methods.  limit:
    groups, all when None.  Other parameters as of `enhance.run.run`.
    """
    frames = independent(outlined_frames(data / BOTH, "val"), limit, seed)
    names = conditions()
    versions = [degraded_frames(pixels_of(frame), frame.name, seed) for frame in frames]
    flat = [version for own in versions for version in own]
    answers = answer_all(rows, flat, processes=processes, device=device, cache=cache, progress=progress)
    tasks = [_Outlining(model, device, answers[row.key]) for model in models.values() for row in rows]
    outlined = iter(map_tasks(_outline, tasks, processes, progress))
    dices: dict[str, Any] = {}
    for key in models:
        dices[key] = {}
        for row in rows:
            labels = next(outlined)
            dices[key][row.key] = {
                name: [
                    dice_of(labels[i * len(names) + column], frame.labels) for i, frame in enumerate(frames)
                ]
                for column, name in enumerate(names)
            }
    return {
        "frames": [{"name": frame.name, "group": frame.group} for frame in frames],
        "conditions": names,
        "rows": [[row.key, row.title] for row in rows],
        "dice": dices,
        "seed": seed,
    }


@dataclass(frozen=True, eq=False)
class _Outlining:
    model: str
    device: str
    frames: Sequence[np.ndarray]


def _outline(task: _Outlining) -> list[np.ndarray]:
    """The labels [H, W] of each frame."""
    segmenter = load_segmenter(task.model, task.device)
    return [segmenter(np.ascontiguousarray(frame)[None])[0] for frame in task.frames]


def recovered(
    of_row: Mapping[str, list[Mapping[str, float]]],
    of_input: Mapping[str, list[Mapping[str, float]]],
    condition: str,
    structure: str,
) -> bool | None:
    """Whether the goal is met; None where degradation cost too little to ask.

    of_row, of_input: condition -> Dice of each frame by structure, with the method and without.
    """
    mean = {
        name: float(np.mean([frame[structure] for frame in own[condition]]))
        for name, own in (("row", of_row), ("input", of_input))
    }
    if condition == CLEAN:
        return mean["row"] >= mean["input"] - HARM
    clean = float(np.mean([frame[structure] for frame in of_input[CLEAN]]))
    loss = clean - mean["input"]
    return mean["row"] - mean["input"] >= loss / 2 if loss >= SMALLEST_LOSS else None


def differences(
    of_row: Sequence[Mapping[str, float]],
    of_input: Sequence[Mapping[str, float]],
    structure: str,
    seed: int,
) -> Interval | None:
    """Paired differences of Dice with their bootstrap interval; each frame is a group of its own."""
    pairs = zip(of_row, of_input, strict=True)
    return interval([a[structure] - b[structure] for a, b in pairs], seed=seed)


def render(found: Mapping[str, Any]) -> str:
    """Return the section of what `measure` returned."""
    lines = [NOTES.format(loss=SMALLEST_LOSS, harm=HARM)]
    names = found["conditions"]
    for key, by_row in found["dice"].items():
        of_input = by_row[INPUT]
        for structure in reversed(STRUCTURES):
            lines += [f"### {structure.name}, segmenter {key}, {len(found['frames'])} frames", ""]
            lines += ["| | " + " | ".join(names) + " |", "|---" * (1 + len(names)) + "|"]
            for row, title in found["rows"]:
                cells = [
                    _cell(by_row[row], of_input, name, structure.short, found["seed"], row == INPUT)
                    for name in names
                ]
                lines.append("| " + " | ".join([title, *cells]) + " |")
            lines.append("")
    lines += ["### How often half of the loss came back", "", *_summary(found)]
    return "\n".join(lines)


def _cell(
    of_row: Mapping[str, Any], of_input: Mapping[str, Any], name: str, structure: str, seed: int, plain: bool
) -> str:
    mean = float(np.mean([frame[structure] for frame in of_row[name]]))
    if plain:
        return f"{mean:.3f}"
    change = differences(of_row[name], of_input[name], structure, seed)
    text = f"{mean:.3f} [{change['mean']:+.3f}: {change['low']:+.3f}, {change['high']:+.3f}]"
    return f"**{text}**" if recovered(of_row, of_input, name, structure) else text


def _summary(found: Mapping[str, Any]) -> list[str]:
    lines = ["| method | " + " | ".join(found["dice"]) + " | clean frames kept |"]
    lines.append("|---" * (2 + len(found["dice"])) + "|")
    for row, title in found["rows"]:
        if row == INPUT:
            continue
        cells, kept = [], []
        for by_row in found["dice"].values():
            verdicts = [
                recovered(by_row[row], by_row[INPUT], name, structure.short)
                for name in found["conditions"]
                if name != CLEAN
                for structure in STRUCTURES
            ]
            asked = [verdict for verdict in verdicts if verdict is not None]
            cells.append(f"{sum(asked)} of {len(asked)}")
            kept += [recovered(by_row[row], by_row[INPUT], CLEAN, s.short) for s in STRUCTURES]
        lines.append("| " + " | ".join([title, *cells, f"{sum(kept)} of {len(kept)}"]) + " |")
    return lines
