"""`usenhance bench enhance`: all tables about what enhancement does, or those that are asked for.

Each table is a module with two functions:

    measure(data, methods, *, limit, seed, processes, device, cache, progress=None, ...) -> dict
    render(record) -> str

`measure` returns what can be written as JSON, with the figures of single images; `render` makes a Markdown
section of it. The input is a row of every table.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from ..contenders import contenders, describe_networks
from ..record import preface, provenance
from ..tables import chosen_tables, make_tables


@dataclass(frozen=True)
class Table:
    """A table's name, which is its module's too, and its title."""

    name: str
    title: str
    module: str

    def load(self) -> ModuleType:
        """Import the module with `measure` and `render`."""
        return import_module(f"{__package__}.{self.module}")


TABLES: tuple[Table, ...] = (
    Table("noise", "Under noise, speckle and blur", "noise"),
    Table("resolution", "Resolution", "resolution"),
    Table("harm", "Do no harm", "harm"),
    Table("cine", "Flicker of a cine", "flicker"),
    Table("failures", "Where it gains least", "failures"),
)
BY_NAME = {table.name: table for table in TABLES}


def run(
    data: Path,
    json_path: Path,
    *,
    markdown_path: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    tables: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    size: int | None = None,
    processes: int | None = None,
    device: str = "cpu",
    cache: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Make the tables; write the record after each of them and, where asked, the Markdown.

    data: folder of psfhs, hc18, natural and phantom.  limit: images per data set, drawn evenly; each table's
    own number when None.  tables: names of `TABLES`, all when None.  methods: names of classical filters and
    of shipped models, and folders of models; all filters and "scunet" when None; the input always takes
    part.  size: edge in pixels of the crops of the table "noise".  processes: one per core when None.
    device: of the networks.  cache: folder that keeps slow answers, so that a run can be interrupted and
    repeated; beside the record when None.  The contact sheet of failures lies beside the record. Raises
    OptionError for an unknown table or method, InputError where data are missing or a file cannot be written.
    """
    chosen = chosen_tables("enhance", tables, BY_NAME)
    rows = contenders(methods)
    networks = describe_networks(rows, device)
    kept = Path(cache or Path(json_path).parent / "cache")
    asked = {"limit": limit, "size": size}
    record = provenance(
        "enhance",
        data,
        **{name: value for name, value in asked.items() if value is not None},
        seed=seed,
        tables=chosen,
        methods=[row.method for row in rows if row.method != "input"],
    )
    record |= {"networks": networks, "tables": {}, "wall_seconds": {}}

    def make(name: str) -> dict[str, Any]:
        measure = BY_NAME[name].load().measure
        offered = {"size": size, "picture": Path(json_path).with_name("failures.png")}
        takes = inspect.signature(measure).parameters
        return measure(
            data,
            [row.method for row in rows],
            limit=limit,
            seed=seed,
            processes=processes,
            device=device,
            cache=kept,
            progress=progress,
            **{name: value for name, value in offered.items() if value is not None and name in takes},
        )

    return make_tables(record, chosen, make, json_path, markdown_path, render_markdown)


def render_markdown(record: dict[str, Any]) -> str:
    """Return the sections of all tables in a record, below what was run on what."""
    parts = preface(record, "Enhancement")
    for name, result in record["tables"].items():
        table = BY_NAME[name]
        parts += ["", f"## {table.title}", "", table.load().render(result).strip()]
    return "\n".join(parts) + "\n"
