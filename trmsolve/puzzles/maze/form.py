"""How a maze was written, and how an answer is written the same way.

Knows characters and where cells stand among them. Does not know how that was found out, see
``maze_drawing``.
"""

import math
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import SYMBOLS
from trmsolve.puzzles.values import Grid

WALLS, HALVES, FLOORS, STARTS, GOALS = "⬛█■#▓▒░", "▀▄", " .·_\xa0□⬜", "Ss🟩", "GgEe🟥"
"""The walls stand from the darkest to the lightest."""

PATHS, MAYBE_PATHS = "o🟦", "O*+•"
"""A path that is drawn already; the second kind means one only where other characters are the walls."""

CROSSES, DIGITS = "Xx", "01"  # walls and floor of mazes that have none of the walls above
KNOWN = frozenset(WALLS + HALVES + FLOORS + STARTS + GOALS + PATHS + MAYBE_PATHS + CROSSES)

LEAST, MOST = 3, 1000  # rows and columns
SHAPE = "a maze is rows of '#' and ' ' with one S and one G"


class Row(NamedTuple):
    """A row of a maze: its line of the file and its text, before which ``start`` other characters stand there."""

    number: int
    text: str
    start: int = 0

    def error(self, problem: str, index: int | None = None) -> PuzzleError:
        """What is wrong at this place of the row."""
        return PuzzleError(
            problem, "", self.number, None if index is None else self.start + index + 1
        )


@dataclass(frozen=True, eq=False)
class MazeForm:
    """How a maze was drawn: what its rows show and their text, in which a path was wiped out."""

    grid: Grid
    rows: tuple[str, ...]
    marks: tuple[str, ...] = tuple(SYMBOLS)  # how each content of a cell is written
    left: int = 0  # characters before the first cell of a row
    step: int = 1  # from one cell of a row to the next
    halves: bool = False  # two rows of cells in one row of text
    joint: str = "\n"  # between the rows
    head: str = ""  # titles directly above
    end: str = "\n"  # of a line


def write_maze(grid: Grid, form: MazeForm | None = None) -> str:
    """The grid drawn as its maze was; rows of ``# SGo`` if it was not drawn in text.

    Half blocks cannot show a path: with one they become full blocks, a row of cells a line. Line
    ends are those of the input, for a text stream.
    """
    if form is None or form.grid.shape != grid.shape:
        return "".join(f"{''.join([SYMBOLS[cell] for cell in row])}\n" for row in grid.tolist())
    if form.halves and not np.array_equal(grid, form.grid):
        rows = [
            form.left * " " + "".join([form.marks[cell] for cell in row]) for row in grid.tolist()
        ]
    else:
        rows = list(_redrawn(grid, form))
    text = form.head + form.joint.join(rows) + "\n"
    return (
        text if form.end == os.linesep else text.replace("\n", form.end)
    )  # the stream makes "\n" an os.linesep


def _redrawn(grid: Grid, form: MazeForm) -> Iterator[str]:
    """The rows of text, with those cells replaced that have changed."""
    size = len(form.marks[0])
    for text, values, changed in (
        zip(form.rows, grid, grid != form.grid, strict=False) if not form.halves else ()
    ):
        chars = list(text)
        for column in np.flatnonzero(changed).tolist():
            at = form.left + column * form.step
            chars += " " * (at + size - len(chars))
            chars[at : at + size] = form.marks[values[column]]
        yield "".join(chars)
    if form.halves:
        yield from form.rows


def line_maze(grid: Grid) -> str:
    """The grid as one line of ``# SGo``: the cells of a square one, the rows of another joined by ``/``."""
    rows = ["".join([SYMBOLS[cell] for cell in row]) for row in grid.tolist()]
    return ("" if len(grid) == grid.shape[1] else "/").join(rows)


def line_rows(row: Row) -> tuple[list[Row], str]:
    """The rows of a maze on one line, n x n cells or rows joined by ``/``, and what joins them.

    Raises PuzzleError if there are no n x n characters.
    """
    text, rows, start = row.text, [], row.start
    if "/" in text:
        for part in text.split("/"):
            rows.append(row._replace(text=part, start=start))
            start += len(part) + 1
        return rows, "/"
    size, side = len(text), math.isqrt(len(text))
    if side * side != size or side < LEAST:
        raise row.error(
            f"one row of {size} characters; on one line a maze is n x n cells, or rows joined by '/'"
        )
    return [
        row._replace(text=text[at : at + side], start=start + at) for at in range(0, size, side)
    ], ""


def is_line(text: str) -> bool:
    """Whether the text may be a maze on one line: a start, a goal, and n x n characters or rows joined by ``/``."""
    counts = Counter(text)
    ends = all(sum(counts[char] for char in kind) == 1 for kind in (STARTS, GOALS))
    return (
        ends
        and counts.keys() <= KNOWN | {*DIGITS, "/"}
        and ("/" in text or (len(text) >= LEAST**2 and math.isqrt(len(text)) ** 2 == len(text)))
    )
