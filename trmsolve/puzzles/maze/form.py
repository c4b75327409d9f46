"""The form in which a maze was written, and how an answer is written in the same form.

This module knows characters and where cells stand among them. ``drawing`` finds that out.
"""

import math
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trmsolve.puzzles.maze.cells import SYMBOLS
from trmsolve.puzzles.reading.fields import LOST
from trmsolve.puzzles.reading.places import Line
from trmsolve.puzzles.values import Grid

WALLS = "⬛█■#▓▒░"
"""The walls, from the darkest to the lightest."""

HALVES = "▀▄"
"""Walls in the upper or lower half of a character."""

FLOORS = " .·_\xa0□⬜"
STARTS = "Ss🟩"
GOALS = "GgEe🟥"

PATHS = "o🟦"
"""A path that is drawn already."""

MAYBE_PATHS = "O*+•"
"""A path that is drawn already, but only where other characters are the walls."""

CROSSES = "Xx"
"""The walls of mazes that have none of the walls above."""

DIGITS = "01"
"""The floor and the walls of mazes that have none of the walls above."""

PAIRS = ("AB", "SF", "SX", "ST", "SD", "PT", "PG", "PE", "PX", "IO", "EX", "BE", "23", "sf", "ab")
"""Pairs of start and goal, for mazes that have not both of the usual ones."""

SIGNS = ("@", ">")
"""Other signs of a start, if they stand once beside a usual goal or one of ``TARGETS``."""

TARGETS = "FXTB$<*"
"""Goals beside one of ``SIGNS``, if they stand once."""

KNOWN = frozenset(WALLS + HALVES + FLOORS + STARTS + GOALS + PATHS + MAYBE_PATHS + CROSSES)

LEAST = 3
"""The fewest rows or columns of a maze."""

MOST = 1000
"""The most rows or columns of a maze."""

SHAPE = "a maze is rows of '#' and ' ' with one S and one G"

NOT_DRAWN = -1
"""Stands for the row of text of cells in which no path is drawn."""

OPTIONS = "give --start R,C, --goal R,C or --map; see docs/formats.md"
"""What helps with a maze in other signs."""


@dataclass(frozen=True)
class Marks:
    """What the user says of the signs and ends of mazes."""

    start: tuple[int, int] | None = None
    """The row and the column of the start, from 0."""

    goal: tuple[int, int] | None = None
    """The row and the column of the goal, from 0."""

    meaning: tuple[tuple[str, int], ...] = ()
    """Characters and the content of their cells."""


NO_MARKS = Marks()


def parse_marks(start: str | None, goal: str | None, signs: str | None) -> Marks:
    """Read the options: places as ``R,C`` from 1, and signs as ``%=#,P=S``.

    Raises ValueError that says what is wrong.
    """
    meaning = []
    for part in re.split(r",(?=.=)", signs) if signs else []:
        if len(part) != 3 or part[1] != "=" or part[2] not in SYMBOLS:
            raise ValueError(f"--map: {part!r} is not SIGN=MEANING with one of {SYMBOLS!r}")
        meaning.append((part[0], SYMBOLS.index(part[2])))
    return Marks(_parse_place("--start", start), _parse_place("--goal", goal), tuple(meaning))


def _parse_place(option: str, text: str | None) -> tuple[int, int] | None:
    """Read a row and a column that count from 1."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*([1-9]\d{0,3})\s*,\s*([1-9]\d{0,3})\s*", text)
    if not match:
        raise ValueError(f"{option}: {text!r} is not R,C, a row and a column counting from 1")
    return int(match[1]) - 1, int(match[2]) - 1


@dataclass(frozen=True, eq=False)
class MazeForm:
    """How a maze was drawn. A path that the drawing shows is wiped out here."""

    grid: Grid
    """What the rows show."""

    rows: tuple[str, ...]
    """The rows of text."""

    marks: tuple[str, ...] = tuple(SYMBOLS)
    """How each content of a cell is written."""

    left: int = 0
    """How many characters stand before the first cell of a row."""

    step: int = 1
    """How many characters it is from one cell of a row to the next."""

    halves: bool = False
    """Whether a row of text has two rows of cells."""

    joint: str = "\n"
    """What stands between the rows."""

    head: str = ""
    """The titles directly above."""

    end: str = "\n"
    """The end of a line."""

    places: tuple[int, ...] = ()
    """The column of the text for each column of cells, if these do not stand at equal steps."""

    lines: tuple[int, ...] = ()
    """The row of text for each row of cells, or ``NOT_DRAWN``, if several of these share one."""

    solid: str = ""
    """The wall over which no path is drawn, since it stands in the middle of a cell."""


def write_maze(grid: Grid, form: MazeForm | None = None) -> str:
    """Draw the grid as its maze was drawn, or as rows of ``# SGo`` if that was not in text.

    Half blocks cannot show a path: with one they become full blocks, and each row of cells becomes
    a line. The line ends are those of the input, for a text stream.
    """
    if form is None or form.grid.shape != grid.shape:
        return "".join(f"{row}\n" for row in _write_rows(grid, tuple(SYMBOLS)))
    if not form.halves:
        rows = list(_redraw(grid, form))
    elif np.array_equal(grid, form.grid):
        rows = list(form.rows)
    else:
        margin = " " * form.left
        rows = [margin + row for row in _write_rows(grid, form.marks)]
    text = form.head + form.joint.join(rows) + "\n"
    if form.end == os.linesep:  # the stream writes it for each "\n"
        return text
    return text.replace("\n", form.end)


def _write_rows(grid: Grid, marks: tuple[str, ...]) -> list[str]:
    """Write each row of cells with these marks."""
    lines = []
    for row in grid.tolist():
        line = [marks[cell] for cell in row]
        lines.append("".join(line))
    return lines


def _redraw(grid: Grid, form: MazeForm) -> Iterator[str]:
    """Generate the rows of text in which the cells that have changed are replaced."""
    size = len(form.marks[0])
    texts = [list(text) for text in form.rows]
    for row, column in np.argwhere(grid != form.grid).tolist():
        line = form.lines[row] if form.lines else row
        if line == NOT_DRAWN:
            continue
        chars = texts[line]
        at = form.places[column] if form.places else form.left + column * form.step
        chars += " " * (at + size - len(chars))
        if chars[at] != form.solid:
            chars[at : at + size] = form.marks[grid[row, column]]
    yield from map("".join, texts)


def line_maze(grid: Grid) -> str:
    """Write the grid as one line of ``# SGo``.

    A square grid becomes its cells, another one its rows joined by ``/``.
    """
    rows, columns = grid.shape
    joint = "" if rows == columns else "/"
    return joint.join(_write_rows(grid, tuple(SYMBOLS)))


def line_rows(row: Line) -> tuple[list[Line], str]:
    """Split a maze on one line into its rows. Returns them and what joins them.

    The line is n x n cells, or rows joined by ``/``. Raises PuzzleError if it is neither.
    """
    if "/" in row.text:
        rows = []
        start = 0
        for part in row.text.split("/"):
            rows.append(row.cut(start, start + len(part)))
            start += len(part) + 1
        return rows, "/"
    size = len(row.text)
    side = math.isqrt(size)
    if not is_square(row.text) or side < LEAST:
        shape = "on one line a maze is n x n cells, or rows joined by '/'"
        lost = LOST if row.text.isdecimal() else ""
        raise row.error(f"one row of {size} characters; {shape}{lost}")
    return [row.cut(start, start + side) for start in range(0, size, side)], ""


def is_square(text: str) -> bool:
    """Tell whether the text has n x n characters."""
    side = math.isqrt(len(text))
    return side * side == len(text)


def is_line(text: str) -> bool:
    """Tell whether the text may be a maze on one line.

    It has a start and a goal, and n x n characters or rows joined by ``/``.
    """
    counts = Counter(text)
    for ends in (STARTS, GOALS):
        if sum(counts[char] for char in ends) != 1:
            return False
    if not counts.keys() <= KNOWN | {*DIGITS, "/"}:
        return False
    return "/" in text or (len(text) >= LEAST**2 and is_square(text))
