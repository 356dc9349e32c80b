"""Table 1, second part: the ways back from a speckled frame, all with the weights of one member.

The published ones take all steps of the diffusion. Times are wall times of one frame after another in this
process, all in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ...diffusion import Prediction, Schedule, sample
from ...models import find_model, load_network
from ..enhance.intervals import cell, interval
from ..statistics import bootstrap_mean
from .figures import measure_frame
from .test_sets import REFERENCE_SET, TestPair, simulated

DEFAULT_LIMIT = 20
PUBLISHED = (("sde", None), ("ode", None), ("posterior", None))
WAYS: tuple[tuple[str, int | None], ...] = (
    *PUBLISHED,
    *(("posterior", count) for count in (5, 10)),
    *(("second-order", count) for count in (2, 3, 5, 10)),
    *(("mean", count) for count in (1, 2, 3, 5, 10)),
    *(("expectation", count) for count in (1, 2, 3, 5, 10)),
)
TITLES = {
    "sde": "reverse SDE, published",
    "ode": "its ODE, published",
    "posterior": "exact posterior",
    "second-order": "data prediction, second order",
    "mean": "mean of the posterior, from mu",
    "expectation": "average over noise and mirror images",
}

NOTES = """\
One member of the ensemble ({gigaflops:.1f} GFLOP for an evaluation of 128 x 128 pixels), {count} frames of
the reference probe, {threads} thread(s). The exact posterior with all steps is the published one; differences
are to it, frame by frame.
"""


def measure(
    data: Path,
    method: str,
    *,
    folder: Path,
    limit: int | None,
    seed: int,
    device: str,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure every way on the same frames.

    method: a diffusion, by name or folder.  folder: of the simulated sets.  limit: frames, 20 when None;
    other parameters and errors as of `run`.
    """
    pairs = simulated(data, REFERENCE_SET, folder, limit=limit)[: limit or DEFAULT_LIMIT]
    model = find_model(method)
    settings = model.inference
    schedule = Schedule(settings["times"], settings["level"], settings["remainder"])
    network = load_network(model).to(device).eval()
    member = network.members[0] if hasattr(network, "members") else network
    predict = Prediction(member, schedule, settings["prediction"])
    _despeckle("mean", 1, schedule, predict, pairs[0], seed, device)
    ways: dict[str, Any] = {}
    for done, (name, count) in enumerate(WAYS, start=1):
        begin = time.perf_counter()
        frames = [_despeckle(name, count, schedule, predict, pair, seed, device) for pair in pairs]
        seconds = (time.perf_counter() - begin) / len(pairs)
        ways[_key(name, count)] = {
            "sampler": name,
            "evaluations": count or schedule.steps,
            "milliseconds": round(1000 * seconds, 2),
            "figures": [measure_frame(frame, pair) for frame, pair in zip(frames, pairs, strict=True)],
        }
        if progress is not None:
            progress(done, len(WAYS))
    return {
        "count": len(pairs),
        "threads": torch.get_num_threads(),
        "gigaflops": round(_gigaflops(member, device), 3),
        "subjects": [pair.subject for pair in pairs],
        "ways": ways,
        "summary": _summarise(ways, [pair.subject for pair in pairs], seed),
    }


def _key(name: str, count: int | None) -> str:
    return f"{name} {count}" if count else name


def _despeckle(
    name: str,
    count: int | None,
    schedule: Schedule,
    predict: Prediction,
    pair: TestPair,
    seed: int,
    device: str,
) -> np.ndarray:
    mu = torch.from_numpy(pair.speckled)[None, None].to(device)
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        found = sample(name, schedule, predict, mu, evaluations=count, generator=generator)
        return found[0, 0].clamp_(0, 1).cpu().numpy()


def _gigaflops(member: nn.Module, device: str) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    frame = torch.zeros(1, 1, 128, 128, device=device)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        member(frame, frame, torch.ones(1, device=device))
    return counter.get_total_flops() / 1e9


def _summarise(ways: dict[str, Any], subjects: list[str], seed: int) -> dict[str, Any]:
    reference = ways["posterior"]
    summary = {}
    for key, way in ways.items():
        entry: dict[str, Any] = {"speed_up": round(reference["milliseconds"] / way["milliseconds"], 1)}
        for name in ("psnr", "ssim"):
            values = np.array([figures[name] for figures in way["figures"]])
            entry[name] = interval(list(values), subjects, seed)
            others = np.array([figures[name] for figures in reference["figures"]])
            entry[f"{name}_difference"] = vars(bootstrap_mean(values - others, subjects, seed=seed))
        summary[key] = entry
    return summary


def render(record: dict[str, Any]) -> str:
    """Return the section of what `measure` returned."""
    lines = [NOTES.format(**record)]
    lines += [
        "| way | evaluations | ms | times as fast | PSNR, dB | SSIM | PSNR, difference | SSIM, difference |",
        "|---" * 8 + "|",
    ]
    for key, way in record["ways"].items():
        summary = record["summary"][key]
        cells = [
            TITLES[way["sampler"]],
            str(way["evaluations"]),
            f"{way['milliseconds']:.0f}",
            f"{summary['speed_up']:.1f}",
        ]
        cells += [cell(summary["psnr"], 2), cell(summary["ssim"], 3)]
        cells += [
            cell(summary["psnr_difference"], 2, sign="+"),
            cell(summary["ssim_difference"], 3, sign="+"),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
