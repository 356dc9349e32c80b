"""`python -m USEnhanceLib.cli`, where the command `usenhance` is not on the path, as in Slicer's Python."""

from __future__ import annotations

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
