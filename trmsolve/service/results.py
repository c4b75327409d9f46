"""What the tools return. The protocol makes a schema of each class for its clients.

A grid is text: 81 characters for a Sudoku with ``.`` for a blank, rows of ``# SGo`` joined by line
ends for a maze.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Judged:
    """What the rules say of an answer."""

    task: str
    verified: bool
    """Whether the rules accept the answer."""
    reason: str
    """The first rule that fails; empty if none does."""
    valid: bool | None
    """Mazes only: whether the path leads from start to goal."""
    optimal: bool | None
    """Mazes only: whether no path is shorter."""
    remark: str
    """A sentence about the puzzle itself, such as that it has several solutions; else empty."""


@dataclass(frozen=True)
class Solved(Judged):
    """The answer of the network, judged by the rules. An unverified grid is no answer."""

    puzzle: str
    answer: str
    cycles: int
    """Improvement cycles over all views."""
    views: int
    """How many symmetric views of the puzzle were tried."""
    seconds: float
    weights: str


@dataclass(frozen=True)
class Made:
    """A new puzzle."""

    puzzle: str
    answer: str
    rating: int | None
    """Sudoku: the guesses of a full search. Mazes: the length of the path."""


@dataclass(frozen=True)
class Generated:
    """New puzzles."""

    task: str
    difficulty: str
    puzzles: list[Made]


@dataclass(frozen=True)
class TracedCycle:
    """One improvement cycle: the grid that the network gives after it, and how good it is."""

    view: int
    cycle: int
    grid: str
    changed: int
    """Cells that differ from the cycle before; in the first from the puzzle."""
    broken_rules: int
    confidence: float
    """The mean probability of the cells' values, from 0 to 1."""
    halt: float
    """The probability, from 0 to 1, that the network would stop here."""


@dataclass(frozen=True)
class Explained(Judged):
    """How the network came to its answer."""

    puzzle: str
    stopped: str
    """Why it stopped: the rules accept the answer, the network halted, or cycles ran out."""
    cycles: list[TracedCycle]
    """The last cycles, in order."""
    left_out: int
    """How many earlier cycles are not listed."""
