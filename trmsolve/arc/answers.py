"""The answers of copies of a network that learn a task, and how the answers add up."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trmsolve.arc.content import content_hash
from trmsolve.puzzles.values import Grid


@dataclass(frozen=True, eq=False)
class Guess:
    """An answer to one test.

    Attributes:
        grid: The answer.
        confidence: Probability of each cell's colour.
        doubt: Mean over the cells of log(sum of the colours' odds against the best), in nats.
    """

    grid: Grid
    confidence: NDArray[np.float32]
    doubt: float


@dataclass(frozen=True, eq=False)
class WeightedGrid:
    """A grid that was answered.

    Attributes:
        grid: The grid.
        votes: The votes for it, of which each copy has one.
        copies: How many copies gave it more weight than any other grid.
    """

    grid: Grid
    votes: float
    copies: int


@dataclass(frozen=True)
class Status:
    """How far copies that learn together are.

    Attributes:
        step: Optimizer steps of each copy so far.
        seconds: Spent so far.
        loss: Of the last step, in nats for each known cell; the mean over the copies.
        bits: What the latents of a copy cost at the last step, on average; NaN for networks that do
            not pay for what they know.
    """

    step: int = 0
    seconds: float = 0.0
    loss: float = math.nan
    bits: float = math.nan

    @property
    def steps_per_second(self) -> float:
        """The mean speed; 0 before the first step."""
        return self.step / self.seconds if self.seconds else 0.0


class Learner(Protocol):
    """Copies of a network that learn one task together."""

    @property
    def status(self) -> Status:
        """How far they are."""
        ...

    @property
    def copies(self) -> int:
        """How many they are."""
        ...

    def step(self) -> None:
        """Learn for one step."""
        ...

    def best(self) -> list[list[WeightedGrid]]:
        """For each test the answers with most votes so far."""
        ...

    def guesses(self) -> list[Guess]:
        """For each test what the first copy answers now; nothing before it has answered."""
        ...


def combined(answers: Iterable[WeightedGrid]) -> list[WeightedGrid]:
    """Equal grids as one each, those with most votes first."""
    grids: dict[str, WeightedGrid] = {}
    for answer in answers:
        key = content_hash(answer.grid)
        before = grids.get(key)
        if before is None:
            grids[key] = answer
        else:
            votes = before.votes + answer.votes
            grids[key] = WeightedGrid(answer.grid, votes, before.copies + answer.copies)
    return sorted(grids.values(), key=lambda answer: -answer.votes)
