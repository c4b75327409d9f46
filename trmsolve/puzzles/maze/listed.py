"""Finds mazes in lists and objects: lists of rows, each a string or a list of one sign a cell.

``start`` and ``goal``, or words like these, may stand beside the rows with a row and a column that
count from 0. This module knows the shapes of lists. It does not know what the signs mean.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from trmsolve.puzzles.maze.form import LEAST, Marks
from trmsolve.puzzles.reading.literals import Listing, Word, listings, parse
from trmsolve.puzzles.reading.places import Joined, Line

_STARTS = ("start", "begin", "entrance", "src", "source")
_GOALS = ("goal", "end", "exit", "finish", "target", "dst")
_NAMES = {"True": "1", "true": "1", "False": "0", "false": "0"}


def find_mazes(joined: Joined[Line], marks: Marks) -> Iterator[tuple[list[Line], Marks]]:
    """Generate the rows of every maze in a list that stands on these lines, and its marks."""
    listing = parse(joined.text)
    if listing is None:
        return
    marks = _find_ends(listing, marks)
    for part in listings(listing):
        places = [_find_row(item) for item in part.items]
        rows = [_make_row(joined, words) for words in places if words]
        if len(rows) == len(places) >= LEAST and min(len(row.text) for row in rows) >= LEAST:
            yield rows, marks


def _find_row(item: Word | Listing) -> list[Word]:
    """Find the signs of a row: the characters of a string, or words of one character."""
    if isinstance(item, Word):
        signs = enumerate(item.text) if item.quoted else ()
        return [Word(sign, item.start + i) for i, sign in signs]
    words = [inner for inner in item.items if isinstance(inner, Word)]
    words = [word._replace(text=_NAMES.get(word.text, word.text)) for word in words]
    alike = len(words) == len(item.items) and all(len(word.text) == 1 for word in words)
    return words if alike else []


def _make_row(joined: Joined[Line], words: Sequence[Word]) -> Line:
    """Make a row of signs, with their places in the file."""
    number, first = joined.find(words[0].start)
    line = joined.lines[number]
    columns = [line.column(first + word.start - words[0].start) for word in words]
    return Line(line.number, "".join(word.text for word in words), columns)


def _find_ends(listing: Listing, marks: Marks) -> Marks:
    """Add the ends that are named in an object, where the user names none."""
    for part in listings(listing):
        for name, value in zip(part.items, part.items[1:], strict=False):
            if not isinstance(name, Word) or not isinstance(value, Listing):
                continue
            numbers = [_number(item) for item in value.items]
            if len(numbers) != 2 or min(numbers) < 0:
                continue
            place = (numbers[0], numbers[1])
            if name.text.lower() in _STARTS and marks.start is None:
                marks = replace(marks, start=place)
            elif name.text.lower() in _GOALS and marks.goal is None:
                marks = replace(marks, goal=place)
    return marks


def _number(item: Word | Listing) -> int:
    """The number that a word is, or -1."""
    if isinstance(item, Listing) or not item.text.isdecimal() or len(item.text) > 4:
        return -1
    return int(item.text)
