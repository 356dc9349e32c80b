"""Contact sheet: real frames before and after, with a magnified detail of each.

What is shown is what a user gets: the file is read, enhanced and mapped back to its own colours and range,
so pixels outside the scan sector are those of the file.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..enhancement import load_enhancer
from ..errors import InputError
from ..frames import Frames, read_frames
from .contact_sheet import picture_row, save_sheet, stacked
from .images import cine_file
from .record import provenance, write_json

if TYPE_CHECKING:
    from PIL.Image import Image

DETAIL = 0.3
PHANTOM = "phantom/sonoque_axial-lateral-resolution-2020.dcm"
COLUMNS = ("before", "after", "detail before", "detail after")


@dataclass(frozen=True)
class Subject:
    """A real frame of the sheet: its title and its file."""

    title: str
    path: Path


def run(
    data: Path,
    json_path: Path,
    *,
    seed: int = 0,
    methods: Sequence[str] | None = None,
    device: str = "cpu",
    picture_path: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Write the contact sheet as PNG and the record.

    seed: which val frames of PSFHS and HC18 are taken.  methods: one network, by name or folder.
    picture_path: the record's path with the suffix .png when None. Raises InputError where data are missing
    or a file cannot be written.
    """
    (method,) = methods or ("scunet",)
    picture = Path(picture_path) if picture_path is not None else Path(json_path).with_suffix(".png")
    enhancer = load_enhancer(method, device=device)
    chosen = subjects(data, seed)
    rows: list[Image] = []
    entries = []
    for done, subject in enumerate(chosen, start=1):
        frames = read_frames(subject.path)
        middle = len(frames.pixels) // 2
        result = enhancer(frames.pixels[middle : middle + 1], seed=seed)
        pixels = frames.pixels.copy()
        pixels[middle] = result.frames[0]
        before, after = (displayed(version, middle) for version in (frames, frames.with_pixels(pixels)))
        sector = frames.sector if frames.sector.ndim == 2 else frames.sector[middle]
        detail = richest_square(frames.pixels[middle], sector)
        pictures = (before, after, before[detail], after[detail])
        rows.append(picture_row(f"{subject.title}, {subject.path.stem}", pictures, magnified=2))
        entries.append(
            {
                "title": subject.title,
                "file": subject.path.name,
                "frame": middle,
                "size": list(before.shape[:2]),
                "seconds": result.seconds,
                "mean_change": float(np.abs(pixels[middle] - frames.pixels[middle]).mean()),
            }
        )
        if progress is not None:
            progress(done, len(chosen))
    heading = f"USEnhance {Path(method).name} {result.model_version}: " + " | ".join(COLUMNS)
    save_sheet(stacked(heading, rows), picture)

    record = provenance("figures", data, seed=seed, methods=[method], device=device)
    record |= {"network": dict(enhancer.description), "picture": picture.name, "frames": entries}
    write_json(Path(json_path), record)
    return record


def subjects(data: Path, seed: int) -> list[Subject]:
    """Return one val frame of each look of PSFHS, one of HC18, a phantom, and the cine inside pydicom."""
    return [
        Subject("PSFHS wide sector", _validation_file(data, "psfhs", seed, device="A_bar")),
        Subject("PSFHS narrow sector", _validation_file(data, "psfhs", seed, device="B_nobar")),
        Subject("HC18 fetal head", _validation_file(data, "hc18", seed)),
        Subject("resolution phantom", data / PHANTOM),
        Subject("cine, middle frame", cine_file()),
    ]


def displayed(frames: Frames, index: int) -> np.ndarray:
    """Return a frame in the file's own colours as a screen shows it, uint8 [H, W, 3]."""
    array = frames.to_array()
    if not frames.planar:
        array = array[index]
    array = array.astype(float)
    low, high = frames.intensity_range
    shown = np.clip((array - low) / max(high - low, 1e-12), 0, 1)
    if shown.ndim == 2:
        shown = np.repeat(shown[..., None], 3, axis=2)
    return np.rint(shown * 255).astype(np.uint8)


def richest_square(frame: np.ndarray, sector: np.ndarray) -> tuple[slice, slice]:
    """Return the square inside the scan sector in which grey values vary most, as rows and columns.

    frame: float32 [H, W].  sector: bool [H, W]. The side is `DETAIL` of the frame's shorter side.
    """
    from scipy.ndimage import uniform_filter

    side = max(1, round(DETAIL * min(frame.shape)))
    mean = uniform_filter(frame, side)
    variance = uniform_filter(frame * frame, side) - mean * mean
    inside = uniform_filter(sector.astype(np.float32), side)
    height, width = frame.shape
    reach = (slice(side // 2, height - side // 2 + 1), slice(side // 2, width - side // 2 + 1))
    score = (variance * inside**4)[reach]
    top, left = np.unravel_index(np.argmax(score), score.shape)
    return slice(int(top), int(top) + side), slice(int(left), int(left) + side)


def _validation_file(data: Path, dataset: str, seed: int, device: str | None = None) -> Path:
    table = data / dataset / "split.csv"
    if not table.is_file():
        raise InputError(f"{table} is missing: give the folder that holds psfhs and hc18.")
    with table.open(newline="", encoding="utf-8") as stream:
        names = sorted(
            row["id"]
            for row in csv.DictReader(stream)
            if row["split"] == "val" and (device is None or row.get("device") == device)
        )
    if not names:
        raise InputError(f"{table} has no val frame of {device or dataset}: check the data folder.")
    return data / dataset / "image" / f"{names[np.random.default_rng(seed).integers(len(names))]}.png"
