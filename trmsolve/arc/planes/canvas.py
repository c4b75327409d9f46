"""What a network of planes sees of an ARC task: grids on a canvas no larger than the task needs, in its own colours.

Symbol 0 is what lies outside a grid, symbol 1 + c is colour c. A canvas of the task's own size and
planes for its own colours alone cost a tenth of the paper's 900 cells in 12 tokens. Square, since
grids are turned; a grid stands in the upper left corner. Knows tasks and arrays; nothing of
networks, files or votes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from trmsolve.arc.symmetry import SYMMETRIES, dihedral
from trmsolve.arc.task import COLOURS, LARGEST, ArcTask, Pair
from trmsolve.puzzles.values import Grid

OUTSIDE, FIRST_COLOUR = 0, 1
SYMBOLS = FIRST_COLOUR + COLOURS


@dataclass(frozen=True)
class Canvas:
    """The side of a task's square canvas, and the symbols that occur in it, ascending; the first is ``OUTSIDE``."""

    side: int
    palette: tuple[int, ...]

    @property
    def cells(self) -> int:
        """Cells of all planes: what a network computes for one grid."""
        return self.side**2 * len(self.palette)


def canvas_of(task: ArcTask, answers: bool = False) -> Canvas:
    """The canvas on which all of the task's grids fit, and the outputs that are asked for, as far as can be guessed.

    With ``answers`` the outputs of the tests, where known, are counted too: for training, never for
    answering.
    """
    shown = [
        grid
        for pair in task.demonstrations
        for grid in (pair.input, pair.output)
        if grid is not None
    ]
    shown += [test.input for test in task.tests]
    shown += [test.output for test in task.tests if answers and test.output is not None]
    side = max(max(grid.shape) for grid in shown)
    expected = [
        _expected(task.demonstrations, test.input, axis) for test in task.tests for axis in (0, 1)
    ]
    colours = np.unique(np.concatenate([grid.ravel() for grid in shown]))
    return Canvas(min(max(side, *expected), LARGEST), (OUTSIDE, *(FIRST_COLOUR + colours).tolist()))


def _expected(demonstrations: Sequence[Pair], question: Grid, axis: int) -> int:
    """How long the output's side will be, if inputs and outputs differ always by one factor or always by one number."""
    sides: list[tuple[int, int]] = [
        (pair.input.shape[axis], pair.output.shape[axis])
        for pair in demonstrations
        if pair.output is not None
    ]
    asked: int = question.shape[axis]
    before, after = sides[0]
    if all(a * before == b * after for b, a in sides):
        return asked * after // before
    if len({a - b for b, a in sides}) == 1:
        return asked + after - before
    return max(a for _, a in sides)


def filled(palette: Sequence[int], planes: int) -> tuple[int, ...]:
    """The palette with symbols it lacks, for as many planes: they stay empty."""
    unused = (symbol for symbol in range(SYMBOLS) if symbol not in palette)
    return (*palette, *islice(unused, planes - len(palette)))


def lay(grid: Grid, side: int) -> NDArray[np.int64]:
    """The grid's symbols in the upper left corner of the canvas (side, side).

    Raises ValueError if it does not fit.
    """
    canvas = np.full((side, side), OUTSIDE, np.int64)
    canvas[: grid.shape[0], : grid.shape[1]] = grid.astype(np.int64) + FIRST_COLOUR
    return canvas


@dataclass(frozen=True, eq=False)
class Shown:
    """A pair under one symmetry on a canvas: the question and, where known, the answer, (side, side) symbols each."""

    question: NDArray[np.int64]
    answer: NDArray[np.int64] | None
    symmetry: int


def show(
    pair: Pair, canvas: Canvas, symmetries: Sequence[int] = range(len(SYMMETRIES))
) -> Iterator[Shown]:
    """The pair under each of the symmetries."""
    for symmetry in symmetries:
        question, answer = (
            None if grid is None else lay(dihedral(grid, symmetry), canvas.side)
            for grid in (pair.input, pair.output)
        )
        assert question is not None
        yield Shown(question, answer, symmetry)
