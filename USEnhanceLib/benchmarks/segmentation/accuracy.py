"""How well held-out frames are outlined, beside what was published and what two annotations differ by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...frames import read_frames
from ...segmentation import STRUCTURES, load_segmenter
from ...segmentation.segmenter import Segmenter
from ...training.structure_data import BOTH, HEAD_ALONE, OutlinedFrame, outlined_frames
from ..enhance.intervals import cell, interval
from ..images import cine_file
from .scores import ANGLE, METRICS, dice_of, pixels_of, score

ALL = "all"
FIGURES = (*(f"{metric} {s.short}" for metric in METRICS for s in reversed(STRUCTURES)), ANGLE)
HEADINGS = {
    "dice": "Dice {}",
    "hd95": "HD95 {}, px",
    "asd": "ASD {}, px",
}

NOTES = """\
All val frames of PSFHS, which are whole groups of near-duplicates; mean [95 % bootstrap interval over
groups]. HD95 is the 95th percentile of the distances between the contours, ASD their mean, both symmetric, in
pixels of the frame of 256 x 256, as nothing is calibrated. AoP is the absolute difference in degrees between
the angle of progression on the outlines found and that on the reference, where both can be measured; it is
told that all frames have the usual display.
"""

PUBLISHED = """\
Published: the winners of the FH-PS-AOP challenge of 2023 reached Dice .93 (head) and .86 (symphysis) and 6.5
degrees on its 700 test images, with 4,000 images to learn from (figures as quoted in our design; other
images, so no comparison but of magnitude)."""

ELSEWHERE = """
Frames without a symphysis: val frames of HC18, heads before labour, and the echocardiogram inside pydicom,
which shows neither structure. What is found there is wrong.
"""


def measure(
    data: Path,
    models: Mapping[str, str],
    *,
    limit: int | None,
    device: str,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Outline the val frames with each model and compare with the reference; and find the noise of labels.

    models: key in the record -> name or folder.  limit: frames, all when None.
    """
    frames = outlined_frames(data / BOTH, "val", limit)
    found: dict[str, Any] = {
        "frames": [{"name": f.name, "group": f.group, "device": f.device} for f in frames],
        "models": {},
        "label_noise": label_noise(data),
        "elsewhere": {},
    }
    for done, (key, model) in enumerate(models.items()):
        segmenter = load_segmenter(model, device)
        scores = []
        for index, frame in enumerate(frames):
            scores.append(score(segmenter(pixels_of(frame)[None])[0], frame.labels))
            if progress is not None:
                progress(done * len(frames) + index + 1, len(models) * len(frames))
        found["models"][key] = {
            "scores": [own.figures for own in scores],
            "refused": [own.refused for own in scores],
        }
        found["elsewhere"][key] = elsewhere(data, segmenter, limit)
    return found


def elsewhere(data: Path, segmenter: Segmenter, limit: int | None) -> dict[str, Any]:
    """What is outlined where there is no symphysis: antenatal heads of HC18, and the heart inside pydicom.

    Result: Dice of the heads, and the shares of frames in which a structure is found that is not there; none
    of HC18 where the data have it not.
    """
    symphysis, head = STRUCTURES
    heart = segmenter(read_frames(cine_file()).pixels[:limit])
    found: dict[str, Any] = {
        "heart frames": len(heart),
        "heart with a head": float((heart == head.label).any((1, 2)).mean()),
        "heart with a symphysis": float((heart == symphysis.label).any((1, 2)).mean()),
        "heads": [],
        "heads with a symphysis": None,
    }
    if (data / HEAD_ALONE / "split.csv").is_file():
        frames = outlined_frames(data / HEAD_ALONE, "val", limit)
        labels = [segmenter(pixels_of(frame)[None])[0] for frame in frames]
        found["heads"] = [
            dice_of(own, frame.labels)[head.short] for own, frame in zip(labels, frames, strict=True)
        ]
        found["heads with a symphysis"] = float(np.mean([(own == symphysis.label).any() for own in labels]))
    return found


def label_noise(data: Path) -> list[dict[str, Any]]:
    """Figures of one label against the other, of frames of PSFHS that are there twice with other labels."""
    frames = [frame for split in ("train", "val") for frame in outlined_frames(data / BOTH, split)]
    seen: dict[bytes, list[OutlinedFrame]] = {}
    for frame in frames:
        seen.setdefault(frame.pixels.tobytes(), []).append(frame)
    pairs = []
    for same in seen.values():
        for first, second in pairwise(same):
            if (first.labels != second.labels).any():
                figures = score(first.labels, second.labels).figures
                pairs.append({"frames": [first.name, second.name], "figures": figures})
    return pairs


def render(found: Mapping[str, Any]) -> str:
    """Return the section of what `measure` returned."""
    frames = found["frames"]
    looks = [ALL, *sorted({frame["device"] for frame in frames})]
    lines = [NOTES]
    heads = [HEADINGS.get(name.split()[0], "AoP, degrees").format(name.split()[-1]) for name in FIGURES]
    lines += ["| segmenter | look | frames | " + " | ".join(heads) + " |", "|---" * (3 + len(heads)) + "|"]
    for key, own in found["models"].items():
        for look in looks:
            chosen = [i for i, frame in enumerate(frames) if look in (ALL, frame["device"])]
            groups = [frames[i]["group"] for i in chosen]
            cells = [
                cell(
                    interval([own["scores"][i][name] for i in chosen], groups),
                    3 if name.startswith("dice") else 2,
                )
                for name in FIGURES
            ]
            lines.append("| " + " | ".join([key, look, str(len(chosen)), *cells]) + " |")
    noise = found["label_noise"]
    cells = [
        cell(interval([pair["figures"][name] for pair in noise]), 3 if name.startswith("dice") else 2)
        for name in FIGURES
    ]
    lines.append(
        "| " + " | ".join(["label against label", "identical images", str(len(noise)), *cells]) + " |"
    )
    lines += ["", PUBLISHED, ""]
    for key, own in found["models"].items():
        lines.append(f"Angles that could not be measured, {key}: {_refusals(own['refused'])}.")
    lines += [ELSEWHERE, "| segmenter | Dice FH, HC18 | HC18 with PS | heart with PS | heart with FH |"]
    lines.append("|---|---|---|---|---|")
    for key, own in found["elsewhere"].items():
        shares = ("heads with a symphysis", "heart with a symphysis", "heart with a head")
        cells = ["" if own[name] is None else f"{own[name]:.0%}" for name in shares]
        lines.append("| " + " | ".join([key, cell(interval(own["heads"]), 3), *cells]) + " |")
    return "\n".join(lines)


def _refusals(refused: Sequence[Mapping[str, str]]) -> str:
    counts = Counter(f"{whose}: {why}" for own in refused for whose, why in own.items())
    return "; ".join(f"{count} x {what.rstrip('.')}" for what, count in counts.most_common()) or "none"
