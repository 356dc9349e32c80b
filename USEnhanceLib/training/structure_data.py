"""Frames with outlined structures: PSFHS and HC18, or a folder of the same layout."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..segmentation.structures import STRUCTURES
from .datasets import read_grey, spread

LABELS = {0, *(structure.label for structure in STRUCTURES)}
BOTH, HEAD_ALONE = "psfhs", "hc18"


@dataclass(frozen=True, eq=False)
class OutlinedFrame:
    """A frame and its outlines.

    Attributes:
        name: "<data set>/<id>".
        group: near-duplicates share it; they are never split.
        device: look of the scanner, such as "A_bar"; empty where unknown.
        pixels: uint8 [H, W].
        labels: uint8 [H, W]: 0 background, 1 pubic symphysis, 2 fetal head.
    """

    name: str
    group: str
    device: str
    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def outlined_frames(folder: Path, split: str, limit: int | None = None) -> list[OutlinedFrame]:
    """Read the frames of a split from a folder with split.csv, image/<id>.png and label/<id>.png.

    Args:
        folder: its split.csv has the columns id and split, and may have group and device. Frames of HC18 have
            one group for each prefix.
        split: "train" or "val".
        limit: at most so many, evenly spread.

    Raises:
        InputError: a file is missing or unreadable, sizes or labels are wrong, no frame is of the split, or a
            group is in two splits.
    """
    folder = Path(folder)
    rows = _rows(folder)
    _check_groups(folder, rows)
    wanted = sorted((row for row in rows if row["split"] == split), key=lambda row: row["id"])
    if not wanted:
        raise InputError(f"{folder / 'split.csv'} has no rows of split {split!r}: add some.")
    return [_read(folder, row) for row in spread(wanted, limit)]


def group_weights(frames: Sequence[OutlinedFrame]) -> NDArray[np.float64]:
    """Chances [N] of frames to be drawn: a group counts by the square root of its size.

    Groups of near-duplicates are of very different sizes; by frame the largest would rule, by group a single
    frame would be drawn as often as a whole sweep.
    """
    sizes = Counter(frame.group for frame in frames)
    weights = np.array([sizes[frame.group] ** -0.5 for frame in frames])
    return weights / weights.sum()


def _rows(folder: Path) -> list[dict[str, str]]:
    table = folder / "split.csv"
    try:
        with table.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        raise InputError(f"{table} is missing: give a folder with split.csv, image and label.") from error
    if not rows or not {"id", "split"} <= set(rows[0]):
        raise InputError(f"{table} needs the columns id and split: add them.")
    return rows


def _group(row: Mapping[str, str]) -> str:
    return row.get("group") or row.get("prefix") or row["id"]


def _check_groups(folder: Path, rows: Sequence[Mapping[str, str]]) -> None:
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        key = row.get("device", ""), _group(row)
        if found.setdefault(key, row["split"]) != row["split"]:
            raise InputError(
                f"{folder / 'split.csv'} has group {_group(row)} in two splits: keep duplicates together."
            )


def _read(folder: Path, row: Mapping[str, str]) -> OutlinedFrame:
    name = row["id"]
    image, label = folder / "image" / f"{name}.png", folder / "label" / f"{name}.png"
    pixels = np.rint(read_grey(image) * 255).astype(np.uint8)
    labels = _read_labels(label)
    if labels.shape != pixels.shape:
        raise InputError(f"{label} has another size than {image}: give labels of the same size.")
    if unknown := set(np.unique(labels).tolist()) - LABELS:
        raise InputError(f"{label} has the labels {sorted(unknown)}: use 0, 1 (symphysis) and 2 (head).")
    device = row.get("device", "")
    return OutlinedFrame(f"{folder.name}/{name}", f"{device}/{_group(row)}", device, pixels, labels)


def _read_labels(path: Path) -> NDArray[np.uint8]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            labels = np.asarray(picture)
    except (OSError, UnidentifiedImageError) as error:
        raise InputError(f"{path} cannot be read as a picture ({error}): give PNG files.") from error
    if labels.ndim != 2:
        raise InputError(f"{path} is a coloured picture: give one channel of labels 0, 1 and 2.")
    return labels.astype(np.uint8)
