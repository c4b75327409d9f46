"""What the refine loop asks of a network, whatever runs it.

``model.network.TinyRecursiveModel`` and ``solve.onnx_network.OnnxNetwork`` are such networks.
"""

from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trmsolve.model.arrays import Array
from trmsolve.model.config import TRMConfig
from trmsolve.model.state import Prediction, State


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
