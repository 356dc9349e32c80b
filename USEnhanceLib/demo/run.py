"""The demonstration: read, enhance, write, read back, measure, draw."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..enhancement import EnhancementResult, load_enhancer, methods
from ..errors import OutputError
from ..frames import read_frames, write_frames
from ..models import find_model
from .animation import FRAME_MILLISECONDS, draw_animation
from .comparison import compare
from .sheet import Captions, draw_sheet

if TYPE_CHECKING:
    from PIL.Image import Image

SEQUENCE = "enhanced.nrrd"
SHEET = "contact-sheet.png"
ANIMATION = "before-after.gif"
FIGURES = "figures.json"

CINE = {
    "title": "Echocardiogram, 30 frames (examples_ybr_color.dcm)",
    "source": "test file of pydicom, inside its wheel; https://github.com/pydicom/pydicom",
    "licence": "MIT, as pydicom",
}


def run_demo(
    out: Path,
    *,
    method: str = "scunet",
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
    report: Callable[[str, str], None] | None = None,
) -> dict[str, Any]:
    """Enhance the cine inside pydicom, write sequence, contact sheet, animation and figures into `out`.

    out: an existing folder; files of the same names are replaced, each at once. report: gets label and text
    of what was found. Returns the figures, as in the JSON file.

    Raises:
        OptionError: unknown method or device.
        ModelError: missing or damaged weights.
        OutputError: a file cannot be written.
    """
    from ..benchmarks.images import cine_file
    from ..benchmarks.record import commit, machine

    clock = _Clock()
    report = report or (lambda _label, _text: None)
    cine = cine_file()
    before = read_frames(cine)
    clock.lap("read")
    enhancer = load_enhancer(method, device)
    clock.lap("load_model")
    facts = enhancer.description
    report("Input", f"{CINE['title']}, {CINE['licence']}")
    report("Model", f"{facts['method']} {facts['model_version']}")
    report("Device", f"{facts['device']} ({facts['device_reason']})")
    if progress is not None:
        progress(0, len(before.pixels))
    result = enhancer(before.pixels, progress=progress)
    clock.lap("enhance")
    peak = _peak_memory()
    write_frames(out / SEQUENCE, before.with_pixels(result.frames, result.provenance()))
    clock.lap("write")
    after = read_frames(out / SEQUENCE)
    found = compare(before, after)
    clock.lap("read_back_and_compare")
    speed = describe_speed(result)
    captions = Captions(
        title="A real cine before and after",
        model=f"USEnhance {__version__}, {result.method} {result.model_version}",
        speed=speed,
        source=f"{CINE['title']}: {CINE['source']}; licence {CINE['licence']}. Not for diagnosis.",
    )
    save_picture(out / SHEET, [draw_sheet(before, after, captions)])
    save_picture(out / ANIMATION, draw_animation(before.source, after.source, captions.model))
    clock.lap("pictures")

    figures = {
        "command": f"usenhance demo --out DIR --method {Path(method).name} --device {device}",
        "version": __version__,
        "commit": commit(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "input": {
            **CINE,
            "frames": len(before.pixels),
            "height": before.pixels.shape[1],
            "width": before.pixels.shape[2],
            "pixel_millimetres": before.pixel_size,
            "sha256": sha256(cine),
        },
        "model": {
            "method": result.method,
            "version": result.model_version,
            "sha256": None if _is_classical(method) else find_model(method).sha256,
            "parameters": dict(result.parameters),
        },
        "device": result.device,
        "device_reason": result.device_reason,
        "seconds": {"enhance_only": result.seconds, **clock.laps},
        "frames_per_second": len(result.frames) / result.seconds,
        "peak_memory_bytes": peak,
        **found,
        "notes": [*before.notes, *result.notes],
        "files": {
            name: {"bytes": (out / name).stat().st_size, "sha256": sha256(out / name)}
            for name in (SEQUENCE, SHEET, ANIMATION)
        },
    }
    save_text(out / FIGURES, json.dumps(figures, indent=1, allow_nan=False) + "\n")
    for label, text in summary(figures):
        report(label, text)
    return figures


def _is_classical(method: str) -> bool:
    """Tell whether a method is a filter, which has no weights."""
    return any(entry.name == method for entry in methods() if entry.is_classical)


def describe_speed(result: EnhancementResult) -> str:
    """Return how long the enhancement took, on what."""
    count = len(result.frames)
    rate = count / result.seconds
    return f"{count} frames in {result.seconds:.1f} s, {rate:.3g} frames/s, {result.device_reason}"


def summary(figures: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the figures that are worth a line on the terminal, as label and text."""
    peak = figures["peak_memory_bytes"]
    memory = f", peak memory {peak / 2**20:.0f} MiB" if peak else ""
    outside = figures["outside_sector"]
    kept = "bit-identical" if outside["bit_identical"] else f"{outside['changed_pixels']} pixels CHANGED"
    changes = [(figures[name]["change_percent"], name) for name in ("speckle_contrast", "temporal_flicker")]
    seconds, rate = figures["seconds"]["enhance_only"], figures["frames_per_second"]
    return [
        ("Speed", f"{seconds:.1f} s, {rate:.3g} frames/s{memory}"),
        ("Changes", ", ".join(f"{name.replace('_', ' ')} {change:+.0f} %" for change, name in changes)),
        ("Outside", f"{kept} outside the scan sector"),
    ]


def save_picture(path: Path, pictures: list[Image]) -> None:
    """Write a picture, or an animation of several; the file appears whole or not at all."""
    options: dict[str, Any] = {"optimize": True}
    if len(pictures) > 1:
        options = {"save_all": True, "append_images": pictures[1:], "duration": FRAME_MILLISECONDS, "loop": 0}
    _replace(path, lambda partial: pictures[0].save(partial, **options))


def save_text(path: Path, text: str) -> None:
    """Write a text file; it appears whole or not at all."""
    _replace(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    partial = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        write(partial)
        partial.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} could not be written ({error.strerror}): free some space and try again."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _peak_memory() -> int | None:
    """Return the largest resident memory of this process so far in bytes; None where it cannot be told."""
    from ..benchmarks.speed_case import peak_memory

    try:
        return peak_memory()
    except ImportError:
        return None


class _Clock:
    """Measures the steps of the work in seconds."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now
