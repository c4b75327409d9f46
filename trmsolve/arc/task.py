"""ARC tasks as values: what is demonstrated, what is asked, and what a solver says of it.

An ARC task shows a few pairs of grids, input and output, and asks for the outputs of further
inputs. The rule behind them is known to nobody but the pairs, so that no checker can verify an
answer: two attempts are allowed instead.

Knows numpy, and nothing of files, networks or terminals.
"""

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
    """One task: at least one demonstration, each with its output, and at least one test.

    ``name`` is the task's id (the name of its file, or its key in a file of many), ``source`` where
    it was read.
    """

    name: str
    demonstrations: tuple[Pair, ...]
    tests: tuple[Pair, ...]
    source: str = ""

    @property
    def answered(self) -> bool:
        """Whether the outputs of all tests are known."""
        return all(test.output is not None for test in self.tests)


@dataclass(frozen=True)
class Adapting:
    """How far a network has come in learning a task from its demonstrations."""

    task: ArcTask
    step: int  # optimizer steps so far
    seconds: float  # spent so far, of
    budget: float
    loss: float  # of the last step, cross-entropy per cell
    solved: int | None = (
        None  # demonstrations that were reproduced while held out; None: not yet tried, or only one
    )
    ended: str = (
        ""  # why it is over: "budget", "solved", "interrupted", "steps"; "" while it goes on
    )


@dataclass(frozen=True, eq=False)
class ArcCycle:
    """One improvement cycle on one test input under one view, the view undone.

    ``number``, ``view`` count from 1.
    """

    task: ArcTask
    test: int  # which test input, from 0
    number: int
    limit: int
    view: int
    views: int
    grid: Grid  # the decoded answer of the network, nothing else; may have no cells
    confidence: NDArray[np.float32]  # probability of each of its cells
    halt: float  # probability that the network would stop here


@dataclass(frozen=True, eq=False)
class Candidate:
    """An answer that some views agreed on: how many, and how sure they were (mean halt probability)."""

    grid: Grid
    votes: int
    halt: float


@dataclass(frozen=True, eq=False)
class ArcAnswer:
    """What the solver gives back for a task: for each test its candidates, best first, at least one."""

    task: ArcTask
    candidates: tuple[tuple[Candidate, ...], ...]
    adapting: Adapting | None  # how learning the task ended; None if the network knew it
    cycles: int  # improvement cycles spent, over all views
    views: int
    seconds: float
    steps: tuple[
        ArcCycle, ...
    ] = ()  # of the first view that found the first attempt, test after test, if asked for

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


Item = ArcTask | PuzzleError
