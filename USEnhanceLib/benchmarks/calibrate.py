"""Calibration of a model's uncertainty on training images, written into the model's folder.

For a network that restores frames, the spread over flips and turns is set against the error of the same
pixels, as in the benchmark "uncertainty", on crops of training frames alone; for an ensemble of diffusions,
see `despeckle.calibrate`. What is found goes to configs/inference.json, where the enhancer finds it, and to
the model's card.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..enhancement.calibration import FLOOR, SCALE
from ..enhancement.loading import DIFFUSIONS
from ..errors import OptionError
from ..models import CARD, INFERENCE, ModelDescription, find_model
from ..quality.calibration import Calibration, calibration_error, coverage
from .despeckle import calibrate as ensemble
from .record import name_of_method, provenance, write_json, write_text
from .spread import CONDITIONS, FLIPS, draw_samples
from .uncertainty import fit

DEFAULT_LIMIT = 8
DEFAULT_SIZE = 128
HEADING = "## Uncertainty"
BEFORE = "## Intended use"

SECTION = """\
## Uncertainty
On request: {scale:.3g} x the standard deviation over the eight flips and quarter turns of the frame
+ {floor:.2g}, as an estimate of the standard deviation of the error against NLLR of an undisturbed frame.
Both numbers were fitted to {crops} crops of training frames under {conditions} conditions (none, blur,
Gaussian and Fourier noise, speckle): there, {coverage:.0%} of the errors lie within twice that estimate. It
says nothing of errors that all eight share, such as a structure that the network removes.
Command: `{command}`.
"""


def run(
    data: Path,
    json_path: Path,
    *,
    limit: int | None = None,
    seed: int = 1,
    methods: Sequence[str] | None = None,
    size: int | None = None,
    processes: int | None = None,
    device: str = "cpu",
    cache: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Calibrate; write the record, and what was fitted into the model's folder.

    limit: training crops per data set, 8 when None; of an ensemble, validation pairs of each probe, 8 too.
    methods: the one model, a shipped one or a folder; "scunet" when None.  size: edge of the crops, 128
    pixels when None.  cache: folder that keeps targets and simulated frames, beside the record when None.
    Raises OptionError for more than one model; otherwise as the benchmark enhance.
    """
    chosen = list(methods or ["scunet"])
    if len(chosen) != 1:
        raise OptionError("One model is calibrated at a time: give one with --methods.")
    model = find_model(chosen[0])
    kept = Path(cache or Path(json_path).parent / "cache")
    if model.architecture in DIFFUSIONS:
        record = provenance("calibrate", data, **({} if limit is None else {"limit": limit}), methods=chosen)
        record |= {"model": name_of_method(chosen[0])}
        record |= ensemble.measure(
            data,
            chosen[0],
            folder=kept / "simulated",
            limit=limit,
            processes=processes,
            device=device,
            progress=progress,
        )
        write_json(Path(json_path), record)
        _write(model, record["settings"], ensemble.section(record))
        return record
    count, edge = limit or DEFAULT_LIMIT, size or DEFAULT_SIZE
    samples = draw_samples(
        data,
        "train",
        chosen[0],
        limit=count,
        size=edge,
        seed=seed,
        processes=processes,
        device=device,
        cache=kept,
        progress=progress,
    )
    spread = np.concatenate([sample.spreads[FLIPS].ravel() for sample in samples])
    error = np.concatenate([sample.error.ravel() for sample in samples])
    fitted = fit(samples, FLIPS)
    # As written, so that the record speaks of what the enhancer does.
    fitted = Calibration(float(f"{fitted.scale:.4g}"), float(f"{fitted.floor:.4g}"))
    record = provenance("calibrate", data, limit=count, size=edge, seed=seed, methods=chosen)
    record |= {
        "model": name_of_method(chosen[0]),
        "sha256": model.sha256,
        "images": sorted({sample.image.name for sample in samples}),
        SCALE: fitted.scale,
        FLOOR: fitted.floor,
        "coverage": {
            "before": round(coverage(spread, error), 4),
            "after": round(coverage(fitted(spread), error), 4),
        },
        "ence": {"after": round(calibration_error(fitted(spread), error), 4)},
    }
    write_json(Path(json_path), record)
    write_calibration(model, fitted, record)
    return record


def write_calibration(model: ModelDescription, fitted: Calibration, record: dict[str, Any]) -> None:
    """Write scale and floor to the model's configs/inference.json, and what they are to its card."""
    section = SECTION.format(
        scale=fitted.scale,
        floor=fitted.floor,
        crops=len(record["images"]),
        conditions=len(CONDITIONS),
        coverage=record["coverage"]["after"],
        command=record["command"],
    )
    _write(model, {SCALE: fitted.scale, FLOOR: fitted.floor}, section)


def _write(model: ModelDescription, fitted: dict[str, Any], section: str) -> None:
    settings = {**model.inference, **fitted}
    write_text(model.folder / INFERENCE, json.dumps(settings, indent=2) + "\n")
    card = model.folder / CARD
    write_text(card, card_with_section(card.read_text(encoding="utf-8"), section))


def card_with_section(card: str, section: str) -> str:
    """Return a card with this section on the uncertainty in place of the one it may have."""
    before, found, rest = card.partition(f"{HEADING}\n")
    if found:
        _, found, rest = rest.partition("\n## ")
        return before + section + (f"{found}{rest}" if found else "")
    before, found, rest = card.partition(f"{BEFORE}\n")
    return before + section + f"\n{found}{rest}" if found else f"{card.rstrip()}\n\n{section}"
