"""What every benchmark writes beside its figures (machine, versions, commit, command), and the writing."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from .. import __version__
from ..errors import InputError

PACKAGES = ("numpy", "scipy", "scikit-image", "SimpleITK", "PyWavelets", "monai", "bm3d")
_NUMBERS = re.compile(r"\[\s+(-?\d[-+.\de,\s]*?)\s+\]")


def provenance(benchmark: str, data: Path, **options: Any) -> dict[str, Any]:
    """Return the head of a record: what was run, on what, by which version."""
    return {
        "benchmark": benchmark,
        "command": command(benchmark, **options),
        "options": options,
        "data": data.name,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "version": __version__,
        "commit": commit(),
        "machine": machine(),
    }


def command(benchmark: str, **options: Any) -> str:
    """Return the command that repeats the run, with DIR and FILE in place of this machine's paths."""
    words = ["usenhance", "bench", benchmark, "--data", "DIR", "--json", "FILE"]
    for name, value in options.items():
        if value is not None:
            values = value if isinstance(value, (list, tuple)) else [value]
            words += [f"--{name.replace('_', '-')}", *(name_of_method(str(item)) for item in values)]
    return " ".join(words)


def name_of_method(method: str) -> str:
    """Return the last part of a path, two of them for the folder "model" of a run; names as they are."""
    path = Path(method)
    return f"{path.parent.name}/{path.name}" if path.name == "model" and path.parent.name else path.name


def machine() -> dict[str, Any]:
    """Return processor, cores, memory, system and versions."""
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "packages": {name: _version(name) for name in PACKAGES},
    }


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def commit() -> str | None:
    """Return the commit of the checkout, with "+" where tracked files differ; None outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    revision = _git(git, root, "rev-parse", "HEAD")
    changed = _git(git, root, "status", "--porcelain", "--untracked-files=no")
    return revision + ("+" if changed else "") if revision else None


def preface(record: dict[str, Any], title: str) -> list[str]:
    """Return the first lines of a record's Markdown: what was run, on what, and with which networks.

    record: with `wall_seconds` by table and `networks`.
    """
    machine = record["machine"]
    seconds = ", ".join(f"{name} {value:.0f}" for name, value in record["wall_seconds"].items())
    lines = [f"# {title}", "", f"`{record['command']}`", ""]
    lines.append(
        f"Commit {record['commit']}, torch {machine['torch']}, {machine['processor']}, {machine['cores']} "
        f"cores; seconds: {seconds} (less what was kept from earlier runs)."
    )
    if record["networks"]:
        lines += ["", "| network | version | SHA-256 of its weights |", "|---|---|---|"]
        lines += [
            f"| {key} | {facts.get('model_version', '')} | `{facts['sha256'][:16]}` |"
            for key, facts in record["networks"].items()
        ]
    return lines


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write a record, lists of numbers on one line each; otherwise as `write_text`."""
    text = json.dumps(record, indent=1, allow_nan=False)
    write_text(path, _NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file; it appears whole or not at all. Raises InputError where it cannot be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written ({error.strerror}): choose another place.") from error


def _git(git: str, root: Path, *words: str) -> str:
    return subprocess.run([git, *words], cwd=root, capture_output=True, text=True, check=False).stdout.strip()


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
