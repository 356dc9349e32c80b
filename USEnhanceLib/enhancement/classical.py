"""Enhancement of B-mode frames by a classical filter that is told nothing of the noise."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..classical.filters import Filter
from ..device import check_device_name
from ..frames.validation import checked_pixels
from ..progress import Cancelled, Progress, poll
from .checks import black_note, checked_strength, no_uncertainty
from .result import EnhancementResult

_POLL_SECONDS = 0.05
_DEVICE = "cpu"
_REASON = "classical filters use the processor"


class ClassicalEnhancer:
    """Enhances stacks of frames with a filter at its default parameters. Made by `load_enhancer`.

    Each frame is filtered by itself; its level of noise is estimated where the filter needs one. Filters
    cannot be interrupted, so they run in a thread beside the one that calls, which polls meanwhile: after a
    cancel the filter goes on, unheard, to the end of its frame.
    """

    def __init__(self, method: Filter, device: str = "auto", *, strength: float = 1.0) -> None:
        """Load a filter of `classical.filters`. Raises OptionError, or DependencyError for its packages."""
        check_device_name(device)
        self._strength = checked_strength(strength)
        self._method = method
        # Imports what the filter needs, which takes longer than a cancel may, or tells what is missing.
        method(np.linspace(0.2, 0.8, 256, dtype=np.float32).reshape(1, 16, 16))

    @property
    def description(self) -> dict[str, Any]:
        """Method, version of the library, device, why that device, and parameters."""
        return {
            "method": self._method.name,
            "model_version": __version__,
            "device": _DEVICE,
            "device_reason": _REASON,
            "parameters": {"strength": self._strength, "filter": self._method.defaults},
        }

    def __call__(
        self,
        pixels: NDArray[np.float32],
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
        seed: int = 0,
        uncertainty: bool = False,
    ) -> EnhancementResult:
        """Enhance a stack of frames.

        Args:
            pixels: [N, H, W] in [0, 1]; never written to.
            progress: called with (frames done, frames in all) after each frame.
            cancelled: polled twenty times a second.
            seed: recorded with the result; nothing is random here.
            uncertainty: refused, for filters give none.

        Raises:
            OptionError: an uncertainty is asked for.
            InputError: `pixels` is not such a stack.
            EnhancementCancelled: `cancelled` returned true.
        """
        name = self._method.name
        if uncertainty:
            raise no_uncertainty(name)
        pixels = checked_pixels(pixels)
        begin = time.perf_counter()
        enhanced = np.empty(pixels.shape, dtype=np.float32)
        black = 0
        with _Assistant(self._method) as assistant:
            for i, frame in enumerate(pixels):
                poll(cancelled)
                if frame.any():
                    filtered = assistant.work(np.array(frame[None]), cancelled)[0]
                    enhanced[i] = frame + self._strength * (filtered - frame)
                else:
                    black += 1
                    enhanced[i] = frame
                if progress:
                    progress(i + 1, len(pixels))
        return EnhancementResult(
            frames=enhanced,
            uncertainty=None,
            seconds=time.perf_counter() - begin,
            device=_DEVICE,
            device_reason=_REASON,
            method=name,
            model_version=__version__,
            parameters={**self.description["parameters"], "seed": seed},
            notes=(black_note(black, len(pixels)),) if black else (),
        )


class _Assistant:
    """A thread that applies a function to one array after the other, until the end of the `with` block."""

    def __init__(self, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self._function = function
        self._tasks: queue.SimpleQueue[np.ndarray | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[np.ndarray | BaseException] = queue.SimpleQueue()

    def __enter__(self) -> _Assistant:
        # A daemon: nobody who leaves the program waits for the end of a frame.
        threading.Thread(target=self._run, name="USEnhance filter", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._tasks.put(None)

    def work(self, task: np.ndarray, cancelled: Cancelled | None) -> np.ndarray:
        """Return the function's answer, raise what it raises, or EnhancementCancelled."""
        self._tasks.put(task)
        while True:
            try:
                answer = self._answers.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                poll(cancelled)
                continue
            if isinstance(answer, BaseException):
                raise answer
            return answer

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            self._answers.put(self._answer(task))

    def _answer(self, task: np.ndarray) -> np.ndarray | BaseException:
        try:
            return self._function(task)
        except BaseException as error:  # raised again where somebody waits for it
            return error
