"""Finds the columns of a CSV of puzzles, and the fields of its records with their places.

The standard library's ``csv`` is of no use here: errors need the place of each field in the file,
which it does not tell, and it refuses fields of more than 131,072 characters, less than the largest
mazes have.

This module knows fields. It does not know what a puzzle is: the readers say which fields of the
first record hold one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trmsolve.errors import PuzzleError

DELIMITERS = ",;\t"

LOST = "; if a spreadsheet dropped zeros at the front, export its column as text"
"""What may have happened to a puzzle of digits that is too short."""

_ROUNDED = "a spreadsheet has rounded the puzzle to {!r}; export it again with its column as text"
_EXPONENT = re.compile(r"[1-9](?:[.,][0-9]+)?[eE]\+?([0-9]{2,3})\b")
_RATING = re.compile(r"-?[0-9]{1,9}")


class Field(NamedTuple):
    """A field of a record."""

    start: int
    """The index in the record at which the text begins, behind the quote if there is one."""

    text: str
    """The text, without the quotes around it."""

    tail: str = ""
    """What follows the closing quote, up to the next delimiter."""


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


def split_record(record: str, delimiter: str, most: int | None = None) -> list[Field]:
    """Split a record into its fields, at most ``most`` of them.

    A quote opens only at the start of a field. Two quotes inside quotes stand for one.
    """
    fields: list[Field] = []
    for field in _split(record, delimiter):
        fields.append(field)
        if len(fields) == most:
            break
    return fields


def ends_quoted(line: str, delimiter: str, quoted: bool = False) -> bool:
    """Tell whether a line ends inside quotes, given whether it begins there."""
    at = 0
    while True:
        if quoted or line.startswith('"', at):
            first = at if quoted else at + 1
            at = _find_closing(line, first) + 1
            if not at:
                return True
            quoted = False
        at = line.find(delimiter, at) + 1
        if not at:
            return False


def get_field(fields: Sequence[Field], index: int, name: str, line: int) -> Field:
    """Return the field of a column. Raises PuzzleError if the record in this line lacks it."""
    if index < len(fields):
        return fields[index]
    plural = "s" if len(fields) != 1 else ""
    size = f"{len(fields)} column{plural}"
    problem = f"{size}; the {name} is expected in column {index + 1}"
    raise PuzzleError(problem, "", line)


def has_text(fields: Sequence[Field], index: int | None) -> bool:
    """Tell whether the record has a column and anything in it but blanks."""
    if index is None or index >= len(fields):
        return False
    return bool(fields[index].text.strip())


def get_rating(fields: Sequence[Field], index: int | None) -> int | None:
    """Return the rating, if the record has one that is a whole number."""
    if index is None or index >= len(fields):
        return None
    text = fields[index].text.strip()
    return int(text) if _RATING.fullmatch(text) else None


def rounded(text: str, least: int = 10) -> tuple[str, int] | None:
    """Find a number that a spreadsheet has made of a puzzle, such as ``4.3E+78``.

    ``least`` is the smallest exponent that such a puzzle leaves. Returns what is wrong, and at
    which index.
    """
    for match in _EXPONENT.finditer(text):
        if int(match[1]) >= least:
            return _ROUNDED.format(match[0]), match.start()
    return None


def _split(record: str, delimiter: str) -> Iterator[Field]:
    """Generate the fields of a record."""
    at = 0
    while True:
        start = at
        text = None
        if record.startswith('"', at):
            start = at + 1
            at = _find_closing(record, start)
            if at < 0:
                yield Field(start, record[start:].replace('""', '"'))
                return
            text = record[start:at].replace('""', '"')
            at += 1
        stop = record.find(delimiter, at)
        rest = record[at:stop] if stop >= 0 else record[at:]
        yield Field(start, rest) if text is None else Field(start, text, rest)
        if stop < 0:
            return
        at = stop + 1


def _find_closing(text: str, at: int) -> int:
    """Find the quote that closes a field. Returns -1 if there is none."""
    while True:
        at = text.find('"', at)
        if at < 0 or not text.startswith('""', at):
            return at
        at += 2
