"""The model card and the bundle's metadata of a diffusion network that learnt to despeckle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .pair_card import pair_figures, pair_metadata, pair_rows
from .pairs import SimulatedPairs

ABOUT = """\
# IR-SDE for B-mode ultrasound

Removes speckle from B-mode frames. A mean-reverting diffusion after arXiv 2301.11699, trained after arXiv
2602.22717 on ultrasound that was simulated from MRI with the equations of the MUST toolbox: the speckled
frame is what it comes from, the tissue behind it what it goes to.
"""

LIMITS = """\
## Intended use
Viewing and measuring aids in research. It is no medical device.

## Limits
- Speckle is removed, so anything that a reader takes from speckle texture is lost.
- It learnt from simulated frames alone: what a scanner does to its frames beyond them is unknown to it.
- A generative method may draw structures that are not there. Look at the uncertainty and the original.
"""

CARD = """\
{about}
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

{limits}"""


def despeckling_metadata(pairs: SimulatedPairs) -> dict[str, Any]:
    """`pair_metadata` of the diffusion."""
    return {
        **pair_metadata(pairs),
        "description": "Removes speckle from B-mode ultrasound (arXiv 2602.22717)",
        "references": ["arXiv:2602.22717", "arXiv:2301.11699"],
    }


def despeckling_card(
    training: Mapping[str, Any], pairs: SimulatedPairs, parameters: int, evaluations: int
) -> str:
    """Markdown text of the card, from the entries of the run alone; arguments as of `card.model_card`."""
    recipe = training["recipe"]
    return CARD.format(
        about=ABOUT,
        limits=LIMITS,
        parameters=parameters / 1e6,
        rows=pair_rows(training, pairs, {"prediction, loss": f"{recipe['prediction']}, {recipe['loss']}"}),
        count=len(pairs.held_out),
        evaluations=evaluations,
        figures=pair_figures(training["validation"]),
        network=recipe["network"],
    )
