"""Table 2 as Markdown."""

from __future__ import annotations

from typing import Any

from .drawn_phantoms import CONDITIONS
from .intervals import Interval, table
from .real_phantoms import AXIAL, LATERAL

KINDS = ("point", "line", "edge")
GOAL, SWING = -0.25, 0.05

NOTES = """\
Drawn phantoms, 128 x 128: 16 points (radius 1 pixel) on dark (0.05) and grey (0.3) ground; vertical,
horizontal and oblique (32 degrees) edges 0.10 to 0.80, 0.25 to 0.60 and 0.40 to 0.50 with a line 1.5 pixels
wide on the dark side; at random places between pixels, blurred by a Gaussian of sigma_b = .5 to 2.7 pixels,
clean or with Gaussian noise of 0.03. "truth" is the phantom before blur: nothing real is narrower. Every
method works blind. Measured on mean profiles: of all points of a phantom in both directions, of 61 parallel
lines across an edge or line; in noise, edges 0.40 to 0.50 are left out. Intervals: 95 % bootstrap over
phantoms, or over wires.

- FWHM: distance of the places beside a peak where the profile crosses base + (peak - base) / 2, base the
  median of the profile's outer quarters, between pixels by a quintic spline; of an edge, that of the
  derivative.
- Change of FWHM = FWHM / FWHM of the input - 1, phantom by phantom. The goal is -25 % or less.
  In the first table it is averaged over blurs, and the goals are met where every blur from 1 pixel on meets
  them for that kind of target.
- Overshoot of an edge = excursion beyond its plateaus / step; of points and lines, dip below the base /
  height. The goal is 5 % or less.
- GradMax = max |dI/dx| along the profile, GradMean = mean sqrt(Ix^2 + Iy^2) of the frame, central
  differences, per pixel. In noise GradMean counts noise as sharpness.
- Contrast = (max - min) / (max + min) along the profile."""

REAL_NOTES = """\
Six wires of `sonoque_axial-lateral-resolution-2020.dcm` (10 MHz, 60 dB), lines of 121 pixels laterally and 81
axially (places: `real_phantoms.WIRES`). "stored": the file's 0.0291 mm a pixel; "1/4" and "1/8": 4 x 4 and 8
x 8 pixels averaged. Their tops are saturated, and the scanner leaves a dark rim. All widths are given in
pixels of the file, gradients per pixel of the file."""


def render(record: dict[str, Any]) -> str:
    """Return the section from what `measure` returned."""
    rows = [(key, title) for key, title, _ in record["rows"]]
    columns = [condition.name for condition in CONDITIONS]

    def drawn(figure: str) -> Any:
        def find(key: str, column: str) -> Interval | None:
            source = record["truth_summary"] if key == "truth" else record["drawn_summary"][column][key]
            return source[figure]

        return find

    with_truth = [*rows, ("truth", "truth")]
    parts = [NOTES, "", *_overview(rows, record["drawn_summary"])]
    for kind in KINDS:
        parts += ["", *table(f"FWHM of {kind}s, pixels", with_truth, columns, drawn(f"{kind} fwhm"), 2)]
        parts += [
            "",
            *table(
                f"Change of FWHM of {kind}s, %",
                rows[1:],
                columns,
                drawn(f"{kind} change"),
                1,
                factor=100,
                sign="+",
            ),
        ]
        parts += [
            "",
            *table(f"Overshoot of {kind}s, %", rows, columns, drawn(f"{kind} overshoot"), 1, factor=100),
        ]
        parts += ["", *table(f"GradMax of {kind}s", with_truth, columns, drawn(f"{kind} grad_max"), 3)]
    parts += ["", *table("GradMean", with_truth, columns, drawn("grad_mean"), 4)]
    for kind in ("point", "line"):
        parts += ["", *table(f"Contrast of {kind}s", with_truth, columns, drawn(f"{kind} contrast"), 3)]
    parts += ["", "### Wires of a real phantom", "", REAL_NOTES]
    for figure, title, digits, factor, sign in (
        ("fwhm", "FWHM, pixels of the file", 1, 1, ""),
        ("change", "Change of FWHM, %", 1, 100, "+"),
        ("overshoot", "Overshoot, %", 1, 100, ""),
        ("grad_max", "GradMax", 4, 1, ""),
        ("contrast", "Contrast", 3, 1, ""),
    ):
        places = {
            f"{direction}, {'stored' if scale == '1' else f'1/{scale}'}": (scale, f"{direction} {figure}")
            for scale in record["real_summary"]
            for direction in (LATERAL, AXIAL)
        }

        def real(key: str, column: str, places: dict[str, tuple[str, str]] = places) -> Interval | None:
            scale, name = places[column]
            return record["real_summary"][scale][key][name]

        parts += ["", *table(title, rows, list(places), real, digits, factor=factor, sign=sign)]
    return "\n".join(parts) + "\n"


def _overview(rows: list[tuple[str, str]], summary: dict[str, Any]) -> list[str]:
    """Mean change of FWHM and largest overshoot over clean blurs from 1 pixel on, and how many goals are met.

    At a blur of half a pixel truth itself is hardly narrower than the input.
    """
    blurs = [condition.name for condition in CONDITIONS if condition.sigma >= 1 and not condition.noise]
    columns = [f"{kind}s, {what}" for kind in KINDS for what in ("FWHM %", "overshoot %")]
    lines = [
        "| Clean, sigma_b 1.0 to 2.7 | " + " | ".join([*columns, "goals met"]) + " |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for key, title in rows[1:]:
        cells = []
        met = 0
        for kind in KINDS:
            changes = [summary[name][key][f"{kind} change"] for name in blurs]
            swings = [summary[name][key][f"{kind} overshoot"] for name in blurs]
            change = [one["mean"] for one in changes if one]
            swing = max((one["mean"] for one in swings if one), default=0.0)
            met += bool(change) and max(change) <= GOAL and swing <= SWING
            cells += [f"{100 * sum(change) / len(change):+.1f}" if change else "-", f"{100 * swing:.1f}"]
        lines.append("| " + " | ".join([title, *cells, f"{met} of {len(KINDS)}"]) + " |")
    return lines
