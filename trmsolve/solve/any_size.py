"""A bundled network for boards of all sizes.

A lattice network takes every board, but its graph takes one size alone, and torch has to run the
others. A size that the network answers badly has weights of its own beside it, such as
``sudoku-4x4.safetensors``. They are loaded at the first board of their size.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import UsageError
from trmsolve.model.arrays import Array
from trmsolve.model.config import TRMConfig
from trmsolve.model.state import Prediction, State
from trmsolve.solve.network import Network, Shared
from trmsolve.weights.bundled import bundled_file


class AnySizeNetwork:
    """A network that leaves boards of some sizes to others.

    Args:
        own: The network of the usual board.
        task: The task whose bundled weights it has.
        threads: CPU threads that the others may use; they compute on the CPU in fp32.
        takes_any_size: Whether ``own`` takes boards of every size.
    """

    def __init__(self, own: Network, task: str, threads: int, takes_any_size: bool) -> None:
        self.own = own
        self.task = task
        self.threads = threads
        self.takes_any_size = takes_any_size
        self._others: dict[tuple[int, ...], Network] = {}

    @property
    def config(self) -> TRMConfig:
        """The architecture."""
        return self.own.config

    def initial_state(self, batch: int, spatial_shape: tuple[int, ...] | None = None) -> State:
        """The learned start, before the first cycle: (B, L, D) each."""
        shape = spatial_shape or self.config.spatial_shape
        return self._network_for(shape).initial_state(batch, shape)

    def place(self, tokens: NDArray[np.int64]) -> Array:
        """The tokens (B, S) as an array of that network which runs them."""
        return self._network_for(tokens.shape[1:]).place(tokens)

    @contextmanager
    def without_gradient(self) -> Iterator[None]:
        """A context for computing only."""
        with ExitStack() as contexts:
            for network in (self.own, *self._others.values()):
                contexts.enter_context(network.without_gradient())
            yield

    def __call__(self, state: State, tokens: Array) -> tuple[State, Prediction]:
        """One improvement cycle: the next state, and what it predicts."""
        return self._network_for(tuple(tokens.shape[1:]))(state, tokens)

    def _network_for(self, shape: tuple[int, ...]) -> Network:
        if shape == self.config.spatial_shape:
            return self.own
        if shape not in self._others:
            self._others[shape] = self._other(self.config.candidates_of(shape[0]))
        return self._others[shape]

    def _other(self, side: int) -> Network:
        """The network for boards of this side. Raises UsageError if it needs torch in vain."""
        path = bundled_file(f"{self.task}-{side}x{side}.safetensors")
        if path is None:
            if self.takes_any_size:
                return self.own
            path = bundled_file(f"{self.task}.safetensors")
        if path is None or find_spec("torch") is None:
            raise UsageError(f"boards of {side} x {side} cells need torch: install it")
        from trmsolve.solve.torch_network import load_on_cpu  # imports torch

        return load_on_cpu(path, self.threads)


def own_network(network: Network) -> Network:
    """The network of the usual board alone."""
    return network.own if isinstance(network, AnySizeNetwork) else network


@dataclass(frozen=True)
class SharedAnySize:
    """Such a network for several processes."""

    own: Shared
    task: str
    takes_any_size: bool

    @property
    def threads(self) -> int:
        """CPU threads that each process uses."""
        return self.own.threads

    def network(self) -> AnySizeNetwork:
        """The network, ready to run in the process that asks for it."""
        own = self.own.network()
        return AnySizeNetwork(own, self.task, self.threads, self.takes_any_size)
