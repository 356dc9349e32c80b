"""The simulated frames of the tables: made by SIMUS of subjects that nothing was learnt from.

Each set is planned from a seed, so that anyone with the same MRI gets the same pairs. What an earlier run has
made of it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Generator
from torch.nn import functional

from ...simulation.dataset import load_pairs, make_data_set
from ...simulation.grid import image_grid
from ...simulation.manifest import plan
from ...simulation.probes import PROBES
from ...training.display_variation import DisplayVariation
from ..record import available_cores

REFERENCE = "L11-5v"
OTHERS = tuple(probe.name for probe in PROBES if probe.name != REFERENCE)
MRI = "mri"

SMALLER = 0.6
"""Magnification of frames with finer speckle than in training."""
OTHER_DISPLAY = DisplayVariation(gain=(0.35, 1.1), offset=(-0.25, 0.1), zoom=(1.0, 1.6))
"""Darker, of weaker grain and coarser, as frames of real scanners are."""
SHIFTS = ("other displays", "0.6 x smaller")
DISPLAY_SEED = 4009
SHIFTED_LIMIT = 6
"""Pairs of each probe that are shown shifted."""


@dataclass(frozen=True)
class TestSet:
    """A set of pairs: name, probes, number of pairs, edge in pixels, split of the subjects, seed."""

    __test__ = False

    name: str
    probes: tuple[str, ...]
    count: int
    size: int
    split: str
    seed: int


REFERENCE_SET = TestSet("reference", (REFERENCE,), 100, 128, "test", 4001)
OTHERS_SET = TestSet("others", OTHERS, 120, 128, "test", 4002)
LARGE_SET = TestSet("large", (REFERENCE, *OTHERS), 10, 256, "test", 4006)
VALIDATION_SET = TestSet("validation", (REFERENCE, *OTHERS), 40, 128, "val", 4007)
"""Of other subjects than the tests: what parameters and calibrations are fitted to."""


@dataclass(frozen=True, eq=False)
class TestPair:
    """A simulated frame and its truth.

    Attributes:
        probe, subject: where it comes from.
        speckled, clean: float32 [H, W] in [0, 1].
        sector: bool [H, W], where the probe sees something.
    """

    __test__ = False

    probe: str
    subject: str
    speckled: np.ndarray
    clean: np.ndarray
    sector: np.ndarray

    def magnified(self, factor: float) -> TestPair:
        """Return the pair on a finer or coarser grid, by linear interpolation."""
        from scipy.ndimage import zoom

        frames = (zoom(frame, factor, order=1) for frame in (self.speckled, self.clean))
        sector = zoom(self.sector.astype(np.float32), factor, order=1) > 0.999
        return TestPair(self.probe, self.subject, *frames, sector)

    def displayed(self, variation: DisplayVariation, generator: Generator) -> TestPair:
        """Return a square of the pair as another scanner may show it, magnified to the pair's size."""
        size = self.clean.shape[0]
        edge = variation.draw_edge(size, generator)
        top, left = (int(torch.randint(size - edge + 1, (1,), generator=generator)) for _ in range(2))
        part = (slice(top, top + edge), slice(left, left + edge))
        both = torch.from_numpy(np.stack((self.speckled[part], self.clean[part])))
        speckled, clean = variation.show(both, size, generator).numpy()
        shown = torch.from_numpy(self.sector[part].astype(np.float32))[None, None]
        sector = functional.interpolate(shown, size=(size, size), mode="bilinear")[0, 0].numpy() > 0.999
        return TestPair(self.probe, self.subject, speckled, clean, sector)


def shifted(pairs: Sequence[TestPair]) -> dict[str, list[TestPair]]:
    """Return the first few pairs of each probe, each in the ways of `SHIFTS`."""
    chosen: dict[str, list[TestPair]] = {}
    for pair in pairs:
        chosen.setdefault(pair.probe, []).append(pair)
    few = [pair for group in chosen.values() for pair in group[:SHIFTED_LIMIT]]
    generator = torch.Generator().manual_seed(DISPLAY_SEED)
    ways = (
        [pair.displayed(OTHER_DISPLAY, generator) for pair in few],
        [pair.magnified(SMALLER) for pair in few],
    )
    return dict(zip(SHIFTS, ways, strict=True))


def simulated(
    data: Path,
    chosen: TestSet,
    folder: Path,
    *,
    limit: int | None = None,
    processes: int | None = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[TestPair]:
    """Return the pairs of a set, simulated where they are not yet.

    data: folder with the folder `mri`.  folder: keeps the sets, each in a folder of its name.  limit: the
    most of each probe.  processes: one per core when None. Raises InputError where there is no MRI, or the
    folder holds something else.
    """
    count = chosen.count if limit is None else min(chosen.count, limit * len(chosen.probes))
    place = folder / (chosen.name if count == chosen.count else f"{chosen.name}-{count}")
    entries = plan(
        data / MRI,
        chosen.probes,
        count,
        seed=chosen.seed,
        engine="simus",
        size=chosen.size,
        split=chosen.split,
    )
    place.mkdir(parents=True, exist_ok=True)
    make_data_set(entries, data / MRI, place, processes=processes or available_cores(), progress=progress)
    return [
        TestPair(entry.setting.probe, entry.subject, speckled, clean, image_grid(entry.setting).sector)
        for entry, speckled, clean in load_pairs(place)
    ]
