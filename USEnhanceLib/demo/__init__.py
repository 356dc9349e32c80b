"""`usenhance demo`: a real cine, enhanced and measured, in pictures that can be looked at anywhere.

    figures = run_demo(Path("demo"))

The cine ships inside pydicom, so the demonstration needs no download.
"""

from __future__ import annotations

from .run import FIGURES, run_demo

__all__ = ["FIGURES", "run_demo"]
