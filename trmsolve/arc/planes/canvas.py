"""What the planes network sees of an ARC task: grids on a small square canvas, in few symbols.

Symbol 0 is what lies outside a grid, symbol 1 + c is colour c. The canvas is no larger than the
task needs, and there are planes only for the task's own colours. That costs a tenth of the paper's
900 cells in 12 tokens. The canvas is square since grids are turned; a grid stands in the upper left
corner.

Knows tasks and arrays; nothing of networks, files or votes.
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
    """The square canvas of a task, and the symbols that it needs planes for."""

    side: int

    palette: tuple[int, ...]
    """The symbols that occur, ascending; the first is ``OUTSIDE``."""

    @property
    def cells(self) -> int:
        """Cells of all planes: what a network computes for one grid."""
        return self.side**2 * len(self.palette)


def canvas_of(task: ArcTask, answers: bool = False) -> Canvas:
    """The canvas that holds all of the task's grids, and the outputs that are expected.

    With ``answers`` the known outputs of the tests are counted too: for training, never for
    answering.
    """
    grids: list[Grid] = []
    for pair in task.demonstrations:
        grids.append(pair.input)
        if pair.output is not None:
            grids.append(pair.output)
    for test in task.tests:
        grids.append(test.input)
        if answers and test.output is not None:
            grids.append(test.output)
    side = max(max(grid.shape) for grid in grids)
    for test in task.tests:
        for axis in (0, 1):
            side = max(side, _expected_side(task.demonstrations, test.input, axis))
    colours = np.unique(np.concatenate([grid.ravel() for grid in grids]))
    return Canvas(min(side, LARGEST), (OUTSIDE, *(FIRST_COLOUR + colours).tolist()))


def _expected_side(demonstrations: Sequence[Pair], question: Grid, axis: int) -> int:
    """How long the side of a test's output will be.

    If inputs and outputs always differ by one factor, or always by one number, so do these. Else
    the longest output of a demonstration counts.
    """
    sides: list[tuple[int, int]] = [
        (pair.input.shape[axis], pair.output.shape[axis])
        for pair in demonstrations
        if pair.output is not None
    ]
    asked: int = question.shape[axis]
    before, after = sides[0]
    if all(output * before == input_ * after for input_, output in sides):
        return asked * after // before
    if len({output - input_ for input_, output in sides}) == 1:
        return asked + after - before
    return max(output for _, output in sides)


def filled(palette: Sequence[int], planes: int) -> tuple[int, ...]:
    """The palette, filled up to ``planes`` symbols with others, whose planes stay empty."""
    unused = (symbol for symbol in range(SYMBOLS) if symbol not in palette)
    return (*palette, *islice(unused, planes - len(palette)))


def place_on_canvas(grid: Grid, side: int) -> NDArray[np.int64]:
    """The grid's symbols in the upper left corner of the canvas (side, side).

    Raises:
        ValueError: If it does not fit.
    """
    canvas = np.full((side, side), OUTSIDE, np.int64)
    rows, columns = grid.shape
    canvas[:rows, :columns] = grid.astype(np.int64) + FIRST_COLOUR
    return canvas


@dataclass(frozen=True, eq=False)
class Shown:
    """A pair under one symmetry on a canvas; the grids are (side, side) symbols each."""

    question: NDArray[np.int64]

    answer: NDArray[np.int64] | None
    """None where it is not known."""

    symmetry: int


def show(
    pair: Pair, canvas: Canvas, symmetries: Sequence[int] = range(len(SYMMETRIES))
) -> Iterator[Shown]:
    """The pair under each of the symmetries."""
    for symmetry in symmetries:
        question = place_on_canvas(dihedral(pair.input, symmetry), canvas.side)
        answer = None
        if pair.output is not None:
            answer = place_on_canvas(dihedral(pair.output, symmetry), canvas.side)
        yield Shown(question, answer, symmetry)
