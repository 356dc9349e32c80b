"""One piece of work at a time in the background: turns of Qt's event loop, and the worker process."""

from __future__ import annotations

from typing import Any

import qt

from USEnhanceLib.errors import USEnhanceError, WorkerError
from USEnhanceLib.mrml import EnhancementRun
from USEnhanceLib.mrml.background import (
    BackgroundEnhancement,
    BackgroundSegmentation,
    BackgroundTask,
    Listener,
)
from USEnhanceLib.mrml.extraction import vanished
from USEnhanceLib.mrml.segmentation_run import SegmentationRun
from USEnhanceLib.worker.client import WorkerClient

from .worker_process import QtWorkerProcess

# A worker that has not answered a cancel by then (it may be importing torch) is ended.
CANCEL_MILLISECONDS = 700
QUIT_MILLISECONDS = 2000


class BackgroundWork:
    """Starts, cancels and ends work; the worker process stays for the next one until `close`."""

    def __init__(self) -> None:
        self.process = QtWorkerProcess()
        self._client = WorkerClient(self.process)
        self.process.client = self._client
        self._work: BackgroundTask | None = None
        self._turns = qt.QTimer()
        self._turns.interval = 0
        self._turns.connect("timeout()", self._on_turn)
        self._deadline = qt.QTimer()
        self._deadline.setSingleShot(True)
        self._deadline.interval = CANCEL_MILLISECONDS
        self._deadline.connect("timeout()", self._on_deadline)

    @property
    def busy(self) -> bool:
        """Whether work goes on."""
        return self._work is not None and not self._work.ended

    def enhance(self, run: EnhancementRun, listener: Listener) -> None:
        """Start and return. Raises WorkerError while other work goes on."""
        self._start(BackgroundEnhancement, run, listener)

    def segment(self, run: SegmentationRun, listener: Listener) -> None:
        """Start and return. Raises WorkerError while other work goes on."""
        self._start(BackgroundSegmentation, run, listener)

    def _start(self, kind: type[BackgroundTask], run: Any, listener: Listener) -> None:
        if self.busy:
            raise WorkerError("Another image is being worked on: wait for it, or cancel it first.")
        # That of an earlier cancel, which was answered in time.
        self._deadline.stop()
        self._work = kind(run, self._client, listener)
        self.take_turns()

    def take_turns(self) -> None:
        """Work on nodes for some milliseconds in each turn of the event loop, as long as there is work."""
        self._turns.start()

    def cancel(self) -> None:
        """Cancel; within a second at the latest the work has ended."""
        if self.busy:
            self._work.cancel()
            self._deadline.start()

    def abandon(self, reason: USEnhanceError) -> None:
        """End the work as failed."""
        if self.busy:
            self._work.abandon(reason)
            self._deadline.start()

    def on_node_about_to_be_removed(self, node: Any) -> None:
        """End the work on a node that goes."""
        if self.busy and node in self._work.nodes:
            self.abandon(vanished(node))

    def close(self) -> None:
        """End the work and the process."""
        self._turns.stop()
        self._deadline.stop()
        self.cancel()
        self._deadline.stop()
        self._client.close()
        self.process.wait_for_end(QUIT_MILLISECONDS)

    def _on_turn(self) -> None:
        if self._work is None or not self._work.turn():
            self._turns.stop()

    def _on_deadline(self) -> None:
        if self.busy and self._client.busy:
            self._client.kill()
