"""Work that never holds up Slicer: nodes in short turns, frames in the worker process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import EnhancementCancelled, USEnhanceError
from .steps import StepRunner, Steps

if TYPE_CHECKING:
    from ..enhancement import EnhancementResult
    from ..worker.client import WorkerClient
    from ..worker.outcome import SegmentationResult

# Well below what an eye notices, with room for the one step that takes longer than expected.
TURN_SECONDS = 0.02


@dataclass(frozen=True)
class Listener:
    """What somebody who started an enhancement or a segmentation is told.

    turns_wanted(): call `turn` in each turn of the event loop until it returns False
    started(description): the worker begins; the description of the enhancer or segmenter (device, why,
    model, ...); progress(done, total): frames; done(outputs, result); failed(error); cancelled()
    """

    turns_wanted: Callable[[], object]
    started: Callable[[Mapping[str, Any]], object]
    progress: Callable[[int, int], object]
    done: Callable[[Any, Any], object]
    failed: Callable[[USEnhanceError], object]
    cancelled: Callable[[], object]


class BackgroundTask(ABC):
    """Takes a run through reading, the worker and writing; ends with one of done, failed and cancelled."""

    def __init__(self, run: Any, client: WorkerClient, listener: Listener) -> None:
        self._run = run
        self._client = client
        self._listener = listener
        self._job: int | None = None
        self._result: Any = None
        self._reason: USEnhanceError | None = None
        self._is_ended = False
        self._steps: StepRunner | None = StepRunner(self._read())

    @property
    def ended(self) -> bool:
        """Whether done, failed or cancelled has been told."""
        return self._is_ended

    @property
    def nodes(self) -> tuple[Any, ...]:
        """The nodes without which it cannot go on."""
        return (self._run.input_node,)

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

    @abstractmethod
    def _read(self) -> Steps[None]:
        """Take the pixels and hand the first of them to the worker."""

    def _stop(self, reason: USEnhanceError | None) -> None:
        if self._is_ended:
            return
        # The first reason is the one to tell: a scene that closes removes the input too.
        self._reason = self._reason or reason
        if self._job is not None:
            self._client.cancel(self._job)
        else:
            self._on_cancelled()

    def _ask(
        self,
        submit: Callable[..., int],
        on_done: Callable[[Any], object],
        on_progress: Callable[[int, int], object],
    ) -> None:
        """Hand frames to the worker; `submit` takes the callbacks of the client."""

        def done(result: Any) -> None:
            self._job = None
            on_done(result)

        self._job = submit(
            on_started=self._listener.started,
            on_progress=on_progress,
            on_done=done,
            on_failed=lambda error: self._end(self._listener.failed, error),
            on_cancelled=self._on_cancelled,
        )

    def _go_on(self, steps: Steps[Any]) -> None:
        self._steps = StepRunner(steps)
        self._listener.turns_wanted()

    def _write(self, steps: Steps[Any], result: Any) -> None:
        """Make the nodes; what the steps return is told as done, with the worker's result."""
        self._result = result
        self._go_on(steps)

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


class BackgroundEnhancement(BackgroundTask):
    """Enhances: `done` gets the outputs of an EnhancementRun and the EnhancementResult."""

    def _read(self) -> Steps[None]:
        # First, and in a turn of its own: it imports torch while the frames are being read.
        self._client.start()
        yield
        content = yield from self._run.prepare()
        options = self._run.options
        submit = partial(
            self._client.submit,
            content.frames.pixels,
            method=options.method,
            device=options.device,
            options=options.of_enhancer,
            seed=options.seed,
            uncertainty=self._run.wants_uncertainty,
        )
        self._ask(submit, self._on_done, self._listener.progress)

    def _on_done(self, result: EnhancementResult) -> None:
        self._write(self._run.finish(result), result)


class BackgroundSegmentation(BackgroundTask):
    """Segments one image after the other: `done` gets the outputs and the SegmentationResult of each."""

    @property
    def nodes(self) -> tuple[Any, ...]:
        """Input, enhanced image and reference."""
        nodes = (self._run.input_node, self._run.enhanced_node, self._run.reference_node)
        return tuple(node for node in nodes if node is not None)

    def _read(self) -> Steps[None]:
        self._client.start()
        yield
        self._stacks = yield from self._run.prepare()
        self._results: list[SegmentationResult] = []
        self._hand_over()

    def _hand_over(self) -> None:
        options = self._run.options
        begun = sum(len(result.labels) for result in self._results)
        total = sum(len(stack) for stack in self._stacks)
        submit = partial(
            self._client.segment,
            self._stacks[len(self._results)],
            model=options.model,
            device=options.device,
        )
        self._ask(submit, self._on_done, lambda done, _: self._listener.progress(begun + done, total))

    def _on_done(self, result: SegmentationResult) -> None:
        self._results.append(result)
        if len(self._results) < len(self._stacks):
            self._go_on(self._next())
        else:
            labels = [each.labels for each in self._results]
            self._write(self._run.finish(labels, result.provenance), tuple(self._results))

    def _next(self) -> Steps[None]:
        # Frames are written to a file: in a turn of its own, as the first ones were.
        self._hand_over()
        yield
