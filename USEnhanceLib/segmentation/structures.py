"""The structures that are outlined, with the labels of PSFHS (doi:10.1038/s41597-024-03266-4)."""

from __future__ import annotations

from dataclasses import dataclass

BACKGROUND = 0


@dataclass(frozen=True)
class Structure:
    """An outlined structure: its label, names, and colour (red, green and blue in 0 to 1)."""

    label: int
    name: str
    short: str
    colour: tuple[float, float, float]


PUBIC_SYMPHYSIS = Structure(1, "Pubic symphysis", "PS", (0.98, 0.78, 0.20))
FETAL_HEAD = Structure(2, "Fetal head", "FH", (0.20, 0.80, 0.95))
STRUCTURES = (PUBIC_SYMPHYSIS, FETAL_HEAD)
