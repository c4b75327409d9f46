"""The small values that pass between the parts of the program: grids, puzzles, cycles, answers.

Knows numpy and nothing else of the package.
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.int8]
"""A puzzle or an answer as small integers, (rows, columns).

Sudoku: 0 is a blank, 1-9 are digits.
"""


BANDS = {"0": 0, "1-7": 7, "8-31": 31, "32-127": 127, "128-511": 511, "512+": math.inf}
"""Difficulty by the data's rating (guesses of a full search, for Sudoku): name and highest rating of each band."""


def band_of(rating: int) -> str:
    """The band a rating falls into."""
    return next(name for name, highest in BANDS.items() if rating <= highest)


Line = list[tuple[str, str]]
"""A line of a drawing: pieces of text, each with the name of a style of the theme (or "")."""


@dataclass(
    frozen=True, eq=False
)  # grids do not compare to one truth value, so each equals itself alone
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
    valid: bool | None = (
        None  # of puzzles that have more than one valid answer: whether this is one,
    )
    optimal: bool | None = None  # and whether it is as good as any


@dataclass(frozen=True, eq=False)
class Cycle:
    """One improvement cycle of one puzzle, as a viewer needs it.

    Grids are in the puzzle's own frame, view undone.

    ``number`` counts from 1 to at most ``limit``; ``view`` counts from 1 (1 is the puzzle as
    given).
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
    candidates: NDArray[np.bool_] | None = (
        None  # (rows, columns, values) possible, if the model keeps them
    )
    arrows: NDArray[np.int8] | None = (
        None  # (rows, columns) directions of maze_cells, 0 none: where the model would go
    )

    @property
    def mean_confidence(self) -> float:
        """Averaged over the cells."""
        return float(self.confidence.mean())


@dataclass(frozen=True, eq=False)
class Answer:
    """What the solver gives back for one puzzle.

    ``grid`` is unverified unless ``verified`` says so.
    """

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

    ``stages`` (n, K, S) are the tokens, the question first; ``since`` (n, K, S) says from how many
    steps of the search on, ascending, ``NEVER`` where it does not become that.
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
