"""Several processes that train one network, each on its share of the batch; started by ``torchrun``.

Knows processes and tensors; nothing of recipes or puzzles. Alone in the world, every method is the identity.
"""

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from trmsolve.errors import UsageError


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

    def share(self, rows: int) -> int:
        """How many of the global batch's rows are this process's. Raises UsageError if they do not divide."""
        if rows % self.size:
            raise UsageError(f"a batch of {rows} does not divide among {self.size} processes: choose --batch-size")
        return rows // self.size

    def wrap(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The model whose gradients are averaged over all processes during backward."""
        if self.size == 1:
            return model
        return DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)

    def highest(self, values: Tensor) -> Tensor:
        """Each value's maximum over the processes."""
        if self.size > 1:
            dist.all_reduce(values, dist.ReduceOp.MAX)
        return values

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
        plain = rows.to(torch.uint8) if rows.dtype == torch.bool else rows.contiguous()
        parts = [torch.empty_like(plain) for _ in range(self.size)]
        dist.all_gather(parts, plain)
        return torch.cat(parts).to(rows.dtype)

    def part(self, rows: Tensor) -> Tensor:
        """This process's rows of those that ``gather`` gave."""
        return rows.chunk(self.size)[self.rank]


def join_world(device: str) -> World:
    """The world that ``torchrun`` describes in the environment, joined; alone if it does not."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return World()
    cuda = device.startswith(("auto", "cuda")) and torch.cuda.is_available()
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    if cuda:
        torch.cuda.set_device(local_rank)
    dist.init_process_group("nccl" if cuda else "gloo")
    return World(dist.get_rank(), size, local_rank, cuda)


def leave_world(world: World) -> None:
    """Close the connections, if there are any."""
    if world.size > 1:
        dist.destroy_process_group()
