"""Where it gains least: the val frames whose PSNR ours improves least, drawn for the eye.

Val frames of PSFHS, HC18 and natural images under two fixed degradations of medium strength. A frame's figure
is the gain under the degradation where it is lower, so that no frame hides behind the easier one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...degradation import blur, gaussian_noise, gaussian_psf
from ...degradation.speckle import rayleigh_speckle
from ...quality.fidelity import psnr, ssim
from ..contact_sheet import picture_row, save_sheet, stacked
from ..contenders import OURS, contenders
from ..images import DATASETS, BenchmarkImage, load_images, targets_of
from .answers import answer_all

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["measure", "render"]

DEFAULT_LIMIT = 24
SHOWN = 10
CELL = 300
SPECKLE, NOISE = "speckle and blur", "Gaussian 0.10"
COLUMNS = ("input", "degraded", "enhanced", "target")

NOTES = """\
Two degradations: "speckle and blur" is a Gaussian blur of 5 x 5 pixels (sigma .67), then Rayleigh speckle,
log-compressed over 60 dB, grain 1 pixel; "Gaussian 0.10" is additive noise. Gain = PSNR of the enhanced less
PSNR of the degraded frame, both against NLLR of the frame (the original of a natural image), PSNR = 10
log10(1 / mean squared error). The lower gain of both degradations counts; the {shown} frames with the lowest
of {count} are drawn in `{picture}`."""


@dataclass(frozen=True, eq=False)
class Case:
    """A frame under one degradation, and what came of it."""

    image: BenchmarkImage
    degradation: str
    degraded: np.ndarray
    enhanced: np.ndarray
    target: np.ndarray

    def figures(self) -> dict[str, float]:
        """Return PSNR and SSIM against the target, before and after, and the gain."""
        before, after = (
            float(psnr(frame[None], self.target[None])[0]) for frame in (self.degraded, self.enhanced)
        )
        return {
            "psnr_before": round(before, 4),
            "psnr_after": round(after, 4),
            "gain": round(after - before, 4),
            "ssim_before": round(float(ssim(self.degraded[None], self.target[None])[0]), 5),
            "ssim_after": round(float(ssim(self.enhanced[None], self.target[None])[0]), 5),
        }


def measure(
    data: Path,
    methods: Sequence[str] | None,
    *,
    limit: int | None = None,
    seed: int = 0,
    processes: int | None = None,
    device: str = "cpu",
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
    picture: str | Path | None = None,
) -> dict[str, Any]:
    """Rank val frames by what the first network of ours among the methods gains, and draw the lowest ten.

    limit: images per data set, 24 when None.  picture: where the contact sheet goes; "failures.png" beside
    the folder `cache` when None.  Other parameters and errors as of `run`; without a network of ours nothing
    is measured.
    """
    ours = [row for row in contenders(methods) if row.role == OURS][:1]
    if not ours:
        return {"method": None, "cases": []}
    path = Path(picture) if picture is not None else Path(cache).parent / "failures.png"
    images = [
        image
        for dataset in DATASETS
        for image in load_images(data, dataset.name, "val", limit or DEFAULT_LIMIT, seed)
    ]
    targets = targets_of(images, Path(cache) / "targets", processes)
    shown = [(image, name, degrade(image, name, seed)) for image in images for name in (SPECKLE, NOISE)]
    answers = answer_all(
        ours,
        [degraded for _, _, degraded in shown],
        processes=processes,
        device=device,
        cache=Path(cache) / "answers",
        progress=progress,
    )[ours[0].key]
    cases = [
        Case(image, name, degraded, enhanced, targets[index // 2])
        for index, ((image, name, degraded), enhanced) in enumerate(zip(shown, answers, strict=True))
    ]
    figures = [case.figures() for case in cases]
    lower = [
        min((2 * index, 2 * index + 1), key=lambda place: figures[place]["gain"])
        for index in range(len(images))
    ]
    lowest = sorted(lower, key=lambda place: figures[place]["gain"])[:SHOWN]
    save_sheet(draw_sheet([(cases[place], figures[place]) for place in lowest], ours[0].title), path)
    return {
        "method": ours[0].key,
        "title": ours[0].title,
        "picture": path.name,
        "count": len(images),
        "shown": len(lowest),
        "cases": [
            {
                "dataset": case.image.dataset,
                "name": case.image.name,
                "degradation": case.degradation,
                **entry,
            }
            for case, entry in zip(cases, figures, strict=True)
        ],
        "lowest": lowest,
    }


def degrade(image: BenchmarkImage, name: str, seed: int) -> np.ndarray:
    """Return a frame under one of the degradations, float32 [H, W]; random by image and seed alone."""
    digest = hashlib.sha256(f"{seed}/{name}/{image.name}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    frame = torch.from_numpy(np.ascontiguousarray(image.pixels))[None]
    if name == NOISE:
        return gaussian_noise(frame, 0.1, generator)[0].numpy()
    return rayleigh_speckle(blur(frame, gaussian_psf(5)), 60.0, generator, grain=1.0)[0].numpy()


def render(record: dict[str, Any]) -> str:
    """Return the section from what `measure` returned."""
    lines = []
    if record["method"] is None:
        return "\n".join([*lines, "No network of ours takes part."]) + "\n"
    lines += [NOTES.format(**record), ""]
    lines += [f"| {record['title']} | degradation | PSNR, dB | gain, dB | SSIM |", "|---|---|---|---|---|"]
    for place in record["lowest"]:
        case = record["cases"][place]
        quality = f"{case['psnr_before']:.2f} to {case['psnr_after']:.2f} | {case['gain']:+.2f}"
        similarity = f"{case['ssim_before']:.3f} to {case['ssim_after']:.3f}"
        lines.append(f"| {case['name']} | {case['degradation']} | {quality} | {similarity} |")
    lines += ["", "| Gain, dB | lowest | median | highest |", "|---|---|---|---|"]
    for dataset in DATASETS:
        for name in (SPECKLE, NOISE):
            gains = [
                case["gain"]
                for case in record["cases"]
                if case["dataset"] == dataset.name and case["degradation"] == name
            ]
            if gains:
                lines.append(
                    f"| {dataset.title}, {name} | {min(gains):+.2f} | {np.median(gains):+.2f} "
                    f"| {max(gains):+.2f} |"
                )
    return "\n".join(lines) + "\n"


def draw_sheet(chosen: Sequence[tuple[Case, dict[str, float]]], title: str) -> Image:
    """Return the contact sheet: a titled row of undegraded, degraded, enhanced and target for each case."""
    rows = []
    for case, entry in chosen:
        text = (
            f"{case.image.name}, {case.degradation}: PSNR {entry['psnr_before']:.2f} to "
            f"{entry['psnr_after']:.2f} dB ({entry['gain']:+.2f}), SSIM {entry['ssim_before']:.3f} to "
            f"{entry['ssim_after']:.3f}"
        )
        frames = (case.image.pixels, case.degraded, case.enhanced, case.target)
        grey = [np.rint(255 * np.clip(frame, 0, 1)).astype(np.uint8) for frame in frames]
        rows.append(picture_row(text, grey, cell=CELL))
    return stacked(f"{title}, lowest gains: " + " | ".join(COLUMNS), rows)
