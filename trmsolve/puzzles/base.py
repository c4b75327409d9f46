"""What every puzzle room offers, and the small values that pass between rooms.

Knows numpy and nothing else of the house: no torch, no terminal, no command line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.values import Answer, Course, Cycle, Grid, Line, Puzzle, Verdict, View


@dataclass(frozen=True)
class Diagnosis:
    """How many solutions a puzzle has, as far as a short exact search can tell.

    It never helps to find an answer.
    """

    solutions: int | None = None  # 0, 1, or 2 for several; None: not known

    @property
    def remark(self) -> str:
        """One sentence for the person, "" if there is nothing to say."""
        if self.solutions is None or self.solutions == 1:
            return ""
        return (
            "the puzzle has more than one solution"
            if self.solutions
            else "the puzzle has no solution"
        )


class Task(Protocol):
    """One kind of puzzle. A new one is one new file beside this one."""

    name: str
    vocab_size: int
    seq_len: int
    candidates: int  # tokens of a cell: 1, or that many where tokens are candidates
    difficulties: tuple[str, ...]
    symmetry_draws: int
    ruled: bool  # whether a rule of the data chooses among right answers: then turned questions need theirs anew
    training_kinds: ClassVar[
        dict[str, int]
    ]  # puzzles of each difficulty that training makes when it is given none
    training_bands: ClassVar[
        dict[str, float]
    ]  # and how much of each band of rating it draws of them

    def read(self, stream: BinaryIO, name: str) -> Iterator[Puzzle | PuzzleError]:
        """Every puzzle of a file in order; an item that cannot be read is yielded as its error, the others follow."""

    def write(self, grid: Grid, form: Any) -> str:
        """A grid in the form its puzzle was read in, newline at the end included; in plain ASCII for the form None."""

    def can_write(self, form: Any, encoding: str) -> bool:
        """Whether a stream of that encoding can show the cells of a grid that is written in that form."""

    def line(self, grid: Grid) -> str:
        """A grid as the one line that a CSV and ``--format line`` use."""

    def text(self, grid: Grid) -> str:
        """A grid as the string that JSON uses."""

    def lay(self, grid: Grid) -> Grid:
        """A grid on the board that networks are trained on. Raises PuzzleError if it is larger."""

    def misfit(self, grid: Grid) -> str:
        """Why a network of the task cannot take this puzzle, such as its size; "" if it can."""

    def unsolvable(self, grid: Grid) -> str:
        """Why no answer can be right, where that is cheaply seen before anything is tried; else ""."""

    def encode(self, grid: NDArray[np.int8]) -> NDArray[np.int64]:
        """Grids (..., rows, columns) -> tokens (..., S), or laid out as the network's board (..., rows, columns)."""

    def decode(self, tokens: NDArray[Any], shape: tuple[int, ...]) -> Grid:
        """Tokens (S,) -> grid. Never fails: tokens without a meaning become blanks."""

    def cells(self, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """What belongs to the tokens (S,), of a lattice to its cells, as a grid (rows, columns)."""

    def relabel(self, tokens: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """The answers (n, S) to questions (n, S) that a symmetry has turned, from the turned answers.

        Those themselves, unless the data's rule for choosing among right answers would choose
        another.
        """

    def course(self, tokens: NDArray[np.int64]) -> "Course | None":
        """How the answers to questions (n, S) come about, for networks that rewrite their question; None if unsaid."""

    def relaxed(self) -> "Task":
        """The task content with every valid answer, where there are better and worse ones."""

    def arrows(
        self, tokens: NDArray[np.int64], shape: tuple[int, ...], view: "View"
    ) -> NDArray[np.int8] | None:
        """The directions that the tokens (S,) of an answer say beside it, for ``Cycle``, the view undone."""

    def verify(self, puzzle: Grid, answer: Grid) -> Verdict:
        """By the rules alone, written without use of ``encode`` and ``decode``."""

    def diagnose(self, puzzle: Grid) -> Diagnosis:
        """What can cheaply be found out about the puzzle itself.

        Asked once its first view is over.
        """

    def faults(self, puzzle: Grid, answer: Grid) -> tuple[NDArray[np.bool_], int]:
        """The cells that break a rule, and how many rules are broken.

        For the eye; ``verify`` decides.
        """

    def paint(self, cycle: Cycle, plain: bool) -> list[Line]:
        """The cycle's grid as lines of styled text; ``plain`` asks for ASCII that reads without colour."""

    def generate(
        self,
        difficulty: str,
        seed: int,
        size: tuple[int, int] | None = None,
        least: int | None = None,
        most: int | None = None,
    ) -> Iterator[Puzzle]:
        """New puzzles without end, each with its answer; of that size and with a rating in those bounds.

        Raises UsageError for what the task does not have or cannot make.
        """

    def symmetries(self, draws: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Symmetries of encoded grids from uniform numbers (n, ``symmetry_draws``), each decided by its row of them.

        (n, S) where each token comes from, (n, V) what it becomes.
        """

    def views(self, rng: np.random.Generator) -> Iterator[View]:
        """The puzzle as given first, then random symmetries without end."""

    def invariant(self, answers: NDArray[np.int8]) -> NDArray[np.uint64]:
        """(N, rows, columns) -> (N,): equal for answers that symmetries make equal, seldom for others."""

    def canonical(self, answer: Grid) -> bytes:
        """The same bytes for exactly those answers that the symmetries turn into each other."""


def give_up(task: Task, puzzle: Puzzle) -> Answer | None:
    """The answer to a puzzle that has none, before anything is tried; None if it may have one."""
    if not (reason := task.unsolvable(puzzle.grid)):
        return None
    return Answer(
        puzzle, puzzle.grid, False, reason, 0, 0, halt=0.0, seconds=0.0, valid=False, optimal=False
    )
