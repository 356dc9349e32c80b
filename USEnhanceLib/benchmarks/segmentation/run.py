"""`usenhance bench segmentation`: all tables about the outlines, or those that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...classical.filters import FILTERS
from ...segmentation import check_segmenter
from ..contenders import INPUT, contenders, describe_networks
from ..record import name_of_method, preface, provenance
from ..tables import chosen_tables, make_tables
from . import accuracy, cost, recovery, robustness, worst

TITLES = {
    "accuracy": "Accuracy on val",
    "recovery": "Dice on degraded and enhanced frames",
    "robustness": "Other frames",
    "cost": "Time and memory",
}
RENDER: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "accuracy": accuracy.render,
    "recovery": recovery.render,
    "robustness": robustness.render,
    "cost": cost.render,
}
MODEL, PLAIN = "fhps", "plain"


def run(
    data: Path,
    json_path: Path,
    *,
    markdown_path: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    tables: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    segmenter: str = MODEL,
    plain: str | None = None,
    processes: int | None = None,
    device: str = "cpu",
    cache: str | Path | None = None,
    picture_path: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Make the tables; write the record after each of them and, where asked, the Markdown.

    data: folder of psfhs.  limit: frames, or groups where one of each is taken; all when None.  tables: names
    of `TITLES`, all when None.  methods: enhancers whose frames are outlined: all filters, scunet and irsde
    when None.  segmenter: by name or folder.  plain: folder of a second one, which learnt from no degraded
    frames. processes: one per core when None.  cache: folder that keeps slow answers, beside the record when
    None. picture_path: of the contact sheet of the worst frames, which belongs to the table "accuracy"; the
    record's with the suffix .png when None. Raises OptionError for an unknown table, method or segmenter,
    InputError where data are missing or a file cannot be written.
    """
    chosen = chosen_tables("segmentation", tables, TITLES)
    models = {MODEL: segmenter, **({} if plain is None else {PLAIN: plain})}
    networks = {key: check_segmenter(model) for key, model in models.items()}
    rows = contenders(methods or [*(entry.name for entry in FILTERS), "scunet", "irsde"])
    kept = Path(cache or Path(json_path).parent / "cache")
    picture = Path(picture_path) if picture_path is not None else Path(json_path).with_suffix(".png")
    record = provenance(
        "segmentation",
        data,
        **({} if limit is None else {"limit": limit}),
        seed=seed,
        tables=chosen,
        methods=[row.method for row in rows if row.method != INPUT],
        segmenter=name_of_method(segmenter),
        plain=plain,
    )
    facts = {key: {"model_version": model.version, "sha256": model.sha256} for key, model in networks.items()}
    record |= {"networks": facts, "tables": {}, "wall_seconds": {}}
    if "recovery" in chosen:
        record["networks"] |= describe_networks(rows, device)

    def make(name: str) -> dict[str, Any]:
        if name == "accuracy":
            found = accuracy.measure(data, models, limit=limit, device=device, progress=progress)
            shown = worst.draw(data, found, MODEL, segmenter, picture, device)
            return {**found, "worst": shown, "picture": picture.name}
        if name == "recovery":
            how: dict[str, Any] = {"limit": limit, "seed": seed, "processes": processes, "device": device}
            return recovery.measure(data, models, rows, cache=kept / "answers", progress=progress, **how)
        if name == "robustness":
            return robustness.measure(data, models, limit=limit, device=device, progress=progress)
        return cost.measure(segmenter, seed=seed, device=device, progress=progress)

    return make_tables(record, chosen, make, json_path, markdown_path, render_markdown)


def render_markdown(record: dict[str, Any]) -> str:
    """Return the sections of all tables in a record, below what was run on what."""
    parts = preface(record, "Outlines of fetal head and pubic symphysis")
    for name, found in record["tables"].items():
        parts += ["", f"## {TITLES[name]}", "", RENDER[name](found).strip()]
    return "\n".join(parts) + "\n"
