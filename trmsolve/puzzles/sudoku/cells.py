"""Reads one line of a Sudoku text: its kind, where its cells are, and what is wrong with it where.

This module knows every way to write nine cells or whole puzzles on a line. It does not know the
lines around it, nor which digits may meet.
"""

import re
from collections.abc import Sequence
from typing import Literal

from trmsolve.puzzles.reading.lines import undecoded

DIGITS = "123456789"
BLANKS = ".0_*xX-"
CELLS = frozenset(DIGITS + BLANKS)
SHAPE = "a Sudoku is 81 cells on one line or 9 rows of 9"

Problem = tuple[str, int]
"""What is wrong, and at which index of the text."""

_BOX_DRAWING = "".join(map(chr, range(0x2500, 0x2580)))
_SEPARATORS = frozenset(" \t\xa0|+=:,;'\"[]" + _BOX_DRAWING)
_CANDIDATES = (
    "these are candidate lists (pencil marks); "
    "give only the placed digits, and '.' for every open cell"
)
_SPACED = "digits and spaces beside a puzzle; if they are a puzzle too, write blanks as '.'"

# The cells but for the space, inside a character class.
_CELL = "1-9.0_*xX-"
# What may stand around 81 cells whose blanks are spaces, inside a character class.
_BOUND = ",;:\t\"'"
# A longer or shorter run is no puzzle.
_RUN = re.compile(
    rf"(?<![{_CELL}])[{_CELL}]{{81}}(?![{_CELL}])|(?<![^{_BOUND}])[1-9 ]{{81}}(?![^{_BOUND}])"
)
_LONG_INDEX = re.compile(r"\s*([0-9]{8,19})(?![\w.])")
# Longer than numbers, ratings and dates.
_LONG_RUN = re.compile(rf"[{_CELL}]{{20,}}")
_SPACED_RUN = re.compile(r"[1-9][1-9 ]{58,}[1-9]")
# Cells that are spread over a line come in groups of 27 at most.
_SOLID = re.compile(rf"[{_CELL}]{{28,}}")

# An index such as "12: " before the cells.
_NUMBERED = r"\s*(?:\d{1,7}[:).,;]?\s+|\d{1,7}[:),;])?"
_ATTEMPT = re.compile(_NUMBERED + r"([^\s,;#]{19,})")
_PART = re.compile(r"[^|│┃║]+")
_TOKEN = re.compile(r"[^\s|│┃║]+")
_BRACE = re.compile(r"[{(<]\s*[1-9]")

Kind = Literal["blank", "comment", "section", "title", "rule", "row", "attempt"]
COMMENT = re.compile(r"\s*(?:#|//).*")
_KINDS: dict[Kind, re.Pattern[str]] = {
    "comment": COMMENT,
    "section": re.compile(r"\s*\[\s*[^\W\d]\w*\s*\]\s*"),
    "title": re.compile(r"[\s\"',;]*(?![xX]{2})(?:[^\W\d_]{2,}|[^\W\d_xX]\w*[\"',;\t]).*"),
    # Dots, colons and quotes are corners only: .---. and :---: but not a row of dots.
    "rule": re.compile(r"[-*_=+|\s─-╿]*|(?=.*(?:--|==|──|══))[-*_=+|\s─-╿.:,'`]*"),
}
_ROW_MARKS = 18  # more than two rows' worth of cells is nobody's row
_PART_SIZES = {1: 9, 3: 3, 9: 1}  # cells of a part, by the number of parts


def kind_of(text: str) -> Kind:
    """Tell the kind of a line that is no puzzle by itself."""
    if not text.strip():
        return "rule" if row_cells(text) else "blank"  # nine spaces may be an empty row
    for kind, pattern in _KINDS.items():
        if pattern.fullmatch(text):
            return kind
    marks = sum(char not in _SEPARATORS for char in text)
    return "attempt" if marks > _ROW_MARKS and not candidates(text) else "row"


def is_line(text: str) -> bool:
    """Tell whether the text is 81 cells and nothing else.

    Spaces are cells only where nothing else stands for a blank.
    """
    if len(text) != 81:
        return False
    return CELLS.issuperset(text) or _is_spaced(text)


def _is_spaced(text: str) -> bool:
    """Tell whether the text is digits and spaces alone."""
    return not text.strip(DIGITS + " ")


def line_runs(text: str) -> list[Sequence[int]]:
    """Find where the 81 cells of every puzzle of a line are, in order.

    A puzzle is a run of exactly 81 cells, whatever stands around it, or all 81 cells of a line with
    separators between them. The list is empty if no puzzle is on the line.
    """
    if len(text) < 81:
        return []
    if is_line(text):
        return [range(81)]
    if COMMENT.fullmatch(text) or _is_rule(text):
        return []
    runs: list[Sequence[int]] = []
    for match in _RUN.finditer(text):
        inner = match[0].strip()
        # Spaces at the ends alone may stand around a shorter run.
        if len(inner) == 81 or " " in inner:
            runs.append(range(*match.span()))
    return runs or _spread_run(text)


def _spread_run(text: str) -> list[Sequence[int]]:
    """Find the one puzzle whose cells have separators between them."""
    at = [i for i, char in enumerate(text) if char in CELLS]
    if len(at) != 81:
        return []
    if _SOLID.search(text) or foreign(text) or candidates(text):
        return []
    return [at]


def beside_problem(text: str, runs: Sequence[Sequence[int]]) -> Problem | None:
    """Find what stands beside the puzzles of a line and may be a damaged puzzle or its number.

    Indices of up to 7 digits, ratings and words may stand there, and anything behind a ``#``.
    """
    first = runs[0][0]
    index = _LONG_INDEX.match(text, 0, first)
    if index:
        problem = f"{len(index[1])} digits before the puzzle; a row number has at most 7"
        return problem, index.start(1)
    starts = [0, *(run[-1] + 1 for run in runs)]
    stops = [*(run[0] for run in runs), len(text)]
    for start, stop in zip(starts, stops, strict=True):
        between = text[start:stop].partition("#")[0]
        problem_there = _between_problem(between)
        if problem_there:
            problem, place = problem_there
            return problem, start + place
    return None


def _between_problem(text: str) -> Problem | None:
    """Find what may be a damaged puzzle in the text beside puzzles."""
    for match in _LONG_RUN.finditer(text):
        if not any(char in "0123456789" for char in match[0]):
            continue  # it is a line for the eye
        place = min(match.end(), match.start() + 81)
        return f"{count(len(match[0]), 'cell')} beside a puzzle; {SHAPE}", place
    spaced = _SPACED_RUN.search(text)
    return (_SPACED, spaced.start()) if spaced else None


def _is_rule(text: str) -> bool:
    """Tell whether a long line is a rule, and not puzzles without a clue."""
    if CELLS.union(" ,;\t").issuperset(text):
        return False
    return bool(_KINDS["rule"].fullmatch(text))


def row_cells(text: str) -> list[int] | None:
    """Find where the nine cells of a row are.

    Spaces are cells only where nothing else stands for a blank. Such a row is in one, three or nine
    parts, as in ``| 1 3|  5|7  |``. The cells of a part stand side by side or with spaces between
    them.
    """
    marks = [i for i, char in enumerate(text) if char in CELLS]
    if len(marks) == 9:
        return marks
    if not set(BLANKS).isdisjoint(text):
        return None
    for margin in (0, 1):  # the outer spaces may lack where there are no outer bars
        at = _part_cells(text, margin)
        inside = len(at) == 9 and at[0] >= 0 and at[-1] < len(text)
        if not inside or not set(at).issuperset(marks):
            continue
        if all(text[i] in DIGITS + " " for i in at):
            return at
    return None


def _part_cells(text: str, margin: int) -> list[int]:
    """Find the cells of a row in parts, with a margin of spaces put around it."""
    padded = text.center(len(text) + 2 * margin)
    parts = [match.span() for match in _PART.finditer(padded)]
    size = _PART_SIZES.get(len(parts), 0)
    at: list[int] = []
    for start, stop in parts:
        length = stop - start
        first = start - margin
        if length == size:
            at += range(first, stop - margin)
        elif length == 2 * size - 1:
            at += range(first, stop - margin, 2)
        elif length == 2 * size + 1:
            at += range(first + 1, stop - margin, 2)
    return at


def candidates(text: str) -> Problem | None:
    """Find cells of several digits, as in ``{12} 3 67 | ...`` or in nine growing lists."""
    brace = _BRACE.search(text)
    if brace:
        return _CANDIDATES, brace.start()
    tokens = list(_TOKEN.finditer(text))
    lists = [token for token in tokens if len(token[0]) > 1]
    if len(tokens) != 9 or not lists:
        return None
    if all(_is_growing(token[0]) for token in lists):
        return _CANDIDATES, lists[0].start()
    return None


def _is_growing(token: str) -> bool:
    """Tell whether a token is digits in growing order."""
    growing = sorted(set(token))
    return token.isdecimal() and list(token) == growing


def foreign(text: str, start: int = 0, stop: int | None = None) -> Problem | None:
    """Find the first character that belongs to no drawing of a Sudoku."""
    for index, char in enumerate(text[start:stop], start):
        if char in CELLS or char in _SEPARATORS:
            continue
        shown = repr(char) if char.isprintable() else f"U+{ord(char):04X}"
        blanks = " ".join(BLANKS)
        cells = f"a cell is a digit 1-9 or a blank (one of {blanks} or a space)"
        return undecoded(char) or f"wrong character {shown}; {cells}", index
    return None


def line_problem(text: str) -> Problem:
    """Say why a line is not 81 cells, and where."""
    match = _ATTEMPT.match(text)
    start, stop = match.span(1) if match else (0, len(text))
    wrong = foreign(text, start, stop)
    if wrong:
        return wrong
    at = cells_between(text, start, stop)
    place = [*at, stop][min(len(at), 81)]
    return f"{count(len(at), 'cell')}; {SHAPE}", place


def cells_between(text: str, start: int, stop: int, spaces: bool = True) -> list[int]:
    """Find the characters that may be cells.

    With ``spaces``, spaces are among them if the whole text is digits and spaces.
    """
    solid = spaces and _is_spaced(text)
    return [i for i in range(start, stop) if solid or text[i] in CELLS]


def count(number: int, thing: str) -> str:
    """Write a number of things: ``1 cell``, ``2 cells``."""
    plural = "" if number == 1 else "s"
    return f"{number} {thing}{plural}"
