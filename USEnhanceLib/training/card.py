"""The model card and licence that a training run writes beside its weights."""

from __future__ import annotations

from typing import Any

LICENCE = """\
The weights in this folder are licensed under the Creative Commons Attribution 4.0 International licence
(CC BY 4.0, https://creativecommons.org/licenses/by/4.0/legalcode).

They were trained on these data, which ask for attribution:

- PSFHS: Chen G, Bai J, Ou Z, Lu Y, Wang H. Scientific Data 2024, doi:10.1038/s41597-024-03266-4; data
  doi:10.5281/zenodo.10969427, CC BY 4.0.
- HC18: van den Heuvel TLA, de Bruijn D, de Korte CL, van Ginneken B. PLoS ONE 2018;13(8):e0200412; data
  doi:10.5281/zenodo.1327317, CC BY 4.0.
- Kodak lossless true colour images, unrestricted use; photographs that ship with scikit-image.
"""

CARD = """\
# SCUNet for B-mode ultrasound

Despeckles and sharpens B-mode frames. A Swin-Conv U-Net after arXiv 2203.13278, trained without clean
targets after arXiv 2601.21856: frames blurred by a point spread function and disturbed by Gaussian or
Fourier noise as input, the NLLR-filtered frame (natural images: the original) as target.

| | |
|---|---|
| parameters | {parameters:.2f} million |
| input, output | one grey frame in [0, 1], any size |
| ultrasound | train splits of PSFHS ({psfhs} frames) and HC18 ({hc18} frames) |
| natural images | photographs from Kodak and scikit-image |
| steps, batch, patch | {steps}, {batch}, {patch} x {patch} pixels |
| seed | {seed} |
| machine | {machine} |
| time | {hours} hours |

## Figures
Mean over Gaussian noise of standard deviation .1 and Fourier noise of share .1, on a few validation images
that were not trained on:

| | PSNR | SSIM |
|---|---|---|
| ultrasound, against the NLLR-filtered frame | {psnr_ultrasound:.2f} dB | {ssim_ultrasound:.3f} |
| natural images, against the original | {psnr_natural:.2f} dB | {ssim_natural:.3f} |

Command: `usenhance train scunet --data DIR --out DIR`. The whole recipe stands in configs/metadata.json.

## Intended use
Viewing and measuring aids in research, on transperineal and transabdominal fetal B-mode and on similar scans.
It is no medical device.

## Limits
- Speckle is removed, so anything that a reader takes from speckle texture is lost.
- The target is a filter's output: the network is no better than NLLR where nothing disturbed the frame.
- Trained on two data sets of fetal ultrasound; other organs, probes and scanners are untested.
- Structures fainter than the speckle may be weakened. Compare with the original before drawing conclusions.
"""


BUNDLE = {
    "changelog": {"0.1.0": "first weights"},
    "description": "Despeckles and sharpens B-mode ultrasound (arXiv 2601.21856)",
    "authors": "USEnhance contributors",
    "copyright": "USEnhance contributors, CC BY 4.0",
    "data_source": "PSFHS doi:10.5281/zenodo.10969427, HC18 doi:10.5281/zenodo.1327317, Kodak, scikit-image",
    "data_type": "png",
    "image_classes": "one channel, B-mode, [0, 1]",
    "label_classes": "none: the target is the NLLR-filtered frame, of natural images the original",
    "pred_classes": "one channel, enhanced B-mode, [0, 1]",
    "intended_use": "An aid for viewing in research; no medical device",
    "references": ["arXiv:2601.21856", "arXiv:2203.13278"],
}


def bundle_metadata(versions: dict[str, str]) -> dict[str, Any]:
    """Entries that a MONAI bundle has in its metadata, besides those of the run.

    versions: of monai, pytorch and numpy, by the names "monai_version", "pytorch_version", "numpy_version".
    """
    frame = {
        "type": "image",
        "format": "magnitude",
        "modality": "US",
        "num_channels": 1,
        "spatial_shape": ["*", "*"],
        "dtype": "float32",
        "value_range": [0, 1],
        "is_patch_data": False,
        "channel_def": {"0": "B-mode"},
    }
    return {
        **BUNDLE,
        **versions,
        "network_data_format": {"inputs": {"image": frame}, "outputs": {"pred": frame}},
    }


def scunet_card(training: dict[str, Any], parameters: int) -> str:
    """Markdown text of the card, from the entries of the run alone."""
    recipe = training["recipe"]
    return CARD.format(
        parameters=parameters / 1e6,
        psfhs=recipe["psfhs_frames"],
        hc18=recipe["hc18_frames"],
        batch=recipe["batch"],
        patch=recipe["patch"],
        seed=recipe["seed"],
        steps=training["steps"],
        machine=training["machine"],
        hours=training["hours"],
        **training["validation"],
    )


def scunet_licence() -> str:
    """Licence of the weights, with the attributions that the data ask for."""
    return LICENCE
