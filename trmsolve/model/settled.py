"""The cycles of a convolution on a large board, computed only where something still changes.

A cell of a convolution hears itself and its eight neighbours. What a block says of a cell is thus
what it said the last time, unless the block's input has changed there or beside it. In a large maze
little changes at a time: the front of the search, and the cells that it has just passed. This
module remembers the input and the output of each use of a block, and computes again only the cells
beside a change. A change of at most ``tolerance`` in every channel counts as none: the old value
stays, so that many small changes add up to one that counts, and are not lost.

With a tolerance of 0 that is the plain cycle but for rounding. The network decides as always: where
to look follows from its own numbers alone, not from walls or paths. Shape letters as in
``network``; N is the number of cells of all boards of the batch.
"""

from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from trmsolve.model.config import LARGE_BOARD, TRMConfig
from trmsolve.model.layers import SLOTS_AT_ONCE, rms_norm
from trmsolve.model.mixers import Convolution
from trmsolve.model.network import Block, TinyRecursiveModel
from trmsolve.model.rewriting import rewritten
from trmsolve.model.state import Prediction, State

TOLERANCES = {torch.float32: 1e-3, torch.bfloat16: 2**-5}
"""The change that counts as none, of numbers whose mean square is 1.

In bf16 the state of a cell where nothing happens never comes to rest: its numbers go on flickering
by 0.03.
"""


def settling(network: Any) -> Any:
    """The network so that it spares itself work on large boards, if it is such a convolution."""
    if not isinstance(network, TinyRecursiveModel):
        return network
    config = network.config
    on_cpu = network.get_buffer("H_init").device.type == "cpu"
    is_rewriting = config.mixer == "conv" and config.feeds_back_answer
    return SettledNetwork(network) if is_rewriting and on_cpu else network


class SettledNetwork:
    """A network of ``solve.network`` that remembers its last cycle on a large board."""

    def __init__(self, model: TinyRecursiveModel, tolerance: float | None = None) -> None:
        self.model = model
        self.tolerance = TOLERANCES[model.dtype] if tolerance is None else tolerance
        self.memory: _Memory | None = None

    @property
    def config(self) -> TRMConfig:
        """The architecture."""
        return self.model.config

    def initial_state(self, batch: int, spatial_shape: tuple[int, ...] | None = None) -> State:
        """The learned start, before the first cycle: (B, L, D) each."""
        return self.model.initial_state(batch, spatial_shape)

    def place(self, tokens: NDArray[np.int64]) -> Tensor:
        """The tokens as a tensor where the network is."""
        return self.model.place(tokens)

    def without_gradient(self) -> AbstractContextManager[None]:
        """A context for computing only."""
        return self.model.without_gradient()

    def __call__(self, state: State, tokens: Tensor) -> tuple[State, Prediction]:
        """One improvement cycle of boards (B, rows, columns): as the network itself."""
        rows, columns = tokens.shape[1:]
        if rows * columns < LARGE_BOARD:
            self.memory = None
            plain: tuple[State, Prediction] = self.model(state, tokens)
            return plain
        if self.memory is None or not self.memory.ended_with(state):
            self.memory = _Memory(self.model, state, tokens, self.tolerance)
        return self.memory.cycle(tokens)


class _Memory:
    """The last input and output of each use of a block, for one batch of boards.

    Arrays are (N, D).
    """

    def __init__(
        self, model: TinyRecursiveModel, state: State, tokens: Tensor, tolerance: float
    ) -> None:
        self.model = model
        self.tolerance = tolerance
        self.shape = tuple(tokens.shape)
        self.tokens = tokens.flatten().clone()
        self.x = model.embed(self.tokens)
        self.y = state.y.flatten(0, -2).clone()
        self.z = state.z.flatten(0, -2).clone()
        self.ended: State | None = None
        # One list of arrays for each use of the network in a recursion: of its input, and of the
        # output of each of its layers.
        uses = model.latent_steps + 1
        depth = len(model.L_level.layers) + 1
        self.uses = [[self._unknown() for _ in range(depth)] for _ in range(uses)]
        everywhere = torch.ones(len(self.tokens), dtype=torch.bool)
        self.new_x = everywhere
        self.new_y = everywhere
        self.new_z = everywhere

    def ended_with(self, state: State) -> bool:
        """Whether the last cycle ended with this state."""
        ended = self.ended
        if ended is None or ended.y.shape != state.y.shape:
            return False
        return torch.equal(ended.y, state.y) and torch.equal(ended.z, state.z)

    def cycle(self, tokens: Tensor) -> tuple[State, Prediction]:
        """One cycle from the state that is remembered."""
        self._ask(tokens.flatten())
        for recursion in range(self.model.recursions):
            if recursion:
                self._ask(self._answer())
            self._recur()
        board = (*self.shape, -1)
        self.ended = State(self.y.view(board).clone(), self.z.view(board).clone())
        slots = self.ended.y.flatten(1, -2)
        logits: Tensor = self.model.lm_head(slots)
        return self.ended, Prediction(logits, self.model.halt(slots))

    def _ask(self, tokens: Tensor) -> None:
        """Take up the next question (N,)."""
        differs = tokens != self.tokens
        self.tokens = tokens.clone()
        self.x[differs] = self.model.embed(tokens[differs])
        self.new_x = self.new_x | differs

    def _answer(self) -> Tensor:
        """The likeliest answer (N,), which can differ from the question only where y changed."""
        tokens = self.tokens.clone()
        cells = self.new_y.nonzero()[:, 0]
        logits = self.model.lm_head(self.y[cells])
        tokens[cells] = rewritten(tokens[cells], logits, self.model.config.frozen_tokens)
        return tokens

    def _recur(self) -> None:
        """One latent recursion: improve z n times, then y once."""
        *of_z, of_y = self.uses
        for use in of_z:
            changed = self.new_x | self.new_y | self.new_z
            cells = changed.nonzero()[:, 0]
            use[0][cells] = self.z[cells] + (self.y[cells] + self.x[cells])
            self.new_z = self._apply(use, changed)
            self.z = use[-1]
        changed = self.new_y | self.new_z
        cells = changed.nonzero()[:, 0]
        of_y[0][cells] = self.y[cells] + self.z[cells]
        self.new_y = self._apply(of_y, changed)
        self.y = of_y[-1]
        self.new_x = torch.zeros_like(self.new_x)

    def _apply(self, use: list[Tensor], changed: Tensor) -> Tensor:
        """Compute the network where its input changed (N,): where its output did."""
        for block, source, target in zip(self.model.L_level.layers, use, use[1:], strict=False):
            assert isinstance(block, Block)
            changed = self._update(block, source, target, changed)
        return changed

    def _update(self, block: Block, source: Tensor, target: Tensor, changed: Tensor) -> Tensor:
        """Compute one block beside the changes of its source: where its target changed."""
        mixer = block.mixer
        assert isinstance(mixer, Convolution)
        # The kernels of single channels take so little that the whole board is no loss.
        heard = mixer.hear(source.view(*self.shape, -1)).flatten(0, -2)
        moved = torch.zeros_like(changed)
        for cells in _grown(changed, self.shape).split(SLOTS_AT_ONCE):
            h = rms_norm(source[cells] + mixer.o_proj(heard[cells]), mixer.eps)
            output = block.within_slots(h)
            distance = (output - target[cells]).abs().amax(-1)
            counts = distance > self.tolerance
            target[cells[counts]] = output[counts]
            moved[cells[counts]] = True
        return moved

    def _unknown(self) -> Tensor:
        """An array from which every number differs."""
        return torch.full_like(self.y, torch.inf)


def _grown(changed: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The cells (M,) that are marked (N,), or beside a marked one."""
    board = changed.view(shape)[:, None].float()
    near = functional.max_pool2d(board, 3, stride=1, padding=1)
    return (near.flatten() > 0).nonzero()[:, 0]
