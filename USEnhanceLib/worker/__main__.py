"""The entry point of `python -m USEnhanceLib.worker`."""

from __future__ import annotations

from .server import main

main()
