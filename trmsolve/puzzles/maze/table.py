"""A CSV of mazes: which columns it has, where its records end, and an answer beside its question.

A maze in a field is n x n cells, rows joined by ``/``, or rows on lines of their own between
quotes.

Knows fields and their places in the file. Does not know what the characters of a maze mean.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, SYMBOLS
from trmsolve.puzzles.maze.drawing import Drawing, read_rows
from trmsolve.puzzles.maze.form import MOST, Row, is_line
from trmsolve.puzzles.reading.lines import TextLines
from trmsolve.puzzles.values import Grid, Puzzle

COLUMNS = 1000  # of a record, at most; what is beyond is not looked at
LONGEST = 1 << 22  # characters of a record on several lines

_QUESTION = re.compile(
    r"(maze|labyrinth|puzzle|question|quiz|problem|given|board|grid|input)(s|zes)?(_?\w+)?"
)
_ANSWER = re.compile(r"answer|solution|solved|output|label")

Item = Puzzle | PuzzleError


class _Field(NamedTuple):
    start: int  # where its text begins in the record
    text: str


class Table:
    """The records of a CSV, each as soon as its last line is there; ``None`` stands for a column that it lacks."""

    def __init__(
        self,
        source: TextLines,
        delimiter: str,
        question: int,
        answer: int | None,
        rating: int | None,
    ) -> None:
        self.source, self.delimiter = source, delimiter
        self.question, self.answer, self.rating = question, answer, rating
        self.lines: list[Row] = []  # of a record
        self.held = 0  # characters of the lines
        self.quoted = False  # whether the last line ended inside quotes

    def take(self, row: Row) -> Iterator[Item]:
        """The next line."""
        if not self.lines and not row.text.strip():
            return
        self.lines.append(row)
        self.quoted = _ends_quoted(row.text, self.delimiter, self.quoted)
        self.held = len(row.text) + self.held * (len(self.lines) > 1)
        long = len(self.lines) > 3 * MOST or self.held > LONGEST
        if long or not self.quoted:
            yield from self.end()

    def end(self) -> Iterator[Item]:
        """What is left once there are no more lines."""
        lines, quoted, self.lines, self.quoted = self.lines, self.quoted, [], False
        if quoted:
            yield lines[0].error("a quote in this record is never closed")
        elif lines:
            try:
                yield self._record(lines)
            except PuzzleError as error:
                yield error

    def _record(self, lines: list[Row]) -> Puzzle:
        fields = _fields("\n".join(line.text for line in lines), self.delimiter)
        drawing = _read(lines, fields, self.question, end=self.source.end)
        puzzle = drawing.puzzle(self.source.name, lines[0].number)
        said = (
            fields[self.rating].text.strip()
            if self.rating is not None and self.rating < len(fields)
            else ""
        )
        if re.fullmatch(r"-?[0-9]{1,9}", said):
            puzzle = replace(puzzle, rating=int(said))
        if (
            self.answer is None
            or self.answer >= len(fields)
            or not fields[self.answer].text.strip()
        ):
            return puzzle
        answer = _read(lines, fields, self.answer, question=drawing)
        _refuse_other(puzzle.grid, answer)
        ends = np.argwhere((puzzle.grid == START) | (puzzle.grid == GOAL))
        if not (answer.cells == PATH).any() and np.abs(ends[0] - ends[1]).sum() > 1:
            raise answer.layout.rows[0].error(
                "the answer shows no path; mark its cells with 'o'", 0
            )
        return replace(puzzle, answer=answer.cells)


def find_table(header: str, text: str, source: TextLines) -> Table | None:
    """The columns, by what the first record holds; names decide between equals.

    None if this is no CSV.
    """
    delimiter = max(",;\t", key=header.count)
    if delimiter not in header and not text.startswith('"'):
        return None
    open_ = _ends_quoted(text, delimiter, False)
    names = [field.text.strip().lower() for field in _fields(header, delimiter)]
    fields = [field.text for field in _fields(text, delimiter)]
    asks, tells = ([bool(known.search(name)) for name in names] for known in (_QUESTION, _ANSWER))
    certain = any(map(_QUESTION.fullmatch, names)) and any(tells) and delimiter in text
    if (
        len(names) == 1
    ):  # a maze on each line is read without a header too, one between quotes is not
        certain = bool(_QUESTION.fullmatch(names[0])) and text.startswith('"')
    if not certain and (len(names) == 1 or not (len(names) == len(fields) or open_)):
        return None
    fields += [""] * (len(names) - len(fields))
    mazes = [is_line(_trimmed(Row(0, field)).text) for field in fields]
    solved = [maze and "o" in field for maze, field in zip(mazes, fields, strict=True)]
    if not any(mazes) and not any(asks):
        return None
    columns = range(len(names))
    question = max(
        columns, key=lambda i: (mazes[i] and not solved[i], asks[i], mazes[i], not tells[i], -i)
    )
    answers = [i for i in columns if i != question and (mazes[i] or tells[i])]
    answer = max(answers, key=lambda i: (mazes[i], tells[i], -i), default=None)
    return Table(
        source,
        delimiter,
        question,
        answer,
        next((i for i in columns if "rating" in names[i]), None),
    )


def _ends_quoted(text: str, delimiter: str, quoted: bool) -> bool:
    """Whether a line ends inside quotes, as the line after it then begins."""
    at = 0
    while True:
        if not quoted:
            if text[at : at + 1] != '"':
                at = text.find(delimiter, at) + 1
                if not at:
                    return False
                continue
            at += 1
        at = text.find('"', at) + 1
        if not at:
            return True
        quoted = text[at : at + 1] == '"'  # two of them stand for one
        at += quoted


def _fields(text: str, delimiter: str) -> list[_Field]:
    """One record's fields, the first ``COLUMNS`` of them.

    A quote opens only at the start of a field.
    """
    fields, at = [], 0
    while True:
        start = at
        if text[at : at + 1] == '"':
            start = at = at + 1
            while (at := text.find('"', at)) >= 0 and text[at + 1 : at + 2] == '"':
                at += 2
            at = at if at >= 0 else len(text)
            stop = text.find(delimiter, at)
            fields.append(_Field(start, text[start:at].replace('""', '"')))
        else:
            stop = text.find(delimiter, at)
            fields.append(_Field(start, text[start:stop] if stop >= 0 else text[start:]))
        if stop < 0 or len(fields) == COLUMNS:
            return fields
        at = stop + 1


def _read(
    lines: list[Row],
    fields: list[_Field],
    column: int,
    end: str = "\n",
    question: Drawing | None = None,
) -> Drawing:
    """The maze in a column: a question, or the answer to the ``question``."""
    what = "answer" if question else "question"
    if column >= len(fields):
        size = f"{len(fields)} column{'s' * (len(fields) != 1)}"
        raise lines[0].error(f"{size}; the {what} is expected in column {column + 1}")
    start, index = fields[column].start, 0
    while start > len(lines[index].text):
        start -= len(lines[index].text) + 1
        index += 1
    rows = []
    for text in fields[column].text.split("\n"):
        rows.append(Row(lines[index].number, text, start))
        start, index = 0, index + 1
    while rows[1:] and not rows[0].text:
        del rows[0]
    while rows[1:] and not rows[-1].text:
        del rows[-1]
    try:
        return read_rows(rows if len(rows) > 1 else [_trimmed(rows[0])], end=end, question=question)
    except PuzzleError as error:
        raise PuzzleError(f"{what}: {error.problem}", "", error.line, error.column) from None


def _trimmed(row: Row) -> Row:
    """The row without spaces around, if those are no cells."""
    if "/" not in row.text and math.isqrt(len(row.text)) ** 2 == len(row.text):
        return row
    bare = row.text.strip(" ")
    fits = "/" not in bare and math.isqrt(len(bare)) ** 2 == len(bare)
    return row._replace(text=bare, start=row.start + row.text.index(bare)) if fits else row


def _refuse_other(question: Grid, answer: Drawing) -> None:
    """An answer has the walls and ends of its question."""
    cells = np.where(answer.cells == PATH, FLOOR, answer.cells)
    if cells.shape != question.shape:
        sizes = [f"{rows} x {columns}" for rows, columns in (cells.shape, question.shape)]
        raise answer.layout.rows[0].error(
            f"the answer has {sizes[0]} cells, the question {sizes[1]}"
        )
    for row, column in np.argwhere(cells != question)[:1].tolist():
        found, asked = SYMBOLS[answer.cells[row, column]], SYMBOLS[question[row, column]]
        where = f"row {row + 1}, column {column + 1}"
        raise answer.error(
            f"the answer has {found!r} in {where} of the maze, the question {asked!r}", row, column
        )
