"""`usenhance train scunet`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import InputError, OptionError
from .console import Console
from .places import make_folder


def run(arguments: argparse.Namespace, console: Console) -> None:
    """Train a network and say where its model is."""
    data, out = Path(arguments.data), Path(arguments.out)
    if arguments.resume and arguments.recipe is not None:
        raise OptionError("--resume goes on with the recipe of the run: leave --recipe out.")
    if not data.is_dir():
        raise InputError(f"There is no data folder {data}: give the folder with psfhs, hc18 and natural.")
    from ..training.recipe import SCUNetRecipe
    from ..training.scunet import train_scunet

    recipe = SCUNetRecipe.load(Path(arguments.recipe)) if arguments.recipe is not None else None
    targets = make_folder(Path(arguments.targets)) if arguments.targets is not None else None
    model = train_scunet(
        data,
        make_folder(out),
        recipe=recipe,
        resume=arguments.resume,
        start=arguments.start,
        targets=targets,
        report=console.say,
    )
    console.fact("Model", str(model))
    console.fact("Use it", f"usenhance enhance IN OUT --method {model}")
