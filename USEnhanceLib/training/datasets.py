"""The images that training and benchmarks read, by data set and split."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

NamedImage = tuple[str, NDArray[np.float32]]
"""The name of an image, "<data set>/<id>", and its grey values [H, W] in [0, 1]."""

HOLD_OUT_EVERY = 3
"""Of the sorted Kodak images every third is held out for validation."""

SCIKIT_IMAGES = (
    "astronaut",
    "brick",
    "camera",
    "chelsea",
    "coffee",
    "grass",
    "gravel",
    "moon",
    "motorcycle_left",
    "rocket",
)
"""Photographs with a free licence that ship inside the scikit-image wheel; all for training."""


def psfhs_images(data_folder: Path, split: str, limit: int | None = None) -> list[NamedImage]:
    """Transperineal frames of PSFHS (doi:10.5281/zenodo.10969427), split by group of near-duplicates."""
    return _labelled_images(Path(data_folder) / "psfhs", split, limit)


def hc18_images(data_folder: Path, split: str, limit: int | None = None) -> list[NamedImage]:
    """Transabdominal fetal heads of HC18 (doi:10.5281/zenodo.1327317)."""
    return _labelled_images(Path(data_folder) / "hc18", split, limit)


def natural_images(data_folder: Path, split: str, limit: int | None = None) -> list[NamedImage]:
    """Photographs: Kodak images, and for training those of scikit-image too."""
    files = sorted((Path(data_folder) / "natural").glob("*.png"))
    if not files:
        raise InputError(f"{data_folder} has no natural/*.png: give the folder described in the data README.")
    held_out = files[HOLD_OUT_EVERY - 1 :: HOLD_OUT_EVERY]
    if split == "val":
        return spread([(f"natural/{file.stem}", read_grey(file)) for file in held_out], limit)
    images = [(f"natural/{file.stem}", read_grey(file)) for file in files if file not in held_out]
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    for name in SCIKIT_IMAGES:
        images += [(f"scikit/{name}", read_grey(file)) for file in sorted(folder.glob(f"{name}.*"))]
    return spread(images, limit)


def read_grey(path: Path) -> NDArray[np.float32]:
    """Grey values [H, W] in [0, 1] of an 8-bit picture.

    Raises:
        InputError: the file is missing or is no picture.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("L"), dtype=np.float32) / 255
    except (OSError, UnidentifiedImageError) as error:
        raise InputError(f"{path} cannot be read as a picture ({error}): give PNG or JPEG files.") from error


def spread(items: list, limit: int | None) -> list:
    """At most `limit` items, evenly spread over the list, so that neighbours are not all taken."""
    if limit is None or limit >= len(items):
        return items
    return [items[i * len(items) // limit] for i in range(limit)]


def _labelled_images(folder: Path, split: str, limit: int | None) -> list[NamedImage]:
    table = folder / "split.csv"
    if not table.is_file():
        raise InputError(f"{table} is missing: give the folder described in the data README.")
    with table.open(newline="") as lines:
        names = sorted(row["id"] for row in csv.DictReader(lines) if row["split"] == split)
    if not names:
        raise InputError(f"{table} has no rows of split {split!r}: use train or val.")
    return [
        (f"{folder.name}/{name}", read_grey(folder / "image" / f"{name}.png"))
        for name in spread(names, limit)
    ]
