"""The images of the benchmarks: evenly drawn from a split, each with the group that it belongs to."""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError, USEnhanceError
from ..training import datasets
from ..training.targets import nllr_targets

NATURAL = "natural"
CINE = "examples_ybr_color.dcm"
GROUP_COLUMNS = {"psfhs": "group", "hc18": "prefix"}


@dataclass(frozen=True, eq=False)
class BenchmarkImage:
    """A frame, float32 [H, W] in [0, 1]; images of one group are no independent evidence."""

    dataset: str
    name: str
    group: str
    pixels: np.ndarray


@dataclass(frozen=True)
class DataSet:
    """A data set of the tables: its title, what restored frames are compared with, where frames come from."""

    name: str
    title: str
    target: str


DATASETS: tuple[DataSet, ...] = (
    DataSet("psfhs", "PSFHS, transperineal", "NLLR of the frame"),
    DataSet("hc18", "HC18, fetal heads", "NLLR of the frame"),
    DataSet(NATURAL, "natural images", "the original"),
)


def targets_of(images: list[BenchmarkImage], cache: Path, processes: int | None = None) -> list[np.ndarray]:
    """Return what restored frames are compared with, float32 [H, W] in [0, 1] each.

    That is the original of a natural image, and of ultrasound its NLLR, kept in the folder `cache`.
    """
    ultrasound = [image for image in images if image.dataset != NATURAL]
    named = [(image.name, image.pixels) for image in ultrasound]
    computed = iter(nllr_targets(named, cache, processes=processes))
    return [image.pixels if image.dataset == NATURAL else next(computed) for image in images]


def load_images(data: Path, dataset: str, split: str, limit: int | None, seed: int) -> list[BenchmarkImage]:
    """Return the images [H, W] of a split ("train" or "val") in the order of their names, at most `limit`.

    Raises InputError where the data set has no image in that split.
    """
    readers = {
        "psfhs": datasets.psfhs_images,
        "hc18": datasets.hc18_images,
        NATURAL: datasets.natural_images,
    }
    named = sorted(readers[dataset](data, split=split), key=lambda pair: pair[0])
    if not named:
        raise InputError(f"The data set {dataset} has no {split} images: check the data folder.")
    groups = _groups(data, dataset)
    return [
        BenchmarkImage(dataset, name, groups.get(Path(name).stem, name), np.asarray(pixels, np.float32))
        for name, pixels in (named[index] for index in draw_evenly(len(named), limit, f"{seed}/{dataset}"))
    ]


def draw_evenly(count: int, limit: int | None, seed: str) -> list[int]:
    """Return `limit` of `count` indices at equal distances, from a start that depends on the seed.

    Neighbours in a data set are often frames of one sweep: equal distances cover more sweeps than chance.
    """
    if limit is None or limit >= count:
        return list(range(count))
    start = np.random.default_rng(zlib.crc32(seed.encode())).random()
    return [int((index + start) * count / limit) for index in range(limit)]


def cine_file() -> Path:
    """Return the real 30-frame cine that ships inside pydicom; raises USEnhanceError where it does not."""
    from pydicom.data import get_testdata_file

    cine = get_testdata_file(CINE, download=False)
    if cine is None:
        raise USEnhanceError(f"The installed pydicom comes without {CINE}: install pydicom 3.0 or later.")
    return Path(cine)


def _groups(data: Path, dataset: str) -> dict[str, str]:
    table = data / dataset / "split.csv"
    if dataset not in GROUP_COLUMNS or not table.is_file():
        return {}
    with table.open(newline="", encoding="utf-8") as stream:
        return {row["id"]: row[GROUP_COLUMNS[dataset]] for row in csv.DictReader(stream)}
