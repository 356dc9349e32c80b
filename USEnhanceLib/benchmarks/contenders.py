"""Who takes part in the tables under noise: the degraded input, classical filters, and networks.

Filters get what an oracle knows of the noise and parameters tuned on training images, networks only the
pixels. Fourier noise also dims a frame by 1 - g, which filters cannot know: each of their answers counts a
second time divided by the true gain (`TOLD_GAIN`), and it is for this form that they are tuned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..classical.filters import FILTERS, apply_filter, find_filter
from ..enhancement import check_method, load_enhancer
from ..errors import OptionError
from ..models import find_model
from .conditions import FOURIER, Condition, Degraded
from .kept import code_version, keep_frame
from .record import name_of_method

INPUT = "input"
CLASSICAL = "classical"
LEARNED = "learned"
OURS = "ours"
TOLD_GAIN = "told gain"
TITLES = {"DiffusionEnsemble": "IR-SDE, ensemble", "DiffusionUNet": "IR-SDE, one member"}
"""Of architectures whose class says less than their method."""

TUNED_FILE = Path(__file__).with_name("tuned_parameters.json")


NETWORK_CODE = (
    *("USEnhanceLib.networks", "USEnhanceLib.diffusion", "USEnhanceLib.enhancement.network"),
    *("USEnhanceLib.enhancement.scunet", "USEnhanceLib.enhancement.irsde"),
)
"""What the answers of networks depend on, for the cache."""


@dataclass(frozen=True)
class Contender:
    """A method of the tables, and whether it is the input, a classical filter, ours, or another network.

    method: as users give it.  key: its name in records.  role: INPUT, CLASSICAL, OURS (a network of our
    architecture) or LEARNED (another one).  title: its name in tables.  sha256: of a network's weights.
    """

    method: str
    key: str
    role: str
    title: str
    sha256: str = ""


def contenders(methods: Sequence[str] | None = None) -> list[Contender]:
    """Return the input and the methods: all classical filters and "scunet" when None.

    methods: names of filters and of shipped models, or folders of models. Raises OptionError for an unknown
    method and for two models of one name, ModelError for a damaged one.
    """
    chosen = methods or [*(entry.name for entry in FILTERS), "scunet"]
    rows = [_contender(method) for method in dict.fromkeys([INPUT, *map(str, chosen)])]
    keys = [row.key for row in rows]
    for key in keys:
        if keys.count(key) > 1:
            raise OptionError(f"Two of the methods are named {key}: rename the folder of one of them.")
    return rows


def _contender(method: str) -> Contender:
    if method == INPUT:
        return Contender(INPUT, INPUT, INPUT, "input")
    if method in {entry.name for entry in FILTERS}:
        return Contender(method, method, CLASSICAL, find_filter(method).title)
    check_method(method)
    model = find_model(method)
    key = name_of_method(method).removesuffix("/model")
    role = OURS if model.architecture == "SCUNet" else LEARNED
    title = f"USEnhance, {key}" if role == OURS else TITLES.get(model.architecture, model.architecture)
    if role == LEARNED and key.lower() != model.architecture.lower():
        title += f", {key}"
    return Contender(method, key, role, title, model.sha256)


def restore(
    contender: Contender, degraded: Degraded, dataset: str, condition: Condition, device: str, cache: Path
) -> np.ndarray:
    """Return a contender's answer to a degraded frame, float32 [H, W]; kept in the folder `cache`."""
    if contender.role == INPUT:
        return degraded.pixels
    if contender.role == CLASSICAL:
        return filter_told(
            contender.method, tuned_parameters(dataset, condition)[contender.method], degraded, cache
        )
    code = code_version(*NETWORK_CODE)
    what = ["network", contender.sha256, device, code]
    return keep_frame(
        cache,
        what,
        degraded.pixels,
        lambda: enhancer(contender.method, device)(degraded.pixels[None]).frames[0],
    )


def filter_told(method: str, settings: Mapping[str, Any], degraded: Degraded, cache: Path) -> np.ndarray:
    """Return the frame filtered by an oracle, [H, W]; kept in the folder `cache`.

    settings: the filter's parameters, where `noise_factor` and `speckle_factor` multiply the true noise.
    Filters of multiplicative speckle see the exponential of a frame, whose coefficient of variation is the
    frame's own standard deviation to first order: so the noise is also the oracle's speckle scale.
    """
    parameters = dict(settings)
    if "noise_factor" in parameters:
        parameters["noise"] = min(1.0, parameters.pop("noise_factor") * degraded.noise)
    if "speckle_factor" in parameters:
        parameters["speckle_scale"] = parameters.pop("speckle_factor") * degraded.noise
    return keep_frame(
        cache,
        [method, sorted(parameters.items()), code_version(find_filter(method).function.__module__)],
        degraded.pixels,
        lambda: apply_filter(method, degraded.pixels[None], **parameters)[0],
    )


def undo_gain(frame: np.ndarray, degraded: Degraded) -> np.ndarray:
    """Return the frame divided by the degradation's gain, clipped to [0, 1]."""
    return np.clip(frame / np.float32(degraded.gain), 0, 1)


def counts_twice(contender: Contender, condition: Condition) -> bool:
    """Whether a row of this contender with the gain undone is shown too."""
    return condition.family == FOURIER and contender.role in (INPUT, CLASSICAL)


def tuned_key(dataset: str, condition: Condition) -> str:
    """Return the key of the tuned parameters, such as "psfhs, fourier 0.10"; the same for every blur."""
    return f"{dataset}, {condition.noise_name}"


def tuned_parameters(dataset: str, condition: Condition) -> dict[str, dict[str, Any]]:
    """Return filter -> parameters for a data set and noise, as `tuning` found them."""
    return tuned_table()[tuned_key(dataset, condition)]


@lru_cache(maxsize=1)
def tuned_table() -> dict[str, dict[str, dict[str, Any]]]:
    """Return all tuned parameters: "<data set>, <noise>" -> filter -> parameters."""
    return json.loads(TUNED_FILE.read_text(encoding="utf-8"))


def describe_networks(rows: Sequence[Contender], device: str) -> dict[str, dict[str, Any]]:
    """Return the description of each network among the rows, with the SHA-256 of its weights."""
    return {
        row.key: {**enhancer(row.method, device).description, "sha256": row.sha256}
        for row in rows
        if row.role in (OURS, LEARNED)
    }


@lru_cache(maxsize=8)
def enhancer(method: str, device: str) -> Any:
    """Return the loaded enhancer of a method, kept for the next frame."""
    return load_enhancer(method, device=device)
