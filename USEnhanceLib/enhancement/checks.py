"""What every enhancer checks and tells in the same words."""

from __future__ import annotations

from ..errors import OptionError


def checked_strength(strength: float) -> float:
    """Return the strength, or raise OptionError where it is no number from 0 to 1."""
    if not 0 <= strength <= 1:
        raise OptionError(
            f"The strength is {strength}: give a number from 0 (the input) to 1 (fully enhanced)."
        )
    return float(strength)


def black_note(black: int, total: int) -> str:
    """Return the note that says how many frames were all black, and so left alone."""
    which = "The frame is" if total == 1 else f"{black} of {total} frames are"
    return f"{which} all black and came back unchanged."


def no_uncertainty(name: str) -> OptionError:
    """Return what is raised where a filter is asked for its uncertainty."""
    return OptionError(
        f"The method {name} gives no uncertainty: choose scunet or irsde, or do not ask for the uncertainty."
    )


def no_spread(name: str) -> OptionError:
    """Return what is raised where one member of an ensemble is asked for an uncertainty."""
    return OptionError(f"One member of {name} gives no uncertainty: ask for more samples, or do without.")
