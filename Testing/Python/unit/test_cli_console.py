"""What the command line says while it works, on a terminal and elsewhere."""

from __future__ import annotations

import io

import pytest

from USEnhanceLib.cli.console import Console, Progress, duration


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_progress_on_a_terminal_is_one_line_that_goes_away(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with Console() as console:
        progress = console.progress("frames")
        for done in range(31):
            progress(done, 30)
    shown = terminal.getvalue()
    assert "\n" not in shown
    assert "[........................] 0 of 30 frames" in shown
    assert "[########################] 30 of 30 frames, " in shown
    assert "frames/s, 0.0 s left" in shown
    assert shown.split("\r")[-2].strip() == ""
    assert all(len(line) < 80 for line in shown.split("\r"))


def test_progress_elsewhere_is_a_line_per_tenth_on_standard_output(capsys):
    progress = Progress("frames")
    for done in range(201):
        progress(done, 200)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert [line.partition(" frames, ")[0] for line in lines] == [f"{20 * k} of 200" for k in range(1, 10)]
    assert all(line.endswith(" left") for line in lines)


def test_quiet_progress_is_silent_on_a_terminal_too(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    Progress("frames", quiet=True)(1, 2)
    assert terminal.getvalue() == capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.84, "0.8 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_times_are_readable(seconds, words):
    assert duration(seconds) == words
