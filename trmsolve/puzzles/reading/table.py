"""Finds the columns of a CSV of puzzles, and gathers its records.

This module does not know what a puzzle is: the table of each puzzle says which fields of the first
record hold one, and reads the fields of a question and of an answer.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, NamedTuple, TypeVar

from trmsolve.puzzles.reading.fields import Field, ends_quoted, split_record
from trmsolve.puzzles.reading.lines import TextLines
from trmsolve.puzzles.reading.places import AnyLine, Item, Joined, attempt
from trmsolve.puzzles.values import Grid, Puzzle
from trmsolve.wording import count

DELIMITERS = ",;\t"

COLUMNS = 1000
"""The most columns of a record that are looked at."""

LINES = 3000
LONGEST = 1 << 22
"""The most lines and characters of a record."""

_RATING = re.compile(r"-?[0-9]{1,9}")

AnyQuestion = TypeVar("AnyQuestion")


@dataclass(frozen=True)
class Column:
    """A column, as far as its name and the first record tell."""

    index: int
    name: str

    asks: bool
    """Whether its name is one for questions."""

    tells: bool
    """Whether its name is one for answers."""

    holds_question: bool
    """Whether the first record has an unsolved puzzle here."""

    holds_answer: bool
    """Whether the first record has a puzzle here that may be an answer."""

    @property
    def holds_puzzle(self) -> bool:
        """Whether the first record has any puzzle here."""
        return self.holds_question or self.holds_answer

    def as_question(self) -> tuple[bool | int, ...]:
        """Return a key that is larger the more likely the column has the questions."""
        return (
            self.holds_question,
            self.asks,
            self.holds_puzzle,
            not self.tells,
            -self.index,
        )

    def as_answer(self) -> tuple[bool | int, ...]:
        """Return a key that is larger the more likely the column has the answers."""
        return (self.holds_answer, self.tells, -self.index)


@dataclass(frozen=True)
class Columns:
    """The indices of the columns that matter; None stands for a column that the CSV lacks."""

    question: int
    answer: int | None
    rating: int | None


class Words(NamedTuple):
    """Words by which the names of columns tell what is in them."""

    question: re.Pattern[str]
    answer: re.Pattern[str]


Holdings = list[tuple[bool, bool]]
"""For each column whether the first record has a question there, and whether an answer."""


def find_columns(
    header: str,
    text: str,
    words: Words,
    find_holdings: Callable[[Sequence[str], Sequence[Field]], Holdings],
) -> tuple[str, Columns] | None:
    """Find the delimiter and the columns of a CSV. Returns None if the lines begin none.

    ``text`` is the first line of the first record. ``find_holdings`` is given the names and the
    fields of all columns.
    """
    delimiter = find_delimiter(header)
    names = [field.whole.strip().lower() for field in split_record(header, delimiter, COLUMNS)]
    fields = split_record(text, delimiter, COLUMNS)
    if not _may_head(names, fields, words) and not ends_quoted(text, delimiter):
        return None
    fields += [Field(0, "")] * (len(names) - len(fields))
    holdings = find_holdings(names, fields[: len(names)])
    columns = []
    for index, (name, (question, answer)) in enumerate(zip(names, holdings, strict=True)):
        asks = bool(words.question.search(name))
        tells = bool(words.answer.search(name))
        columns.append(Column(index, name, asks, tells, question, answer))
    # One word alone may be a title. That of a column stands above a puzzle or a quote.
    known = any(column.holds_puzzle for column in columns)
    if len(names) == 1:
        known = bool(words.question.fullmatch(names[0])) and (known or text.startswith('"'))
    elif not known:
        known = any(column.asks for column in columns)
    return (delimiter, choose_columns(columns)) if known else None


def _may_head(names: Sequence[str], fields: Sequence[Field], words: Words) -> bool:
    """Tell whether names may head the fields of a record, which may lack some."""
    asks = any(map(words.question.fullmatch, names))
    tells = any(map(words.answer.fullmatch, names))
    return len(names) == len(fields) or (asks and tells and len(fields) > 1)


def find_delimiter(header: str) -> str:
    """Find the delimiter: the one that stands most often in the header."""
    return max(DELIMITERS, key=header.count)


def choose_columns(columns: Sequence[Column]) -> Columns:
    """Choose the columns by what the first record holds. Names decide between equals."""
    question = max(columns, key=Column.as_question)
    others = [column for column in columns if column is not question]
    answers = [column for column in others if column.holds_answer or column.tells]
    answer = max(answers, key=Column.as_answer, default=None)
    ratings = [column.index for column in columns if "rating" in column.name]
    return Columns(
        question.index,
        answer.index if answer else None,
        ratings[0] if ratings else None,
    )


class Record(NamedTuple, Generic[AnyLine]):
    """A record of a CSV."""

    lines: Joined[AnyLine]
    fields: list[Field]

    def field(self, index: int, name: str) -> Field:
        """Return the field of a column. Raises PuzzleError if the record lacks it."""
        if index < len(self.fields):
            return self.fields[index]
        size = count(len(self.fields), "column")
        raise self.lines.lines[0].error(f"{size}; the {name} is expected in column {index + 1}")

    def text(self, index: int | None) -> str:
        """The text of a column without blanks around it, "" if there is no such column."""
        if index is None or index >= len(self.fields):
            return ""
        return self.fields[index].text.strip()

    def rating(self, index: int | None) -> int | None:
        """Return the rating, if the record has one that is a whole number."""
        text = self.text(index)
        return int(text) if _RATING.fullmatch(text) else None


class Table(ABC, Generic[AnyLine, AnyQuestion]):
    """Reads the records of a CSV, each as soon as its last line is there."""

    beside: ClassVar[re.Pattern[str]] = re.compile(r"\s*")
    """What may stand between records."""

    def __init__(self, source: TextLines, delimiter: str, columns: Columns) -> None:
        self.source = source
        self.delimiter = delimiter
        self.columns = columns
        self._lines: list[AnyLine] = []  # of the record
        self._held = 0  # characters of these lines
        self._quoted = False  # whether the last line ended inside quotes

    @abstractmethod
    def read_question(self, record: Record[AnyLine], field: Field) -> tuple[Puzzle, AnyQuestion]:
        """Read the puzzle of a field, and what is needed to read its answer."""

    @abstractmethod
    def read_answer(
        self, record: Record[AnyLine], field: Field, puzzle: Puzzle, question: AnyQuestion
    ) -> Grid:
        """Read the answer in a field. Raises PuzzleError if it is not one to the question."""

    def take(self, line: AnyLine) -> Iterator[Item]:
        """Take the next line. Generates the record that it ends, if it ends one."""
        if not self._lines and self.beside.fullmatch(line.text):
            return
        self._lines.append(line)
        self._held += len(line.text)
        self._quoted = ends_quoted(line.text, self.delimiter, self._quoted)
        too_long = len(self._lines) > LINES or self._held > LONGEST
        if too_long or not self._quoted:
            yield from self.end()

    def end(self) -> Iterator[Item]:
        """End the record. Generates what is left of it."""
        lines = self._lines
        quoted = self._quoted
        self._lines = []
        self._held = 0
        self._quoted = False
        if quoted:
            yield lines[0].error("a quote in this record is never closed")
        elif lines:
            joined = Joined(lines)
            fields = split_record(joined.text, self.delimiter, COLUMNS)
            yield attempt(self._read, Record(joined, fields))

    def _read(self, record: Record[AnyLine]) -> Puzzle:
        """Read a record. Raises PuzzleError if it is no puzzle."""
        columns = self.columns
        field = record.field(columns.question, "question")
        puzzle, question = self.read_question(record, field)
        source = f"{self.source.name}:{record.lines.lines[0].number}"
        puzzle = replace(puzzle, source=source, rating=record.rating(columns.rating))
        if columns.answer is None or not record.text(columns.answer):
            return puzzle
        field = record.field(columns.answer, "answer")
        return replace(puzzle, answer=self.read_answer(record, field, puzzle, question))
