"""Finds the cells of a Sudoku of 9 x 9 on a line: nine of a row, or 81.

All functions take the folded text of a line, see ``signs.look``. This module knows every way to
write nine cells or whole puzzles on a line. It does not know the lines around it, nor which digits
may meet.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from trmsolve.puzzles.reading.fields import split_record
from trmsolve.puzzles.reading.signs import FILLER, QUOTE
from trmsolve.puzzles.sudoku.signs import (
    BLANKS,
    CELL_CLASS,
    CELLS,
    DIGITS,
    SEPARATORS,
    Spans,
    is_spaced,
    marks_of,
    shifted,
    single,
)

SHORTEST_ROW = 8
LONGEST_ROW = 1000
"""The fewest and the most characters of a line that is one row of a grid."""

COMMENT = re.compile(r"\s*(?:#|//).*")
RULE = re.compile(r"[-*_=+|\s─-╿]*|(?=.*(?:--|==|──|══))[-*_=+|\s─-╿.:,'`]*")
"""A line for the eye. Dots, colons and quotes are corners only, as in ``.---.``."""

# What may stand around 81 cells whose blanks are spaces, inside a character class.
_BOUND = ",;:\t\"'" + FILLER + QUOTE
# A longer or shorter run is no puzzle. HoDoKu marks digits that a player has placed with a plus.
_RUN = re.compile(
    rf"(?<![{CELL_CLASS}])(?:[{CELL_CLASS}]|\+[1-9]){{81}}(?![{CELL_CLASS}])"
    rf"|(?<![^{_BOUND}])[1-9 ]{{81}}(?![^{_BOUND}])"
)
# Cells that are spread over a line come in groups of 27 at most.
_SOLID = re.compile(rf"[{CELL_CLASS}]{{28,}}")
_FIELD = re.compile(r"\s*(?:[1-9](?:\.0+)?|[0._*xX-]?|0\.0+|NaN|nan|null|NULL|None|N/A)\s*")
_LABEL = re.compile(
    rf"[\s{FILLER}{QUOTE}]*"
    r"(?:(?:row|r|line)?\s?(?:[a-j]|\d\d?)(?:\s?[:)|=│┃║]|\.(?=\s))|[a-j]\s|\d\d?\s+(?=\S{9}\s*$))",
    re.IGNORECASE,
)
_REMARK = re.compile(r"\s+(?=[^\W\d_]{2}|#|//|--\s|;|\(|!)")
_PART = re.compile(r"[^|│┃║]+")
_TOKEN = re.compile(r"[^\s|│┃║]+")
_BRACE = re.compile(r"[{(<]\s*[1-9]{2,9}\s*[})>]")
_PART_SIZES = {1: 9, 3: 3, 9: 1}  # cells of a part, by the number of parts


class Layout(NamedTuple):
    """How cells stand in a part of a row between bars, in characters."""

    number: int
    """How many cells a part has."""

    width: int
    """The width of a cell."""

    gap: int
    """What is between two cells."""

    margin: int
    """What is in front of the first cell and behind the last one."""

    @property
    def length(self) -> int:
        """The length of the part."""
        return self.number * (self.width + self.gap) - self.gap + 2 * self.margin

    def cells(self, start: int) -> Spans:
        """The cells of a part that begins there."""
        step = self.width + self.gap
        first = start + self.margin
        begins = range(first, first + self.number * step, step)
        return [(begin, begin + self.width) for begin in begins]


# The width, the gap and the margin of parts with several cells.
_LAYOUTS = ((1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 0), (2, 1, 1))


@lru_cache
def layouts_of(number: int, length: int) -> list[Layout]:
    """List how so many cells may stand in parts of that length."""
    layouts = [Layout(number, *layout) for layout in _LAYOUTS]
    return [layout for layout in layouts if layout.length == length]


def is_line(text: str) -> bool:
    """Tell whether the text is 81 cells and nothing else.

    Spaces are cells only where nothing else stands for a blank.
    """
    if len(text) != 81:
        return False
    return CELLS.issuperset(text) or is_spaced(text)


def is_cell(word: str) -> bool:
    """Tell whether a word is one cell: a digit, also as ``5.0``, a blank, ``null`` or nothing."""
    return bool(_FIELD.fullmatch(word))


def line_runs(text: str) -> list[Spans]:
    """Find where the 81 cells of every puzzle of a line are, in order.

    A puzzle is a run of exactly 81 cells, whatever stands around it, or all 81 cells of a line with
    separators between them. The list is empty if no puzzle is on the line.
    """
    if len(text) < 80:
        return []
    if is_line(text):
        return [single(range(81))]
    maybe_cells = CELLS.union(" ,;\t").issuperset(text)
    if COMMENT.fullmatch(text) or (RULE.fullmatch(text) and not maybe_cells):
        return []
    runs: list[Spans] = []
    for match in _RUN.finditer(text):
        inner = match[0].strip()
        # Spaces at the ends alone may stand around a shorter run.
        if len(inner.replace("+", "")) == 81 or " " in inner:
            runs.append(single(i for i in range(*match.span()) if text[i] != "+"))
    return runs or _spread_run(text)


def _spread_run(text: str) -> list[Spans]:
    """Find the one puzzle whose cells have separators between them."""
    fields = find_fields(text, 81)
    if fields:
        has_empty = any(start == stop for start, stop in fields)
        end = text[fields[-1][1] :]
        # One delimiter too many shifts empty cells.
        return [] if has_empty and not set(",;\t").isdisjoint(end) else [fields]
    at = lone_cells(text, 81)
    return [] if not at or _SOLID.search(text) or find_candidates(text) is not None else [at]


def lone_cells(text: str, number: int, signs: frozenset[str] = CELLS) -> Spans:
    """Find so many cells of one of the signs, with any separators around them."""
    at = [i for i, char in enumerate(text) if char not in SEPARATORS]
    alike = len(at) == number and signs.issuperset([text[i] for i in at])
    return single(at) if alike else []


def find_fields(text: str, number: int, is_cell: Callable[[str], bool] = is_cell) -> Spans:
    """Find so many cells between the delimiters of a CSV; one more may end the line."""
    for delimiter in ",;\t":
        if not number - 1 <= text.count(delimiter) <= number:
            continue
        covered = len(text) - len(text.lstrip(FILLER + QUOTE))
        fields = split_record(text[covered:], delimiter)
        if len(fields) == number + 1 and not fields[-1].text.strip():
            fields.pop()
        words = [field.whole for field in fields]
        if len(fields) == number and all(map(is_cell, words)):
            return [_trim(field.start + covered, field.text) for field in fields]
    return []


def _trim(start: int, text: str) -> tuple[int, int]:
    """The span of a word without the spaces around it."""
    bare = text.strip()
    start += text.index(bare)
    return start, start + len(bare)


def row_cells(text: str) -> Spans:
    """Find where the nine cells of a row are, in front of a remark and behind a label."""
    if not SHORTEST_ROW <= len(text) <= LONGEST_ROW:
        return []
    return next((at for at in _rows_in(text) if at), [])


def has_label(text: str) -> bool:
    """Tell whether the row of a line needs its first characters to be a label."""
    label = _LABEL.match(text)
    if not label or _row_at(text, 0, len(text)):
        return False
    at = row_cells(text)
    return bool(at) and at[0][0] >= label.end()


def _rows_in(text: str) -> Iterator[Spans]:
    """Generate the nine cells of the line as a whole, then those without label or remark."""
    length = len(text)
    label = _LABEL.match(text)
    remark = _REMARK.search(text, label.end() if label else 0)
    yield _row_at(text, 0, length)
    if label:
        yield _row_at(text, label.end(), length)
    if remark:
        yield _row_at(text, 0, remark.start())
    if label and remark:
        yield _row_at(text, label.end(), remark.start())


def _row_at(text: str, start: int, stop: int) -> Spans:
    """Find the nine cells between two places.

    Spaces are cells only where nothing else stands for a blank. Such a row is in one, three or nine
    parts, as in ``| 1 3|  5|7  |``. The cells of a part stand side by side or with spaces between
    them.
    """
    return shifted(_row_of(text[start:stop]), start)


def _row_of(text: str) -> Spans:
    cells = lone_cells(text, 9) or find_fields(text, 9)
    marks = marks_of(text)
    if cells or len(marks) > 9 or not set(BLANKS).isdisjoint(text):
        return cells
    covered = len(text) - len(text.lstrip(FILLER + QUOTE))
    indented = len(text) - len(text.lstrip(FILLER + QUOTE + " "))
    for indent in (covered, indented):
        for margin in (0, 1):  # the outer spaces may lack where there are no outer bars
            at = shifted(_part_cells(text[indent:], margin), indent)
            inside = len(at) == 9 and at[0][0] >= indent and at[-1][1] <= len(text)
            if not inside or not set(at).issuperset(single(marks)):
                continue
            if all(text[start] in DIGITS + " " for start, _ in at):
                return at
    return []


def _part_cells(text: str, margin: int) -> Spans:
    """Find the cells of a row in parts, with a margin of spaces put around it."""
    padded = text.center(len(text) + 2 * margin)
    parts = [match.span() for match in _PART.finditer(padded)]
    size = _PART_SIZES.get(len(parts), 0)
    at: list[tuple[int, int]] = []
    for start, stop in parts:
        layouts = [layout for layout in layouts_of(size, stop - start) if layout.width == 1]
        at += layouts[0].cells(start - margin) if layouts else []
    return at


def tabled_cells(text: str) -> Spans:
    """Find the ten cells of a row with its number, or of a header of nine numbers and a corner."""
    return find_fields(text, 10) or lone_cells(text, 10)


def find_candidates(text: str) -> int | None:
    """Find where cells of several digits are, as in ``{12} 3 67 | ...`` or in nine growing lists.

    Returns None if there are none.
    """
    brace = _BRACE.search(text)
    if brace:
        return brace.start()
    tokens = list(_TOKEN.finditer(text))
    lists = [token for token in tokens if len(token[0]) > 1]
    if len(tokens) == 9 and lists and all(_is_growing(token[0]) for token in lists):
        return lists[0].start()
    return None


def _is_growing(token: str) -> bool:
    """Tell whether a token is digits in growing order."""
    return token.isdecimal() and list(token) == sorted(set(token))
