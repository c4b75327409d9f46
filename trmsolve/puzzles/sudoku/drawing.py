"""Reads the Sudokus of a group of lines: which lines are rows, and whether their grid is sound.

Nine rows with or without a frame are a grid, and so is one line of 81 cells. Equal clues may not
clash. This module knows lines that stand together. It does not know what separates a group from the
next, CSV or bytes.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.sudoku.cells import (
    BLANKS,
    CELLS,
    DIGITS,
    SHAPE,
    Kind,
    candidates,
    cells_between,
    count,
    foreign,
    row_cells,
)
from trmsolve.puzzles.sudoku.form import CELL, TextForm
from trmsolve.puzzles.values import Grid, Puzzle

_VALUES = str.maketrans(DIGITS + BLANKS + " ", "".join(map(chr, range(1, 10))) + "\0" * 8)
_INDEX = np.arange(81).reshape(9, 9)
_BOXES = _INDEX.reshape(3, 3, 3, 3).swapaxes(1, 2).reshape(9, 9)
_UNITS = np.concatenate([_INDEX, _INDEX.T, _BOXES])
_UNIT_NAMES = ("row", "column", "box")
_BITS = np.array([0] + [1 << digit for digit in range(1, 10)], np.int16)


class Line(NamedTuple):
    """A line of the text."""

    number: int
    text: str
    kind: Kind = "row"

    at: Sequence[int] = ()
    """The indices of its cells in the text; a range is one unbroken run."""

    @property
    def drawn(self) -> bool:
        """Whether the line may be part of a drawing."""
        return self.kind in ("row", "rule")

    @property
    def cells(self) -> str:
        """The characters of its cells."""
        if isinstance(self.at, range):
            return self.text[self.at.start : self.at.stop]
        return "".join([self.text[i] for i in self.at])

    @property
    def template(self) -> str:
        """The text, with every cell replaced by ``CELL``."""
        chars = list(self.text)
        for i in self.at:
            chars[i] = CELL
        return "".join(chars)


def line_error(number: int, problem: str, index: int | None = None) -> PuzzleError:
    """Make the error of a line, whose column counts from 1 while the index counts from 0."""
    column = None if index is None else index + 1
    return PuzzleError(problem, "", number, column)


def split_group(group: list[Line]) -> list[list[Line]]:
    """Split a group into puzzles, each with its whole drawing.

    The nine rows of a puzzle know where their cells are, other lines have none. Raises PuzzleError
    if the group is no puzzle.
    """
    _refuse_foreign(group)
    group = [_find_cells(line) for line in _pad(group)]
    chosen = _choose_rows(group)
    if not chosen:
        return []  # a line between puzzles, for the eye
    _refuse_ragged([group[i] for i in chosen])
    if len(chosen) % 9:
        problem = f"{count(len(chosen), 'row')}; a grid has 9 rows of 9 cells"
        raise line_error(group[chosen[0]].number, problem)
    rows = set(chosen)
    group = [line if i in rows else line._replace(at=()) for i, line in enumerate(group)]
    # Puzzles may follow each other without an empty line: of the rules between them, half are a
    # bottom and half a top.
    puzzles: list[list[Line]] = []
    start = 0
    for above, below in zip(chosen[8::9], chosen[9::9], strict=False):
        stop = above + (below - above) // 2 + 1
        puzzles.append(group[start:stop])
        start = stop
    return [*puzzles, group[start:]]


def _refuse_foreign(group: list[Line]) -> None:
    """Raise PuzzleError for titles without a drawing, and for lines that cannot be part of one."""
    drawn = [line for line in group if line.drawn]
    titles = [line for line in group if line.kind == "title"]
    if titles and not drawn:
        title = titles[0].text.strip()[:40]
        raise line_error(titles[0].number, f"no Sudoku follows {title!r}; {SHAPE}", 0)
    for line in drawn:
        problem = candidates(line.text)
        if line.kind == "row":
            problem = problem or foreign(line.text)
        if problem:
            raise line_error(line.number, *problem)


def _find_cells(line: Line) -> Line:
    """Add to a drawn line where its cells are, if it has nine."""
    if not line.drawn:
        return line
    return line._replace(at=row_cells(line.text) or ())


def _choose_rows(group: list[Line]) -> list[int]:
    """Choose the lines that are rows.

    ``---------`` is a row among rows of its shape, if one is missing and ``-`` is their blank.
    """
    sure = [i for i, line in enumerate(group) if line.kind == "row"]
    maybe = [i for i, line in enumerate(group) if line.kind == "rule" and line.at]
    if not sure:
        looks = Counter(group[i].text for i in maybe)
        return [i for i in maybe if looks[group[i].text] % 9 == 0]
    if len(sure) % 9 == 0:
        return sure
    shapes = {group[i].template for i in sure}
    cells = "".join(group[i].cells for i in sure)
    blanks = set(cells) - set(DIGITS) or CELLS | {" "}
    like = [i for i in maybe if group[i].template in shapes and group[i].cells[0] in blanks]
    return sorted(sure + like)


def _pad(group: list[Line]) -> list[Line]:
    """Restore the blanks at the ends of rows that an editor has stripped, where that is certain."""
    drawn = [line.text for line in group if line.drawn]
    text = "".join(drawn)
    if len(drawn) != 9 or max(map(len, drawn)) != 9:
        return group
    if " " not in text or text.strip(DIGITS + " "):
        return group
    return [line._replace(text=line.text.ljust(9)) if line.drawn else line for line in group]


def _refuse_ragged(rows: list[Line]) -> None:
    """Raise PuzzleError unless every row has nine cells.

    Where blanks are spaces, the cells have to stand in columns.
    """
    for nth, row in enumerate(rows, 1):
        if row.at:
            continue
        at = cells_between(row.text, 0, len(row.text), spaces=len(row.text) < 9)
        found = count(len(at), "cell")
        problem = f"{found}; {SHAPE}"
        if len(rows) > 1:
            problem = f"ragged grid: row {nth} has {found}, every row needs 9"
        raise line_error(row.number, problem, [*at, len(row.text)][min(len(at), 9)])
    if not any(" " in row.cells for row in rows):
        return
    for nth, row in enumerate(rows, 1):
        if row.at != rows[0].at:
            problem = f"ragged grid: row {nth} is not in line with row 1; write blanks as '.'"
            raise line_error(row.number, problem)


def read_puzzle(name: str, lines: Sequence[Line], template: str = "") -> Puzzle:
    """Read the puzzle that stands at the cells of these lines.

    Raises PuzzleError if two equal clues clash.
    """
    cells = "".join([line.cells for line in lines])
    grid = grid_of(cells)
    _refuse_clash(grid, lines)
    if not template:
        template = "".join([line.template + "\n" for line in lines])
    blanks = cells.strip(DIGITS)
    form = TextForm(template, blanks[:1] or ".")
    first = next(line.number for line in lines if line.drawn)
    return Puzzle(grid, f"{name}:{first}", form)


def grid_of(cells: str) -> Grid:
    """Make the grid (9, 9) of 81 cells."""
    values = cells.translate(_VALUES).encode()
    grid = np.frombuffer(values, np.int8).reshape(9, 9)
    return grid.copy()  # a buffer cannot be written to


def _refuse_clash(grid: Grid, lines: Sequence[Line]) -> None:
    """Raise PuzzleError, with both places, if two equal clues are in one row, column or box."""
    clash = _find_clash(grid)
    if not clash:
        return
    places: list[tuple[int, int]] = []  # the line and the column of each cell
    for line in lines:
        places += [(line.number, index + 1) for index in line.at]
    problem, *pair = clash
    named = []
    for cell in pair:
        number, column = places[cell]
        named.append(f"{name_cell(cell)} (line {number}, column {column})")
    raise PuzzleError(f"{problem}: {' and '.join(named)}", "", *places[pair[1]])


def name_cell(cell: int) -> str:
    """Name a cell by its row and its column, as r1c9."""
    row, column = divmod(cell, 9)
    return f"r{row + 1}c{column + 1}"


def _find_clash(grid: Grid) -> tuple[str, int, int] | None:
    """Find two equal clues in one row, column or box. Returns the problem and their cells."""
    digits = grid.ravel()[_UNITS]
    bits = _BITS[digits]
    # The sum equals the union only if no bit comes twice.
    union = np.bitwise_or.reduce(bits, axis=1)
    if (bits.sum(axis=1) == union).all():
        return None
    for number, unit in enumerate(_UNITS.tolist()):
        for one, other in combinations(unit, 2):
            digit = grid.flat[one]
            if digit and digit == grid.flat[other]:
                where = f"{_UNIT_NAMES[number // 9]} {number % 9 + 1}"
                return f"two {digit}s in {where}", one, other
    return None
