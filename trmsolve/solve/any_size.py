"""A network for boards of all sizes: a graph for its own board, and torch for every other.

A graph of a lattice network takes boards of one size, and starts in a fraction of torch's time.
Torch is imported at the first board of another size.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trmsolve.model.arrays import Array
from trmsolve.model.config import TRMConfig
from trmsolve.model.state import Prediction, State
from trmsolve.solve.network import Network, Shared


class AnySizeNetwork:
    """A graph, and beside it the weights that it was made from.

    Args:
        graph: The network of the graph.
        weights: The file of the same network for torch.
        threads: CPU threads that torch may use.
    """

    def __init__(self, graph: Network, weights: Path, threads: int) -> None:
        self.graph = graph
        self.weights = weights
        self.threads = threads
        self._other: Network | None = None

    @property
    def config(self) -> TRMConfig:
        """The architecture."""
        return self.graph.config

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
            contexts.enter_context(self.graph.without_gradient())
            if self._other is not None:
                contexts.enter_context(self._other.without_gradient())
            yield

    def __call__(self, state: State, tokens: Array) -> tuple[State, Prediction]:
        """One improvement cycle: the next state, and what it predicts."""
        return self._network_for(tuple(tokens.shape[1:]))(state, tokens)

    def _network_for(self, shape: tuple[int, ...]) -> Network:
        if shape == self.config.spatial_shape:
            return self.graph
        if self._other is None:
            from trmsolve.solve.torch_network import load_on_cpu  # imports torch

            self._other = load_on_cpu(self.weights, self.threads)
        return self._other


@dataclass(frozen=True)
class SharedAnySize:
    """Such a network for several processes."""

    graph: Shared
    weights: Path

    @property
    def threads(self) -> int:
        """CPU threads that each process uses."""
        return self.graph.threads

    def network(self) -> AnySizeNetwork:
        """The network, ready to run in the process that asks for it."""
        return AnySizeNetwork(self.graph.network(), self.weights, self.threads)
