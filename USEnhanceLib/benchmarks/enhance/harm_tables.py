"""Table 3: summary of the figures, and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .discs import CONTRASTS, SEARCHED, SIGNS, SPECKLED
from .intervals import Interval, interval, shown, table

CONTRAST_NAMES = tuple(f"{sign * contrast:+d} dB" for contrast in CONTRASTS for sign in SIGNS)
WITHIN = 0.1
KINDS = {"psfhs": "PSFHS", "hc18": "HC18", SPECKLED: SPECKLED}

NOTES = """\
Frames as they are: nothing is added but the discs. Every method works blind. Intervals: 95 % bootstrap over
frames, groups of near-duplicates drawn together."""

FRAME_NOTES = """\
Change of mean: mean of E(x) - x over a region, in grey levels of 255. GradMax and GradMean (maximum and mean
of sqrt(Ix^2 + Iy^2) over the scan sector): E(x) / x. EPI: correlation of the Laplacians of E(x) and x. First
and second change: mean |E(x) - x| and mean |E(E(x)) - E(x)| over the sector, in grey levels; the second must
be the smaller."""

DRAWN_NOTES = """\
Drawn phantoms without blur or noise (points of radius 1 pixel, lines of 1.5, edges), measured as in the table
of resolution; change against the input, whose own overshoot comes from interpolating between pixels. Cells
are empty where a method left no point to measure."""

CYST_NOTES = """\
CNR = 20 log10(|m1 - m2| / sqrt((s1^2 + s2^2) / 2)) in dB, gCNR = 1 - sum min(p1, p2) over 256 bins, of the
pixels within .75 radii of a cyst against those between 1.3 and 1.7 (places: `real_phantoms.CYSTS`)."""

DISC_NOTES = """\
A disc of radius 10 pixels is put into the most even speckle of real frames and into simulated speckle; 60 dB
are taken for the full grey scale, so 3, 6 and 10 dB are .05, .10 and .167. Contrast is mean inside less mean
of the ring around; kept = (contrast in E(x + disc) - in E(x)) / (in x + disc - in x). The goal is 90 to 110
%. Seen: the numerator exceeds half of 3 dB. A false disc is a place inside the sector where that contrast
exceeds half of 3 dB and grew in magnitude by more than that from x to E(x), x without any disc; a radius of 5
pixels also counts clumps of speckle and real structures that were made stronger."""


def summarise(
    results: Mapping[str, Mapping[str, Any]], before: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """Return key -> figures with intervals; `before` are the input's results."""
    return {key: _summarise_row(result, before, seed) for key, result in results.items()}


def _summarise_row(result: Mapping[str, Any], before: Mapping[str, Any], seed: int) -> dict[str, Any]:
    frames, untouched = result["frames"], before["frames"]
    groups = [frame["group"] for frame in frames]

    def over(figure: Callable[[int], float | None]) -> Interval | None:
        return interval([figure(index) for index in range(len(frames))], groups, seed)

    summary: dict[str, Any] = {
        "grad_max": over(lambda i: frames[i]["grad_max"] / untouched[i]["grad_max"]),
        "grad_mean": over(lambda i: frames[i]["grad_mean"] / untouched[i]["grad_mean"]),
        "epi": over(lambda i: frames[i]["epi"]),
        "first_change": over(lambda i: 255 * frames[i]["first_change"]),
        "second_change": over(lambda i: 255 * frames[i]["second_change"]),
        "calmer": sum(frame["second_change"] < frame["first_change"] for frame in frames),
        "means": {},
        "false_discs": {},
        "drawn": {},
        "discs": {},
    }
    for dataset, region in _region_columns(untouched):
        summary["means"][f"{dataset} {region}"] = over(
            lambda i, d=dataset, r=region: (
                255 * frames[i]["means"][r] if frames[i]["dataset"] == d and r in frames[i]["means"] else None
            )
        )
    for kind in ("point", "line", "edge"):
        pairs = [
            (one[kind], base[kind])
            for one, base in zip(result["drawn"], before["drawn"], strict=True)
            if kind in one
        ]
        for metric in ("fwhm", "grad_max"):
            summary["drawn"][f"{kind} {metric}"] = interval(
                [one[metric] / base[metric] - 1 if one[metric] else None for one, base in pairs], seed=seed
            )
        summary["drawn"][f"{kind} overshoot"] = interval([one["overshoot"] for one, _ in pairs], seed=seed)
    for radius in SEARCHED:
        name = f"{radius:g}"
        counts = [entry["false_discs"][name] for entry in (*frames, *result["discs"])]
        summary["false_discs"][name] = {"count": int(np.sum(counts)), "frames": len(counts)}
    for kind in KINDS:
        chosen = [entry["contrasts"] for entry in result["discs"] if entry["kind"] == kind]
        for name in CONTRAST_NAMES:
            figures = interval([entry[name]["kept"] for entry in chosen], seed=seed)
            if figures is not None:
                figures["seen"] = sum(entry[name]["seen"] for entry in chosen)
                figures["within"] = sum(abs(entry[name]["kept"] - 1) <= WITHIN for entry in chosen)
            summary["discs"][f"{kind} {name}"] = figures
    return summary


def _region_columns(frames: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((frame["dataset"], name) for frame in frames for name in frame["means"]))


def render(record: dict[str, Any]) -> str:
    """Return the section from what `measure` returned."""
    rows = [(key, title) for key, title, _ in record["rows"]]
    summary, results = record["summary"], record["results"]
    parts = [NOTES, "", "### Frames", "", FRAME_NOTES]
    regions = list(summary[rows[0][0]]["means"])
    parts += [
        "",
        *table(
            "Change of mean, grey levels",
            rows[1:],
            regions,
            lambda key, column: summary[key]["means"][column],
            2,
            sign="+",
        ),
    ]
    ratios = {"GradMax": "grad_max", "GradMean": "grad_mean", "EPI": "epi"}
    parts += ["", *table("Frame", rows[1:], list(ratios), lambda key, name: summary[key][ratios[name]], 3)]
    passes = {"first change": "first_change", "second change": "second_change"}
    parts += ["", *table("Twice", rows[1:], list(passes), lambda key, name: summary[key][passes[name]], 2)]
    parts += ["", "### Sharp phantoms", "", DRAWN_NOTES]
    figures = list(summary[rows[0][0]]["drawn"])
    parts += [
        "",
        *table(
            "Change, %; overshoot, %",
            rows,
            figures,
            lambda key, name: summary[key]["drawn"][name],
            1,
            factor=100,
            sign="+",
        ),
    ]
    parts += ["", "### Cysts of real scans", "", CYST_NOTES, "", *_cyst_table(rows, results)]
    parts += ["", "### Discs", "", DISC_NOTES]
    for kind, title in KINDS.items():
        parts += [
            "",
            *table(
                f"Contrast kept, %, {title}",
                rows[1:],
                CONTRAST_NAMES,
                lambda key, name, kind=kind: summary[key]["discs"][f"{kind} {name}"],
                1,
                factor=100,
            ),
        ]
    parts += ["", *_disc_counts(rows[1:], summary)]
    return "\n".join(parts) + "\n"


def _cyst_table(rows: list[tuple[str, str]], results: Mapping[str, Any]) -> list[str]:
    names = [cyst["title"] for cyst in results[rows[0][0]]["cysts"]]
    lines = ["| CNR, dB / gCNR / mean inside | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for key, title in rows:
        cells = [
            f"{shown(cyst['cnr'], 2)} / {cyst['gcnr']:.3f} / {cyst['inside']:.3f}"
            for cyst in results[key]["cysts"]
        ]
        lines.append("| " + " | ".join([title, *cells]) + " |")
    return lines


def _disc_counts(rows: list[tuple[str, str]], summary: Mapping[str, Any]) -> list[str]:
    """Over all grounds: discs seen, discs kept within 10 %, and false discs."""
    columns = [f"{contrast} dB {what}" for contrast in CONTRASTS for what in ("seen", "within 10 %")]
    columns += [f"false discs, radius {radius:g}" for radius in SEARCHED]
    lines = ["| All grounds | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for key, title in rows:
        cells = []
        for contrast in CONTRASTS:
            cell = [
                figures
                for kind in KINDS
                for sign in SIGNS
                if (figures := summary[key]["discs"][f"{kind} {sign * contrast:+d} dB"]) is not None
            ]
            whole = sum(figures["count"] for figures in cell)
            cells += [f"{sum(figures[name] for figures in cell)} of {whole}" for name in ("seen", "within")]
        for radius in SEARCHED:
            found = summary[key]["false_discs"][f"{radius:g}"]
            cells.append(f"{found['count']} in {found['frames']} frames")
        lines.append("| " + " | ".join([title, *cells]) + " |")
    return lines
