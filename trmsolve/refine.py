"""The refine-and-halt loop: improvement cycles on a batch whose finished rows leave and whose waiting rows join.

A row stops when the caller accepts its decoded tokens, when the model's halt probability passes one half, or at the
last cycle. Knows the network and tokens; no rule of any puzzle, no view, no terminal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trmsolve.model import State, TinyRecursiveModel

HALT_PROBABILITY = 0.5


@dataclass(frozen=True)
class Question:
    """A row to refine: its tokens (S,), and a ``key`` of the caller's that comes back with every step.

    ``noise`` is the standard deviation of what is added to the answer state after each cycle: it shakes a row out of
    a wrong conclusion (arXiv 2605.19943). All that is random about the row comes from its own ``seed``, so that it
    does not depend on the rows beside it.
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
    confidence: NDArray[np.float32]  # (S,) probability of each decoded token
    halt: float  # probability
    last: bool


@dataclass
class _Batch:
    """The rows under way: keys and cycles in lists, tokens (B, S) and state (B, L, D) on the device."""

    keys: list[Any] = field(default_factory=list)
    cycles: list[int] = field(default_factory=list)
    noises: list[float] = field(default_factory=list)
    generators: list[torch.Generator] = field(default_factory=list)
    tokens: Tensor | None = None
    state: State | None = None

    def join(self, questions: list[Question], model: TinyRecursiveModel, device: torch.device) -> None:
        """Fresh rows behind the rows under way."""
        tokens = torch.from_numpy(np.stack([question.tokens for question in questions])).to(device)
        generators = [torch.Generator().manual_seed(question.seed) for question in questions]
        starts = [model.initial_state(1, generator) for generator in generators]
        start = State(torch.cat([state.y for state in starts]), torch.cat([state.z for state in starts]))
        self.keys += [question.key for question in questions]
        self.cycles += [0] * len(questions)
        self.noises += [question.noise for question in questions]
        self.generators += generators
        if self.tokens is None or self.state is None:
            self.tokens, self.state = tokens, start
        else:
            self.tokens = torch.cat((self.tokens, tokens))
            self.state = State(*(torch.cat(pair) for pair in zip(self.state, start, strict=True)))

    def keep(self, rows: list[int]) -> None:
        """Only these rows stay."""
        if len(rows) == len(self.keys):
            return
        self.keys = [self.keys[row] for row in rows]
        self.cycles = [self.cycles[row] for row in rows]
        self.noises = [self.noises[row] for row in rows]
        self.generators = [self.generators[row] for row in rows]
        if self.tokens is not None and self.state is not None:
            index = torch.tensor(rows, device=self.tokens.device, dtype=torch.long)
            self.tokens, self.state = self.tokens[index], State(*(part[index] for part in self.state))

    def shake(self) -> None:
        """Add its noise to every row's answer state."""
        if self.state is None or not any(self.noises):
            return
        y = self.state.y
        drawn = [
            noise * torch.randn(y.shape[1:], generator=generator) if noise else torch.zeros(y.shape[1:])
            for noise, generator in zip(self.noises, self.generators, strict=True)
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

    ``accept`` is asked once for every row and cycle, before its step is yielded.
    ``questions`` is asked for more only when there is room, so it may be endless and may depend on the steps already
    yielded; None means that nothing waits at the moment, and comes back as None while no row is under way.
    With ``stop_early`` off every row runs ``max_cycles``.
    """
    device = model.get_buffer("H_init").device
    batch, ended = _Batch(), False
    while True:
        fresh: list[Question] = []
        while len(batch.keys) + len(fresh) < batch_size:
            try:
                question = next(questions)
            except StopIteration:
                ended = True
                break
            if question is None:
                break
            fresh.append(question)
        if fresh:
            batch.join(fresh, model, device)
        if not batch.keys or batch.tokens is None or batch.state is None:
            if ended:
                return
            yield None
            continue

        batch.state, prediction = model(batch.state, batch.tokens)
        probabilities, decoded = prediction.logits.float().softmax(-1).max(-1)
        tokens, confidence = decoded.cpu().numpy(), probabilities.cpu().numpy()
        halts = torch.sigmoid(prediction.halt[:, 0]).tolist()

        going_on: list[int] = []
        for row, key in enumerate(batch.keys):
            batch.cycles[row] += 1
            accepted = accept(key, tokens[row])
            stops = batch.cycles[row] >= max_cycles or (stop_early and (accepted or halts[row] > HALT_PROBABILITY))
            if not stops:
                going_on.append(row)
            yield Step(key, batch.cycles[row], tokens[row], confidence[row], halts[row], stops)
        batch.keep(going_on)
        batch.shake()
