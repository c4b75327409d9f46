"""Tells the kind of a line that is no puzzle by itself.

All functions take the folded text of a line, see ``signs.look``.
"""

import re
from typing import Literal

from trmsolve.puzzles.reading.signs import FILLER, QUOTE
from trmsolve.puzzles.sudoku.cells import COMMENT, LONGEST_ROW, RULE, find_candidates, row_cells
from trmsolve.puzzles.sudoku.signs import DIGITS, LONG_RUN, SEPARATORS, marks_of
from trmsolve.puzzles.sudoku.sizes import is_wide_row

Kind = Literal["blank", "fence", "comment", "section", "title", "rule", "row", "wide", "attempt"]
"""A ``wide`` line is a row of more than nine cells, an ``attempt`` a damaged puzzle on a line."""

_KINDS: dict[Kind, re.Pattern[str]] = {
    # Nothing but decoration, a fence of Markdown, or a tag of XML.
    "fence": re.compile(
        rf"[\s{FILLER}]*|\s*[`~]{{3,}}\s*\w*|\s*<[^\d\s<>][^<>]*>[^<>]*(?:</[^<>]*>)?\s*"
    ),
    "comment": COMMENT,
    "section": re.compile(r"\s*\[\s*[^\W\d]\w*\s*\]\s*"),
    "rule": RULE,
}
_TITLE = re.compile(r"[\s\"',;]*(?![xX]{2})(?:[^\W\d_]{2,}|[^\W\d_xX]\w*[\"',;\t]).*")
# A row of 12 x 12 or 16 x 16, where letters are digits too.
_LARGE_ROW = re.compile(
    r"(?=.*[0-9._*-])[\s|]*(?:[0-9A-Pa-p._*-][\s|]*){12}(?:(?:[0-9A-Pa-p._*-][\s|]*){4})?"
)
_ROW_MARKS = 18  # more than two rows' worth of cells is nobody's row


def kind_of(text: str) -> Kind:
    """Tell the kind of a line that is no puzzle by itself."""
    kind = _kind_of(text)
    return "wide" if kind in ("attempt", "title") and is_wide_row(text) else kind


def _kind_of(text: str) -> Kind:
    """Tell the kind of a line, as far as rows of nine tell it."""
    bare = text.lstrip(QUOTE)
    if not bare.strip():
        return "rule" if row_cells(text) else "blank"  # nine spaces may be an empty row
    for kind, pattern in _KINDS.items():
        if pattern.fullmatch(bare):
            return kind
    if row_cells(text) or (len(text) <= LONGEST_ROW and _LARGE_ROW.fullmatch(text)):
        return "row"
    long_run = LONG_RUN.search(text)
    if _TITLE.fullmatch(text) or _is_wordy(text):
        return "attempt" if long_run and not set(DIGITS).isdisjoint(long_run[0]) else "title"
    marks = sum(char not in SEPARATORS for char in text)
    return "attempt" if marks > _ROW_MARKS and find_candidates(text) is None else "row"


def _is_wordy(text: str) -> bool:
    """Tell whether most of the characters of a line are letters, and few are cells."""
    letters = sum(char.isalpha() and char not in "xX" for char in text)
    return letters > len(marks_of(text))
