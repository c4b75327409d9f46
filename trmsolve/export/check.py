"""Whether a graph gives what torch gives: the same decoded grids in every cycle, and close logits.

Both go on from states of their own. They are asked the same questions, those that torch's answers
lead to.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trmsolve.export.cycle import Cycle, Inputs
from trmsolve.model import lattice
from trmsolve.model.network import State
from trmsolve.model.planes import PlanesModel
from trmsolve.solve.chance import Chance
from trmsolve.solve.feedback import CycleResult, KeepQuestion, LatticeQuestion, feedback_for
from trmsolve.solve.guessing import Search
from trmsolve.solve.onnx_network import OnnxNetwork

CLOSE = 1e-4
"""How far logits may be apart."""

TIED = 4 * CLOSE
"""Closer values may change places: each is the difference of two logits where there are two."""


@dataclass
class Comparison:
    """How a graph compares with torch."""

    puzzles: int = 0
    cycles: int = 0
    """Of each puzzle."""
    different: int = 0
    """Grids, over all puzzles and cycles, that were decoded otherwise, and not by a tie."""
    apart: float = 0.0
    """The greatest difference of two logits."""

    @property
    def same(self) -> bool:
        """Whether the graph may stand for the network."""
        return self.different == 0 and self.apart <= CLOSE


def compare(cycle: Cycle, graph: OnnxNetwork, batches: list[Inputs], cycles: int) -> Comparison:
    """Run both for so many cycles on every question."""
    found = Comparison(cycles=cycles)
    for batch in batches:
        _compare_batch(cycle, graph, batch, found)
    return found


@torch.inference_mode()
def _compare_batch(cycle: Cycle, graph: OnnxNetwork, batch: Inputs, found: Comparison) -> None:
    feedback = feedback_for(cycle.model)
    tokens = batch["tokens"]
    rows = len(tokens)
    found.puzzles += rows
    searches = [Search(0.0, Chance(0)) for _ in range(rows)]
    state = cycle.model.initial_state(rows, _slots(batch))
    of_graph = graph.initial_state(rows, _slots(batch))
    for _ in range(found.cycles):
        question = {**batch, "tokens": tokens}
        asked = [question[name] for name in cycle.names[:-2]]
        logits, halt, y, z = cycle(*asked, state.y, state.z)
        arrays = {name: question[name].numpy() for name in cycle.names[:-2]}
        of_graph, other = graph.run({**arrays, "y": of_graph.y, "z": of_graph.z})
        logits_of_graph = torch.from_numpy(other.logits)
        answer = _decoded(feedback, logits, tokens)
        found.apart = max(found.apart, float((logits - logits_of_graph).abs().max()))
        differs = answer != _decoded(feedback, logits_of_graph, tokens)
        differs &= ~_is_tied(feedback, logits, tokens)
        found.different += int(differs.flatten(1).any(1).sum())
        following = State(y, z)
        if not isinstance(cycle.model, PlanesModel):
            result = CycleResult(
                asked=tokens,
                before=state,
                after=following,
                logits=logits,
                reading=feedback.read_out(logits, tokens),
                halt=np.zeros(tuple(halt.shape), np.float32),  # nobody halts or goes back
                accepted=np.zeros(rows, dtype=bool),
            )
            tokens = feedback.next_question(result, searches).tokens
        state = following


def _slots(batch: Inputs) -> tuple[int, ...]:
    """The board of the state: with its planes where there are any."""
    board = tuple(batch["tokens"].shape[1:])
    return (batch["palette"].shape[1], *board) if "palette" in batch else board


def _decoded(feedback: KeepQuestion, logits: Tensor, tokens: Tensor) -> Tensor:
    """The answer as tokens (B, S); of planes, the plane of each cell."""
    if isinstance(feedback.model, PlanesModel):
        return logits.argmax(-1)
    answer: Tensor = feedback.read_out(logits, tokens).tokens
    return answer


def _is_tied(feedback: KeepQuestion, logits: Tensor, tokens: Tensor) -> Tensor:
    """Tell for each decoded token (B, S) whether its two best values are equal up to rounding.

    Either value is right for them. Networks that have learned next to nothing have such ties.
    """
    if not isinstance(feedback, LatticeQuestion):
        return _margin(logits) <= TIED
    candidates = feedback.candidates(tokens)
    keep = lattice.keep_logits(logits, candidates)
    tied = _margin(lattice.choices(keep, lattice.possible(tokens, candidates))) <= TIED
    return tied.repeat_interleave(candidates, 1)


def _margin(scores: Tensor) -> Tensor:
    """(..., V) -> (...): how far the best is above the second best."""
    best, second = scores.topk(2).values.unbind(-1)
    return best - second
