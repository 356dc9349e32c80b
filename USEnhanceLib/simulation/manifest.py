"""Data sets as lists of what to simulate: each pair can be made again, bit by bit, from its line."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, OptionError
from .echogenicity import (
    View,
    draw_view,
    echogenicity_of,
    find_mri,
    imaged_plane,
    read_tissue,
    sha256_of,
    subject_of,
)
from .pair import ENGINES, Pair, simulate_pair
from .probes import find_probe
from .setting import Setting, draw_setting

MANIFEST = "manifest.jsonl"
SPLITS = ("train", "val", "test")
HELD_OUT = 0.15
"""Share of the subjects of a folder in each of val and test, at least one where there are three."""

PAIRS_PER_SETTING = {"simus": 4, "fast": 16}
"""Of diversified data sets: finding the point spread functions of a setting takes seconds."""


@dataclass(frozen=True)
class Entry:
    """A pair of a data set.

    Attributes:
        index: from 0.
        source: file of the MRI, relative to the folder (or its folder's) that was given, with slashes.
        sha256: of that file.
        subject: whose MRI it is.
        split: "train", "val" or "test"; all pairs of a subject are in one.
        view: the part of the MRI.
        engine: one of `ENGINES`.
        setting: of the simulation.
    """

    index: int
    source: str
    sha256: str
    subject: str
    split: str
    view: View
    engine: str
    setting: Setting

    def to_json(self) -> dict[str, Any]:
        """Return the entry as a dictionary for JSON."""
        nested = {"view": self.view.to_json(), "setting": self.setting.to_json()}
        return {**self.__dict__, **nested}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Entry:
        """Return the entry of such a dictionary."""
        view, setting = View.from_json(values["view"]), Setting.from_json(values["setting"])
        return cls(**{**values, "view": view, "setting": setting})

    def simulate(self, mri: Path) -> Pair:
        """Return the pair, given the folder of the MRI.

        Raises:
            InputError: the MRI is missing or another one than the data set was planned with.
        """
        file = mri / self.source
        if not file.is_file():
            raise InputError(
                f"{file} is missing: give the folder of the MRI that the data set was made from."
            )
        if _cached_sha256(file) != self.sha256:
            raise InputError(f"{file} is not the file that the data set was made from: restore it.")
        grey = imaged_plane(read_tissue(file), self.view, self.setting.size)
        return simulate_pair(echogenicity_of(grey, self.setting.contrast), self.setting, self.engine)


def plan(
    mri: Path,
    probes: Sequence[str],
    count: int,
    *,
    seed: int = 0,
    engine: str = "simus",
    size: int = 128,
    diversified: bool = False,
    split: str | None = None,
) -> list[Entry]:
    """Return what a data set is to hold; nothing is simulated.

    Args:
        mri: file or folder of MRI, whose subjects are divided into splits by their names alone, so that data
            sets with other seeds share the division.
        probes: names; the pairs go round them.
        count: of pairs.
        seed: of views, settings and scatterers.
        engine: one of `ENGINES`.
        size: edge of the images, pixels.
        diversified: also draw frequency, pulse, depth and others, see `draw_setting`.
        split: take subjects of this one only.

    Raises:
        InputError: there is no MRI, or none in the split.
        OptionError: an unknown probe, engine or split.
    """
    if engine not in ENGINES:
        raise OptionError(f"There is no engine {engine!r}: choose one of {', '.join(ENGINES)}.")
    if split is not None and split not in SPLITS:
        raise OptionError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    names = [find_probe(name).name for name in probes]
    files = find_mri(mri)
    division = divide_subjects([subject_of(file) for file in files])
    chosen = [file for file in files if split in (None, division[subject_of(file)])]
    if not chosen:
        raise InputError(f"{mri} has no subjects for the split {split}: give more MRI.")
    root = mri_folder(mri)
    rng = np.random.default_rng(seed)
    group: dict[str, Setting] = {}
    entries = []
    for index in range(count):
        name = names[index % len(names)]
        file = _draw_file(chosen, rng)
        own = draw_setting(name, rng, diversified, size=size)
        if index // len(names) % PAIRS_PER_SETTING[engine] == 0:
            group[name] = own
        shown = {"seed": own.seed, "dynamic_range": own.dynamic_range, "contrast": own.contrast}
        subject = subject_of(file)
        entries.append(
            Entry(
                index=index,
                source=file.relative_to(root).as_posix(),
                sha256=_cached_sha256(file),
                subject=subject,
                split=division[subject],
                view=draw_view(read_tissue(file), rng),
                engine=engine,
                setting=replace(group[name], **shown),
            )
        )
    return entries


def _draw_file(files: Sequence[Path], rng: np.random.Generator) -> Path:
    """Return a file: folders are as likely as each other, then their subjects, then the files of one.

    So neither a volume among slices is hardly ever seen, nor a subject with many slices too often.
    """
    for group in (lambda file: file.parent, subject_of):
        groups = sorted({group(file) for file in files})
        drawn = groups[int(rng.integers(len(groups)))]
        files = [file for file in files if group(file) == drawn]
    return files[int(rng.integers(len(files)))]


def mri_folder(mri: Path) -> Path:
    """Return the folder that sources are relative to: the one given, or that of the file given."""
    return mri if mri.is_dir() else mri.parent


def divide_subjects(subjects: Sequence[str]) -> dict[str, str]:
    """Return the split of each subject ("<folder>/<name>"); folders are divided each by itself.

    A hash of the names decides, so neither a seed nor the order of files does.
    """
    division = {}
    for folder in sorted({subject.split("/")[0] for subject in subjects}):
        members = sorted(
            {subject for subject in subjects if subject.split("/")[0] == folder},
            key=lambda subject: hashlib.sha256(subject.encode()).hexdigest(),
        )
        held_out = max(round(HELD_OUT * len(members)), 1) if len(members) >= 3 else 0
        for place, subject in enumerate(members):
            division[subject] = SPLITS[2 - min(place // held_out, 2)] if held_out else SPLITS[0]
    return division


def write_manifest(folder: Path, entries: Sequence[Entry]) -> None:
    """Write the manifest of a data set, whole or not at all."""
    lines = "".join(json.dumps(entry.to_json(), sort_keys=True) + "\n" for entry in entries)
    temporary = folder / f".{MANIFEST}.{os.getpid()}.tmp"
    temporary.write_text(lines, encoding="utf-8")
    temporary.replace(folder / MANIFEST)


def read_manifest(folder: Path) -> list[Entry]:
    """Return the entries of a data set.

    Raises:
        InputError: there is no manifest, or it cannot be read.
    """
    file = folder / MANIFEST
    try:
        with file.open(encoding="utf-8") as lines:
            return [Entry.from_json(json.loads(line)) for line in lines]
    except OSError as error:
        raise InputError(f"{file} cannot be read: give the folder of a simulated data set.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{file} is no manifest of this version: simulate the data again.") from error


_SHA256: dict[Path, str] = {}


def _cached_sha256(file: Path) -> str:
    if file not in _SHA256:
        _SHA256[file] = sha256_of(file)
    return _SHA256[file]
