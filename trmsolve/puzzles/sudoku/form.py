"""How a Sudoku was drawn, so that its answer is drawn alike."""

import re
from dataclasses import dataclass

from trmsolve.puzzles.sudoku.board import SYMBOLS
from trmsolve.puzzles.values import Grid

CELL = "\0"
"""A cell in a template. Text cannot contain it, since a NUL is refused as binary."""


@dataclass(frozen=True)
class TextForm:
    """How a puzzle was drawn."""

    template: str = CELL * 81 + "\n"
    """The lines of the drawing, with every cell replaced by ``CELL``.

    That of ``LINE`` stands for one line of all cells, whatever the size.
    """

    blank: str = "."
    """How a blank cell is written: mostly one character, but also nothing between two commas."""

    signs: tuple[str, ...] = tuple(SYMBOLS[1:])
    """How the digits are written, from 1 on, each as wide as its column."""


LINE = TextForm()

_MARGIN = re.compile(" +$", re.MULTILINE)


def write_sudoku(grid: Grid, form: TextForm | None) -> str:
    """Draw the grid (n, n) as its puzzle was drawn; on one line for the form None."""
    form = form or LINE
    template = form.template
    if template == LINE.template:
        template = CELL * grid.size + "\n"
    marks = [form.blank, *form.signs]
    cells = (marks[value] for value in grid.ravel().tolist())
    drawing = "".join([next(cells) if char == CELL else char for char in template])
    # A number that is narrower than its column leaves spaces at the end of a row.
    return _MARGIN.sub("", drawing) if form.signs[0].endswith(" ") else drawing
