"""What every puzzle room offers, and the small values that pass between rooms.

Knows numpy and nothing else of the house: no torch, no terminal, no command line.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError

Grid = NDArray[np.int8]
"""A puzzle or an answer as small integers, (rows, columns). Sudoku: 0 is a blank, 1-9 are digits."""


BANDS = {"0": 0, "1-7": 7, "8-31": 31, "32-127": 127, "128-511": 511, "512+": math.inf}
"""Difficulty by the data's rating (guesses of a full search, for Sudoku): name and highest rating of each band."""


def band_of(rating: int) -> str:
    """The band a rating falls into."""
    return next(name for name, highest in BANDS.items() if rating <= highest)


Line = list[tuple[str, str]]
"""A line of a drawing: pieces of text, each with the name of a style of the theme (or "")."""


@dataclass(frozen=True, eq=False)  # grids do not compare to one truth value, so each equals itself alone
class Puzzle:
    """One puzzle as read: its grid, where it stood, how it was written, and the file's own answer if it gave one."""

    grid: Grid
    source: str = ""  # "file:line", or the puzzle's own id
    form: Any = None  # known to the room that read it: how to write an answer the same way
    answer: Grid | None = None
    rating: int | None = None
    note: str = ""  # what a person should know of how it was read, with the file's name; the same for a whole file


@dataclass(frozen=True)
class Verdict:
    """What the rules say of an answer; ``reason`` names the first rule that fails."""

    verified: bool
    reason: str = ""
    valid: bool | None = None  # of puzzles that have more than one valid answer: whether this is one,
    optimal: bool | None = None  # and whether it is as good as any


@dataclass(frozen=True)
class Diagnosis:
    """How many solutions a puzzle has, as far as a short exact search can tell. It never helps to find an answer."""

    solutions: int | None = None  # 0, 1, or 2 for several; None: not known

    @property
    def remark(self) -> str:
        """One sentence for the person, "" if there is nothing to say."""
        if self.solutions is None or self.solutions == 1:
            return ""
        return "the puzzle has more than one solution" if self.solutions else "the puzzle has no solution"


@dataclass(frozen=True, eq=False)
class Cycle:
    """One improvement cycle of one puzzle, as a viewer needs it. Grids are in the puzzle's own frame, view undone.

    ``number`` counts from 1 to at most ``limit``; ``view`` counts from 1 (1 is the puzzle as given).
    """

    puzzle: Puzzle
    number: int
    limit: int
    view: int
    views: int
    grid: Grid  # the decoded answer of the model, nothing else
    confidence: NDArray[np.float32]  # probability of each decoded token
    changed: NDArray[np.bool_]  # against the cycle before (against the question at cycle 1)
    faulty: NDArray[np.bool_]  # cells that break a rule
    violations: int  # rules broken, changed clues included
    halt: float  # probability that the model would stop here
    candidates: NDArray[np.bool_] | None = None  # (rows, columns, values) possible, if the model keeps them
    arrows: NDArray[np.int8] | None = None  # (rows, columns) directions of maze_cells, 0 none: where the model would go

    @property
    def mean_confidence(self) -> float:
        """Averaged over the cells."""
        return float(self.confidence.mean())


@dataclass(frozen=True, eq=False)
class Answer:
    """What the solver gives back for one puzzle. ``grid`` is unverified unless ``verified`` says so."""

    puzzle: Puzzle
    grid: Grid
    verified: bool
    reason: str  # which rule the grid breaks; "" if it is verified
    cycles: int  # improvement cycles spent, over all views
    views: int
    halt: float
    seconds: float
    valid: bool | None = None  # as in ``Verdict``
    optimal: bool | None = None
    remark: str = ""  # what is to be said of the puzzle itself, such as that it has no solution


@dataclass(frozen=True)
class Course:
    """How answers come about: what each token is at first, and what it becomes when it can be known.

    ``stages`` (n, K, S) are the tokens, the question first; ``since`` (n, K, S) says from how many steps of the search
    on, ascending, ``NEVER`` where it does not become that.
    """

    stages: NDArray[np.int64]
    since: NDArray[np.int32]

    def end(self) -> NDArray[np.int64]:
        """(n, S): what all tokens are at last."""
        last = (self.since < NEVER).sum(1, keepdims=True) - 1
        answers: NDArray[np.int64] = np.take_along_axis(self.stages, last, 1)[:, 0]
        return answers


NEVER = 1 << 30


class View(Protocol):
    """A puzzle under one symmetry: the same task in other clothes."""

    def apply(self, grid: Grid) -> Grid:
        """The grid as the model will see it."""

    def undo(self, grid: NDArray[Any]) -> NDArray[Any]:
        """Back to the puzzle's own frame: ``undo(apply(g)) == g``."""

    def undo_cells(self, cells: NDArray[Any]) -> NDArray[Any]:
        """As ``undo`` for what belongs to the cells and not to their contents (confidence, masks)."""

    def undo_candidates(self, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """As ``undo`` for (rows, columns, values): which values a cell may still have."""


class Task(Protocol):
    """One kind of puzzle. A new one is one new file beside this one."""

    name: str
    vocab_size: int
    seq_len: int
    candidates: int  # tokens of a cell: 1, or that many where tokens are candidates
    difficulties: tuple[str, ...]
    symmetry_draws: int
    ruled: bool  # whether a rule of the data chooses among right answers: then turned questions need theirs anew
    training_kinds: ClassVar[dict[str, int]]  # puzzles of each difficulty that training makes when it is given none
    training_bands: ClassVar[dict[str, float]]  # and how much of each band of rating it draws of them

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

        Those themselves, unless the data's rule for choosing among right answers would choose another.
        """

    def course(self, tokens: NDArray[np.int64]) -> "Course | None":
        """How the answers to questions (n, S) come about, for networks that rewrite their question; None if unsaid."""

    def relaxed(self) -> "Task":
        """The task content with every valid answer, where there are better and worse ones."""

    def arrows(self, tokens: NDArray[np.int64], shape: tuple[int, ...], view: "View") -> NDArray[np.int8] | None:
        """The directions that the tokens (S,) of an answer say beside it, for ``Cycle``, the view undone."""

    def verify(self, puzzle: Grid, answer: Grid) -> Verdict:
        """By the rules alone, written without use of ``encode`` and ``decode``."""

    def diagnose(self, puzzle: Grid) -> Diagnosis:
        """What can cheaply be found out about the puzzle itself. Asked once its first view is over."""

    def faults(self, puzzle: Grid, answer: Grid) -> tuple[NDArray[np.bool_], int]:
        """The cells that break a rule, and how many rules are broken. For the eye; ``verify`` decides."""

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
    return Answer(puzzle, puzzle.grid, False, reason, 0, 0, halt=0.0, seconds=0.0, valid=False, optimal=False)
