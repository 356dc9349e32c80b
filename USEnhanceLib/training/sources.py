"""What a run learns from: images of the published data sets or of any folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .datasets import NamedImage, hc18_images, natural_images, psfhs_images
from .folder import folder_images
from .recipe import TrainingRecipe

PUBLISHED = {"psfhs": psfhs_images, "hc18": hc18_images}
NATURAL = "natural"
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

PRIVATE_LICENCE = """\
The weights in this folder were trained on images that whoever trained them supplied. What may be done with
them is for the owners of those images to say; USEnhance claims no rights in them.
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
    validation_scans: list[NamedImage]
    origin: Mapping[str, str]
    limit: str
    data_source: str
    licence: str
    natural: list[NamedImage] = field(default_factory=list)
    validation_natural: list[NamedImage] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def read_training_images(
    data: Path, recipe: TrainingRecipe, leave_out: Sequence[Path] = ()
) -> TrainingImages:
    """Read the images of the folder `data`.

    Where it has psfhs/split.csv or hc18/split.csv, these data sets are read with their splits; otherwise all
    ultrasound images below it. natural/*.png are natural images in both cases; without them, their share of
    the patches falls to ultrasound.

    Args:
        data: the folder.
        recipe: says how many frames are taken.
        leave_out: folders in it that are no data, such as that of the run.

    Raises:
        InputError: there is no ultrasound image.
    """
    published = [name for name in PUBLISHED if (data / name / "split.csv").is_file()]
    photographs = any((data / NATURAL).glob("*.png"))
    if published:
        images = _published_images(data, recipe, published)
    else:
        images = _images_of_a_folder(data, recipe, (*leave_out, data / NATURAL))
    if not photographs:
        note = f"no natural images ({NATURAL}/*.png): ultrasound takes their share of the patches"
        return replace(images, notes=(*images.notes, note) if recipe.natural_share else images.notes)
    return replace(
        images,
        natural=natural_images(data, "train"),
        validation_natural=natural_images(data, "val", VALIDATION_FRAMES),
        origin={**images.origin, "natural images": "photographs from natural/*.png and scikit-image"},
    )


def _published_images(data: Path, recipe: TrainingRecipe, names: Sequence[str]) -> TrainingImages:
    limits = {"psfhs": recipe.psfhs_frames, "hc18": recipe.hc18_frames}
    scans = {name: PUBLISHED[name](data, "train", limits[name]) for name in names}
    held_out = [PUBLISHED[name](data, "val", VALIDATION_FRAMES) for name in names]
    titles = " and ".join(f"{name.upper()} ({len(scans[name])} frames)" for name in names)
    return TrainingImages(
        scans=[image for images in scans.values() for image in images],
        validation_scans=[image for images in held_out for image in images],
        origin={"ultrasound": f"train splits of {titles}"},
        limit="Trained on published fetal ultrasound alone; other organs, probes and scanners are untested.",
        data_source="PSFHS doi:10.5281/zenodo.10969427, HC18 doi:10.5281/zenodo.1327317, Kodak, scikit-image",
        licence=PUBLISHED_LICENCE,
    )


def _images_of_a_folder(data: Path, recipe: TrainingRecipe, leave_out: Sequence[Path]) -> TrainingImages:
    found = folder_images(data, recipe.folder_frames, leave_out)
    return TrainingImages(
        scans=found.learned,
        validation_scans=found.held_out,
        origin={
            "ultrasound": f"{len(found.learned)} frames of a private folder of {found.files} files",
            "validation": found.notes[0],
        },
        limit="Trained on the images of one folder; other organs, probes and scanners are untested.",
        data_source="images of whoever trained the weights",
        licence=PRIVATE_LICENCE,
        notes=found.notes,
    )
