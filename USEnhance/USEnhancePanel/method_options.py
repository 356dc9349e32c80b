"""The combo boxes of the panel, and the options that not every method has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from USEnhanceLib.mrml.choices import choices, has_steps

DIFFUSION_OPTIONS = ("steps", "samples")
"""Parameters of diffusion methods; 0 stands for the model's own."""


class ChoiceBoxes:
    """Combo boxes whose item data are the values of the parameters of the same names."""

    def __init__(self, ui: Any, on_changed: Callable[[int], object]) -> None:
        """Fill the combo boxes; `on_changed` is called when the user changes one."""
        self._boxes: dict[str, Any] = {}
        self._is_showing = False
        for name, items in choices().items():
            box = getattr(ui, f"{name}ComboBox")
            for row, (title, value, tool_tip) in enumerate(items):
                box.addItem(_(title), value)
                box.setItemData(row, _(tool_tip), qt.Qt.ToolTipRole)
            box.connect("currentIndexChanged(int)", on_changed)
            self._boxes[name] = box

    def read(self, parameters: Any) -> None:
        """Set the parameters to what is chosen."""
        if self._is_showing:  # other boxes still show what was chosen before
            return
        for name, box in self._boxes.items():
            if box.currentData is not None:
                parameters.setValue(name, box.currentData)

    def show(self, parameters: Any) -> None:
        """Choose what the parameters say."""
        self._is_showing = True
        try:
            for name, box in self._boxes.items():
                self._choose(box, parameters.getValue(name))
        finally:
            self._is_showing = False

    @staticmethod
    def _choose(box: Any, value: str) -> None:
        row = box.findData(value)
        if row < 0:  # a model of one's own, chosen by a script: the name of its folder
            box.addItem(Path(value).name, value)
            row = box.count - 1
        if row != box.currentIndex:
            box.currentIndex = row


class DiffusionOptions:
    """The number of steps and of samples, which can be set while the method has them."""

    def __init__(self, ui: Any) -> None:
        self._widgets = [getattr(ui, f"{name}SpinBox") for name in DIFFUSION_OPTIONS]
        self._widgets += [getattr(ui, f"{name}Label") for name in DIFFUSION_OPTIONS]

    def show(self, parameters: Any) -> None:
        """Enable the widgets where the method has the options."""
        are_enabled = has_steps(parameters.method)
        for widget in self._widgets:
            widget.enabled = are_enabled

    @staticmethod
    def values(parameters: Any) -> dict[str, int | None]:
        """Return the options; None for the model's own, and for methods without them, whatever is hidden."""
        has_them = has_steps(parameters.method)
        return {name: (has_them and parameters.getValue(name)) or None for name in DIFFUSION_OPTIONS}
