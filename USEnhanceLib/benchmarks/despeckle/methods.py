"""Table 1: how close methods come to the truth of simulated frames.

Filters are told the true standard deviation of the speckle and have the parameters with the largest mean PSNR
on pairs of other subjects. Networks get the pixels alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...quality.fidelity import psnr
from ..conditions import Degraded
from ..contenders import CLASSICAL, Contender, filter_told
from ..enhance.answers import answer_all
from ..enhance.intervals import interval, table
from ..pool import map_tasks
from ..tuning import GRIDS, climb, settings_at
from .figures import FIGURES, measure_frame
from .test_sets import LARGE_SET, OTHERS_SET, REFERENCE_SET, VALIDATION_SET, TestPair, simulated

SETS = (REFERENCE_SET, OTHERS_SET, LARGE_SET)
DIGITS = {"psnr": 2, "ssim": 3, "cnr": 2, "gcnr": 3, "epi": 3}

NOTES = """\
Frames simulated by SIMUS of subjects that nothing was learnt from; mean [95 % bootstrap interval over
subjects]. Classical filters know the true level of the speckle and were tuned for PSNR on one pair of each
probe of the validation subjects. Only pixels inside the sector count. CNR and gCNR compare the darkest and
the brightest quarter of the clean frame's pixels; EPI is the correlation of Laplacians with the clean frame.
"""


@dataclass(frozen=True, eq=False)
class _Filtering:
    method: str
    pairs: tuple[TestPair, ...]
    settings: dict[str, Any] | None
    cache: Path


def measure(
    data: Path,
    rows: Sequence[Contender],
    *,
    folder: Path,
    limit: int | None,
    seed: int,
    processes: int | None,
    device: str,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure all rows on all sets.

    rows: as of `contenders`.  folder: of the simulated sets.  limit: pairs of each probe; all when None.
    cache: folder that keeps the answers.  Errors as of `run`.
    """
    make = partial(simulated, data, folder=folder, limit=limit, processes=processes, progress=progress)
    pairs = {chosen.name: make(chosen) for chosen in SETS}
    filters = [row.method for row in rows if row.role == CLASSICAL]
    tuned = tune(filters, make(VALIDATION_SET), cache, processes, progress)
    results: dict[str, Any] = {}
    for name, shown in pairs.items():
        answers = answer_all(
            [row for row in rows if row.role != CLASSICAL],
            [pair.speckled for pair in shown],
            processes=processes,
            device=device,
            cache=cache,
            progress=progress,
        )
        tasks = [
            _Filtering(method, (pair,), tuned[method]["settings"], cache)
            for method in filters
            for pair in shown
        ]
        filtered = map_tasks(_filter, tasks, processes, progress)
        for index, method in enumerate(filters):
            answers[method] = filtered[index * len(shown) : (index + 1) * len(shown)]
        results[name] = {
            "probes": [pair.probe for pair in shown],
            "subjects": [pair.subject for pair in shown],
            "figures": {
                row.key: [
                    measure_frame(frame, pair) for frame, pair in zip(answers[row.key], shown, strict=True)
                ]
                for row in rows
            },
        }
    return {
        "rows": [[row.key, row.title] for row in rows],
        "tuned": tuned,
        "sets": results,
        "summary": {name: _summarise(result, seed) for name, result in results.items()},
    }


def tune(
    filters: Sequence[str],
    pairs: Sequence[TestPair],
    cache: Path,
    processes: int | None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return for each filter the settings with the largest mean PSNR on the first pair of each probe."""
    first = {pair.probe: pair for pair in reversed(pairs)}
    tasks = [_Filtering(method, tuple(first.values()), None, cache) for method in filters]
    return dict(zip(filters, map_tasks(_best_settings, tasks, processes, progress), strict=True))


def _best_settings(task: _Filtering) -> dict[str, Any]:
    lengths = [len(values) for values in GRIDS[task.method].values()]

    def score(place: tuple[int, ...]) -> float:
        settings = settings_at(task.method, place)
        scores = []
        for pair in task.pairs:
            answer = filter_told(task.method, settings, _degraded(pair), task.cache)
            scores.append(psnr(answer[None], pair.clean[None], pair.sector)[0])
        return float(np.mean(scores))

    tried = climb(tuple(length // 2 for length in lengths), lengths, score)
    best = max(tried, key=tried.__getitem__)
    return {"settings": settings_at(task.method, best), "psnr": round(tried[best], 3), "tried": len(tried)}


def _filter(task: _Filtering) -> np.ndarray:
    (pair,) = task.pairs
    return filter_told(task.method, task.settings or {}, _degraded(pair), task.cache)


def _degraded(pair: TestPair) -> Degraded:
    difference = (pair.speckled - pair.clean)[pair.sector]
    return Degraded(pair.speckled, float(difference.std(dtype=np.float64)), 1.0)


def _summarise(result: dict[str, Any], seed: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Return row -> probe -> figure -> interval."""
    summary: dict[str, dict[str, dict[str, Any]]] = {}
    for key, figures in result["figures"].items():
        for probe in dict.fromkeys(result["probes"]):
            places = [place for place, name in enumerate(result["probes"]) if name == probe]
            subjects = [result["subjects"][place] for place in places]
            summary.setdefault(key, {})[probe] = {
                name: interval([figures[place][name] for place in places], subjects, seed) for name in FIGURES
            }
    return summary


def render(record: dict[str, Any]) -> str:
    """Return the section of what `measure` returned."""
    rows = [tuple(row) for row in record["rows"]]
    lines = [NOTES]
    for name, summary in record["summary"].items():
        counts = Counter(record["sets"][name]["probes"])
        if name == LARGE_SET.name:
            lines += [f"### 256 x 256 pixels, {sum(counts.values())} pairs, PSNR in dB", ""]
            probes = list(counts)
            lines += table("", rows, probes, lambda key, probe, s=summary: s[key][probe]["psnr"], 2)
            lines.append("")
            continue
        for probe, count in counts.items():
            lines += [f"### {probe}, {count} pairs", "", *_table(rows, summary, probe), ""]
    lines += ["| filter | settings | PSNR in tuning, dB |", "|---|---|---|"]
    for method, found in record["tuned"].items():
        settings = ", ".join(f"{name} {value}" for name, value in found["settings"].items()) or "its own"
        lines.append(f"| {method} | {settings} | {found['psnr']:.2f} |")
    return "\n".join(lines)


def _table(
    rows: Sequence[tuple[str, str]], summary: dict[str, dict[str, dict[str, Any]]], probe: str
) -> list[str]:
    lines = ["| | " + " | ".join(FIGURES.values()) + " |", "|---" * (len(FIGURES) + 1) + "|"]
    best = {
        name: max(summary[key][probe][name]["mean"] for key, _ in rows if summary[key][probe][name])
        for name in FIGURES
    }
    for key, title in rows:
        cells = []
        for name in FIGURES:
            found = summary[key][probe][name]
            if found is None:
                cells.append("")
                continue
            mean, low, high = (f"{found[part]:.{DIGITS[name]}f}" for part in ("mean", "low", "high"))
            cells.append(f"{f'**{mean}**' if found['mean'] == best[name] else mean} [{low}, {high}]")
        lines.append("| " + " | ".join([title, *cells]) + " |")
    return lines
