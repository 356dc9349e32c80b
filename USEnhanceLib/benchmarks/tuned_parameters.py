"""Parameters of the classical filters in the denoising tables, found by `tuning` on training images.

"<data set>, <condition>[, known gain]" -> filter -> parameters.
"""

from __future__ import annotations

from typing import Any

TUNED: dict[str, dict[str, dict[str, Any]]] = {}
