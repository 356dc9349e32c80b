"""An enhancement that never holds up Slicer: nodes in short turns, frames in the worker process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import EnhancementCancelled, USEnhanceError
from .outputs import Outputs
from .run import EnhancementRun
from .steps import StepRunner, Steps

if TYPE_CHECKING:
    from ..enhancement import EnhancementResult
    from ..worker.client import WorkerClient

# Well below what an eye notices, with room for the one step that takes longer than expected.
TURN_SECONDS = 0.02


@dataclass(frozen=True)
class Listener:
    """What somebody who started an enhancement is told.

    turns_wanted(): call `turn` in each turn of the event loop until it returns False
    started(description): the worker begins; the enhancer's description (device, why, model, ...)
    progress(done, total): frames; done(outputs, result); failed(error); cancelled()
    """

    turns_wanted: Callable[[], object]
    started: Callable[[Mapping[str, Any]], object]
    progress: Callable[[int, int], object]
    done: Callable[[Outputs, EnhancementResult], object]
    failed: Callable[[USEnhanceError], object]
    cancelled: Callable[[], object]


class BackgroundEnhancement:
    """Takes a run through reading, enhancing and writing; ends with one of done, failed and cancelled."""

    def __init__(self, run: EnhancementRun, client: WorkerClient, listener: Listener) -> None:
        self.input_node = run.input_node
        self._run = run
        self._client = client
        self._listener = listener
        self._job: int | None = None
        self._result: EnhancementResult | None = None
        self._reason: USEnhanceError | None = None
        self._is_ended = False
        self._steps: StepRunner | None = StepRunner(self._read())

    @property
    def ended(self) -> bool:
        """Whether done, failed or cancelled has been told."""
        return self._is_ended

    def turn(self, seconds: float = TURN_SECONDS) -> bool:
        """Do some milliseconds of work on nodes; return whether there is more of it."""
        if self._steps is None:
            return False
        try:
            if not self._steps.run_for(seconds):
                return True
        except USEnhanceError as error:
            self._end(self._listener.failed, error)
            return False
        outputs, self._steps = self._steps.result, None
        if self._result is not None:
            self._end(self._listener.done, outputs, self._result)
        return False

    def cancel(self) -> None:
        """End the work; `cancelled` follows, at once or when the worker has stopped.

        While outputs are being written, which is soon over, nothing happens.
        """
        if not self._run.is_writing:
            self._stop(None)

    def abandon(self, reason: USEnhanceError) -> None:
        """End the work as failed for `reason`, also while outputs are being written: they are taken back."""
        self._stop(reason)

    def _stop(self, reason: USEnhanceError | None) -> None:
        if self._is_ended:
            return
        # The first reason is the one to tell: a scene that closes removes the input too.
        self._reason = self._reason or reason
        if self._job is not None:
            self._client.cancel(self._job)
        else:
            self._on_cancelled()

    def _read(self) -> Steps[None]:
        # First, and in a turn of its own: it imports torch while the frames are being read.
        self._client.start()
        yield
        content = yield from self._run.prepare()
        options = self._run.options
        self._job = self._client.submit(
            content.frames.pixels,
            method=options.method,
            device=options.device,
            options=options.of_enhancer,
            seed=options.seed,
            uncertainty=self._run.wants_uncertainty,
            on_started=self._listener.started,
            on_progress=self._listener.progress,
            on_done=self._on_done,
            on_failed=lambda error: self._end(self._listener.failed, error),
            on_cancelled=self._on_cancelled,
        )

    def _on_done(self, result: EnhancementResult) -> None:
        self._job = None
        self._result = result
        self._steps = StepRunner(self._run.finish(result))
        self._listener.turns_wanted()

    def _on_cancelled(self) -> None:
        self._job = None
        if self._reason is None or isinstance(self._reason, EnhancementCancelled):
            self._end(self._listener.cancelled)
        else:
            self._end(self._listener.failed, self._reason)

    def _end(self, tell: Callable[..., object], *arguments: object) -> None:
        if self._is_ended:
            return
        self._is_ended = True
        if self._steps is not None:
            self._steps.close()
            self._steps = None
        tell(*arguments)
