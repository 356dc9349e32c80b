"""What a run learns from: images of the published data sets or of any folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .datasets import NamedImage, hc18_images, natural_images, psfhs_images
from .recipe import TrainingRecipe

VALIDATION_FRAMES = 4
"""Validation frames of each published data set, and of the natural images."""

PUBLISHED_LICENCE = """\
The weights in this folder are licensed under the Creative Commons Attribution 4.0 International licence
(CC BY 4.0, https://creativecommons.org/licenses/by/4.0/legalcode).

They were trained on these data, which ask for attribution:

- PSFHS: Chen G, Bai J, Ou Z, Lu Y, Wang H. Scientific Data 2024, doi:10.1038/s41597-024-03266-4; data
  doi:10.5281/zenodo.10969427, CC BY 4.0.
- HC18: van den Heuvel TLA, de Bruijn D, de Korte CL, van Ginneken B. PLoS ONE 2018;13(8):e0200412; data
  doi:10.5281/zenodo.1327317, CC BY 4.0.
- Kodak lossless true colour images, unrestricted use; photographs that ship with scikit-image.
"""


@dataclass(frozen=True, eq=False)
class TrainingImages:
    """Ultrasound frames and natural images of a run, and what its model card has to say of them.

    Attributes:
        scans, natural: to learn from; there may be no natural images.
        validation_scans, validation_natural: held out.
        origin: rows of the card's table, name and text.
        limit: the sentence of the card's limits about what the data do not cover.
        data_source: the entry of the bundle's metadata.
        licence: terms of weights that were trained on them.
        notes: sentences for whoever trains.
    """

    scans: list[NamedImage]
    natural: list[NamedImage]
    validation_scans: list[NamedImage]
    validation_natural: list[NamedImage]
    origin: dict[str, str]
    limit: str
    data_source: str
    licence: str
    notes: tuple[str, ...] = ()


def read_training_images(data: Path, recipe: TrainingRecipe) -> TrainingImages:
    """Read the images of the folder `data`: psfhs/, hc18/ and natural/ as the data README describes them.

    Raises:
        InputError: there are none.
    """
    return TrainingImages(
        scans=psfhs_images(data, "train", recipe.psfhs_frames)
        + hc18_images(data, "train", recipe.hc18_frames),
        natural=natural_images(data, "train"),
        validation_scans=psfhs_images(data, "val", VALIDATION_FRAMES)
        + hc18_images(data, "val", VALIDATION_FRAMES),
        validation_natural=natural_images(data, "val", VALIDATION_FRAMES),
        origin={
            "ultrasound": f"train splits of PSFHS ({recipe.psfhs_frames} frames) and HC18 "
            f"({recipe.hc18_frames} frames)",
            "natural images": "photographs from Kodak and scikit-image",
        },
        limit="Trained on two data sets of fetal ultrasound; other organs, probes and scanners are untested.",
        data_source="PSFHS doi:10.5281/zenodo.10969427, HC18 doi:10.5281/zenodo.1327317, Kodak, scikit-image",
        licence=PUBLISHED_LICENCE,
    )
