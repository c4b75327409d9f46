"""How a Sudoku was drawn, so that its answer is drawn alike."""

from dataclasses import dataclass

from trmsolve.puzzles.sudoku.cells import DIGITS
from trmsolve.puzzles.values import Grid

CELL = "\0"
"""A cell in a template. Text cannot contain it, since a NUL is refused as binary."""


@dataclass(frozen=True)
class TextForm:
    """How a puzzle was drawn."""

    template: str = CELL * 81 + "\n"
    """The lines of the drawing, with every cell replaced by ``CELL``."""

    blank: str = "."
    """How a blank cell is written: mostly one character, but also nothing between two commas."""


LINE = TextForm()


def write_sudoku(grid: Grid, form: TextForm) -> str:
    """Draw the grid as its puzzle was drawn."""
    marks = [form.blank, *DIGITS]
    cells = (marks[value] for value in grid.ravel().tolist())
    return "".join([next(cells) if char == CELL else char for char in form.template])
