"""Says what is wrong with a line of a Sudoku text, and where.

All functions take the folded text of a line, see ``signs.look``.
"""

import re
from collections.abc import Sequence

from trmsolve.puzzles.reading.fields import LOST, rounded
from trmsolve.puzzles.reading.lines import undecoded
from trmsolve.puzzles.sudoku.board import board_of
from trmsolve.puzzles.sudoku.cells import find_candidates
from trmsolve.puzzles.sudoku.digits import Digits
from trmsolve.puzzles.sudoku.signs import (
    BLANKS,
    CELLS,
    FORMATS,
    LONG_RUN,
    SEPARATORS,
    SHAPE,
    Problem,
    Spans,
    is_spaced,
)
from trmsolve.puzzles.sudoku.sizes import UNKNOWN_SIDES, has_sign, is_asked, line_side, no_board
from trmsolve.wording import count

EXPONENTS = range(59, 81)
"""The exponents of a Sudoku of which a spreadsheet has made a number, without up to 21 zeros."""

_CANDIDATES = (
    "these are candidate lists (pencil marks); "
    "give only the placed digits, and '.' for every open cell"
)
_SPACED = "digits and spaces beside a puzzle; if they are a puzzle too, write blanks as '.'"
_LONG_INDEX = re.compile(r"\s*([0-9]{8,19})(?![\w.])")
_SPACED_RUN = re.compile(r"[1-9][1-9 ]{58,}[1-9]")
# An index such as "12: " before the cells.
_NUMBERED = r"\s*(?:\d{1,7}[:).,;]?\s+|\d{1,7}[:),;])?"
_ATTEMPT = re.compile(_NUMBERED + r"([^\s,;#]{19,})")


def candidates_problem(text: str) -> Problem | None:
    """Find cells of several digits."""
    place = find_candidates(text)
    return None if place is None else (_CANDIDATES, place)


def foreign(text: str, start: int = 0, stop: int | None = None) -> Problem | None:
    """Find the first character that belongs to no drawing of a Sudoku."""
    for index, char in enumerate(text[start:stop], start):
        if char in CELLS or char in SEPARATORS:
            continue
        shown = repr(char) if char.isprintable() else f"U+{ord(char):04X}"
        blanks = " ".join(BLANKS)
        cells = f"a cell is a digit 1-9 or a blank (one of {blanks} ? or a space); see {FORMATS}"
        return undecoded(char) or f"wrong character {shown}; {cells}", index
    return None


def beside_problem(text: str, runs: Sequence[Spans]) -> Problem | None:
    """Find what stands beside the puzzles of a line and may be a damaged puzzle or its number.

    Indices of up to 7 digits, ratings and words may stand there, and anything behind a ``#``.
    """
    first = runs[0][0][0]
    index = _LONG_INDEX.match(text, 0, first)
    if index:
        problem = f"{len(index[1])} digits before the puzzle; a row number has at most 7"
        return problem, index.start(1)
    starts = [0, *(run[-1][1] for run in runs)]
    stops = [*(run[0][0] for run in runs), len(text)]
    for start, stop in zip(starts, stops, strict=True):
        between = text[start:stop].partition("#")[0]
        problem_there = _between_problem(between)
        if problem_there:
            problem, place = problem_there
            return problem, start + place
    return None


def _between_problem(text: str) -> Problem | None:
    """Find what may be a damaged puzzle in the text beside puzzles."""
    for match in LONG_RUN.finditer(text):
        if not any(char in "0123456789" for char in match[0]):
            continue  # it is a line for the eye
        place = min(match.end(), match.start() + 81)
        return f"{_told(match[0])} beside a puzzle; {SHAPE}", place
    spaced = _SPACED_RUN.search(text)
    return (_SPACED, spaced.start()) if spaced else rounded(text, EXPONENTS)


def line_problem(text: str) -> Problem:
    """Say why a line is no Sudoku of any size, and where."""
    match = _ATTEMPT.match(text)
    start, stop = match.span(1) if match else (0, len(text))
    if line_side(text[start:stop]):
        problem, place = _problem_of_other_size(text[start:stop])
        return problem, start + place
    run = LONG_RUN.search(text)
    if run and not match:
        start, stop = run.span()
    wrong = rounded(text) or foreign(text, start, stop)
    if wrong:
        return wrong
    at = cells_between(text, start, stop)
    place = [*at, stop][min(len(at), 81)]
    cells = "".join(text[i] for i in at)
    return f"{_told(cells)}; {SHAPE}", place


def _problem_of_other_size(text: str) -> Problem:
    """Say why a text of n x n characters is no Sudoku, and where."""
    side = line_side(text)
    if side in UNKNOWN_SIDES:
        return no_board(side), 0
    digits = Digits.of(side, text)
    for index, char in enumerate(text):
        if digits.value(char) is None:
            return digits.wrong(char), index
    size = board_of(side).size
    if not is_asked(text):
        return f"a Sudoku of {size} without a clue", 0
    if not has_sign(text):
        problem = f"{len(text)} digits; a Sudoku of {size} on one line has '.' for each blank"
        return problem, 0
    return f"a Sudoku of {size} beside other text; write it on a line of its own", 0


def _told(cells: str) -> str:
    """Say how many cells these are, and what may have happened to them."""
    said = count(len(cells), "cell")
    if len(cells) == 81:
        return f"{said} in several pieces"
    may_have_lost_zeros = 60 <= len(cells) < 81 and cells.isdecimal() and "0" in cells
    return said + LOST if may_have_lost_zeros else said


def cells_between(text: str, start: int, stop: int, spaces: bool = True) -> list[int]:
    """Find the characters that may be cells.

    With ``spaces``, spaces are among them if the whole text is digits and spaces.
    """
    solid = spaces and is_spaced(text)
    return [i for i in range(start, stop) if solid or text[i] in CELLS]
