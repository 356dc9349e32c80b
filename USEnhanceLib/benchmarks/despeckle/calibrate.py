"""Calibration of an ensemble's uncertainty, and the domain in which it holds, on subjects that no test shows.

Scale and floor are fitted to pixels of SIMUS frames of the validation subjects; those for shifted frames to
the same frames as other scanners may show them (`test_sets.shifted`). The domain is the range of the
statistics (`enhancement.domain`) over diversified training frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...enhancement.calibration import FLOOR, SCALE, SHIFTED
from ...enhancement.domain import DOMAIN, STATISTICS, frame_statistics
from ...models import find_model
from ...quality.calibration import Calibration, coverage, fit_calibration, pearson
from ...simulation.dataset import load_pairs, make_data_set
from ...simulation.manifest import plan
from ...simulation.probes import PROBES
from ..record import available_cores
from .spread import Sample, draw_samples
from .test_sets import MRI, VALIDATION_SET, shifted, simulated

DOMAIN_PAIRS, DOMAIN_SEED = 240, 4008
"""Diversified frames of training subjects, from the fast engine."""
SECTION = """\
## Uncertainty
{usual[0]:.3g} x the standard deviation over the members + {usual[1]:.2g}, as an estimate of the standard
deviation of the error against the clean frame; {shifted[0]:.3g} x + {shifted[1]:.2g} for frames outside the
domain. Fitted to {frames} frames that SIMUS made of {subjects} subjects that no member learnt from; for
frames outside the domain, to some of them with other gains and magnifications, or shrunk. There,
{coverage:.1%} and {coverage_shifted:.1%} of the errors lie within twice that estimate. The domain is {ranges}
over training frames ({tail:.1%} lie beyond each end). The estimate says nothing of errors that all members
share, such as a structure that all of them remove.
Command: `{command}`.
"""

TAIL = 0.005
"""Share of the training frames below the range of a statistic, and above it."""


def measure(
    data: Path,
    method: str,
    *,
    folder: Path,
    limit: int | None,
    processes: int | None,
    device: str,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Fit and return what the model's settings need, and how well it fits.

    data: folder with the folder `mri`.  method: an ensemble, by name or folder.  folder: keeps simulated
    frames.  limit: validation pairs of each probe, and a tenth of the training frames of the domain. Errors
    as of `test_sets.simulated`.
    """
    pairs = simulated(data, VALIDATION_SET, folder, limit=limit, processes=processes, progress=progress)
    others = [pair for group in shifted(pairs).values() for pair in group]
    how: dict[str, Any] = {"processes": processes, "device": device, "progress": progress}
    settings: dict[str, Any] = {}
    fits: dict[str, Any] = {}
    for name, ending, shown in (("usual", "", pairs), ("shifted", SHIFTED, others)):
        samples = draw_samples(shown, method, **how)
        fitted, facts = _fit(samples)
        settings |= {SCALE + ending: fitted.scale, FLOOR + ending: fitted.floor}
        fits[name] = facts
    settings[DOMAIN] = _domain(data, folder, limit, processes, progress)
    return {
        "sha256": find_model(method).sha256,
        "subjects": sorted({pair.subject for pair in pairs}),
        "settings": settings,
        "fits": fits,
    }


def _fit(samples: Sequence[Sample]) -> tuple[Calibration, dict[str, Any]]:
    spread = np.concatenate([sample.spread for sample in samples])
    error = np.concatenate([sample.error for sample in samples])
    fitted = fit_calibration(spread, error)
    # As written, so that the record speaks of what the enhancer does.
    fitted = Calibration(float(f"{fitted.scale:.4g}"), float(f"{fitted.floor:.4g}"))
    return fitted, {
        "frames": len(samples),
        "coverage_before": round(coverage(spread, error), 4),
        "coverage": round(coverage(fitted(spread), error), 4),
        "pearson": round(pearson(spread, error), 4),
    }


def _domain(
    data: Path,
    folder: Path,
    limit: int | None,
    processes: int | None,
    progress: Callable[[int, int], None] | None,
) -> dict[str, list[float]]:
    count = DOMAIN_PAIRS if limit is None else min(DOMAIN_PAIRS, 10 * limit)
    place = folder / (f"domain-{count}" if limit else "domain")
    probes = [probe.name for probe in PROBES]
    entries = plan(
        data / MRI, probes, count, seed=DOMAIN_SEED, engine="fast", diversified=True, split="train"
    )
    place.mkdir(parents=True, exist_ok=True)
    cores = processes or available_cores()
    make_data_set(entries, data / MRI, place, processes=cores, progress=progress)
    found = [frame_statistics(speckled) for _, speckled, _ in load_pairs(place)]
    return {
        name: [
            float(f"{value:.4g}")
            for value in np.quantile([one[name] for one in found if one], (TAIL, 1 - TAIL))
        ]
        for name in STATISTICS
    }


def section(record: dict[str, Any]) -> str:
    """Return the section of the model card from a record."""
    settings, fits = record["settings"], record["fits"]
    ranges = (f"{name} {low:.3g} to {high:.3g}" for name, (low, high) in settings[DOMAIN].items())
    return SECTION.format(
        usual=(settings[SCALE], settings[FLOOR]),
        shifted=(settings[SCALE + SHIFTED], settings[FLOOR + SHIFTED]),
        frames=fits["usual"]["frames"],
        subjects=len(record["subjects"]),
        coverage=fits["usual"]["coverage"],
        coverage_shifted=fits["shifted"]["coverage"],
        ranges=", ".join(ranges),
        tail=TAIL,
        command=record["command"],
    )
