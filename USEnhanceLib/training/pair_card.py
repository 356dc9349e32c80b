"""The model card and the bundle's metadata of networks that learnt from simulated pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .card import BUNDLE, grey_frame
from .pairs import SimulatedPairs
from .trainable import TRAINABLE

CARD = """\
# {architecture} for B-mode ultrasound

Removes speckle from B-mode frames. {description}, trained on
ultrasound that was simulated from MRI with the equations of the MUST toolbox (after arXiv 2602.22717): the
speckled frame as input, the tissue behind it as target, the mean squared error as loss.

| | |
|---|---|
| parameters | {parameters:.2f} million |
| input, output | one grey frame in [0, 1], any size |
{rows}
## Figures
Mean over {count} held-out simulated pairs, one evaluation of the network:

| | PSNR | SSIM |
|---|---|---|
{figures}
Command: `usenhance train {network} --data DIR --out DIR --recipe FILE`. The whole recipe stands in
configs/metadata.json.

## Intended use
A yardstick for other methods on the same pairs. It is no medical device.

## Limits
- Speckle is removed, so anything that a reader takes from speckle texture is lost.
- It learnt from simulated frames alone: what a scanner does to its frames beyond them is unknown to it.
- Where several clean frames are likely it shows their mean, which is smoother than each of them.
"""


def pair_metadata(pairs: SimulatedPairs) -> dict[str, Any]:
    """Entries that a MONAI bundle has in its metadata, besides those of the run, versions and references."""
    return {
        **BUNDLE,
        "label_classes": "one channel, the tissue behind a simulated frame, [0, 1]",
        "data_source": pairs.data_source,
        "network_data_format": {
            "inputs": {"image": grey_frame("B-mode")},
            "outputs": {"pred": grey_frame("B-mode")},
        },
    }


def pair_rows(
    training: Mapping[str, Any], pairs: SimulatedPairs, extra: Mapping[str, Any] | None = None
) -> str:
    """Rows of a card's first table, from the entries of the run; `extra` ones stand before the seed."""
    recipe = training["recipe"]
    rows = {
        "pairs": f"{len(pairs.learned)} simulated, of the probes {', '.join(pairs.probes)}",
        "steps": training["steps"],
        "batch, patch": f"{recipe['batch']}, {recipe['patch']} x {recipe['patch']} pixels",
        **(extra or {}),
        "seed": recipe["seed"],
        "machine": training["machine"],
        "time": f"{training['hours']} hours; the steps alone: {training['cpu_hours']} CPU hours",
    }
    if start := training["start"]:
        rows["began with"] = f"the weights of {start['name']} {start['version']} (SHA-256 {start['sha256']})"
    return "".join(f"| {name} | {text} |\n" for name, text in rows.items())


def pair_figures(scores: Mapping[str, float]) -> str:
    """The row of a card's second table, none where nothing was held out."""
    if not scores:
        return ""
    return f"| simulated | {scores['psnr_simulated']:.2f} dB | {scores['ssim_simulated']:.3f} |\n"


def restoration_metadata(network: str, pairs: SimulatedPairs) -> dict[str, Any]:
    """`pair_metadata` of a restoring network."""
    return {
        **pair_metadata(pairs),
        "description": "Removes speckle from B-mode ultrasound, learnt from simulated pairs",
        "references": ["arXiv:2602.22717", *TRAINABLE[network].references],
    }


def restoration_card(training: Mapping[str, Any], pairs: SimulatedPairs, parameters: int) -> str:
    """Markdown text of the card, from the entries of the run alone; arguments as of `card.model_card`."""
    network = training["recipe"]["network"]
    entry = TRAINABLE[network]
    return CARD.format(
        architecture=entry.architecture,
        description=entry.description,
        parameters=parameters / 1e6,
        rows=pair_rows(training, pairs),
        count=len(pairs.held_out),
        figures=pair_figures(training["validation"]),
        network=network,
    )
