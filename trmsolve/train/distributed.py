"""Several processes that train one network, each on its share of the batch; started by ``torchrun``.

Knows processes and tensors; nothing of recipes or puzzles. Alone in the world, every method is the
identity.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from trmsolve.errors import TrmsolveError, UsageError

SPOKEN = 0.5  # seconds; then the first process has told what is wrong


@dataclass(frozen=True)
class World:
    """The processes of a run; the first one writes and speaks."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    on_gpu: bool = False

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def device(self, asked: str) -> str:
        """The device of this process, where ``asked`` is what the user wants."""
        return f"cuda:{self.local_rank}" if self.on_gpu else "cpu" if self.size > 1 else asked

    def share(self, rows: int) -> int:
        """How many of the global batch's rows are this process's.

        Raises UsageError if they do not divide.
        """
        if rows % self.size:
            raise UsageError(
                f"a batch of {rows} does not divide among {self.size} processes: choose --batch-size"
            )
        return rows // self.size

    def wrap(self, model: nn.Module, device: torch.device, sparse: list[str]) -> nn.Module:
        """The model whose gradients are averaged over all processes during backward, but for those of ``sparse``."""
        if self.size == 1:
            return model
        fixed = [name for name, _ in model.named_buffers()]  # equal everywhere and never trained
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(
            model, [*sparse, *fixed]
        )
        return DistributedDataParallel(
            model, device_ids=[device] if device.type == "cuda" else None
        )

    def sparse_mean(self, gradient: Tensor) -> Tensor:
        """The mean over the processes of a sparse gradient, not coalesced, of which each has as many rows."""
        if self.size == 1:
            return gradient
        indices, values = self.gather(gradient._indices().T), self.gather(gradient._values())
        return torch.sparse_coo_tensor(
            indices.T, values / self.size, gradient.shape, check_invariants=False
        )

    def highest(self, values: Sequence[float]) -> list[float]:
        """Each value's maximum over the processes."""
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device="cuda" if self.on_gpu else "cpu")
        dist.all_reduce(tensor, dist.ReduceOp.MAX)
        highest: list[float] = tensor.tolist()
        return highest

    def mean(self, values: Tensor) -> Tensor:
        """Each value's mean over the processes."""
        if self.size > 1:
            dist.all_reduce(values)
            values /= self.size
        return values

    def gather(self, rows: Tensor) -> Tensor:
        """The rows of all processes, in the order of the global batch, on every process."""
        if self.size == 1:
            return rows
        plain = (rows.to(torch.uint8) if rows.dtype == torch.bool else rows).contiguous()
        parts = [torch.empty_like(plain) for _ in range(self.size)]
        dist.all_gather(parts, plain)
        return torch.cat(parts).to(rows.dtype)

    def part(self, rows: Tensor) -> Tensor:
        """This process's rows of those that ``gather`` gave."""
        return rows.chunk(self.size)[self.rank]


@contextmanager
def joined_world(device: str) -> Iterator[World]:
    """The world that ``torchrun`` describes in the environment; alone if it does not.

    What is wrong for all of them is told by the first process of a machine; the others leave with
    its exit code.
    """
    size, local_rank = (
        int(os.environ.get("WORLD_SIZE", "1")),
        int(os.environ.get("LOCAL_RANK", "0")),
    )
    try:
        if size == 1:
            yield World()
            return
        cuda = device.startswith(("auto", "cuda")) and torch.cuda.is_available()
        if cuda and local_rank >= (count := torch.cuda.device_count()):
            raise UsageError(
                f"there are more processes than the {count} GPUs here: start fewer, or use --device cpu"
            )
        if cuda:
            torch.cuda.set_device(local_rank)
        dist.init_process_group("nccl" if cuda else "gloo")
        yield World(dist.get_rank(), size, local_rank, cuda)
    except TrmsolveError as error:
        if local_rank == 0:
            raise
        time.sleep(SPOKEN)  # torchrun ends them all once one has left
        raise SystemExit(error.exit_code) from None
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
