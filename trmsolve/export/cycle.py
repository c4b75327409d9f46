"""One improvement cycle as a module of plain tensors, with the inputs and outputs of its graph.

Knows the kinds of network; no file, no ONNX. Shape letters as in ``model.network``.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from trmsolve.model.config import TRMConfig
from trmsolve.model.network import State, TinyRecursiveModel
from trmsolve.model.planes import PlanesBatch, PlanesModel
from trmsolve.weights.graph import STATE

Inputs = dict[str, Tensor]
"""A question and a state by the names of the graph's inputs."""

EXAMPLE_ROWS = 2
"""The batch of the example that is traced. A batch of one would be taken for a constant."""
EXAMPLE_BOARD = (5, 7)
EXAMPLE_PLANES = 3


class Cycle(nn.Module):
    """(question, state) to (logits, halt, y, z), for a network that is asked about tokens."""

    def __init__(self, model: TinyRecursiveModel) -> None:
        super().__init__()
        self.model = model

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs in their order."""
        with_table = ("puzzle_ids",) if self.model.puzzle_emb is not None else ()
        return ("tokens", *with_table, *STATE)

    def forward(self, *values: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The values of ``names``; the outputs are those of ``weights.graph.OUTPUTS``."""
        *question, y, z = values
        state, prediction = self.model(State(y, z), *question)
        return prediction.logits, prediction.halt, state.y, state.z


class PlanesCycle(Cycle):
    """The same for a network of planes."""

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs in their order."""
        return (*PlanesBatch._fields, *STATE)

    def forward(self, *values: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """As of the base."""
        *question, y, z = values
        assert isinstance(self.model, PlanesModel)
        state, prediction = self.model.cycle(State(y, z), PlanesBatch(*question))
        return prediction.logits, prediction.halt, state.y, state.z


def cycle_of(model: TinyRecursiveModel) -> Cycle:
    """The module for one cycle of a network."""
    return PlanesCycle(model) if isinstance(model, PlanesModel) else Cycle(model)


def example_inputs(cycle: Cycle) -> Inputs:
    """Some question and state for the exporter to follow, of small sizes."""
    model = cycle.model
    rows = EXAMPLE_ROWS
    tokens = torch.zeros(rows, *_example_shape(model.config), dtype=torch.long)
    inputs = {"tokens": tokens}
    board = tuple(tokens.shape[1:])
    if isinstance(model, PlanesModel):
        inputs["palette"] = torch.arange(EXAMPLE_PLANES).repeat(rows, 1)
        inputs["symmetries"] = torch.zeros(rows, dtype=torch.long)
        board = (EXAMPLE_PLANES, *board)
    if "puzzle_ids" in cycle.names:
        inputs["puzzle_ids"] = torch.zeros(rows, dtype=torch.long)
    state = model.initial_state(rows, board)
    inputs |= {"y": state.y, "z": state.z}
    return {name: inputs[name] for name in cycle.names}


def varying_sizes(cycle: Cycle) -> tuple[dict[int, Any], ...]:
    """Which sizes of each input may vary, by their axes: the batch, and the board where it may."""
    batch = Dim("batch")
    names: list[Any] = [batch]
    if cycle.model.config.tokens_are_board:
        names += [Dim("rows"), Dim("columns")]
    of_state = names
    if isinstance(cycle.model, PlanesModel):
        planes = Dim("planes")
        of_state = [batch, planes, *names[1:]]
    axes = {
        "tokens": names,
        "palette": of_state[:2],
        "symmetries": [batch],
        "puzzle_ids": [batch],
        "y": of_state,
        "z": of_state,
    }
    return tuple(dict(enumerate(axes[name])) for name in cycle.names)


def _example_shape(config: TRMConfig) -> tuple[int, ...]:
    return EXAMPLE_BOARD if config.tokens_are_board else (config.seq_len,)
