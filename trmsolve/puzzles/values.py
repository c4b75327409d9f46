"""The small values that pass between the parts of the program: grids, puzzles, cycles, answers.

Knows numpy and nothing else of the package. How a value looks is asked of ``WRITTEN`` and
``PICTURES`` when somebody prints it.
"""

import math
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.int8]
"""A puzzle or an answer as small integers, (rows, columns).

Sudoku: 0 is a blank, 1-9 are digits. Mazes: 0 is wall, 1 floor, 2 start, 3 goal, 4 path.
"""

WRITTEN = "trmsolve.puzzles.written"
"""The module that writes answers and cycles as text."""

PICTURES = "trmsolve.show.pictures"
"""The module that draws them in colour, with Rich.

Both stand above this one: they are imported by their names, when somebody asks for a drawing.
"""


BANDS = {"0": 0, "1-7": 7, "8-31": 31, "32-127": 127, "128-511": 511, "512+": math.inf}
"""Bands of difficulty by the data's rating: name and highest rating of each.

A Sudoku's rating is the number of guesses of a full search.
"""


def band_of(rating: int) -> str:
    """The band a rating falls into."""
    bands = (name for name, highest in BANDS.items() if rating <= highest)
    return next(bands)


Line = list[tuple[str, str]]
"""A line of a drawing: pieces of text, each with the name of a style of the theme (or "")."""


@dataclass(frozen=True, eq=False)  # arrays do not compare to one truth value
class Puzzle:
    """One puzzle as read, with its origin, its notation, and the file's own answer if any."""

    grid: Grid
    source: str = ""
    """Its place, as in "file:line", or the puzzle's own id."""
    form: Any = None
    """How the puzzle was written, known to the task that read it; answers are written alike."""
    answer: Grid | None = None
    rating: int | None = None
    note: str = ""
    """A note for the person on how it was read, with the file's name; one for a whole file."""
    extra: NDArray[np.int8] | None = None
    """Clues that are no cells, in a shape that all puzzles of a data set share."""

    def __repr__(self) -> str:
        source = f", {self.source!r}" if self.source else ""
        return f"<Puzzle {_size(self.grid)}{source}>"


@dataclass(frozen=True)
class Verdict:
    """The rules' judgement of an answer."""

    verified: bool
    reason: str = ""
    """The first rule that fails."""
    valid: bool | None = None
    """Whether the answer is valid, for tasks where some valid answers are better than others."""
    optimal: bool | None = None
    """Whether no answer is better, for the same tasks."""


class Drawn:
    """A value that draws itself on a console of Rich and in a notebook."""

    def __rich__(self) -> Any:
        """The drawing of the live view, for any console of Rich; an answer's has its outcome."""
        return import_module(PICTURES).picture(self)

    def _repr_html_(self) -> str:
        """The same drawing for a notebook."""
        html: str = import_module(PICTURES).html_of(self)
        return html


@dataclass(frozen=True, eq=False)
class Cycle(Drawn):
    """One improvement cycle of one puzzle, as a viewer needs it.

    All arrays are in the puzzle's own frame: the view's symmetry is undone.
    """

    puzzle: Puzzle
    number: int
    """From 1 to at most ``limit``."""
    limit: int
    view: int
    """From 1, which is the puzzle as given."""
    views: int
    grid: Grid
    """The decoded answer of the model, nothing else."""
    confidence: NDArray[np.float32]
    """The probability of each decoded token, (rows, columns)."""
    changed: NDArray[np.bool_]
    """Against the cycle before, at cycle 1 against the question."""
    faulty: NDArray[np.bool_]
    """The cells that break a rule."""
    violations: int
    """How many rules are broken, changed clues included."""
    halt: float
    """The probability that the model would stop here."""
    candidates: NDArray[np.bool_] | None = None
    """The values that are still possible, (rows, columns, values), if the model keeps them."""
    arrows: NDArray[np.int8] | None = None
    """(rows, columns): directions of ``maze.cells`` in which the model would go, 0 for none."""
    task: str = ""
    """The name of the kind of puzzle, which knows how it is drawn; "" if it is not known."""

    @property
    def mean_confidence(self) -> float:
        """The confidence averaged over the cells."""
        return float(self.confidence.mean())

    def __repr__(self) -> str:
        return (
            f"<Cycle {self.number}/{self.limit}, view {self.view}/{self.views}: "
            f"{self.violations} broken, confidence {self.mean_confidence:.2f}, "
            f"halt {self.halt:.2f}>"
        )

    def __str__(self) -> str:
        text: str = import_module(WRITTEN).write_cycle(self)
        return text


@dataclass(frozen=True, eq=False)
class Answer(Drawn):
    """The solver's result for one puzzle. ``grid`` is unverified unless ``verified`` says so."""

    puzzle: Puzzle
    grid: Grid
    verified: bool
    reason: str
    """Which rule the grid breaks; "" if it is verified."""
    cycles: int
    """Improvement cycles spent, over all views."""
    views: int
    halt: float
    seconds: float
    """The puzzle's share of the time that its cycles took. Waiting for others does not count."""
    valid: bool | None = None
    """As in ``Verdict``."""
    optimal: bool | None = None
    remark: str = ""
    """A sentence about the puzzle itself, such as that it has no solution."""
    solutions: int | None = None
    """How many solutions the puzzle has: 0, 1, or 2 for several; None if it was not counted."""
    task: str = ""
    """As in ``Cycle``."""
    history: tuple[Cycle, ...] = ()
    """Every cycle of every view, if it was asked for."""

    def __repr__(self) -> str:
        state = "verified" if self.verified else f"unverified: {self.reason}"
        return (
            f"<Answer {_size(self.grid)}, {state}, cycles {self.cycles}, views {self.views}, "
            f"{self.seconds:.2f} s>"
        )

    def __str__(self) -> str:
        text: str = import_module(WRITTEN).write_answer(self)
        return text


def _size(grid: Grid) -> str:
    """The size of a grid, such as 9x9."""
    return "x".join(map(str, grid.shape))


@dataclass(frozen=True)
class Trajectory:
    """How answers come about: what each token is at first, and what it becomes later."""

    stages: NDArray[np.int64]
    """(n, K, S): the tokens, the question first."""
    available_from: NDArray[np.int32]
    """(n, K, S): after how many steps of the search a stage is reached, ascending, or ``NEVER``."""

    def end(self) -> NDArray[np.int64]:
        """(n, S): the tokens at the end of the search."""
        last = (self.available_from < NEVER).sum(1, keepdims=True) - 1
        answers: NDArray[np.int64] = np.take_along_axis(self.stages, last, 1)[:, 0]
        return answers


NEVER = 1 << 30


@dataclass(frozen=True, eq=False)
class Symmetry:
    """One way to turn a puzzle into another of the same kind, as two index arrays.

    It works on any array of small whole numbers: on a puzzle's tokens, where the solver uses it, or
    on the cells of a grid.
    """

    cells: NDArray[np.intp]
    """For each place of the new array the place in the old one, flattened, that it comes from."""
    values: NDArray[Any]
    """(V,): what each value becomes. Every value occurs once."""

    def apply(self, array: NDArray[Any]) -> NDArray[Any]:
        """The turned array, in the shape of ``cells``."""
        turned: NDArray[Any] = self.values[array.reshape(-1)[self.cells]]
        return turned

    def undo(self, array: NDArray[Any]) -> NDArray[Any]:
        """A turned array (S,) in the puzzle's own frame: ``undo(apply(a).ravel())`` is ``a``."""
        back = np.argsort(self.values).astype(self.values.dtype)
        given: NDArray[Any] = back[self.undo_cells(array)]
        return given

    def undo_cells(self, array: NDArray[Any]) -> NDArray[Any]:
        """Values of places and not of their contents, such as confidence, back in place.

        ``array`` is (S, ...), or (C, ...) for the cells where several neighbouring places make one.
        """
        each = self.cells.size // len(array)
        cells = self.cells.reshape(-1, each)[:, 0] // each
        return array[np.argsort(cells)]


def identity(shape: tuple[int, ...], values: int) -> Symmetry:
    """The symmetry that leaves arrays of that shape, with so many values, as they are."""
    places = np.arange(math.prod(shape)).reshape(shape)
    return Symmetry(places, np.arange(values))
