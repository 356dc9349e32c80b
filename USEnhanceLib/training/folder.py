"""Ultrasound frames of any folder: DICOM, cines, sweeps and pictures, split for training and validation."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, USEnhanceError
from ..frames import Frames, read_frames
from .datasets import NamedImage, spread

EXTENSIONS = (
    *(".dcm", ".dicom", ".ima", ".nrrd", ".nhdr", ".mha", ".mhd", ".nii", ".nii.gz"),
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"),
)
HELD_OUT = 5
"""One of so many files, or of so many subfolders, is held out for validation."""

VALIDATION_FRAMES = 8
SMALLEST = 16
FEWEST_LEVELS = 16
"""A frame with fewer grey levels is a label map or a drawing, no B-mode."""


@dataclass(frozen=True, eq=False)
class FolderImages:
    """Frames to learn from and frames that are held out, the files that they come from, and what to know."""

    learned: list[NamedImage]
    held_out: list[NamedImage]
    files: int
    notes: tuple[str, ...]


def folder_images(folder: Path, limit: int, leave_out: Sequence[Path] = ()) -> FolderImages:
    """Read at most `limit` frames of the image files below a folder, evenly spread over files and frames.

    A frame is cropped to its scan sector, and what is not sector becomes black. Every fifth file is held out
    for validation, chosen by a hash of its name, so that the choice stays when the folder moves. Where there
    are subfolders, all files below one are held out together: give a subfolder to each patient, and
    validation is by patient. Of a single file the last frames are held out.

    Args:
        folder: read with all that is below it, but for hidden files.
        limit: of the frames to learn from.
        leave_out: folders in it that are no data.

    Raises:
        InputError: no image can be read, or there is only one frame.
    """
    files = _image_files(folder, leave_out)
    reader = _Reader(folder)
    candidates = {"file": {file.relative_to(folder).as_posix(): [file] for file in files}}
    subfolders = _subfolders(folder, files)
    if any(len(group) > 1 for group in subfolders.values()):
        candidates = {"subfolder": subfolders, **candidates}
    for kind, groups in candidates.items():
        learned, held_out, share = _split(reader, groups, limit)
        if learned and held_out:
            how = (
                f"{share} {kind}s held out for validation, which is not by patient: "
                f"where a patient has several {kind}s, they may be on both sides"
            )
            break
    else:
        frames = reader.read(files, limit + VALIDATION_FRAMES)
        if len(frames) < 2:
            what = "only one frame" if frames else "no image"
            raise InputError(
                f"{folder} has {what} that can be read{reader.reason()}: "
                "give a folder of DICOM, NRRD, NIfTI, MHA, PNG, JPEG or TIFF files of B-mode ultrasound."
            )
        last = len(frames) - max(1, len(frames) // HELD_OUT)
        learned, held_out = frames[:last], frames[last:]
        how = "the last frames of the only file held out for validation, so its figures are too good"
    notes = [how, reader.note()]
    return FolderImages(
        learned, spread(held_out, VALIDATION_FRAMES), len(reader.used), tuple(note for note in notes if note)
    )


def _split(
    reader: _Reader, groups: dict[str, list[Path]], limit: int
) -> tuple[list[NamedImage], list[NamedImage], str]:
    """Frames to learn from, frames held out (none where only one group can be read), their share in words."""
    names = sorted(groups, key=lambda name: hashlib.sha256(name.encode()).digest())
    held = max(1, round(len(names) / HELD_OUT))
    held_out: list[NamedImage] = []
    each = max(1, VALIDATION_FRAMES // held)
    for index, name in enumerate(names):
        if len(held_out) >= VALIDATION_FRAMES or (index >= held and held_out):
            break
        held_out += reader.read(groups[name], each)
        held = max(held, index + 1)
    learned = reader.read(sorted(file for name in names[held:] for file in groups[name]), limit)
    return learned, held_out, f"{held} of {len(groups)}"


class _Reader:
    """Reads frames and remembers which files gave some and which did not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.used: set[Path] = set()
        self._failures: dict[Path, str] = {}

    def read(self, files: Sequence[Path], limit: int) -> list[NamedImage]:
        """At most `limit` frames of B-mode, evenly spread."""
        images: list[NamedImage] = []
        chosen = spread([file for file in files if file not in self._failures], limit)
        for file in chosen:
            try:
                frames = read_frames(file)
            except USEnhanceError as error:
                self._failures[file] = str(error)
                continue
            found = _inside_sector(frames, -(-limit // len(chosen)))
            name = file.relative_to(self._folder).as_posix()
            images += [(f"{name}/{index}", image) for index, image in found]
            if found:
                self.used.add(file)
            else:
                self._failures[file] = f"{file.name} holds no B-mode frame: leave it out."
        return spread(images, limit)

    def reason(self) -> str:
        """Why the first file that failed did, in brackets."""
        failure = next(iter(self._failures.values()), "")
        return f" ({failure.rstrip('.')})" if failure else ""

    def note(self) -> str:
        """How many files failed."""
        if not self._failures:
            return ""
        return (
            f"{len(self._failures)} of {len(self._failures) + len(self.used)} files left out{self.reason()}"
        )


def _image_files(folder: Path, leave_out: Sequence[Path]) -> list[Path]:
    excluded = [path.resolve() for path in leave_out]
    return sorted(
        file
        for file in folder.rglob("*")
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
        and file.is_file()
        and not any(file.resolve().is_relative_to(path) for path in excluded)
        and (file.name.lower().endswith(EXTENSIONS) or _has_dicom_mark(file))
    )


def _has_dicom_mark(file: Path) -> bool:
    """Whether a file is DICOM by its content; archives often name files by numbers alone."""
    if file.name == "DICOMDIR":
        return False
    try:
        with file.open("rb") as stream:
            stream.seek(128)
            return stream.read(4) == b"DICM"
    except OSError:
        return False


def _subfolders(folder: Path, files: Sequence[Path]) -> dict[str, list[Path]]:
    """Files by subfolder, or each for itself, below the folder that all of them are in."""
    groups: dict[str, list[Path]] = {}
    top = Path(os.path.commonpath([file.parent for file in files])) if files else folder
    for file in files:
        groups.setdefault(file.relative_to(top).parts[0], []).append(file)
    return groups


def _inside_sector(frames: Frames, limit: int) -> list[tuple[int, NDArray[np.float32]]]:
    found = []
    for index in spread(list(range(len(frames.pixels))), limit):
        sector = frames.sector if frames.sector.ndim == 2 else frames.sector[index]
        rows, columns = np.flatnonzero(sector.any(1)), np.flatnonzero(sector.any(0))
        if min(len(rows), len(columns)) < SMALLEST:
            continue
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        image = np.where(sector[box], frames.pixels[index][box], 0).astype(np.float32)
        if len(np.unique(image)) >= FEWEST_LEVELS:
            found.append((index, image))
    return found
