"""Reads a CSV of mazes: its records, the columns that matter, and answers beside questions.

A maze in a field is n x n cells, rows joined by ``/``, or rows on lines of their own between
quotes.

This module knows fields and their places in the file. It does not know what the characters of a
maze mean.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, SYMBOLS
from trmsolve.puzzles.maze.drawing import Drawing, read_rows
from trmsolve.puzzles.maze.form import MOST, Row, is_line, is_square
from trmsolve.puzzles.reading.lines import TextLines
from trmsolve.puzzles.reading.table import (
    Column,
    Columns,
    Field,
    choose_columns,
    ends_quoted,
    find_delimiter,
    get_field,
    get_rating,
    has_text,
    split_record,
)
from trmsolve.puzzles.values import Grid, Puzzle

COLUMNS = 1000
"""The most columns of a record that are looked at."""

LONGEST = 1 << 22
"""The most characters of a record on several lines."""

_QUESTION = re.compile(
    r"(maze|labyrinth|puzzle|question|quiz|problem|given|board|grid|input)(s|zes)?(_?\w+)?"
)
_ANSWER = re.compile(r"answer|solution|solved|output|label")

Item = Puzzle | PuzzleError


class MazeCsv:
    """Reads the records of a CSV, each as soon as its last line is there."""

    def __init__(self, source: TextLines, delimiter: str, columns: Columns) -> None:
        self.source = source
        self.delimiter = delimiter
        self.columns = columns
        self.lines: list[Row] = []  # of the record
        self.held = 0  # characters of these lines
        self.quoted = False  # whether the last line ended inside quotes

    def take(self, row: Row) -> Iterator[Item]:
        """Take the next line. Generates the record that it ends, if it ends one."""
        if not self.lines and not row.text.strip():
            return
        if not self.lines:
            self.held = 0
        self.lines.append(row)
        self.held += len(row.text)
        self.quoted = ends_quoted(row.text, self.delimiter, self.quoted)
        too_long = len(self.lines) > 3 * MOST or self.held > LONGEST
        if too_long or not self.quoted:
            yield from self.end()

    def end(self) -> Iterator[Item]:
        """End the record. Generates what is left of it."""
        lines = self.lines
        quoted = self.quoted
        self.lines = []
        self.quoted = False
        if quoted:
            yield lines[0].error("a quote in this record is never closed")
        elif lines:
            try:
                yield self._read_record(lines)
            except PuzzleError as error:
                yield error

    def _read_record(self, lines: list[Row]) -> Puzzle:
        """Read the record on these lines. Raises PuzzleError if it is no maze."""
        columns = self.columns
        record = "\n".join(line.text for line in lines)
        fields = split_record(record, self.delimiter, COLUMNS)
        rows = _find_rows(lines, fields, columns.question, "question")
        question = _read_maze(rows, "question", end=self.source.end)
        puzzle = question.puzzle(self.source.name, lines[0].number)
        puzzle = replace(puzzle, rating=get_rating(fields, columns.rating))
        if columns.answer is None or not has_text(fields, columns.answer):
            return puzzle
        rows = _find_rows(lines, fields, columns.answer, "answer")
        answer = _read_maze(rows, "answer", question=question)
        _refuse_other(puzzle.grid, answer)
        _refuse_no_path(puzzle.grid, answer)
        return replace(puzzle, answer=answer.cells)


def find_table(header: str, text: str, source: TextLines) -> MazeCsv | None:
    """Find the columns of a CSV. Returns None if the header and the first record are none.

    ``text`` is the first line of the first record, which may go on in the lines of ``source``.
    """
    delimiter = find_delimiter(header)
    if delimiter not in header and not text.startswith('"'):
        return None
    names = [field.text.strip().lower() for field in split_record(header, delimiter, COLUMNS)]
    fields = [field.text for field in split_record(text, delimiter, COLUMNS)]
    if not _matches(names, fields, text, delimiter):
        return None
    fields += [""] * (len(names) - len(fields))
    columns = [_describe(i, names[i], fields[i]) for i in range(len(names))]
    known = any(column.asks or column.holds_puzzle for column in columns)
    if not known:
        return None
    return MazeCsv(source, delimiter, choose_columns(columns))


def _matches(names: list[str], fields: list[str], text: str, delimiter: str) -> bool:
    """Tell whether names may head the fields of the first record, whose first line is ``text``."""
    if len(names) == 1:
        # A maze on each line is read without a header too, one between quotes is not.
        return bool(_QUESTION.fullmatch(names[0])) and text.startswith('"')
    if len(names) == len(fields) or ends_quoted(text, delimiter):
        return True
    asks = any(_QUESTION.fullmatch(name) for name in names)
    tells = any(_ANSWER.search(name) for name in names)
    return asks and tells and delimiter in text


def _describe(index: int, name: str, text: str) -> Column:
    """Describe a column by its name and by its field in the first record."""
    maze = is_line(_trim(Row(0, text)).text)
    return Column(
        index,
        name,
        asks=bool(_QUESTION.search(name)),
        tells=bool(_ANSWER.search(name)),
        holds_question=maze and "o" not in text,
        holds_answer=maze,
    )


def _find_rows(lines: list[Row], fields: list[Field], column: int, name: str) -> list[Row]:
    """Find the rows of the maze in a column, with their places in the file.

    Raises PuzzleError if the record lacks the column.
    """
    field = get_field(fields, column, name, lines[0].number)
    start = field.start
    index = 0  # of the line on which the field begins
    while start > len(lines[index].text):
        start -= len(lines[index].text) + 1
        index += 1
    rows = []
    for text in field.text.split("\n"):
        rows.append(Row(lines[index].number, text, start))
        start = 0
        index += 1
    return _strip_empty(rows)


def _strip_empty(rows: list[Row]) -> list[Row]:
    """Leave out the empty rows at both ends, but at least one row stays."""
    while len(rows) > 1 and not rows[0].text:
        rows = rows[1:]
    while len(rows) > 1 and not rows[-1].text:
        rows = rows[:-1]
    return rows


def _read_maze(
    rows: list[Row], name: str, end: str = "\n", question: Drawing | None = None
) -> Drawing:
    """Read the maze of these rows: a question, or the answer to the ``question``."""
    if len(rows) == 1:
        rows = [_trim(rows[0])]
    try:
        return read_rows(rows, end=end, question=question)
    except PuzzleError as error:
        raise PuzzleError(f"{name}: {error.problem}", "", error.line, error.column) from None


def _trim(row: Row) -> Row:
    """Leave out the spaces around a maze on one line, if they are no cells."""
    if _is_cells(row.text):
        return row
    bare = row.text.strip(" ")
    if not _is_cells(bare):
        return row
    return row._replace(text=bare, start=row.start + row.text.index(bare))


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
