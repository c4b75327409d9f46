"""The signs of a Sudoku text, and how a line is folded to them.

This module knows characters. It does not know which of them are the cells of a puzzle.
"""

import re
from collections.abc import Iterable, Sequence

from trmsolve.puzzles.reading.signs import FILLER, QUOTE, Text, look_at

DIGITS = "123456789"
BLANKS = ".0_*xX-"
CELLS = frozenset(DIGITS + BLANKS)
_BOX_DRAWING = "".join(map(chr, range(0x2500, 0x2580)))
SEPARATORS = frozenset(" \t|+=:,;'\"[](){}<>" + FILLER + QUOTE + _BOX_DRAWING)
CELL_CLASS = "1-9.0_*xX-"
"""The cells but for the space, inside a character class of a regular expression."""

SHAPE = "a Sudoku is 81 cells on one line or 9 rows of 9"
FORMATS = "docs/formats.md"

Problem = tuple[str, int]
"""What is wrong, and at which index of the text."""

Spans = Sequence[tuple[int, int]]
"""Where cells begin and end in a text. A cell may be a longer word, or nothing between commas."""

LONG_RUN = re.compile(rf"[{CELL_CLASS}]{{20,}}")
"""Longer than numbers, ratings and dates."""

# Other signs for a blank, which become dots in the folded text.
_SIGNS = str.maketrans(dict.fromkeys("?·•∙⋅∘◦○●◯□▢◻◽▫■◼⬜⬛・‧␣", "."))
# Nothing but digits and # with what may part them: elsewhere # begins a comment.
_HASHES = re.compile(rf"[1-9#|,\s{FILLER}{QUOTE}]*")
_KSUDOKU = re.compile(r"(?<=<values>)[_b-j]{81}(?=<)")
_KSUDOKU_DIGITS = str.maketrans("bcdefghij", DIGITS)


def look(line: str) -> Text:
    """Fold a line of a file: every sign for a blank is one of ``BLANKS`` or a space."""
    text = look_at(line)
    folded = text.folded
    if "?" in folded or not folded.isascii():
        folded = folded.translate(_SIGNS)
    if "#" in folded and _HASHES.fullmatch(folded):
        dotted = folded.replace("#", ".")
        if len(marks_of(dotted)) in (9, 81):
            folded = dotted
    if "<values>" in folded:
        folded = _KSUDOKU.sub(lambda match: match[0].translate(_KSUDOKU_DIGITS), folded)
    return text._replace(folded=folded)


def marks_of(text: str) -> list[int]:
    """List where the characters are that may be cells, spaces aside."""
    return [i for i, char in enumerate(text) if char in CELLS]


def is_spaced(text: str) -> bool:
    """Tell whether the text is digits and spaces alone."""
    return not text.strip(DIGITS + " ")


def single(indices: Iterable[int]) -> Spans:
    """The spans of cells of one character each."""
    return [(i, i + 1) for i in indices]


def shifted(at: Spans, by: int) -> Spans:
    """The spans of cells in a text that begins so many characters further on."""
    return [(start + by, stop + by) for start, stop in at]
