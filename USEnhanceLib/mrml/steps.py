"""Long work on nodes in short steps, between which Slicer stays alive.

Nodes may only be touched from Slicer's own thread, and a Python thread starves there while the event loop
idles. So whatever takes long is a generator: it yields every few megabytes and returns its result at the
end. The console runs it to the end; the panel runs it for some milliseconds in each turn of the event loop.
Work on arrays alone is done beside it, in a thread, to which each step gives some time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

from ..errors import EnhancementCancelled

Result = TypeVar("Result")
Steps = Generator[None, None, Result]

BYTES_PER_STEP = 2 << 20
_WAIT_SECONDS = 0.004


def run_to_end(steps: Steps[Result], cancelled: Callable[[], bool] | None = None) -> Result:
    """Run all steps and return their result. Raises EnhancementCancelled once `cancelled()` is true."""
    try:
        while True:
            if cancelled is not None and cancelled():
                raise EnhancementCancelled
            next(steps)
    except StopIteration as end:
        return end.value
    finally:
        steps.close()


class StepRunner(Generic[Result]):
    """Runs steps for a short while at a time; `result` is valid once `run_for` has returned True."""

    def __init__(self, steps: Steps[Result]) -> None:
        self._steps = steps
        self.result: Result | None = None

    def run_for(self, seconds: float) -> bool:
        """Run steps until `seconds` have passed, at least one; return whether they have come to their end."""
        end = time.perf_counter() + seconds
        try:
            next(self._steps)
            while time.perf_counter() < end:
                next(self._steps)
        except StopIteration as stop:
            self.result = stop.value
            return True
        return False

    def close(self) -> None:
        """Give up what has not been run."""
        self._steps.close()


def pieces(length: int, bytes_each: int) -> Iterator[tuple[int, int]]:
    """Cut `length` things of `bytes_each` bytes into ranges (begin, end) of about one step's work each."""
    stride = max(1, BYTES_PER_STEP // max(1, bytes_each))
    for begin in range(0, length, stride):
        yield begin, min(length, begin + stride)


def in_thread(function: Callable[[], Result]) -> Steps[Result]:
    """Return what `function` returns, run beside Slicer in a thread; for work on arrays.

    It must not touch nodes or Qt. The thread gets its time from the waiting in each step: while nothing
    in Python waits, Slicer's event loop keeps the interpreter to itself. Raises what `function` raises.
    """
    outcome: list[Result] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(function())
        except BaseException as error:  # raised again where somebody waits for it
            errors.append(error)

    thread = threading.Thread(target=work, name="USEnhance frames", daemon=True)
    thread.start()
    is_done = False
    while not is_done:
        thread.join(_WAIT_SECONDS)
        is_done = not thread.is_alive()
        yield
    if errors:
        raise errors[0]
    return outcome[0]
