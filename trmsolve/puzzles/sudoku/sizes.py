"""Finds the cells of Sudokus of other sizes than 9 x 9.

A Sudoku of n x n cells is n rows of n cells, or n * n characters on one line. Digits above 9 are
letters or numbers. Whatever could be something else is none: every row has the same shape, and a
line says by a sign for a blank other than 0 that it is no number.

All functions take folded text, see ``signs.look``. This module does not know which lines stand
together, nor which digits may meet.
"""

import math
import re
from collections.abc import Sequence
from itertools import chain

from trmsolve.puzzles.reading.signs import FILLER, QUOTE
from trmsolve.puzzles.sudoku.board import SIDES, USUAL
from trmsolve.puzzles.sudoku.cells import (
    LONGEST_ROW,
    Layout,
    find_fields,
    is_line,
    layouts_of,
    lone_cells,
    row_cells,
)
from trmsolve.puzzles.sudoku.digits import OTHER_SIDES, WIDE_SIDES, Digits, is_word, usual_digits
from trmsolve.puzzles.sudoku.signs import SEPARATORS, Spans, shifted, single

UNKNOWN_SIDES = (25,)
"""Sides of Sudokus that are recognised, and of which there is no board."""

_SIGNS_OF_CELLS = frozenset("0123456789._*-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_TOKEN = re.compile(rf"[^{re.escape(''.join(sorted(SEPARATORS)))}]+")
_FRAMED = re.compile(rf"[\s{FILLER}{QUOTE}]*([|│┃║].*[|│┃║])[\s{FILLER}{QUOTE}]*")
_PART = re.compile(r"[^|│┃║]+")
_BAR = re.compile(r"[|│┃║]")
_COVER = str.maketrans("", "", FILLER + QUOTE)
_CELL = "\0"

Frame = tuple[int, ...]
"""The columns of the bars of a row, or nothing."""


def no_board(side: int) -> str:
    """Say that there is no board of that side."""
    sides = ", ".join(map(str, SIDES[:-1]))
    return f"a Sudoku of {side} x {side}; sizes are {sides} and {SIDES[-1]}"


def line_side(text: str) -> int:
    """The side of the Sudoku that a text without spaces may be, 0 if it is none."""
    side = math.isqrt(len(text))
    known = side in OTHER_SIDES or side in UNKNOWN_SIDES
    return side if known and side * side == len(text) and _SIGNS_OF_CELLS.issuperset(text) else 0


def line_cells(text: str) -> Spans:
    """Find the cells of a Sudoku that is alone on its line, as characters.

    Nothing but digits of its board and blanks stands there. One of the blanks is no 0, else it
    could be a number. The list is empty if there is no such Sudoku.
    """
    bare = text.strip(" \t" + FILLER + QUOTE)
    side = line_side(bare)
    if side not in OTHER_SIDES or not is_asked(bare) or not has_sign(bare):
        return []
    return shifted(field_cells(bare), text.index(bare))


def field_cells(text: str) -> Spans:
    """Find the cells of a field that its column calls a Sudoku of any size.

    It is n x n digits of the board and blanks, which may be zeros, or n rows of n cells.
    """
    if is_line(text):
        return single(range(81))
    side = line_side(text)
    if side in OTHER_SIDES:
        digits = Digits.of(side, text)
        known = all(digits.value(char) is not None for char in text)
        return single(range(len(text))) if known else []
    rows = text.split("\n")
    found = cells_of_rows(rows, len(rows))
    at: list[tuple[int, int]] = []
    begin = 0
    for row, cells_of_row in zip(rows, found, strict=False):
        at += shifted(cells_of_row, begin)
        begin += len(row) + 1
    return at if all(found) else []


def cells_of_rows(rows: Sequence[str], side: int) -> list[Spans]:
    """Find the cells of rows of a Sudoku of any size. A row that is none has no cells."""
    if side == USUAL.side:
        return [row_cells(row) for row in rows]
    return rows_cells(rows, side) if side in OTHER_SIDES else []


def is_asked(text: str) -> bool:
    """Tell whether there is a clue in a text."""
    return bool(re.search("[1-9A-Ga-g]", text))


def has_sign(text: str) -> bool:
    """Tell whether a text has a sign for a blank that is no digit."""
    return not set("._*-").isdisjoint(text)


def rows_cells(texts: Sequence[str], side: int) -> list[Spans]:
    """Find the cells of rows, ``side`` in each. The list is empty unless all have one shape."""
    if any(len(text) > LONGEST_ROW for text in texts):
        return []
    for find in (_solid_cells, _word_cells, _field_cells):
        found = [find(text, side) for text in texts]
        if all(found) and _are_alike(texts, found):
            return in_columns(texts, found)
    return _framed_cells(texts, side)


def frame_of(text: str) -> Frame:
    """Find the columns of the bars of a row. A row with fewer than two has no frame."""
    columns = tuple([match.start() for match in _BAR.finditer(text)])
    return columns if len(columns) > 1 else ()


def is_wide_row(text: str) -> bool:
    """Tell whether a line is a row of a board with numbers or letters, and no header 1, 2, 3.

    Each cell is a word, or the row stands between bars: else it could be a name.
    """
    if len(text) > LONGEST_ROW:
        return False
    for side in WIDE_SIDES:
        at = _word_cells(text, side) or _field_cells(text, side)
        if not at and _FRAMED.fullmatch(text):
            at = next(iter(rows_cells([text], side)), [])
        digits = usual_digits(side)
        values = [digits.value(text[start:stop]) for start, stop in at]
        if None in values:
            continue
        if 0 in values or (len(set(values)) == side and values != list(range(1, side + 1))):
            return True
    return False


def _solid_cells(text: str, side: int) -> Spans:
    """Find so many cells of one character, with any separators between them."""
    return lone_cells(text, side, _SIGNS_OF_CELLS)


def _word_cells(text: str, side: int) -> Spans:
    """Find so many cells that are words, such as 12."""
    words = list(_TOKEN.finditer(text))
    if len(words) != side or not all(is_word(word[0]) for word in words):
        return []
    return [word.span() for word in words]


def _field_cells(text: str, side: int) -> Spans:
    """Find so many cells between delimiters; an empty one is a blank."""
    return find_fields(text, side, is_word)


def _are_alike(texts: Sequence[str], found: Sequence[Spans]) -> bool:
    """Tell whether the same stands around the cells of all rows, except for spaces.

    A delimiter may end any row, but one too many shifts empty cells.
    """
    has_empty = any(start == stop for at in found for start, stop in at)
    shapes = [_shape(text, at) for text, at in zip(texts, found, strict=True)]
    return len({shape if has_empty else shape.rstrip(",; ") for shape in shapes}) == 1


def _shape(text: str, at: Spans) -> str:
    """What stands around the cells of a row, without the widths of spaces."""
    pieces: list[str] = []
    end = 0
    for start, stop in at:
        pieces += text[end:start], _CELL
        end = stop
    around = "".join([*pieces, text[end:]]).translate(_COVER)
    return " ".join(around.split()).lstrip(",; ")


def in_columns(texts: Sequence[str], found: list[Spans]) -> list[Spans]:
    """Give all cells the width of the widest, if they stand in columns with spaces for it."""
    width = max(stop - start for at in found for start, stop in at)
    if width == 1:
        return found
    for widen in (_widen_to_left, _widen_to_right):
        wide = [widen(text, at, width) for text, at in zip(texts, found, strict=True)]
        columns = {tuple([start for start, _ in at]) for at in wide}
        if all(wide) and len(columns) == 1:
            return wide
    return found


def _widen_to_left(text: str, at: Spans, width: int) -> Spans:
    """Add to cells the spaces in front of them. Returns none if there are too few."""
    wide = [(stop - width, stop) for _, stop in at]
    added = [text[first:start] for (first, _), (start, _) in zip(wide, at, strict=True)]
    return [] if wide[0][0] < 0 or "".join(added).strip(" ") else wide


def _widen_to_right(text: str, at: Spans, width: int) -> Spans:
    """Add to cells the spaces behind them, which may lack at the end of the line."""
    wide = [(start, min(start + width, len(text))) for start, _ in at]
    added = [text[stop:last] for (_, last), (_, stop) in zip(wide, at, strict=True)]
    return [] if "".join(added).strip(" ") else wide


def _framed_cells(texts: Sequence[str], side: int) -> list[Spans]:
    """Find the cells of rows between bars, where spaces are blanks.

    All parts between bars have one length, in all rows.
    """
    parts: list[list[tuple[int, int]]] = []
    for text in texts:
        framed = _FRAMED.fullmatch(text)
        if not framed:
            return []
        parts.append([match.span() for match in _PART.finditer(text, *framed.span(1))])
    lengths = {stop - start for row in parts for start, stop in row}
    counts = {len(row) for row in parts}
    if len(lengths) != 1 or len(counts) != 1 or side % min(counts):
        return []
    for layout in _layouts(texts, parts, side // min(counts), min(lengths)):
        found = [_cells_in(row, layout) for row in parts]
        if all(map(_fits, texts, parts, found)):
            return found
    return []


def _cells_in(parts: Sequence[tuple[int, int]], layout: Layout) -> Spans:
    """The cells of the parts of a row."""
    starts = [start for start, _ in parts]
    return list(chain.from_iterable(map(layout.cells, starts)))


def _layouts(
    texts: Sequence[str], parts: list[list[tuple[int, int]]], number: int, length: int
) -> list[Layout]:
    """List how so many cells may stand in parts of that length."""
    if number > 1:
        return layouts_of(number, length)
    inner = [
        text[start:stop] for text, row in zip(texts, parts, strict=True) for start, stop in row
    ]
    filled = [part for part in inner if part.strip()]
    before = min([len(part) - len(part.lstrip()) for part in filled], default=0)
    behind = min([len(part) - len(part.rstrip()) for part in filled], default=0)
    return [Layout(1, length - before - behind, 0, before)]


def _fits(text: str, parts: Sequence[tuple[int, int]], at: Spans) -> bool:
    """Tell whether every cell is a word or blank, and only spaces stand beside it in its part."""
    inside = "".join([text[start:stop] for start, stop in parts]).replace(" ", "")
    words = [text[start:stop].strip(" ") for start, stop in at]
    return "".join(words) == inside and all(map(is_word, words))
