"""What the panel shows of work in the background, whichever button started it."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from USEnhanceLib.mrml.status import Pace, sentence

ERROR_STYLE = "color: #d0312d"


class WorkDisplay:
    """Buttons that cancel what they started, the progress bar and the status line.

    While work goes on, what would change it cannot be used.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._pace = Pace()
        self._buttons = {
            "enhance": (ui.enhanceButton, _("Enhance")),
            "segment": (ui.segmentButton, _("Segment")),
        }
        self._frozen = (
            ui.inputCollapsibleButton,
            ui.advancedCollapsibleButton,
            ui.outputSelector,
            ui.uncertaintySelector,
            ui.referenceSelector,
            ui.displayComboBox,
        )
        ui.progressBar.visible = False

    def begin(self, name: str) -> None:
        """Let the button of that name ("enhance", "segment") cancel."""
        for key, (button, _text) in self._buttons.items():
            button.enabled = key == name
        self._buttons[name][0].text = _("Cancel")
        self._set_working(True)
        self.say(_("Reading the frames and starting the worker; the first time takes some seconds."))

    def end(self) -> None:
        """Give the buttons their texts back; whether they can be used is for their owners to say."""
        for button, text in self._buttons.values():
            button.text = text
        self._set_working(False)

    def _set_working(self, is_working: bool) -> None:
        bar = self._ui.progressBar
        bar.visible = is_working
        # Minimum and maximum of 0 make a bar that moves without saying how far.
        bar.maximum = 0
        bar.value = 0
        bar.format = ""
        for widget in self._frozen:
            widget.enabled = not is_working

    def started(self, text: str) -> None:
        """Say what has just begun; the pace counts from now on."""
        self._pace.restart()
        self.say(text)

    def progress(self, done: int, total: int) -> None:
        """Show how many frames are done, how fast, and the time left."""
        bar = self._ui.progressBar
        bar.maximum = total
        bar.value = done
        bar.format = self._pace.describe(done, total)

    def say(self, text: str, is_error: bool = False) -> None:
        """Write a sentence to the status line."""
        self._ui.statusLabel.text = sentence(text)
        self._ui.statusLabel.styleSheet = ERROR_STYLE if is_error else ""
