"""Crops of the benchmarks' images in native resolution, with what restored crops are compared with."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..frames.sector import find_sector
from .images import DATASETS, NATURAL, BenchmarkImage, load_images, targets_of


def load_crops(
    data: Path, split: str, limit: int, size: int, seed: int, cache: Path, processes: int | None
) -> tuple[list[BenchmarkImage], list[np.ndarray]]:
    """Return crops [size, size] (or less, where an image is smaller) of all data sets, and their targets.

    Targets are computed on whole frames and cropped then.
    """
    images = [image for entry in DATASETS for image in load_images(data, entry.name, split, limit, seed)]
    kept = cache / "targets"
    cropped, targets = [], []
    for image, target in zip(images, targets_of(images, kept, processes), strict=True):
        window = crop_window(image, size)
        cropped.append(
            BenchmarkImage(image.dataset, image.name, image.group, np.ascontiguousarray(image.pixels[window]))
        )
        targets.append(np.ascontiguousarray(target[window]))
    return cropped, targets


def crop_window(image: BenchmarkImage, size: int) -> tuple[slice, slice]:
    """Return where to crop: around the centroid of the scan sector, or the centre of a natural image."""
    shape = image.pixels.shape
    sector = np.ones(shape, bool) if image.dataset == NATURAL else find_sector(image.pixels)
    middle = np.argwhere(sector if sector.any() else ~sector).mean(axis=0)
    starts = [
        int(np.clip(round(centre - size / 2), 0, max(0, length - size)))
        for centre, length in zip(middle, shape, strict=True)
    ]
    return slice(starts[0], starts[0] + size), slice(starts[1], starts[1] + size)
