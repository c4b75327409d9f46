"""Processes that train or measure one network together, each with its share, under ``torchrun``.

Knows processes and tensors; nothing of recipes or puzzles. In a group of one process every method
returns what it is given. Torch is imported only where there are several, so that measuring a graph
needs none.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from trmsolve.errors import TrmsolveError, UsageError, WorkerError
from trmsolve.processes import context, start_process

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    import torch
    from torch import Tensor, nn

T = TypeVar("T")

LEAVING = 10.0
"""Seconds within which the other processes of a group leave by themselves at the end."""

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

    def wrap(self, model: "nn.Module", device: "torch.device", sparse: list[str]) -> "nn.Module":
        """The model, with gradients averaged over all processes during backward.

        The parameters named in ``sparse`` are left to ``sparse_mean``.
        """
        if self.size == 1:
            return model
        from torch.nn.parallel import DistributedDataParallel

        buffers = [name for name, _ in model.named_buffers()]  # equal everywhere, never trained
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(
            model, [*sparse, *buffers]
        )
        device_ids = [device] if device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=device_ids)

    def sparse_mean(self, gradient: "Tensor") -> "Tensor":
        """The mean over the processes of a sparse gradient, not coalesced.

        Each process must have as many rows as the others.
        """
        if self.size == 1:
            return gradient
        import torch

        indices = self.gather(gradient._indices().T)
        values = self.gather(gradient._values())
        return torch.sparse_coo_tensor(
            indices.T, values / self.size, gradient.shape, check_invariants=False
        )

    def highest(self, values: Sequence[float]) -> list[float]:
        """Each value's maximum over the processes."""
        if self.size == 1:
            return list(values)
        import torch
        import torch.distributed as dist

        device = "cuda" if self.on_gpu else "cpu"
        tensor = torch.tensor(values, dtype=torch.float64, device=device)
        dist.all_reduce(tensor, dist.ReduceOp.MAX)
        highest: list[float] = tensor.tolist()
        return highest

    def mean(self, values: "Tensor") -> "Tensor":
        """Each value's mean over the processes; ``values`` itself is overwritten with it."""
        if self.size > 1:
            import torch.distributed as dist

            dist.all_reduce(values)
            values /= self.size
        return values

    def gather(self, rows: "Tensor") -> "Tensor":
        """The rows of all processes, in the order of the global batch, on every process."""
        if self.size == 1:
            return rows
        import torch
        import torch.distributed as dist

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
        import torch.distributed as dist

        values: list[T | None] = [None] * self.size
        dist.all_gather_object(values, value)
        return cast("list[T]", values)

    def part(self, rows: "Tensor") -> "Tensor":
        """This process's rows of those that ``gather`` gave."""
        return rows.chunk(self.size)[self.rank]


ALONE = ProcessGroup()
"""This process and no other."""


@contextmanager
def start_process_group(size: int, target: Callable[..., None], *args: Any) -> Iterator[None]:
    """Have this process be the first of a group on this machine, as ``torchrun`` would make it.

    The others call ``target``, a function of a module, and all of them ``join_process_group``. They
    never see Ctrl-C and end with the block. Nothing is started for a size of 1, or where this
    process is one of a group already. Raises WorkerError where one of them was ended by others.
    """
    if size == 1 or "WORLD_SIZE" in os.environ:
        yield
        return
    described = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "WORLD_SIZE": size}
    others: list[BaseProcess] = []
    try:
        awaited = []
        for rank in range(1, size):
            ours, theirs = context().Pipe()
            environment = _environment(described, rank)
            arguments = (environment, theirs, target, args)
            others.append(start_process(_begin_in_group, arguments, f"worker {rank}"))
            theirs.close()
            awaited.append(ours)
        # Joining cannot be interrupted: it begins when nobody is waited for any more.
        for ours in awaited:
            _wait_until_ready(ours)
        with _set(_environment(described, 0)):
            yield
    except (RuntimeError, EOFError) as error:
        gone = [other.name for other in others if not other.is_alive()]
        if not gone:
            raise
        raise WorkerError(
            f"{gone[0]} was ended from outside, perhaps for lack of memory: try again with fewer "
            "--workers"
        ) from error
    finally:
        for other in others:
            other.join(LEAVING if sys.exc_info()[0] is None else 0)
            other.kill()  # a request to end would have it save, which is for the first one to do
            other.join()


def _begin_in_group(
    environment: dict[str, str], ready: Connection, target: Callable[..., None], args: tuple[Any]
) -> None:
    """Call the target in a process of its own."""
    os.environ.update(environment)
    ready.send(True)
    target(*args)


def _wait_until_ready(process: Connection) -> None:
    """Raises EOFError if the process is gone."""
    while not process.poll(0.1):
        pass
    process.recv()


def _environment(described: dict[str, Any], rank: int) -> dict[str, str]:
    """The variables by which a process knows its group."""
    own = {"RANK": rank, "LOCAL_RANK": rank}
    return {name: str(value) for name, value in {**described, **own}.items()}


@contextmanager
def _set(environment: dict[str, str]) -> Iterator[None]:
    """Set these variables, which were not set before."""
    os.environ.update(environment)
    try:
        yield
    finally:
        for name in environment:
            os.environ.pop(name, None)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


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
        _leave_silently(error)
    finally:
        if size > 1:
            _leave()


def refuse_group(work: str) -> None:
    """Raise UsageError if ``torchrun`` has started several processes for work that is one's.

    Only the first process of a machine raises it. The others leave silently with its exit code.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return
    error = UsageError(f"{work} runs in one process: start it without torchrun")
    if int(os.environ.get("LOCAL_RANK", "0")) != 0:
        _leave_silently(error)
    raise error


def _leave_silently(error: TrmsolveError) -> NoReturn:
    """End a process with the exit code of an error that the first one of its machine tells."""
    time.sleep(SPOKEN)  # torchrun ends them all once one has left
    raise SystemExit(error.exit_code) from None


def _leave() -> None:
    import torch.distributed as dist

    if dist.is_initialized():
        dist.destroy_process_group()


def _join(device: str, size: int, local_rank: int, patience: timedelta | None) -> ProcessGroup:
    import torch
    import torch.distributed as dist

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
