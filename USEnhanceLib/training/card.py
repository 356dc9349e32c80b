"""The model card and the bundle's metadata that a training run writes beside its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .sources import TrainingImages
from .trainable import TRAINABLE

CARD = """\
# {architecture} for B-mode ultrasound

Removes speckle and noise from B-mode frames. {description},
trained without clean targets after arXiv 2601.21856: frames disturbed by {disturbances}
as input, the NLLR-filtered frame{known} as target.

| | |
|---|---|
| parameters | {parameters:.2f} million |
| input, output | one grey frame in [0, 1], any size |
{rows}
## Figures
Mean over Gaussian noise of standard deviation .1 and Fourier noise of share .1, on a few validation images
that were not trained on:

| | PSNR | SSIM |
|---|---|---|
{figures}
Command: `usenhance train {network} --data DIR --out DIR`. The whole recipe stands in configs/metadata.json.

## Intended use
Viewing and measuring aids in research, on scans like those that it was trained on. It is no medical device.

## Limits
- Speckle is removed, so anything that a reader takes from speckle texture is lost.
- The target is a filter's output: the network is no better than NLLR where nothing disturbed the frame.
- {limit}
- Structures fainter than the speckle may be weakened. Compare with the original before drawing conclusions.
"""

FIGURES = {
    "ultrasound": "ultrasound, against the NLLR-filtered frame",
    "natural": "natural images, against the original",
}

SCHEMA = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
)
BUNDLE = {
    "schema": SCHEMA,
    "changelog": {"0.1.0": "first weights"},
    "description": "Removes speckle and noise from B-mode ultrasound (arXiv 2601.21856)",
    "authors": "USEnhance contributors",
    "copyright": "see LICENSE",
    "data_type": "png",
    "image_classes": "one channel, B-mode, [0, 1]",
    "label_classes": "none: the target is the NLLR-filtered frame, of natural images the original",
    "pred_classes": "one channel, enhanced B-mode, [0, 1]",
    "intended_use": "An aid for viewing in research; no medical device",
}


def grey_frame(content: str) -> dict[str, Any]:
    """What a MONAI bundle says of a grey frame in [0, 1] of any size."""
    return {
        "type": "image",
        "format": "magnitude",
        "modality": "US",
        "num_channels": 1,
        "spatial_shape": ["*", "*"],
        "dtype": "float32",
        "value_range": [0, 1],
        "is_patch_data": False,
        "channel_def": {"0": content},
    }


def bundle_metadata(network: str, images: TrainingImages, versions: Mapping[str, str]) -> dict[str, Any]:
    """Entries that a MONAI bundle has in its metadata, besides those of the run.

    versions: of monai, pytorch and numpy, by the names "monai_version", "pytorch_version", "numpy_version".
    """
    frame = grey_frame("B-mode")
    return {
        **BUNDLE,
        "data_source": images.data_source,
        "references": ["arXiv:2601.21856", *TRAINABLE[network].references],
        **versions,
        "network_data_format": {"inputs": {"image": frame}, "outputs": {"pred": frame}},
    }


def model_card(training: Mapping[str, Any], images: TrainingImages, parameters: int) -> str:
    """Markdown text of the card, from the entries of the run alone.

    training: recipe, start, steps, seconds, CPU hours, machine and validation, as in configs/metadata.json.
    parameters: their number.
    """
    recipe, scores = training["recipe"], training["validation"]
    entry = TRAINABLE[recipe["network"]]
    rows = {
        **images.origin,
        "steps": training["steps"],
        "batch, patch": f"{recipe['batch']}, {recipe['patch']} x {recipe['patch']} pixels",
        "seed": recipe["seed"],
        "machine": training["machine"],
        "time": f"{training['hours']} hours; the steps alone: {training['cpu_hours']} CPU hours",
    }
    if recipe["phantom_share"]:
        rows["drawn phantoms"] = f"{recipe['phantom_share']:.0%} of the patches"
    if start := training["start"]:
        rows["began with"] = f"the weights of {start['name']} {start['version']} (SHA-256 {start['sha256']})"
    figures = [
        f"| {text} | {scores[f'psnr_{kind}']:.2f} dB | {scores[f'ssim_{kind}']:.3f} |"
        for kind, text in FIGURES.items()
        if f"psnr_{kind}" in scores
    ]
    return CARD.format(
        architecture=entry.architecture,
        description=entry.description,
        disturbances=_disturbances(recipe["degradation"]),
        known=_known_truth(recipe, images),
        parameters=parameters / 1e6,
        rows="".join(f"| {name} | {text} |\n" for name, text in rows.items()),
        figures="".join(f"{line}\n" for line in figures),
        network=recipe["network"],
        limit=images.limit,
    )


def _disturbances(degradation: Mapping[str, Any]) -> str:
    kinds = ["a point spread function", "Gaussian noise", "Fourier noise"]
    if degradation["speckle"]:
        kinds.append("speckle")
    return f"{', '.join(kinds[:-1])} and {kinds[-1]}"


def _known_truth(recipe: Mapping[str, Any], images: TrainingImages) -> str:
    kinds = ["natural images"] if images.natural and recipe["natural_share"] else []
    kinds += ["drawn phantoms"] if recipe["phantom_share"] else []
    return f" ({' and '.join(kinds)}: the original)" if kinds else ""
