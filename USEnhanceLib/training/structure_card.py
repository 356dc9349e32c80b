"""The model card, licence and bundle metadata of a network that outlines fetal head and pubic symphysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..segmentation.structures import STRUCTURES
from .card import BUNDLE, grey_frame

CARD = """\
# Fetal head and pubic symphysis in B-mode ultrasound

Outlines the fetal head and the pubic symphysis in transperineal B-mode frames. MONAI's dynamic U-Net, trained
on the labels of PSFHS (doi:10.1038/s41597-024-03266-4) or of a folder of the same layout.

| | |
|---|---|
| parameters | {parameters:.2f} million |
| input | one grey frame in [0, 1], any size; it is outlined at 256 pixels along its longer side |
| output | 0 background, 1 pubic symphysis, 2 fetal head |
{rows}
## Figures
Mean Dice over {held_out} held-out frames, whole groups of near-duplicates: {figures}.

Command: `usenhance train fhps --data DIR --out DIR`. The whole recipe stands in configs/metadata.json.

## Intended use
Research on transperineal ultrasound during labour. It is no medical device, and no outline of it should be
used without being looked at.

## Limits
- It learnt from few women and two looks of scanners, and from one team's idea of the outlines.
- It outlines a head and a symphysis in most frames, also in some that show neither.
- The angle of progression needs a standard sagittal plane; the network does not check that it is one.
"""

PUBLISHED_LICENCE = """\
The weights in this folder are licensed under the Creative Commons Attribution 4.0 International licence
(CC BY 4.0, https://creativecommons.org/licenses/by/4.0/legalcode).

They were trained on these data, which ask for attribution:

- PSFHS: Chen G, Bai J, Ou Z, Lu Y, Wang H. Scientific Data 2024, doi:10.1038/s41597-024-03266-4; data
  doi:10.5281/zenodo.10969427, CC BY 4.0.
"""
HEADS_LICENCE = """\
- HC18: van den Heuvel TLA, de Bruijn D, de Korte CL, van Ginneken B. PLoS ONE 2018;13(8):e0200412; data
  doi:10.5281/zenodo.1327317, CC BY 4.0.
"""
PRIVATE_LICENCE = """\
The weights in this folder were trained on frames that whoever trained them supplied. What may be done with
them is for the owners of those frames to say; USEnhance claims no rights in them.
"""


def structure_licence(published: bool, with_heads: bool) -> str:
    """Terms of weights that learnt from PSFHS, or from other frames, and maybe from HC18."""
    own = PUBLISHED_LICENCE if published else PRIVATE_LICENCE
    return own + (HEADS_LICENCE if with_heads else "")


def structure_metadata(published: bool, with_heads: bool) -> dict[str, Any]:
    """Entries that a MONAI bundle has in its metadata, besides those of the run."""
    sources = ["PSFHS doi:10.5281/zenodo.10969427" if published else "frames of whoever trained the weights"]
    sources += ["HC18 doi:10.5281/zenodo.1327317"] if with_heads else []
    classes = {"0": "background", **{str(s.label): s.name.lower() for s in STRUCTURES}}
    outlines = {
        **grey_frame("labels"),
        "format": "labels",
        "num_channels": len(classes),
        "channel_def": classes,
    }
    return {
        **BUNDLE,
        "description": "Outlines fetal head and pubic symphysis in B-mode ultrasound",
        "label_classes": "one channel: 0 background, 1 pubic symphysis, 2 fetal head",
        "pred_classes": "three channels: background, pubic symphysis, fetal head",
        "data_source": ", ".join(sources),
        "references": ["doi:10.1038/s41597-024-03266-4", "doi:10.1038/s41592-020-01008-z"],
        "network_data_format": {"inputs": {"image": grey_frame("B-mode")}, "outputs": {"pred": outlines}},
    }


def structure_card(training: Mapping[str, Any], counts: Mapping[str, int], parameters: int) -> str:
    """Markdown text of the card, from the entries of the run and the numbers of frames."""
    recipe = training["recipe"]
    rows = {
        "learnt from": f"{counts['frames']} frames of {counts['groups']} groups of near-duplicates, "
        f"{counts['heads alone']} frames of heads alone",
        "steps": training["steps"],
        "batch, view": f"{recipe['batch']}, {recipe['patch']} x {recipe['patch']} pixels",
        "degraded views": f"{recipe['degraded']:.0%} with noise, speckle or blur",
        "seed": recipe["seed"],
        "machine": training["machine"],
        "time": f"{training['hours']} hours; the steps alone: {training['cpu_hours']} CPU hours",
    }
    if start := training["start"]:
        rows["began with"] = f"the weights of {start['name']} {start['version']} (SHA-256 {start['sha256']})"
    scores = training["validation"]
    return CARD.format(
        parameters=parameters / 1e6,
        rows="".join(f"| {name} | {text} |\n" for name, text in rows.items()),
        held_out=counts["held out"],
        figures=", ".join(f"{s.name.lower()} {scores[f'dice_{s.short.lower()}']:.3f}" for s in STRUCTURES),
    )
