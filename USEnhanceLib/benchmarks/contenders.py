"""Who takes part in the denoising tables: the noisy input, classical filters, and networks.

Filters get what an oracle knows of the noise and parameters tuned on training images, networks only the
pixels. Fourier noise also dims a frame by 1 - g: filters cannot know that, so each of their rows appears a
second time with the result divided by the true gain (`KNOWN_GAIN`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..classical.filters import FILTERS, apply_filter, find_filter
from ..enhancement import load_enhancer
from .conditions import FOURIER, Condition, Degraded
from .tuned_parameters import TUNED

NOISY = "noisy"
KNOWN_GAIN = "known gain"
DEFAULT_METHODS = (NOISY, "median", "nlm", "srad", "bm3d", "scunet")


@dataclass(frozen=True)
class Contender:
    """One row of a table: a method, told the gain or not."""

    method: str
    knows_gain: bool = False

    @property
    def key(self) -> str:
        """Its name in records: the method's, with the folder's last part for a model given as a folder."""
        name = Path(self.method).name
        return f"{name}, {KNOWN_GAIN}" if self.knows_gain else name

    @property
    def title(self) -> str:
        """Its name in tables."""
        if self.is_network:
            name = f"USEnhance, {Path(self.method).name}"
        else:
            name = "noisy input" if self.method == NOISY else find_filter(self.method).title
        return f"{name}, {KNOWN_GAIN}" if self.knows_gain else name

    @property
    def is_network(self) -> bool:
        """Whether it is one of ours, rather than the input or a classical filter."""
        return self.method != NOISY and self.method not in {entry.name for entry in FILTERS}


def contenders(methods: Sequence[str], family: str) -> list[Contender]:
    """Return the rows for a noise family; networks are never told the gain."""
    rows = [Contender(method) for method in methods]
    if family == FOURIER:
        rows += [Contender(row.method, knows_gain=True) for row in rows if not row.is_network]
    return rows


@dataclass(frozen=True, eq=False)
class Restored:
    """A contender's answer to a degraded frame, float32 [H, W] in [0, 1], and how long it took."""

    contender: Contender
    pixels: np.ndarray
    seconds: float


def restore_all(
    methods: Sequence[str], degraded: Degraded, dataset: str, condition: Condition, device: str
) -> list[Restored]:
    """Return the answers of all contenders of a condition.

    A filter whose parameters are the same with and without the known gain runs once: BM3D takes seconds.
    """
    answers: dict[tuple[str, str], Restored] = {}
    restored = []
    for contender in contenders(methods, condition.family):
        settings = _settings(contender, dataset, condition)
        key = (contender.method, repr(settings))
        if key not in answers:
            started = time.perf_counter()
            pixels = _restore(contender.method, settings, degraded, device)
            answers[key] = Restored(contender, pixels, time.perf_counter() - started)
        answer = answers[key]
        pixels = undo_gain(answer.pixels, degraded) if contender.knows_gain else answer.pixels
        restored.append(Restored(contender, pixels, answer.seconds))
    return restored


def _settings(contender: Contender, dataset: str, condition: Condition) -> dict[str, Any]:
    if contender.is_network or contender.method == NOISY:
        return {}
    return TUNED[tuned_key(dataset, condition, contender.knows_gain)][contender.method]


def _restore(method: str, settings: Mapping[str, Any], degraded: Degraded, device: str) -> np.ndarray:
    if method == NOISY:
        return degraded.pixels
    if Contender(method).is_network:
        return _enhancer(method, device)(degraded.pixels[None]).frames[0]
    return filter_with_oracle(method, settings, degraded)


def filter_with_oracle(method: str, settings: Mapping[str, Any], degraded: Degraded) -> np.ndarray:
    """Return the filtered frame; `noise_factor` and `speckle_factor` in settings multiply the true noise.

    SRAD filters the exponential of a frame, whose coefficient of variation is the frame's own standard
    deviation to first order: so the noise is also the oracle's speckle scale.
    """
    parameters = dict(settings)
    if "noise_factor" in parameters:
        parameters["noise"] = min(1.0, parameters.pop("noise_factor") * degraded.noise)
    if "speckle_factor" in parameters:
        parameters["speckle_scale"] = parameters.pop("speckle_factor") * degraded.noise
    return apply_filter(method, degraded.pixels[None], **parameters)[0]


def undo_gain(frame: np.ndarray, degraded: Degraded) -> np.ndarray:
    """Return the frame divided by the degradation's gain, clipped to [0, 1]."""
    return np.clip(frame / np.float32(degraded.gain), 0, 1)


def tuned_key(dataset: str, condition: Condition, knows_gain: bool) -> str:
    """Return the key of the tuned parameters, such as "psfhs, fourier 0.10, known gain"."""
    return f"{dataset}, {condition.name}" + (f", {KNOWN_GAIN}" if knows_gain else "")


def describe_networks(methods: Sequence[str], device: str) -> dict[str, dict[str, Any]]:
    """Return the description of each network among the methods; raises OptionError for unknown ones."""
    networks = [Contender(method) for method in methods if Contender(method).is_network]
    return {network.key: dict(_enhancer(network.method, device).description) for network in networks}


@lru_cache(maxsize=4)
def _enhancer(method: str, device: str) -> Any:
    return load_enhancer(method, device=device)
