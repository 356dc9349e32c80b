"""`usenhance bench despeckle`: all tables about IR-SDE, or those that are asked for.

The simulated frames are made beside the record where they are not yet, from the seeds of `test_sets`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...enhancement import is_diffusion
from ...errors import OptionError
from ..contenders import INPUT, OURS, Contender, contenders, describe_networks
from ..record import preface, provenance
from ..tables import chosen_tables, make_tables
from . import agreement, probe_shift, real_frames, sampling, sheet, uncertainty
from . import methods as fidelity

TITLES = {
    "methods": "Table 1: fidelity to the truth",
    "sampling": "Table 1, second part: samplers and evaluations",
    "uncertainty": "Table 2: uncertainty",
    "shift": "Table 3: probes",
    "real": "Real frames",
    "agreement": "The fast simulator and SIMUS",
}
RENDER: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "methods": fidelity.render,
    "sampling": sampling.render,
    "uncertainty": uncertainty.render,
    "shift": probe_shift.render,
    "real": real_frames.render,
    "agreement": agreement.render,
}
SCUNET = "scunet"


def run(
    data: Path,
    json_path: Path,
    *,
    markdown_path: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    tables: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    single: str | None = None,
    processes: int | None = None,
    device: str = "cpu",
    cache: str | Path | None = None,
    picture_path: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Make the tables; write the record after each of them and, where asked, the Markdown.

    data: folder of mri, psfhs, hc18 and phantom.  limit: simulated pairs of each probe, or real frames of
    each data set; each table's own number when None.  tables: names of `TITLES`, all when None; "shift" only
    where `single` is given.  methods: a diffusion first, by name or folder, then others; "irsde" and all
    filters when None.  single: folder of a diffusion that was trained on the reference probe alone.
    processes: one per core when None.  cache: folder that keeps simulated frames and slow answers, beside the
    record when None.  picture_path: of the contact sheet of real frames, the record's with the suffix .png
    when None. Raises OptionError for an unknown table or method or where the first method is no diffusion,
    InputError where data are missing or a file cannot be written.
    """
    rows = _rows(methods)
    ours = rows[1]
    chosen = _chosen(tables, single)
    _check_single(single)
    kept = Path(cache or Path(json_path).parent / "cache")
    folder, answers = kept / "simulated", kept / "answers"
    picture = Path(picture_path) if picture_path is not None else Path(json_path).with_suffix(".png")
    record = provenance(
        "despeckle",
        data,
        **({} if limit is None else {"limit": limit}),
        seed=seed,
        tables=chosen,
        methods=[row.method for row in rows if row.method != INPUT],
        single=single,
    )
    record |= {"networks": describe_networks(rows, device), "tables": {}, "wall_seconds": {}}
    asked: dict[str, Any] = {"limit": limit, "seed": seed, "device": device, "progress": progress}
    several: dict[str, Any] = {**asked, "processes": processes}

    def make(name: str) -> dict[str, Any]:
        if name == "methods":
            return fidelity.measure(data, rows, folder=folder, cache=answers, **several)
        if name == "sampling":
            return sampling.measure(data, ours.method, folder=folder, **asked)
        if name == "uncertainty":
            return uncertainty.measure(data, ours.method, folder=folder, **several)
        if name == "shift":
            return probe_shift.measure(data, ours.method, str(single), folder=folder, **several)
        if name == "agreement":
            return agreement.measure(seed=seed, progress=progress)
        found = real_frames.measure(data, [ours.method, SCUNET], cache=answers, **several)
        facts = sheet.draw(data, ours.method, picture, seed=seed, device=device, progress=progress)
        return {**found, "picture": picture.name, "sheet": facts}

    return make_tables(record, chosen, make, json_path, markdown_path, render_markdown)


def _rows(asked: Sequence[str] | None) -> list[Contender]:
    from ...classical.filters import FILTERS

    chosen = list(asked) if asked else ["irsde", *(entry.name for entry in FILTERS)]
    rows = contenders(chosen)
    ours = rows[1]
    if not is_diffusion(ours.method):
        raise OptionError(f"The first method is {ours.method}, no diffusion: give irsde or a folder of one.")
    # Here a SCUNet is a yardstick, and the diffusion is ours.
    named = [replace(row, title=f"SCUNet, {row.key}") if row.role == OURS else row for row in rows]
    return [named[0], replace(ours, title=f"USEnhance, {ours.key}"), *named[2:]]


def _chosen(tables: Sequence[str] | None, single: str | None) -> list[str]:
    if tables is None:
        return [name for name in TITLES if name != "shift" or single is not None]
    chosen = chosen_tables("despeckle", tables, TITLES)
    if "shift" in chosen and single is None:
        raise OptionError("The table shift needs a model that was trained on one probe: give --single.")
    return chosen


def _check_single(single: str | None) -> None:
    """Refuse a wrong model before hours of simulation."""
    if single is not None and not is_diffusion(single):
        raise OptionError(f"{single} is no diffusion: give --single the folder of one.")


def render_markdown(record: dict[str, Any]) -> str:
    """Return the sections of all tables in a record, below what was run on what."""
    parts = preface(record, "Despeckling by mean-reverting diffusion")
    for name, found in record["tables"].items():
        parts += ["", f"## {TITLES[name]}", "", RENDER[name](found).strip()]
    return "\n".join(parts) + "\n"
