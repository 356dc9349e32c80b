"""`usenhance demo`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..device import check_device_name
from ..enhancement import check_method
from .console import Console
from .places import make_folder


def run(arguments: argparse.Namespace, console: Console) -> None:
    """Run the demonstration and say what it found and where its files are."""
    check_method(arguments.method)
    check_device_name(arguments.device)
    out = make_folder(Path(arguments.out))
    from ..demo import FIGURES, run_demo

    figures = run_demo(
        out,
        method=arguments.method,
        device=arguments.device,
        progress=console.progress("frames"),
        report=console.fact,
    )
    for name in (*figures["files"], FIGURES):
        console.fact("Written", str(out / name))
