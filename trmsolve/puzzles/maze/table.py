"""Mazes in a CSV: the columns that hold them, and answers beside questions.

A maze in a field is n x n cells, rows joined by ``/``, or rows on lines of their own between
quotes.

This module knows fields and their places in the file. It does not know what the characters of a
maze mean.
"""

import re
from collections.abc import Sequence

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, SYMBOLS
from trmsolve.puzzles.maze.drawing import Drawing, read_rows
from trmsolve.puzzles.maze.form import is_line, is_square
from trmsolve.puzzles.reading.fields import Field
from trmsolve.puzzles.reading.lines import TextLines
from trmsolve.puzzles.reading.places import Joined, Line
from trmsolve.puzzles.reading.table import Holdings, Record, Table, Words, find_columns
from trmsolve.puzzles.values import Grid, Puzzle

_WORDS = Words(
    re.compile(
        r"(maze|labyrinth|puzzle|question|quiz|problem|given|board|grid|input)(s|zes)?(_?\w+)?"
    ),
    re.compile(r"(answer|solution|solved|output|label)s?"),
)


class MazeTable(Table[Line, Drawing]):
    """Reads mazes from the records of a CSV."""

    def read_question(self, record: Record[Line], field: Field) -> tuple[Puzzle, Drawing]:
        """Read the maze of a field."""
        rows = _find_rows(record.lines, field)
        drawing = _read_maze(rows, "question", end=self.source.end)
        return drawing.puzzle(self.source.name, record.lines.lines[0].number), drawing

    def read_answer(
        self, record: Record[Line], field: Field, puzzle: Puzzle, question: Drawing
    ) -> Grid:
        """Read an answer. Raises PuzzleError unless it marks a path in the maze of its question."""
        answer = _read_maze(_find_rows(record.lines, field), "answer", question=question)
        _refuse_other(puzzle.grid, answer)
        _refuse_no_path(puzzle.grid, answer)
        return answer.cells


def find_table(header: str, text: str, source: TextLines) -> MazeTable | None:
    """Find the columns of a CSV. Returns None if the header and the first record are none.

    ``text`` is the first line of the first record, which may go on in the lines of ``source``.
    """
    found = find_columns(header, text, _WORDS, _find_holdings)
    return MazeTable(source, *found) if found else None


def _find_holdings(names: Sequence[str], fields: Sequence[Field]) -> Holdings:
    """Tell which fields of the first record hold mazes, with a path or without one.

    A maze on each line below one word is read without a header too.
    """
    if len(names) == 1:
        return [(False, False)]
    mazes = [is_line(_without_margin(field.text)) for field in fields]
    return [
        (maze and "o" not in field.text, maze) for maze, field in zip(mazes, fields, strict=True)
    ]


def _find_rows(joined: Joined[Line], field: Field) -> list[Line]:
    """Find the rows of the maze in a field, with their places in the file.

    Empty rows at both ends are left out, but at least one row stays.
    """
    first, start = joined.find(field.start)
    rows = []
    for line, text in zip(joined.lines[first:], field.text.split("\n"), strict=False):
        rows.append(Line(line.number, text, line.columns[start:]))
        start = 0
    while len(rows) > 1 and not rows[0].text:
        rows = rows[1:]
    while len(rows) > 1 and not rows[-1].text:
        rows = rows[:-1]
    return rows


def _read_maze(
    rows: list[Line], name: str, end: str = "\n", question: Drawing | None = None
) -> Drawing:
    """Read the maze of these rows: a question, or the answer to the ``question``."""
    if len(rows) == 1:
        text = rows[0].text
        bare = _without_margin(text)
        start = text.index(bare)
        rows = [rows[0].cut(start, start + len(bare))]
    try:
        return read_rows(rows, end=end, question=question)
    except PuzzleError as error:
        raise PuzzleError(f"{name}: {error.problem}", "", error.line, error.column) from None


def _without_margin(text: str) -> str:
    """Leave out the spaces around a maze on one line, if they are no cells."""
    bare = text.strip(" ")
    return bare if _is_cells(bare) and not _is_cells(text) else text


def _is_cells(text: str) -> bool:
    """Tell whether the text may be n x n cells."""
    return "/" not in text and is_square(text)


def _refuse_other(question: Grid, answer: Drawing) -> None:
    """Raise PuzzleError unless an answer has the walls and ends of its question."""
    cells = np.where(answer.cells == PATH, FLOOR, answer.cells)
    if cells.shape != question.shape:
        found = " x ".join(map(str, cells.shape))
        asked = " x ".join(map(str, question.shape))
        problem = f"the answer has {found} cells, the question {asked}"
        raise answer.layout.rows[0].error(problem)
    other = np.argwhere(cells != question)
    if not len(other):
        return
    row, column = other[0].tolist()
    found = SYMBOLS[answer.cells[row, column]]
    asked = SYMBOLS[question[row, column]]
    where = f"row {row + 1}, column {column + 1} of the maze"
    problem = f"the answer has {found!r} in {where}, the question {asked!r}"
    raise answer.error(problem, row, column)


def _refuse_no_path(question: Grid, answer: Drawing) -> None:
    """Raise PuzzleError if an answer shows no path although its ends lie apart."""
    if (answer.cells == PATH).any():
        return
    ends = np.argwhere((question == START) | (question == GOAL))
    if np.abs(ends[0] - ends[1]).sum() > 1:
        raise answer.layout.rows[0].error("the answer shows no path; mark its cells with 'o'", 0)
