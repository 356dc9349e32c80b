"""The processes of a run: one, or several that torchrun started, on one machine or on many.

Every process draws the whole batch of a step, from the same random numbers, and works on its share of it. So
a run does not depend on the number of processes but for the order of additions and for networks with batch
normalisation on CPUs, whose statistics are those of the share.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

PATIENCE = timedelta(days=2)
"""Other processes wait that long while the first one filters frames or validates."""

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """What this process knows of all: its rank, their number, its rank on this machine, and its device."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    device: str = "cpu"

    @property
    def first(self) -> bool:
        """Whether this is the process that validates, reports and writes."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """Return the part of a batch [N, ...] that this process works on."""
        return batch[self.rank :: self.count]

    def joined(self, network: nn.Module) -> nn.Module:
        """Return a network whose gradients are the mean over all processes."""
        if self.count == 1:
            return network
        return DistributedDataParallel(
            network, device_ids=[self.local_rank] if self.device.startswith("cuda") else None
        )

    def total(self, values: Sequence[float]) -> list[float]:
        """Return the sums of numbers over all processes."""
        if self.count == 1:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(sums)
        return sums.tolist()

    def from_first(self, value: T) -> T:
        """Return what the first process has."""
        if self.count == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values)
        return values[0]

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.count > 1:
            distributed.barrier()


def is_first_process() -> bool:
    """Tell whether this process is alone or the first one of those that torchrun started."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def join_processes() -> Iterator[Processes]:
    """Join the processes that torchrun started, if it did; each takes one GPU of its machine, if any."""
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    device = "cpu"
    if torch.cuda.is_available():
        torch.cuda.set_device(local_rank)
        device = f"cuda:{local_rank}"
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(device=device)
        return
    distributed.init_process_group("nccl" if device != "cpu" else "gloo", timeout=PATIENCE)
    try:
        yield Processes(distributed.get_rank(), count, local_rank, device)
    finally:
        distributed.destroy_process_group()
