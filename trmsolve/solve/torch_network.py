"""A network that torch runs: found, placed on a device, and shared among processes."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.multiprocessing  # has processes share tensors

from trmsolve.device import choose_placement
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.solve.network import Loaded, LoadOptions, Network
from trmsolve.weights.catalog import resolve
from trmsolve.weights.file import fingerprint, load_model

SHARED_MEMORY = Path("/dev/shm")
"""Where Linux keeps shared memory. Containers often have little of it."""


def load_torch(name: str, options: LoadOptions) -> Loaded:
    """The network for a task. Raises WeightsError and UsageError as ``solver.load`` says."""
    placement = choose_placement(options.device, options.dtype, options.threads)
    large = options.allow_large
    path = resolve(
        options.weights, name, offline=options.offline, allow_large=large, note=options.note
    )
    model = load_model(path, name, placement.dtype, placement.device, allow_large=large)
    if options.compiled:
        compile_network(model)
    return Loaded(model, placement, path, label(path))


def label(path: Path) -> str:
    """The name of a file and enough of its fingerprint to tell it from another in a record."""
    return f"{path.name}@{fingerprint(path)[:12]}"


@dataclass(frozen=True)
class SharedModel:
    """A network whose weights stay in memory once: every process maps them."""

    model: TinyRecursiveModel
    threads: int
    compiled: bool

    def network(self) -> TinyRecursiveModel:
        """The network. Torch then uses so many threads in this whole process."""
        torch.set_num_threads(self.threads)
        if self.compiled and not _is_compiled(self.model):
            compile_network(self.model)
        return self.model


def share_model(model: Network, threads: int) -> SharedModel | None:
    """The network for several processes; None if its weights do not fit into shared memory."""
    assert isinstance(model, TinyRecursiveModel)
    if not _fits_shared_memory(model):
        return None
    model.share_memory()
    return SharedModel(model, threads, _is_compiled(model))


def compile_network(model: TinyRecursiveModel) -> None:
    """Have torch compile the network at its first cycles."""
    model.L_level.compile(dynamic=True)  # the batch shrinks and grows


def _is_compiled(model: TinyRecursiveModel) -> bool:
    """Whether ``compile_network`` was called. A copy in another process does not know of it."""
    return model.L_level._compiled_call_impl is not None


def _fits_shared_memory(model: TinyRecursiveModel) -> bool:
    """Whether there is room for the weights; too little of it would kill the process."""
    if not SHARED_MEMORY.is_dir():
        return True
    tensors = [*model.parameters(), *model.buffers()]
    needed = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return shutil.disk_usage(SHARED_MEMORY).free > 2 * needed
