"""A resident process that holds the models, enhances and segments, and the client that hands it frames.

Inside Slicer the networks run in `python -m USEnhanceLib.worker`: the application stays responsive, a crash
or lack of memory in torch cannot take it down, and the second click finds the model loaded.

    protocol             the messages, one JSON object a line
    exchange             the files in which frames are handed over
    launch               command and environment of the process
    server               what the process does
    work                 the server's half of a job: what is loaded, applied and handed back
    lifetime             when the process ends
    client               what submits, cancels and receives, without Qt
    jobs                 the client's half of a job: what is asked for, and who is told
    outcome              how a job ended
    subprocess_process   the client outside of Slicer: one blocking call
"""

from __future__ import annotations

from .client import WorkerClient, WorkerProcess
from .launch import worker_command, worker_environment
from .outcome import SegmentationResult
from .subprocess_process import SubprocessProcess, SubprocessWorker

__all__ = [
    "SegmentationResult",
    "SubprocessProcess",
    "SubprocessWorker",
    "WorkerClient",
    "WorkerProcess",
    "worker_command",
    "worker_environment",
]
