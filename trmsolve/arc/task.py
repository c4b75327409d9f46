"""ARC tasks as values: what is demonstrated, what is asked, and what a solver reports.

An ARC task shows a few pairs of grids, input and output, and asks for the outputs of further
inputs. Nothing but the pairs tells the rule behind them, so that no checker can verify an answer.
Two attempts are allowed instead.

Knows numpy, and nothing of files, networks or terminals.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.values import Grid

COLOURS = 10
"""Cells of a grid are colours 0 to 9; 0 is drawn black and mostly the background."""

LARGEST = 30
"""Rows and columns of the largest grid."""

ATTEMPTS = 2
"""How many answers to a test input are allowed."""


@dataclass(frozen=True, eq=False)
class Pair:
    """An input and its output, (rows, columns) each; a test's output may be unknown."""

    input: Grid
    output: Grid | None = None


@dataclass(frozen=True, eq=False)
class ArcTask:
    """One task: at least one demonstration, each with its output, and at least one test."""

    name: str
    """The task's id: the name of its file, or its key in a file of many."""

    demonstrations: tuple[Pair, ...]

    tests: tuple[Pair, ...]

    source: str = ""
    """Where it was read."""

    @property
    def answered(self) -> bool:
        """Whether the outputs of all tests are known."""
        return all(test.output is not None for test in self.tests)


Item = ArcTask | PuzzleError
"""What reading gives: a task, or why there is none."""


@dataclass(frozen=True)
class AdaptationProgress:
    """How far a network has come in learning a task from its demonstrations."""

    task: ArcTask

    step: int
    """Optimizer steps so far."""

    seconds: float
    """Seconds spent so far."""

    budget: float
    """Seconds that may be spent."""

    loss: float
    """Of the last step, cross-entropy per cell."""

    ended: str = ""
    """Why it is over: "budget", "agreed", "interrupted", "steps"; "" if it goes on."""

    bits: float | None = None
    """The cost of the task's description; None for networks that do not pay for it."""

    steps_per_second: float | None = None
    """The speed of all copies together; None where it is not measured."""

    candidates: "tuple[tuple[Candidate, ...], ...]" = ()
    """For each test the answers so far, best first, if they are known while the network learns."""

    moments: "tuple[ArcCycle, ...]" = ()
    """For each test what the network answers now, if it does so while it learns."""


@dataclass(frozen=True, eq=False)
class ArcCycle:
    """One improvement cycle on one test input under one view, the view undone."""

    task: ArcTask

    test: int
    """Which test input, from 0."""

    number: int
    """Which cycle, from 1."""

    limit: int
    """How many cycles there are at most."""

    view: int
    """Which view, from 1."""

    views: int
    """How many views there are."""

    grid: Grid
    """The decoded answer of the network and nothing else; it may have no cells."""

    confidence: NDArray[np.float32]
    """The probability of each cell of the grid."""

    halt: float
    """The probability that the network would stop here."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """An answer that some views agreed on."""

    grid: Grid

    votes: int
    """How many views gave it, or how many copies of the network favoured it."""

    halt: float
    """Their mean halt probability."""

    chance: float | None = None
    """The probability that it is right, as far as agreement tells; None where it is not known."""


@dataclass(frozen=True, eq=False)
class ArcAnswer:
    """What the solver gives back for a task."""

    task: ArcTask

    candidates: tuple[tuple[Candidate, ...], ...]
    """For each test its candidates, best first, at least one."""

    adapting: AdaptationProgress | None
    """How learning the task ended; None if the network knew it."""

    cycles: int
    """Improvement cycles spent, over all views."""

    views: int

    seconds: float

    steps: tuple[ArcCycle, ...] = ()
    """The cycles of the first view that found the first attempt, test after test, if asked for."""

    def attempts(self, test: int) -> list[Grid]:
        """The two attempts at a test; the first again where there is no second."""
        found = [candidate.grid for candidate in self.candidates[test][:ATTEMPTS]]
        return found + found[:1] * (ATTEMPTS - len(found))

    def right(self, test: int, attempts: int = ATTEMPTS) -> bool | None:
        """Whether one of the first attempts is the known output; None where that is unknown."""
        output = self.task.tests[test].output
        if output is None:
            return None
        return any(np.array_equal(grid, output) for grid in self.attempts(test)[:attempts])

    def confidence(self, test: int) -> float | None:
        """The probability that one of the two attempts at a test is right; None if unknown."""
        return confidence(self.candidates[test])

    def known_results(self) -> list[bool]:
        """For each test whose output is known, whether it is answered rightly."""
        results = [self.right(test) for test in range(len(self.task.tests))]
        return [right for right in results if right is not None]


def confidence(candidates: Sequence[Candidate]) -> float | None:
    """The probability that one of the first two candidates is right; None if it is not known."""
    total = 0.0
    for candidate in candidates[:ATTEMPTS]:
        if candidate.chance is None:
            return None
        total += candidate.chance
    return min(total, 1.0)


def ignore(_: AdaptationProgress) -> None:
    """Do nothing with what is reported."""


def never() -> bool:
    """No: for ``stop`` where nothing stops the work."""
    return False
