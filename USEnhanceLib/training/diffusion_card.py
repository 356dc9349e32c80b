"""The model card and the bundle's metadata of a diffusion network that learnt to despeckle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .card import BUNDLE, grey_frame
from .pairs import SimulatedPairs

CARD = """\
# IR-SDE for B-mode ultrasound

Removes speckle from B-mode frames. A mean-reverting diffusion after arXiv 2301.11699, trained after arXiv
2602.22717 on ultrasound that was simulated from MRI with the equations of the MUST toolbox: the speckled
frame is what it comes from, the tissue behind it what it goes to.

| | |
|---|---|
| parameters | {parameters:.2f} million |
| input, output | one grey frame in [0, 1], any size |
{rows}
## Figures
Mean over {count} held-out simulated pairs, {evaluations} evaluations of the network:

| | PSNR | SSIM |
|---|---|---|
{figures}
Command: `usenhance train {network} --data DIR --out DIR`. The whole recipe stands in configs/metadata.json.

## Intended use
Viewing and measuring aids in research. It is no medical device.

## Limits
- Speckle is removed, so anything that a reader takes from speckle texture is lost.
- It learnt from simulated frames alone: what a scanner does to its frames beyond them is unknown to it.
- A generative method may draw structures that are not there. Look at the uncertainty and the original.
"""


def despeckling_metadata(pairs: SimulatedPairs, versions: Mapping[str, str]) -> dict[str, Any]:
    """Entries that a MONAI bundle has in its metadata, besides those of the run; see `card`."""
    return {
        **BUNDLE,
        "description": "Removes speckle from B-mode ultrasound (arXiv 2602.22717)",
        "label_classes": "one channel, the tissue behind a simulated frame, [0, 1]",
        "data_source": pairs.data_source,
        "references": ["arXiv:2602.22717", "arXiv:2301.11699"],
        **versions,
        "network_data_format": {
            "inputs": {"image": grey_frame("B-mode")},
            "outputs": {"pred": grey_frame("B-mode")},
        },
    }


def despeckling_card(
    training: Mapping[str, Any], pairs: SimulatedPairs, parameters: int, evaluations: int
) -> str:
    """Markdown text of the card, from the entries of the run alone; arguments as of `card.model_card`."""
    recipe, scores = training["recipe"], training["validation"]
    rows = {
        "pairs": f"{len(pairs.learned)} simulated, of the probes {', '.join(pairs.probes)}",
        "steps": training["steps"],
        "batch, patch": f"{recipe['batch']}, {recipe['patch']} x {recipe['patch']} pixels",
        "prediction, loss": f"{recipe['prediction']}, {recipe['loss']}",
        "seed": recipe["seed"],
        "machine": training["machine"],
        "time": f"{training['hours']} hours; the steps alone: {training['cpu_hours']} CPU hours",
    }
    if start := training["start"]:
        rows["began with"] = f"the weights of {start['name']} {start['version']} (SHA-256 {start['sha256']})"
    figures = (
        f"| simulated | {scores['psnr_simulated']:.2f} dB | {scores['ssim_simulated']:.3f} |\n"
        if scores
        else ""
    )
    return CARD.format(
        parameters=parameters / 1e6,
        rows="".join(f"| {name} | {text} |\n" for name, text in rows.items()),
        count=len(pairs.held_out),
        evaluations=evaluations,
        figures=figures,
        network=recipe["network"],
    )
