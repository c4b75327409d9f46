"""What solving asks of a network, whatever runs it, and the options that choose one.

``model.network.TinyRecursiveModel`` and ``solve.onnx_network.OnnxNetwork`` are such networks.
"""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from trmsolve.model.arrays import Array
from trmsolve.model.config import TRMConfig
from trmsolve.model.state import Prediction, State
from trmsolve.puzzles.base import Task
from trmsolve.solve.effort import VIEWS

BATCH_SIZE_CPU = 64
BATCH_SIZE_GPU = 512


class Network(Protocol):
    """A network on arrays of its own kind: tensors of torch, or arrays of numpy."""

    @property
    def config(self) -> TRMConfig:
        """The architecture."""

    def initial_state(self, batch: int, spatial_shape: tuple[int, ...] | None = None) -> State:
        """The learned start, before the first cycle: (B, L, D) each."""

    def place(self, tokens: NDArray[np.int64]) -> Array:
        """The tokens (B, S), or boards of them, as an array where the network runs."""

    def without_gradient(self) -> AbstractContextManager[Any]:
        """A context for computing only."""

    def __call__(self, state: State, tokens: Array) -> tuple[State, Prediction]:
        """One improvement cycle: the next state, and what it predicts."""


class Place(Protocol):
    """Where a network runs, and in which precision."""

    @property
    def device(self) -> Any:
        """The device, by its name in torch."""

    @property
    def dtype_name(self) -> str:
        """The precision: fp32 or bf16."""

    @property
    def threads(self) -> int:
        """CPU threads it may use."""

    @property
    def reason(self) -> str:
        """One line that says what was chosen, and why."""


class Shared(Protocol):
    """A network for several processes. It can be sent to them, and becomes the network there."""

    @property
    def threads(self) -> int:
        """CPU threads that each process uses."""

    def network(self) -> Network:
        """The network, ready to run in the process that asks for it."""


def is_cpu(device: Any) -> bool:
    """Whether a device, or a name that torch has for one, is the CPU."""
    return str(device).startswith("cpu")


def default_batch_size(device: Any, task: Task) -> int:
    """How many puzzles are refined at a time on a device of torch where nobody says."""
    size = BATCH_SIZE_CPU if is_cpu(device) else BATCH_SIZE_GPU
    return max(1, int(size * task.batch_share))


def sparing(network: Network) -> Network:
    """The network for one run of solving, which may remember what it has computed."""
    if "torch" not in sys.modules:
        return network  # a graph
    from trmsolve.model.settled import settling

    spared: Network = settling(network)
    return spared


class Loaded(NamedTuple):
    """A network that is ready to run."""

    network: Network
    placement: Place
    path: Path
    """Of the weights or the graph."""
    label: str
    """The name of the file, and the fingerprint of its weights."""


@dataclass(frozen=True)
class LoadOptions:
    """All that may be chosen of a solver; see ``solver.load``."""

    weights: str | Path | None = None
    offline: bool = False
    allow_large: bool = False
    note: Callable[[str], None] | None = None
    cycles: int | None = None
    views: int = VIEWS
    batch_size: int | None = None
    seed: int = 0
    noise: float | None = None
    backend: str = "auto"
    device: str = "auto"
    dtype: str = "auto"
    threads: int | None = None
    compiled: bool = False
    accept_detours: bool = False
    puzzles: int = 1
    """How many puzzles are to be solved at least, as far as is known before."""
    largest: int = 0
    """The cells of the largest of them, as far as is known before."""
