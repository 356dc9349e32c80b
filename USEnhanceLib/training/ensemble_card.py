"""The model card of an ensemble of diffusion networks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .diffusion_card import ABOUT, LIMITS

CARD = """\
{about}
An ensemble of {count} networks that were trained apart: the picture is the mean over them, the uncertainty
their spread.

| | |
|---|---|
| parameters | {count} x {parameters:.2f} million |
| input, output | one grey frame in [0, 1], any size |
| data | {data} |

## Members
{members}
PSNR and SSIM are each member's own, over the simulated pairs that its run held out. Nothing was measured when
they were joined.

## Recipe
All members have these settings, the others stand in the table above:

| | |
|---|---|
{recipe}
Commands: `usenhance train {network} --data DIR --out DIR --recipe FILE` for each, then
`usenhance models join OUT MEMBER MEMBER ...`. The whole recipes stand in configs/metadata.json.

{limits}"""


def ensemble_card(trainings: Sequence[Mapping[str, Any]], data: str, parameters: int) -> str:
    """Markdown text of the card.

    Args:
        trainings: what each member's metadata say of its run, with its SHA-256.
        data: the entry "data_source" of the metadata.
        parameters: number of one member's.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: a training lacks an entry, or has a wrong one.
    """
    recipes = [dict(training["recipe"]) for training in trainings]
    names = list(dict.fromkeys(name for recipe in recipes for name in recipe))
    # Never in both tables: the seed tells members apart, and the steps are those that were made.
    names = [name for name in names if name not in ("seed", "steps")]
    common = [name for name in names if all(recipe.get(name) == recipes[0].get(name) for recipe in recipes)]
    own = [name for name in names if name not in common]
    rows = [
        {
            "member": index,
            "SHA-256": training["sha256"][:12],
            "seed": recipe["seed"],
            **{name: _text(recipe.get(name)) for name in own},
            "steps": training["steps"],
            "hours": training["hours"],
            "began with": _start(training["start"]),
            "machine": training["machine"],
            **_figures(training["validation"]),
        }
        for index, (training, recipe) in enumerate(zip(trainings, recipes, strict=True), 1)
    ]
    return CARD.format(
        about=ABOUT,
        limits=LIMITS,
        count=len(trainings),
        parameters=parameters / 1e6,
        data=data,
        members="".join([_row(rows[0]), _row("---" for _ in rows[0]), *(_row(row.values()) for row in rows)]),
        recipe="".join(_row([name, _text(recipes[0][name])]) for name in common),
        network=recipes[0]["network"],
    )


def _row(entries: Any) -> str:
    return f"| {' | '.join(str(entry) for entry in entries)} |\n"


def _text(value: Any) -> str:
    """A setting as one writes it in a recipe, but for quotes around words."""
    return value if isinstance(value, str) else json.dumps(value)


def _start(start: Mapping[str, str]) -> str:
    return f"{start['name']} {start['version']} ({start['sha256'][:12]})" if start else "random weights"


def _figures(scores: Mapping[str, float]) -> dict[str, str]:
    if not scores:
        return {"PSNR": "not validated", "SSIM": "not validated"}
    return {"PSNR": f"{scores['psnr_simulated']:.2f} dB", "SSIM": f"{scores['ssim_simulated']:.3f}"}
