"""What the command prints: sentences on standard output, a progress bar on a terminal.

Standard error holds nothing but the line of an error and, on a terminal, the bar; where standard error is no
terminal, a plain line per tenth of the work goes to standard output instead.
"""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

BAR_WIDTH = 24
REFRESH_SECONDS = 0.1


class Console:
    """Prints for a command; as a context manager it takes its progress bar away at the end."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._progress: Progress | None = None

    def __enter__(self) -> Console:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._erase_progress()

    def say(self, text: str) -> None:
        """Print a line, unless quiet."""
        if not self._quiet:
            self._erase_progress()
            _write_line(text)

    def fact(self, label: str, text: str) -> None:
        """Print a line with a label in front, in columns."""
        self.say(f"{label + ':':<12} {text}")

    def progress(self, unit: str) -> Progress:
        """Return a new progress display, to be called with what is done and the total."""
        self._erase_progress()
        self._progress = Progress(unit, quiet=self._quiet)
        return self._progress

    def _erase_progress(self) -> None:
        if self._progress is not None:
            self._progress.erase()


class Progress:
    """Shows how much is done, how fast it goes and how long it will take."""

    def __init__(self, unit: str, *, quiet: bool = False) -> None:
        self._unit = unit
        self._quiet = quiet
        self._on_terminal = sys.stderr.isatty()
        self._begin = time.perf_counter()
        self._shown_at = float("-inf")
        self._shown = ""
        self._tenth = 0

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done; the clock starts when none is done, else with the display."""
        if self._quiet:
            return
        if done == 0:
            self._begin, self._tenth = time.perf_counter(), 0
        if self._on_terminal:
            now = time.perf_counter()
            if done >= total or now - self._shown_at >= REFRESH_SECONDS:
                self._shown_at = now
                self._draw(done, total)
        elif done < total and done * 10 // total > self._tenth:
            self._tenth = done * 10 // total
            _write_line(self._status(done, total))

    def erase(self) -> None:
        """Take the bar off the terminal until the next call."""
        if self._shown:
            sys.stderr.write("\r" + " " * len(self._shown) + "\r")
            sys.stderr.flush()
            self._shown = ""

    def _draw(self, done: int, total: int) -> None:
        filled = BAR_WIDTH * done // max(total, 1)
        line = f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {self._status(done, total)}"
        # A line that wraps could not be overwritten.
        line = line[: shutil.get_terminal_size().columns - 1]
        sys.stderr.write("\r" + line + " " * (len(self._shown) - len(line)))
        sys.stderr.flush()
        self._shown = line

    def _status(self, done: int, total: int) -> str:
        status = f"{done} of {total} {self._unit}"
        elapsed = time.perf_counter() - self._begin
        if done and elapsed > 0:
            rate = done / elapsed
            status += f", {rate:.3g} {self._unit}/s, {duration((total - done) / rate)} left"
        return status


def _write_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def duration(seconds: float) -> str:
    """Return a time as people say it: "0.8 s", "42 s", "3 min 20 s", "2 h 5 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
