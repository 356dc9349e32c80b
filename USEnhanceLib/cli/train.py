"""`usenhance train`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import InputError
from ..models import find_model
from .console import Console
from .places import folder_for_results, make_folder


def run(arguments: argparse.Namespace, console: Console) -> None:
    """Train a network and say where its model is."""
    data, out = Path(arguments.data), Path(arguments.out)
    if not data.is_dir():
        raise InputError(f"There is no data folder {data}: give the folder of the ultrasound images.")
    from ..training.loop import train
    from ..training.processes import is_first_process
    from ..training.tasks import read_recipe

    recipe = None
    if arguments.recipe is not None:
        recipe = read_recipe(Path(arguments.recipe), arguments.network)
    targets = make_folder(Path(arguments.targets)) if arguments.targets is not None else None
    with folder_for_results(out) as folder:
        model = train(
            data,
            folder,
            recipe=recipe,
            network=arguments.network,
            resume=arguments.resume,
            start=arguments.start,
            targets=targets,
            report=console.say,
        )
    if is_first_process():
        console.fact("Model", str(model))
        outlines = find_model(model).task == "segmentation"
        use = f"segment IN OUT --model {model}" if outlines else f"enhance IN OUT --method {model}"
        console.fact("Use it", f"usenhance {use}")
