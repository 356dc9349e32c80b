"""The simulated pairs of a run, from one data set of `usenhance simulate` or several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..simulation.dataset import load_pairs
from ..simulation.manifest import MANIFEST

LICENCE = """\
The weights in this folder are licensed under the Creative Commons Attribution 4.0 International licence
(CC BY 4.0, https://creativecommons.org/licenses/by/4.0/legalcode), as far as the images allow that they were
simulated from: see the card for their origin.
"""

Frames = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SimulatedPairs:
    """What a network that despeckles learns from.

    Attributes:
        learned: each [2, H, W] in [0, 1]: speckled and clean.
        held_out: name of the probe and pair, of subjects that are not learned from.
        probes: names, in the order of their first pair.
        sources: folders of the MRI that the pairs show.
        notes: sentences for whoever trains.
    """

    learned: list[Frames]
    held_out: list[tuple[str, Frames]]
    probes: tuple[str, ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...] = ()
    licence: str = LICENCE

    @property
    def data_source(self) -> str:
        """The entry of the bundle's metadata."""
        return f"simulated from MRI of {', '.join(self.sources)}"


def read_pairs(data: Path, probes: Sequence[str], validation_pairs: int) -> SimulatedPairs:
    """Read the splits "train" and "val" of all data sets in a folder, itself or its subfolders.

    Args:
        data: the folder.
        probes: whose pairs are learned from; those of all when empty. Held out are pairs of all probes.
        validation_pairs: the most that are held out of each probe.

    Raises:
        InputError: there is no data set, one is not complete, or no pair is left to learn from.
    """
    folders = sorted(file.parent for file in [*data.glob(MANIFEST), *data.glob(f"*/{MANIFEST}")])
    if not folders:
        raise InputError(f"{data} holds no simulated pairs: make some with usenhance simulate.")
    learned, held_out = [], []
    names: dict[str, None] = {}
    sources: dict[str, None] = {}
    counts: Counter[str] = Counter()
    for folder in folders:
        for entry, speckled, clean in load_pairs(folder, split="train"):
            if not probes or entry.setting.probe in probes:
                names[entry.setting.probe] = None
                sources[entry.subject.split("/")[0]] = None
                learned.append(np.stack((speckled, clean)))
        for entry, speckled, clean in load_pairs(folder, split="val"):
            counts[entry.setting.probe] += 1
            if counts[entry.setting.probe] <= validation_pairs:
                held_out.append((entry.setting.probe, np.stack((speckled, clean))))
    if not learned:
        raise InputError(f"{data} holds no pairs to learn from of {', '.join(probes)}: simulate some.")
    notes = () if held_out else ("no pairs are held out, so nothing is validated",)
    return SimulatedPairs(learned, held_out, tuple(names), tuple(sources), notes)
