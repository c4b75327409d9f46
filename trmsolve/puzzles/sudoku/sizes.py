"""Reads Sudokus of other sizes than 9 x 9: where their cells are, and which digits these are.

A Sudoku of n x n cells is n rows of n cells, or n * n characters on one line. Digits above 9 are
letters or numbers. Whatever could be something else is none: every row has the same shape, and a
line says by a sign for a blank other than 0 that it is no number.

All functions take folded text, see ``cells.look``. This module does not know which lines stand
together, nor which digits may meet.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from trmsolve.puzzles.reading.signs import FILLER, QUOTE
from trmsolve.puzzles.sudoku import cells
from trmsolve.puzzles.sudoku.board import SIDES, SYMBOLS, USUAL, Board, board_of
from trmsolve.puzzles.sudoku.cells import (
    LONGEST_ROW,
    SEPARATORS,
    Kind,
    Problem,
    Spans,
    find_fields,
    single,
)

OTHER_SIDES = tuple(side for side in SIDES if side != USUAL.side)
"""The sides of the boards that this module reads."""

UNKNOWN_SIDES = (25,)
"""Sides of Sudokus that are recognised, and of which there is no board."""

WIDE_SIDES = tuple(side for side in OTHER_SIDES if side > USUAL.side)

_FROM_ZERO = "0123456789ABCDEF"
_BLANK = re.compile(r"([._*xX0-])\1?|0\.0+|NaN|nan|null|NULL|None|N/A|")
_WORD = re.compile(rf"{_BLANK.pattern}|\d\d?(?:\.0+)?|[A-Za-z]")
_NOTHING_BEHIND_POINT = re.compile(r"(?<=\d)\.0+$")
_SIGNS_OF_CELLS = frozenset("0123456789._*-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_TOKEN = re.compile(rf"[^{re.escape(''.join(sorted(SEPARATORS)))}]+")
_FRAMED = re.compile(rf"[\s{FILLER}{QUOTE}]*([|│┃║].*[|│┃║])[\s{FILLER}{QUOTE}]*")
_PART = re.compile(r"[^|│┃║]+")
_BAR = re.compile(r"[|│┃║]")
_COVER = str.maketrans("", "", FILLER + QUOTE)
_CELL = "\0"


Frame = tuple[int, ...]
"""The columns of the bars of a row, or nothing."""


class Layout(NamedTuple):
    """How cells stand in a part of a frame, in characters."""

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


# The width, the gap and the margin of parts with several cells.
_LAYOUTS = ((1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 0), (2, 1, 1))


def no_board(side: int) -> str:
    """Say that there is no board of that side."""
    sides = ", ".join(map(str, SIDES[:-1]))
    return f"a Sudoku of {side} x {side}; sizes are {sides} and {SIDES[-1]}"


# Where cells are


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
    if side not in OTHER_SIDES or not _is_asked(bare) or not _has_sign(bare):
        return []
    start = text.index(bare)
    return [(begin + start, end + start) for begin, end in sized_cells(bare)]


def sized_cells(text: str) -> Spans:
    """Find the cells of a field that its column calls a Sudoku: its blanks may be zeros.

    It is n x n digits of the board and blanks, or n rows of n cells.
    """
    side = line_side(text)
    if side in OTHER_SIDES:
        digits = Digits.of(side, text)
        known = all(digits.value(char) is not None for char in text)
        return single(range(len(text))) if known else []
    rows = text.split("\n")
    found = rows_cells(rows, len(rows)) if len(rows) in OTHER_SIDES else []
    at: list[tuple[int, int]] = []
    begin = 0
    for row, cells_of_row in zip(rows, found, strict=False):
        at += [(start + begin, stop + begin) for start, stop in cells_of_row]
        begin += len(row) + 1
    return at


def _is_asked(text: str) -> bool:
    """Tell whether there is a clue in a text."""
    return bool(re.search("[1-9A-Ga-g]", text))


def _has_sign(text: str) -> bool:
    """Tell whether a text has a sign for a blank that is no digit."""
    return not set("._*-").isdisjoint(text)


def line_problem(text: str) -> Problem:
    """Say why a line is no Sudoku of any size, and where; see ``cells.line_problem``."""
    start, stop = cells.attempt_span(text)
    if not line_side(text[start:stop]):
        return cells.line_problem(text)
    problem, place = _line_problem(text[start:stop])
    return problem, start + place


def _line_problem(text: str) -> Problem:
    """Say why a text of n x n characters is no Sudoku, and where."""
    side = line_side(text)
    if side in UNKNOWN_SIDES:
        return no_board(side), 0
    digits = Digits.of(side, text)
    for index, char in enumerate(text):
        if digits.value(char) is None:
            return digits.wrong(char), index
    size = board_of(side).size
    if not _is_asked(text):
        return f"a Sudoku of {size} without a clue", 0
    if not _has_sign(text):
        problem = f"{len(text)} digits; a Sudoku of {size} on one line has '.' for each blank"
        return problem, 0
    return f"a Sudoku of {size} beside other text; write it on a line of its own", 0


def rows_cells(texts: Sequence[str], side: int) -> list[Spans]:
    """Find the cells of rows, ``side`` in each. The list is empty unless all have one shape."""
    if any(len(text) > LONGEST_ROW for text in texts):
        return []
    for find in (_solid_cells, _word_cells, _field_cells):
        found = [find(text, side) for text in texts]
        if all(found) and len(set(map(_shape, texts, found))) == 1:
            return in_columns(texts, found)
    return _framed_cells(texts, side)


@lru_cache
def _usual_digits(side: int) -> "Digits":
    """The digits of a board where 0 is a blank."""
    return Digits(board_of(side))


def is_word(text: str) -> bool:
    """Tell whether a word may be one cell: a digit, a letter, a number, or a blank."""
    return bool(_WORD.fullmatch(text.strip()))


def is_blank(text: str) -> bool:
    """Tell whether a cell is a blank, if 0 is one."""
    return bool(_BLANK.fullmatch(text.strip()))


def kind_of(text: str) -> Kind:
    """Tell the kind of a line that is no puzzle by itself, see ``cells.kind_of``."""
    kind = cells.kind_of(text)
    return "wide" if kind in ("attempt", "title") and _is_wide_row(text) else kind


def frame_of(text: str) -> Frame:
    """Find the columns of the bars of a row. A row with fewer than two has no frame."""
    columns = tuple([match.start() for match in _BAR.finditer(text)])
    return columns if len(columns) > 1 else ()


def _is_wide_row(text: str) -> bool:
    """Tell whether a line is a row of a board with numbers or letters, and no header 1, 2, 3.

    Each cell is a word, or the row stands between bars: else it could be a name.
    """
    if len(text) > LONGEST_ROW:
        return False
    for side in WIDE_SIDES:
        at = _word_cells(text, side) or _field_cells(text, side)
        if not at and _FRAMED.fullmatch(text):
            at = next(iter(rows_cells([text], side)), [])
        digits = _usual_digits(side)
        values = [digits.value(text[start:stop]) for start, stop in at]
        if None in values:
            continue
        if 0 in values or (len(set(values)) == side and values != list(range(1, side + 1))):
            return True
    return False


def _solid_cells(text: str, side: int) -> Spans:
    """Find so many cells of one character, with any separators between them."""
    at = [i for i, char in enumerate(text) if char not in SEPARATORS]
    if len(at) != side or not _SIGNS_OF_CELLS.issuperset([text[i] for i in at]):
        return []
    return single(at)


def _word_cells(text: str, side: int) -> Spans:
    """Find so many cells that are words, such as 12."""
    words = list(_TOKEN.finditer(text))
    if len(words) != side or not all(_WORD.fullmatch(word[0]) for word in words):
        return []
    return [word.span() for word in words]


def _field_cells(text: str, side: int) -> Spans:
    """Find so many cells between delimiters; an empty one is a blank."""
    return find_fields(text, side, is_word)


def _shape(text: str, at: Spans) -> str:
    """What stands around the cells of a row, without the widths of spaces."""
    pieces: list[str] = []
    end = 0
    for start, stop in at:
        pieces += text[end:start], _CELL
        end = stop
    around = "".join([*pieces, text[end:]]).translate(_COVER)
    return " ".join(around.split()).strip(",; ")


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
        found = [_laid_out(row, layout) for row in parts]
        if all(map(_fits, texts, parts, found)):
            return found
    return []


def _layouts(
    texts: Sequence[str], parts: list[list[tuple[int, int]]], number: int, length: int
) -> list[Layout]:
    """List how so many cells may stand in parts of that length."""
    if number > 1:
        layouts = [Layout(number, *layout) for layout in _LAYOUTS]
        return [layout for layout in layouts if layout.length == length]
    inner = [
        text[start:stop] for text, row in zip(texts, parts, strict=True) for start, stop in row
    ]
    filled = [part for part in inner if part.strip()]
    before = min([len(part) - len(part.lstrip()) for part in filled], default=0)
    behind = min([len(part) - len(part.rstrip()) for part in filled], default=0)
    return [Layout(1, length - before - behind, 0, before)]


def _laid_out(parts: Sequence[tuple[int, int]], layout: Layout) -> Spans:
    """The cells of the parts of a row."""
    at: list[tuple[int, int]] = []
    for start, _ in parts:
        for nth in range(layout.number):
            first = start + layout.margin + nth * (layout.width + layout.gap)
            at.append((first, first + layout.width))
    return at


def _fits(text: str, parts: Sequence[tuple[int, int]], at: Spans) -> bool:
    """Tell whether every cell is a word or blank, and only spaces stand beside it in its part."""
    inside = "".join([text[start:stop] for start, stop in parts]).replace(" ", "")
    words = [text[start:stop].strip(" ") for start, stop in at]
    return "".join(words) == inside and all(map(_WORD.fullmatch, words))


# Which digits they are


@dataclass(frozen=True)
class Digits:
    """How the digits of a Sudoku are written."""

    board: Board

    from_zero: bool = False
    """Whether 0 is the first digit, and not a blank."""

    @classmethod
    def of(cls, side: int, words: Iterable[str]) -> "Digits":
        """Tell how the digits are written from all cells.

        0 is a digit beside another sign for a blank, if then all digits have their signs.
        """
        signs = {word.strip().upper() for word in words}
        others = [sign for sign in signs if sign != "0" and _BLANK.fullmatch(sign)]
        from_zero = (
            side in WIDE_SIDES
            and "0" in signs
            and bool(others)
            and SYMBOLS[side] not in signs
            and all(len(sign) == 1 for sign in signs)
        )
        return cls(board_of(side), from_zero)

    @cached_property
    def values(self) -> dict[str, int]:
        """What every way to write a digit means."""
        values = {char: value for value, char in enumerate(self.symbols, 1)}
        if not self.from_zero:
            for value in range(1, self.board.side + 1):
                values |= {str(value): value, f"{value:02}": value}
        return values | {sign.lower(): value for sign, value in values.items()}

    @property
    def symbols(self) -> str:
        """The digits as one character each."""
        return _FROM_ZERO[: self.board.side] if self.from_zero else self.board.digits

    def value(self, word: str) -> int | None:
        """The digit that a cell is, 0 for a blank, None for what is neither."""
        bare = _NOTHING_BEHIND_POINT.sub("", word.strip())
        value = self.values.get(bare)
        return 0 if value is None and _BLANK.fullmatch(bare) else value

    def wrong(self, word: str) -> str:
        """Say that a cell is no digit of the board."""
        return f"{word.strip()!r} in a Sudoku of {self.board.size}; its digits are {self.symbols}"

    def signs(self, written: Sequence[str], numbers: bool) -> tuple[str, ...]:
        """How digits are written like those of cells, each as wide as they are.

        With ``numbers``, digits above 9 are numbers where the cells do not show otherwise.
        """
        given = [cell for cell in written if self.value(cell)]
        joined = "".join(given)
        letters = [char for char in joined if char.isalpha()]
        signs = list(self.symbols)
        if any(len(cell.strip()) > 1 for cell in given) or (numbers and not letters):
            filled = 2 if any(cell.strip().startswith("0") for cell in given) else 1
            signs = [str(value).zfill(filled) for value in range(1, self.board.side + 1)]
        elif letters and all(map(str.islower, letters)):
            signs = [sign.lower() for sign in signs]
        widths = {len(cell) for cell in written}
        width = max(widths)
        if any(cell.endswith(" ") for cell in given):
            return tuple([sign.ljust(width) for sign in signs])
        if len(widths) == 1 or any(cell.startswith(" ") for cell in given):
            return tuple([sign.rjust(width) for sign in signs])
        return tuple(signs)
