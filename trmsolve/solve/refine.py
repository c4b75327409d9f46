"""The refine-and-halt loop: improvement cycles on a batch whose finished rows leave and whose waiting rows join.

A row stops when the caller accepts its decoded tokens, when the model's halt probability passes one
half, or at the last cycle. A network that rewrites its question asks about its last answer; where
tokens are a lattice of candidates, each cycle asks about what the one before left of it. When the
model says that its lattice has lost the solution, or is done when it is not, ``search`` takes the
last guess back, and the row stops only if there is none. Knows the network and tokens; no rule of
any puzzle, no view, no terminal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trmsolve.model.lattice import read_out
from trmsolve.model.network import State, TinyRecursiveModel
from trmsolve.solve.guessing import Search, advance

HALT_PROBABILITY = 0.5


@dataclass(frozen=True)
class Question:
    """A row to refine: its tokens (S,), or a board of them, and a ``key`` of the caller's that each step brings back.

    ``noise`` is the standard deviation of what is added to the answer state after each cycle: it
    shakes a row out of a wrong conclusion (arXiv 2605.19943). Of a lattice network it is the
    temperature of the guesses. All that is random about the row comes from its own ``seed``, so
    that it does not depend on the rows beside it.
    """

    key: Any
    tokens: NDArray[np.int64]
    noise: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Step:
    """One improvement cycle of one row.

    ``number`` counts from 1; ``last`` says that the row stops here.
    """

    key: Any
    number: int
    tokens: NDArray[np.int64]  # (S,) decoded
    confidence: NDArray[
        np.float32
    ]  # probability of each decoded token (S,); of a lattice, of each decided cell (C,)
    halt: float  # probability
    last: bool
    lattice: NDArray[np.int64] | None = None  # (S,) what the cycle left of the candidates


@dataclass
class _Row:
    """One row under way."""

    key: Any
    noise: float
    generator: torch.Generator
    search: Search
    cycles: int = 0


@dataclass
class _Batch:
    """The rows under way, their tokens (B, S) and state (B, L, D) on the device.

    All have boards of one size.
    """

    model: TinyRecursiveModel
    rows: list[_Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        device = self.model.get_buffer("H_init").device
        self.tokens = torch.empty(0, *self.model.config.places, dtype=torch.long, device=device)
        self.state = self.model.initial_state(0)

    def takes(self, question: Question) -> bool:
        """Whether a row may join: boards of different sizes do not go together."""
        return not self.rows or self.tokens.shape[1:] == question.tokens.shape

    def join(self, questions: list[Question]) -> None:
        """Fresh rows behind the rows under way."""
        if not questions:
            return
        places = questions[0].tokens.shape
        if not self.rows:
            self.tokens = self.tokens.new_empty(0, *places)
            self.state = self.model.initial_state(0, places=places)
        fresh = [self._begin(question) for question in questions]
        starts = [self.model.initial_state(len(fresh), places)]
        tokens = torch.from_numpy(np.stack([question.tokens for question in questions])).to(
            self.tokens.device
        )
        self.rows += fresh
        self.tokens = torch.cat((self.tokens, tokens))
        self.state = State(*(torch.cat(parts) for parts in zip(self.state, *starts, strict=True)))

    @staticmethod
    def _begin(question: Question) -> _Row:
        generator = torch.Generator().manual_seed(question.seed)
        return _Row(question.key, question.noise, generator, Search(question.noise, generator))

    def keep(self, kept: list[int]) -> None:
        """Only these rows stay."""
        if len(kept) == len(self.rows):
            return
        self.rows = [self.rows[row] for row in kept]
        index = torch.tensor(kept, device=self.tokens.device, dtype=torch.long)
        self.tokens, self.state = self.tokens[index], State(*(part[index] for part in self.state))

    def shake(self) -> None:
        """Add its noise to every row's answer state."""
        if any(row.noise for row in self.rows):
            y = self.state.y
            drawn = [
                row.noise * torch.randn(y.shape[1:], generator=row.generator) for row in self.rows
            ]
            self.state = State(y + torch.stack(drawn).to(y), self.state.z)


@torch.inference_mode()
def refine(
    model: TinyRecursiveModel,
    questions: Iterator[Question | None],
    accept: Callable[[Any, NDArray[np.int64]], bool],
    *,
    batch_size: int,
    max_cycles: int,
    stop_early: bool = True,
) -> Iterator[Step | None]:
    """Every improvement cycle of every question, in order of the cycles, at most ``batch_size`` rows at a time.

    ``accept`` is asked once for every row and cycle, before its step is yielded. ``questions`` is
    asked for more only when there is room, so it may be endless and may depend on the steps already
    yielded; None means that nothing waits at the moment, and comes back as None while no row is
    under way. With ``stop_early`` off every row runs ``max_cycles``. A question whose board has
    another size than those under way waits until they are done.
    """
    batch, ended, candidates = _Batch(model), False, model.config.candidates
    waiting: Question | None = None
    while True:
        fresh: list[Question] = []
        while len(batch.rows) + len(fresh) < batch_size:
            try:
                question = waiting or next(questions)
            except StopIteration:
                ended = True
                break
            waiting = question
            if question is None or not (batch.takes(question) and _alike(question, fresh)):
                break
            fresh.append(question)
            waiting = None
        batch.join(fresh)
        if not batch.rows:
            if ended:
                return
            yield None
            continue

        before, asked = batch.state, batch.tokens
        batch.state, prediction = model(before, asked)
        probability = torch.sigmoid(prediction.halt).cpu().numpy()
        halts = probability > HALT_PROBABILITY
        if candidates > 1:
            decoded, probabilities = read_out(prediction.logits, asked, candidates)
        else:
            likely = prediction.logits.float().softmax(-1)
            probabilities, decoded = likely.max(-1)
            if model.config.rewrites:
                decoded = model.rewrite(asked, prediction.logits).flatten(1)
                probabilities = likely.gather(-1, decoded[..., None])[..., 0]  # of what is kept too
        tokens, confidence = decoded.cpu().numpy(), probabilities.cpu().numpy()
        accepted = [accept(row.key, tokens[number]) for number, row in enumerate(batch.rows)]
        over, lattices = halts[:, 0].tolist(), [None] * len(batch.rows)
        if candidates > 1:
            searches, wrong = [row.search for row in batch.rows], halts[:, 0] & ~np.array(accepted)
            batch.tokens, over = advance(
                searches,
                asked,
                before,
                batch.state,
                prediction.logits,
                candidates,
                wrong,
                halts[:, 1],
            )
            lattices = list(batch.tokens.cpu().numpy())
        elif model.config.rewrites:
            batch.tokens = decoded.view(asked.shape)

        going_on: list[int] = []
        for number, row in enumerate(batch.rows):
            row.cycles += 1
            stops = row.cycles >= max_cycles or (stop_early and (accepted[number] or over[number]))
            if not stops:
                going_on.append(number)
            halt = float(probability[number, 0])
            yield Step(
                row.key,
                row.cycles,
                tokens[number],
                confidence[number],
                halt,
                stops,
                lattices[number],
            )
        batch.keep(going_on)
        if candidates == 1:
            batch.shake()


def _alike(question: Question, others: list[Question]) -> bool:
    return not others or question.tokens.shape == others[0].tokens.shape
