"""A network that torch runs: found, placed on a device, and sent to other processes."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load, save

from trmsolve.device import choose_placement
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.solve.network import Loaded, LoadOptions, Network
from trmsolve.weights.catalog import resolve
from trmsolve.weights.file import fingerprint, load_model


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


def load_on_cpu(path: Path, threads: int) -> TinyRecursiveModel:
    """The network of a bundled file on the CPU, in fp32. Torch then uses so many threads."""
    torch.set_num_threads(threads)
    return load_model(path, None, torch.float32, torch.device("cpu"))


def label(path: Path) -> str:
    """The name of a file and enough of its fingerprint to tell it from another in a record."""
    return f"{path.name}@{fingerprint(path)[:12]}"


@dataclass(frozen=True)
class SharedModel:
    """A network as it is sent to another process.

    Each process gets weights of its own. Torch can have processes share them, but the one that is
    asked then serves them from a thread, which complains on standard error if another is ended
    meanwhile. Networks that solve puzzles have some megabytes at most.
    """

    kind: type[TinyRecursiveModel]
    config: TRMConfig
    dtype: torch.dtype
    weights: bytes
    """As a safetensors file has them."""
    threads: int
    compiled: bool

    def network(self) -> TinyRecursiveModel:
        """The network. Torch then uses so many threads in this whole process."""
        torch.set_num_threads(self.threads)
        model = self.kind(self.config, self.dtype)
        model.load_state_dict(load(self.weights), assign=True)
        if self.compiled:
            compile_network(model)
        return model.eval()


def share_model(model: Network, threads: int) -> SharedModel:
    """The network for other processes."""
    assert isinstance(model, TinyRecursiveModel)
    weights = save(model.state_dict())
    compiled = _is_compiled(model)
    return SharedModel(type(model), model.config, model.dtype, weights, threads, compiled)


def compile_network(model: TinyRecursiveModel) -> None:
    """Have torch compile the network at its first cycles."""
    model.L_level.compile(dynamic=True)  # the batch shrinks and grows


def _is_compiled(model: TinyRecursiveModel) -> bool:
    """Whether ``compile_network`` was called. A copy in another process does not know of it."""
    return model.L_level._compiled_call_impl is not None
