"""Dialogs that wait for the user: shown to the test instead, which says what the user answers.

`dialogs.shown` lists what would have been on the screen. A message with one button is accepted. A question
takes the next of `dialogs.answers`; without one the test fails, and the dialog counts as cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from PySide6 import QtWidgets

from . import failures


@dataclass(frozen=True)
class ShownDialog:
    """A dialog as the user would have seen it."""

    kind: str
    title: str
    text: str
    details: str
    buttons: int


@dataclass
class Dialogs:
    """What was shown, and what the user is to answer: numbers of buttons, or paths for file dialogs."""

    shown: list[ShownDialog] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    def reset(self) -> None:
        """Forget everything."""
        self.shown.clear()
        self.answers.clear()

    def texts(self) -> list[str]:
        """The texts that were shown."""
        return [dialog.text for dialog in self.shown]

    def next_answer(self, dialog: ShownDialog, default: Any) -> Any:
        """The answer that the test has prepared; the default, and a failed test, if there is none."""
        if self.answers:
            return self.answers.pop(0)
        failures.record(AssertionError(f"a dialog waits for an answer that no test gives: {dialog}"))
        return default


dialogs = Dialogs()


class MessageBox(QtWidgets.QMessageBox):
    """The box behind qt.QMessageBox and ctk.ctkMessageBox."""

    SLICER_CLASS = "QMessageBox"

    def exec(self) -> int:
        """Show the box to the test, not on the screen, and return the number of the answered button."""
        buttons = self.standardButtons()
        dialog = ShownDialog(
            kind=self.icon().name.lower(),
            title=self.windowTitle().strip(),
            text=self.text(),
            details=self.detailedText(),
            buttons=int(buttons.value),
        )
        dialogs.shown.append(dialog)
        if len(self.buttons()) <= 1:
            return int(buttons.value) or int(self.StandardButton.Ok.value)
        answer = int(dialogs.next_answer(dialog, self.StandardButton.Cancel.value))
        if not answer & int(buttons.value) and answer != int(self.StandardButton.Cancel.value):
            failures.record(AssertionError(f"the dialog has no button {answer}: {dialog}"))
        return answer


class ProgressDialog(QtWidgets.QProgressDialog):
    """The dialog behind qt.QProgressDialog, whose wasCanceled is a property in PythonQt."""

    SLICER_CLASS = "QProgressDialog"


def open_file_name(*arguments: Any) -> str:
    """qt.QFileDialog.getOpenFileName and its kin: the path that the test has prepared, "" for cancel."""
    title = next((argument for argument in arguments if isinstance(argument, str)), "")
    dialog = ShownDialog(kind="file", title=title, text=title, details="", buttons=0)
    dialogs.shown.append(dialog)
    return str(dialogs.next_answer(dialog, ""))
