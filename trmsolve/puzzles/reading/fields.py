"""Splits the records of a CSV into fields, and names what a spreadsheet has spoilt.

The standard library's ``csv`` is of no use here: errors need the place of each field in the file,
which it does not tell, and it refuses fields of more than 131,072 characters, less than the largest
mazes have.

This module knows fields. It does not know what a puzzle is.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

LOST = "; if a spreadsheet dropped zeros at the front, export its column as text"
"""What may have happened to a puzzle of digits that is too short."""

ANY_EXPONENT = range(10, 1000)
"""The exponents of numbers that a spreadsheet has rounded, of any puzzle."""

_ROUNDED = "a spreadsheet has rounded the puzzle to {!r}; export it again with its column as text"
_EXPONENT = re.compile(r"[1-9](?:[.,][0-9]+)?[eE]\+?([0-9]{2,3})\b")


class Field(NamedTuple):
    """A field of a record."""

    start: int
    """The index in the record at which the text begins, behind the quote if there is one."""

    text: str
    """The text, without the quotes around it."""

    tail: str = ""
    """What follows the closing quote, up to the next delimiter."""

    @property
    def whole(self) -> str:
        """The text and what follows it."""
        return self.text + self.tail


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


def rounded(text: str, exponents: range = ANY_EXPONENT) -> tuple[str, int] | None:
    """Find a number that a spreadsheet has made of a puzzle, such as ``4.3E+78``.

    ``exponents`` are those that such a puzzle leaves. Returns what is wrong, and at which index.
    """
    for match in _EXPONENT.finditer(text):
        if int(match[1]) in exponents:
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
