"""`usenhance models list`, `usenhance models verify` and `usenhance models join`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..errors import ModelError, OptionError
from ..models import SHIPPED, ModelDescription, find_model, verify
from .console import Console
from .places import folder_for_results

MEBIBYTE = 1024**2


def run(arguments: argparse.Namespace, console: Console) -> None:
    """List or verify the given models, or all that are shipped; or join some."""
    if arguments.action == "join":
        join_models(arguments.names, console)
        return
    names = arguments.names or sorted(SHIPPED)
    if not names:
        raise ModelError("No models are installed: install USEnhance again, or name the folder of a model.")
    {"list": list_models, "verify": verify_models}[arguments.action](names, console)


def list_models(names: Sequence[str], console: Console) -> None:
    """Print a line per model."""
    rows = [("name", "version", "task", "weights", "SHA-256"), *(_row(find_model(name)) for name in names)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        console.say("  ".join(entry.ljust(width) for entry, width in zip(row, widths, strict=True)).rstrip())


def verify_models(names: Sequence[str], console: Console) -> None:
    """Print a line per model that is as recorded; then raise ModelError if there are others."""
    errors = {name: error for name in names if (error := _check(name, console)) is not None}
    if len(errors) == 1:
        raise next(iter(errors.values()))
    if errors:
        raise ModelError(
            f"{len(errors)} of {len(names)} models are missing or damaged ({', '.join(errors)}): "
            "install them again."
        )


def join_models(names: Sequence[str], console: Console) -> None:
    """Join models to an ensemble in the folder that is named first, and say where it is."""
    if not names:
        raise OptionError("Nothing to join: give a new folder, then the folders of the members.")
    from ..training.ensemble import join_members

    with folder_for_results(Path(names[0])) as folder:
        model = join_members(folder, names[1:])
    console.fact("Model", str(model.folder))
    console.fact("Use it", f"usenhance enhance IN OUT --method {model.folder}")


def _check(name: str, console: Console) -> ModelError | None:
    try:
        model = find_model(name)
        verify(model)
    except ModelError as error:
        return error
    console.say(f"{model.name} {model.version}: the weights are as recorded")
    return None


def _row(model: ModelDescription) -> tuple[str, ...]:
    try:
        size = f"{model.weights.stat().st_size / MEBIBYTE:.1f} MiB"
    except OSError:
        size = "missing"
    return model.name, model.version, model.task, size, model.sha256
