"""Processes that train or measure one network together, each with its share, under ``torchrun``.

Knows processes and tensors; nothing of recipes or puzzles. In a group of one process every method
returns what it is given.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from trmsolve.errors import TrmsolveError, UsageError

T = TypeVar("T")

SPOKEN = 0.5
"""Seconds within which the first process has printed what is wrong."""


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of a run, as one of them sees them. The first one writes and reports."""

    # The number of this process among all, from 0 on.
    rank: int = 0
    # How many processes there are.
    size: int = 1
    # The number of this process on its machine, which is also that of its GPU.
    local_rank: int = 0
    # Whether each process has a GPU of its own.
    on_gpu: bool = False

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def device(self, asked: str) -> str:
        """The device of this process, where ``asked`` is what the user wants."""
        if self.on_gpu:
            return f"cuda:{self.local_rank}"
        return "cpu" if self.size > 1 else asked

    def share(self, rows: int) -> int:
        """How many of the ``rows`` of the global batch belong to this process.

        Raises UsageError if they do not divide.
        """
        if rows % self.size:
            raise UsageError(
                f"a batch of {rows} does not divide among {self.size} processes: "
                "choose --batch-size"
            )
        return rows // self.size

    def wrap(self, model: nn.Module, device: torch.device, sparse: list[str]) -> nn.Module:
        """The model, with gradients averaged over all processes during backward.

        The parameters named in ``sparse`` are left to ``sparse_mean``.
        """
        if self.size == 1:
            return model
        buffers = [name for name, _ in model.named_buffers()]  # equal everywhere, never trained
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(
            model, [*sparse, *buffers]
        )
        device_ids = [device] if device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=device_ids)

    def sparse_mean(self, gradient: Tensor) -> Tensor:
        """The mean over the processes of a sparse gradient, not coalesced.

        Each process must have as many rows as the others.
        """
        if self.size == 1:
            return gradient
        indices = self.gather(gradient._indices().T)
        values = self.gather(gradient._values())
        return torch.sparse_coo_tensor(
            indices.T, values / self.size, gradient.shape, check_invariants=False
        )

    def highest(self, values: Sequence[float]) -> list[float]:
        """Each value's maximum over the processes."""
        if self.size == 1:
            return list(values)
        device = "cuda" if self.on_gpu else "cpu"
        tensor = torch.tensor(values, dtype=torch.float64, device=device)
        dist.all_reduce(tensor, dist.ReduceOp.MAX)
        highest: list[float] = tensor.tolist()
        return highest

    def mean(self, values: Tensor) -> Tensor:
        """Each value's mean over the processes; ``values`` itself is overwritten with it."""
        if self.size > 1:
            dist.all_reduce(values)
            values /= self.size
        return values

    def gather(self, rows: Tensor) -> Tensor:
        """The rows of all processes, in the order of the global batch, on every process."""
        if self.size == 1:
            return rows
        # Not every backend gathers bool.
        sent = rows.to(torch.uint8) if rows.dtype == torch.bool else rows
        sent = sent.contiguous()
        parts = [torch.empty_like(sent) for _ in range(self.size)]
        dist.all_gather(parts, sent)
        return torch.cat(parts).to(rows.dtype)

    def collect(self, value: T) -> list[T]:
        """The values of all processes, in their order, on every process; they are pickled."""
        if self.size == 1:
            return [value]
        values: list[T | None] = [None] * self.size
        dist.all_gather_object(values, value)
        return cast("list[T]", values)

    def part(self, rows: Tensor) -> Tensor:
        """This process's rows of those that ``gather`` gave."""
        return rows.chunk(self.size)[self.rank]


ALONE = ProcessGroup()
"""This process and no other."""


@contextmanager
def join_process_group(device: str, patience: timedelta | None = None) -> Iterator[ProcessGroup]:
    """The process group that ``torchrun`` describes in the environment; one process if it does not.

    ``patience`` is how long processes wait for each other, where they do not meet often; by default
    it is that of torch, half an hour with gloo.
    An error that all processes meet is raised by the first one of each machine. The others leave
    silently with its exit code.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    try:
        yield ALONE if size == 1 else _join(device, size, local_rank, patience)
    except TrmsolveError as error:
        if local_rank == 0:
            raise
        time.sleep(SPOKEN)  # torchrun ends them all once one has left
        raise SystemExit(error.exit_code) from None
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _join(device: str, size: int, local_rank: int, patience: timedelta | None) -> ProcessGroup:
    on_gpu = device.startswith(("auto", "cuda")) and torch.cuda.is_available()
    if on_gpu:
        count = torch.cuda.device_count()
        if local_rank >= count:
            raise UsageError(
                f"there are more processes than the {count} GPUs here: "
                "start fewer, or use --device cpu"
            )
        torch.cuda.set_device(local_rank)
    dist.init_process_group("nccl" if on_gpu else "gloo", timeout=patience)
    return ProcessGroup(dist.get_rank(), size, local_rank, on_gpu)
