"""The module `slicer.i18n`, in English."""

from __future__ import annotations

import types


def tr(text: str) -> str:
    """The text; in Slicer its translation. Raises TypeError for what is no text."""
    if not isinstance(text, str):
        raise TypeError(f"tr() takes text, not {text!r}")
    return text


def translate(context: str, text: str) -> str:
    """The text; in Slicer its translation in a context."""
    return tr(text)


def make_module() -> types.ModuleType:
    """The module `slicer.i18n`."""
    module = types.ModuleType("slicer.i18n")
    module.tr = tr
    module.translate = translate
    return module
