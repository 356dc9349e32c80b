"""Table 3, do no harm: what methods do to frames that nobody degraded, and to discs of known contrast.

Val frames of PSFHS and HC18 with the regions of their labels, phantoms, cysts of real scans, and discs put
into real and simulated speckle (`discs`). Everyone works blind, as a user gets it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ...frames.sector import find_sector
from ...quality.contrast import cnr, epi, gcnr
from ...quality.resolution import gradient_strength
from ...training.datasets import read_grey
from ..contenders import INPUT, contenders
from ..images import BenchmarkImage, load_images
from .answers import answer_again, answer_all
from .discs import (
    CONTRASTS,
    SEARCHED,
    SIGNS,
    Ground,
    contrast_kept,
    false_discs,
    real_ground,
    simulated_grounds,
)
from .drawn_phantoms import draw_phantoms
from .harm_tables import render, summarise
from .intervals import recorded
from .real_phantoms import CROPS, CYSTS, cyst_regions, read_crop
from .resolution import UNBLURRED, measure_drawn

__all__ = ["measure", "render"]

DEFAULT_LIMIT = 4
DATASETS = ("psfhs", "hc18")
REGIONS = {"psfhs": {"pubic symphysis": 1, "fetal head": 2}, "hc18": {"fetal head": 2}}
ELSEWHERE = "outside the labels"


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
) -> dict[str, Any]:
    """Measure what each method changes in frames that need no denoising.

    limit: val frames of each data set, 4 when None; the same take discs.  Other parameters and errors as of
    `run`.
    """
    rows = contenders(methods)
    how: dict[str, Any] = {"processes": processes, "device": device, "cache": Path(cache) / "answers"}
    images = [
        image for name in DATASETS for image in load_images(data, name, "val", limit or DEFAULT_LIMIT, seed)
    ]
    phantoms = draw_phantoms(seed)
    crops = {file: read_crop(data, file, *view) for file, view in CROPS.items()}
    grounds = [*map(real_ground, images), *simulated_grounds(seed)]
    contrasts = [sign * contrast for contrast in CONTRASTS for sign in SIGNS]
    with_discs = [ground.with_disc(contrast) for ground in grounds for contrast in contrasts]

    shown = [
        *(image.pixels for image in images),
        *(UNBLURRED.degrade(phantom, seed) for phantom in phantoms),
        *crops.values(),
        *(ground.pixels for ground in grounds),
        *with_discs,
    ]
    answers = answer_all(rows, shown, progress=progress, **how)
    first = {key: frames[: len(images)] for key, frames in answers.items()}
    second = answer_again(rows, first, progress=progress, **how)

    labels = [_regions(data, image) for image in images]
    results: dict[str, Any] = {}
    for row in rows:
        remaining = iter(answers[row.key])
        enhanced = [next(remaining) for _ in images]
        drawn = [next(remaining) for _ in phantoms]
        scans = {file: next(remaining) for file in crops}
        without = [next(remaining) for _ in grounds]
        discs = [next(remaining) for _ in with_discs]
        results[row.key] = {
            "frames": [
                _compare(image, regions, once, twice)
                for image, regions, once, twice in zip(images, labels, enhanced, second[row.key], strict=True)
            ],
            "drawn": measure_drawn(phantoms, drawn),
            "cysts": _measure_cysts(scans),
            "discs": _measure_discs(grounds, contrasts, with_discs, without, discs),
        }
    return {
        "rows": [[row.key, row.title, row.role] for row in rows],
        "images": [image.name for image in images],
        "grounds": [[ground.kind, ground.name, list(ground.centre)] for ground in grounds],
        "results": results,
        "summary": summarise(results, results[INPUT], seed),
    }


def _regions(data: Path, image: BenchmarkImage) -> dict[str, np.ndarray]:
    """Region -> bool [H, W]: the label's structures, the rest of the scan sector, and the whole sector."""
    sector = find_sector(image.pixels)
    file = data / image.dataset / "label" / f"{Path(image.name).name}.png"
    labels = np.rint(read_grey(file) * 255).astype(int)
    if labels.shape != sector.shape:
        raise InputError(f"{file} is not as large as its image: check the data folder.")
    regions = {name: labels == value for name, value in REGIONS[image.dataset].items()}
    regions[ELSEWHERE] = sector & (labels == 0)
    return {name: region for name, region in regions.items() if region.any()} | {"sector": sector}


def _compare(
    image: BenchmarkImage, regions: Mapping[str, np.ndarray], once: np.ndarray, twice: np.ndarray
) -> dict[str, Any]:
    frame, sector = image.pixels, regions["sector"]
    strongest, mean = gradient_strength(once, sector)
    return {
        "dataset": image.dataset,
        "group": f"{image.dataset} {image.group}",
        "means": {
            name: round(float((once[region] - frame[region]).mean(dtype=float)), 6)
            for name, region in regions.items()
        },
        "grad_max": round(strongest, 6),
        "grad_mean": round(mean, 6),
        "epi": recorded(epi(once, frame)),
        "first_change": round(float(np.abs(once - frame)[sector].mean(dtype=float)), 6),
        "second_change": round(float(np.abs(twice - once)[sector].mean(dtype=float)), 6),
        "false_discs": {f"{radius:g}": false_discs(frame, once, radius, sector) for radius in SEARCHED},
    }


def _measure_cysts(scans: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    figures = []
    for cyst in CYSTS:
        scan = scans[cyst.file]
        inside, around = cyst_regions(cyst, scan.shape)
        figures.append(
            {
                "title": cyst.title,
                "cnr": recorded(cnr(scan[inside], scan[around]), 4),
                "gcnr": round(gcnr(scan[inside], scan[around]), 5),
                "inside": round(float(scan[inside].mean(dtype=float)), 5),
                "around": round(float(scan[around].mean(dtype=float)), 5),
            }
        )
    return figures


def _measure_discs(
    grounds: Sequence[Ground],
    contrasts: Sequence[int],
    with_discs: Sequence[np.ndarray],
    without: Sequence[np.ndarray],
    discs: Sequence[np.ndarray],
) -> list[dict[str, Any]]:
    figures = []
    for index, (ground, plain) in enumerate(zip(grounds, without, strict=True)):
        kept = {}
        for place, contrast in enumerate(contrasts):
            at = index * len(contrasts) + place
            share, seen = contrast_kept(ground, with_discs[at], plain, discs[at])
            kept[f"{contrast:+d} dB"] = {"kept": round(share, 5), "seen": seen}
        whole = np.ones(ground.pixels.shape, bool)
        figures.append(
            {
                "kind": ground.kind,
                "contrasts": kept,
                "false_discs": {
                    f"{radius:g}": false_discs(ground.pixels, plain, radius, whole) for radius in SEARCHED
                },
            }
        )
    return figures
