"""The refine-and-halt loop: improvement cycles on a batch whose finished rows leave and whose waiting rows join.

A row stops when the caller accepts its decoded tokens, when the model's halt probability passes one half, or at the
last cycle. Where tokens are a lattice of candidates, each cycle asks about what the one before left of it. When the
model says that its lattice has lost the solution, the last guess is taken back and ruled out; without a guess to take
back the row stops. Knows the network and tokens; no rule of any puzzle, no view, no terminal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trmsolve.lattice import deduce, gumbel, read_out
from trmsolve.model import State, TinyRecursiveModel

HALT_PROBABILITY = 0.5
GUESS = 0.5
"""Of a lattice network: how often a row that may guess does so in a cycle that is certain of nothing."""


@dataclass(frozen=True)
class Question:
    """A row to refine: its tokens (S,), and a ``key`` of the caller's that comes back with every step.

    ``noise`` is the standard deviation of what is added to the answer state after each cycle: it shakes a row out of
    a wrong conclusion (arXiv 2605.19943). Of a lattice network it is the temperature of the guesses. All that is random
    about the row comes from its own ``seed``, so that it does not depend on the rows beside it.
    """

    key: Any
    tokens: NDArray[np.int64]
    noise: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Step:
    """One improvement cycle of one row. ``number`` counts from 1; ``last`` says that the row stops here."""

    key: Any
    number: int
    tokens: NDArray[np.int64]  # (S,) decoded
    confidence: NDArray[np.float32]  # probability of each decoded token (S,); of a lattice, of each decided cell (C,)
    halt: float  # probability
    last: bool
    lattice: NDArray[np.int64] | None = None  # (S,) what the cycle left of the candidates


@dataclass(frozen=True)
class _Guess:
    """Where a lattice stood before a guess: tokens (S,), state (L, D) each, and the token that was guessed."""

    tokens: Tensor
    state: State
    token: int


@dataclass
class _Row:
    """One row under way."""

    key: Any
    noise: float
    generator: torch.Generator
    cycles: int = 0
    guesses: list[_Guess] = field(default_factory=list)


@dataclass
class _Batch:
    """The rows under way, their tokens (B, S) and state (B, L, D) on the device."""

    model: TinyRecursiveModel
    rows: list[_Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        device = self.model.get_buffer("H_init").device
        self.tokens = torch.empty(0, self.model.config.seq_len, dtype=torch.long, device=device)
        self.state = self.model.initial_state(0)

    def join(self, questions: list[Question]) -> None:
        """Fresh rows behind the rows under way."""
        if not questions:
            return
        fresh = [_Row(q.key, q.noise, torch.Generator().manual_seed(q.seed)) for q in questions]
        starts = [self.model.initial_state(1, row.generator) for row in fresh]
        tokens = torch.from_numpy(np.stack([question.tokens for question in questions])).to(self.tokens.device)
        self.rows += fresh
        self.tokens = torch.cat((self.tokens, tokens))
        self.state = State(*(torch.cat(parts) for parts in zip(self.state, *starts, strict=True)))

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
            drawn = [row.noise * torch.randn(y.shape[1:], generator=row.generator) for row in self.rows]
            self.state = State(y + torch.stack(drawn).to(y), self.state.z)

    def deduce(self, before: State, logits: Tensor, conflicts: NDArray[np.bool_]) -> list[bool]:
        """Ask next about what is left of the lattices; which rows have nothing left to ask.

        Rows with noise also guess, every other time they are stuck. ``conflicts`` (B,) have lost their solution.
        """
        drawn = torch.stack([torch.rand(1 + self.tokens.shape[1], generator=row.generator) for row in self.rows])
        noise = torch.tensor([[row.noise] for row in self.rows])
        may, chance = (noise[:, 0] > 0) & (drawn[:, 0] < GUESS), noise * gumbel(drawn[:, 1:])
        device, asked = self.tokens.device, self.tokens
        self.tokens, guessed = deduce(logits, asked, self.model.config.candidates, may.to(device), chance.to(device))
        over = [False] * len(self.rows)
        for number, (row, token) in enumerate(zip(self.rows, guessed.tolist(), strict=True)):
            if conflicts[number]:
                over[number] = not row.guesses
                self._take_back(number, asked)
            elif token >= 0:
                row.guesses.append(_Guess(asked[number].clone(), State(before.y[number], before.z[number]), token))
        return over

    def _take_back(self, number: int, asked: Tensor) -> None:
        """The row as it was before its last guess, which is now known to be wrong; without one, as it was asked."""
        if not self.rows[number].guesses:
            self.tokens[number] = asked[number]
            return
        last = self.rows[number].guesses.pop()
        self.tokens[number] = last.tokens
        self.tokens[number, last.token] = 0
        self.state.y[number], self.state.z[number] = last.state.y, last.state.z


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

    ``accept`` is asked once for every row and cycle, before its step is yielded.
    ``questions`` is asked for more only when there is room, so it may be endless and may depend on the steps already
    yielded; None means that nothing waits at the moment, and comes back as None while no row is under way.
    With ``stop_early`` off every row runs ``max_cycles``.
    """
    batch, ended, candidates = _Batch(model), False, model.config.candidates
    while True:
        fresh: list[Question] = []
        while len(batch.rows) + len(fresh) < batch_size:
            try:
                question = next(questions)
            except StopIteration:
                ended = True
                break
            if question is None:
                break
            fresh.append(question)
        batch.join(fresh)
        if not batch.rows:
            if ended:
                return
            yield None
            continue

        before = batch.state
        batch.state, prediction = model(before, batch.tokens)
        halts = torch.sigmoid(prediction.halt).cpu().numpy()
        nothing_left = [False] * len(batch.rows)
        if candidates > 1:
            decoded, probabilities = read_out(prediction.logits, batch.tokens, candidates)
            nothing_left = batch.deduce(before, prediction.logits, halts[:, 1] > HALT_PROBABILITY)
            lattices: Any = batch.tokens.cpu().numpy()
        else:
            probabilities, decoded = prediction.logits.float().softmax(-1).max(-1)
            lattices = [None] * len(batch.rows)
        tokens, confidence = decoded.cpu().numpy(), probabilities.cpu().numpy()

        going_on: list[int] = []
        for number, row in enumerate(batch.rows):
            row.cycles += 1
            accepted = accept(row.key, tokens[number])
            halt = float(halts[number, 0])
            done = accepted or nothing_left[number] or halt > HALT_PROBABILITY
            stops = row.cycles >= max_cycles or (stop_early and done)
            if not stops:
                going_on.append(number)
            yield Step(row.key, row.cycles, tokens[number], confidence[number], halt, stops, lattices[number])
        batch.keep(going_on)
        if candidates == 1:
            batch.shake()
