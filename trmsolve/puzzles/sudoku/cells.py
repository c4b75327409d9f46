"""One line of a Sudoku text: what kind of line it is, where its cells are, and what is wrong with it where.

Knows every way to write nine cells or whole puzzles on a line. Does not know the lines around it,
nor which digits may meet.
"""

import re
from collections.abc import Sequence
from typing import Literal

from trmsolve.puzzles.reading.lines import undecoded

DIGITS, BLANKS = "123456789", ".0_*xX-"
CELLS = frozenset(DIGITS + BLANKS)
SHAPE = "a Sudoku is 81 cells on one line or 9 rows of 9"

Problem = tuple[str, int]  # what is wrong, and at which index of the text

_SEPARATORS = frozenset(
    " \t\xa0|+=:,;'\"[]" + "".join(map(chr, range(0x2500, 0x2580)))
)  # the last are box drawing
_CANDIDATES = "these are candidate lists (pencil marks); give only the placed digits, and '.' for every open cell"

_CELL = "1-9.0_*xX-"  # the cells but for the space, inside a character class
_BOUND = (
    ",;:\t\"'"  # what may stand around 81 cells whose blanks are spaces, inside a character class
)
_RUN = re.compile(
    rf"(?<![{_CELL}])[{_CELL}]{{81}}(?![{_CELL}])"  # a longer or shorter run is no puzzle
    rf"|(?<![^{_BOUND}])[1-9 ]{{81}}(?![^{_BOUND}])"
)
_LONG_INDEX = re.compile(r"\s*([0-9]{8,19})(?![\w.])")
_LONG_RUN = re.compile(rf"[{_CELL}]{{20,}}")  # longer than numbers, ratings and dates
_SPACED_RUN = re.compile(r"[1-9][1-9 ]{58,}[1-9]")
_SOLID = re.compile(
    rf"[{_CELL}]{{28,}}"
)  # cells that are spread over a line come in groups of 27 at most

_NUMBERED = r"\s*(?:\d{1,7}[:).,;]?\s+|\d{1,7}[:),;])?"  # an index such as "12: " before the cells
_ATTEMPT = re.compile(_NUMBERED + r"([^\s,;#]{19,})")
_PART, _TOKEN = re.compile(r"[^|│┃║]+"), re.compile(r"[^\s|│┃║]+")
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


def kind_of(text: str) -> Kind:
    """What a line is that is no puzzle by itself."""
    if not text.strip():
        return "rule" if row_cells(text) else "blank"  # nine spaces may be an empty row
    too_long = sum(char not in _SEPARATORS for char in text) > 18 and not candidates(text)
    usual: Kind = (
        "attempt" if too_long else "row"
    )  # more than two rows' worth of cells is nobody's row
    return next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(text)), usual)


def is_line(text: str) -> bool:
    """Whether these are 81 cells and nothing else.

    Spaces are cells only where nothing else stands for a blank.
    """
    return len(text) == 81 and (CELLS.issuperset(text) or not text.strip(DIGITS + " "))


def line_runs(text: str) -> list[Sequence[int]]:
    """Where the 81 cells of every puzzle of a line are, in order; an empty list if no puzzle is on it.

    A puzzle is a run of exactly 81 cells, whatever stands around it, or all 81 cells of a line with
    separators between.
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
        if (
            len(inner) == 81 or " " in inner
        ):  # spaces at the ends alone may stand around a shorter run
            runs.append(range(*match.span()))
    if runs:
        return runs
    at = [i for i, char in enumerate(text) if char in CELLS]
    spread = len(at) == 81 and not (_SOLID.search(text) or foreign(text) or candidates(text))
    return [at] if spread else []


def beside_problem(text: str, runs: Sequence[Sequence[int]]) -> Problem | None:
    """What beside the puzzles of a line may be a damaged puzzle or its number, and where; None if nothing is.

    Indices of up to 7 digits, ratings, words and, behind a ``#``, anything may stand there.
    """
    if index := _LONG_INDEX.match(text, 0, runs[0][0]):
        return f"{len(index[1])} digits before the puzzle; a row number has at most 7", index.start(
            1
        )
    starts = [0, *(run[-1] + 1 for run in runs)]
    stops = [*(run[0] for run in runs), len(text)]
    for start, stop in zip(starts, stops, strict=True):
        between = text[start:stop].partition("#")[0]
        for match in _LONG_RUN.finditer(between):
            if any(char in "0123456789" for char in match[0]):  # else it is a line for the eye
                place = start + min(match.end(), match.start() + 81)
                return f"{count(len(match[0]), 'cell')} beside a puzzle; {SHAPE}", place
        if spaced := _SPACED_RUN.search(between):
            problem = "digits and spaces beside a puzzle; if they are a puzzle, write blanks as '.'"
            return problem, start + spaced.start()
    return None


def _is_rule(text: str) -> bool:
    """Whether a long line is a rule, and not puzzles without a clue."""
    return bool(_KINDS["rule"].fullmatch(text)) and not CELLS.union(" ,;\t").issuperset(text)


def row_cells(text: str) -> list[int] | None:
    """Where the nine cells of a row are.

    Spaces are cells only where nothing else stands for a blank.

    Such a row is in one, three or nine parts, ``| 1 3|  5|7  |``, their cells side by side or with
    spaces between.
    """
    marks = [i for i, char in enumerate(text) if char in CELLS]
    if len(marks) == 9 or not set(BLANKS).isdisjoint(text):
        return marks if len(marks) == 9 else None
    for margin in (0, 1):  # without outer bars the outer spaces may lack
        padded = text.center(len(text) + 2 * margin)
        parts = [match.span() for match in _PART.finditer(padded)]
        size = {1: 9, 3: 3, 9: 1}.get(len(parts), 0)
        at: list[int] = []
        for start, stop in parts:
            if stop - start == size:
                at += range(start - margin, stop - margin)
            elif stop - start in (2 * size - 1, 2 * size + 1):
                at += range(start - margin + (stop - start > 2 * size), stop - margin, 2)
        inside = len(at) == 9 and at[0] >= 0 and at[-1] < len(text)
        if inside and set(marks) <= set(at) and all(text[i] in DIGITS + " " for i in at):
            return at
    return None


def candidates(text: str) -> Problem | None:
    """Cells of several digits, as in ``{12} 3 67 | ...`` or in nine lists of growing digits."""
    if brace := _BRACE.search(text):
        return _CANDIDATES, brace.start()
    tokens = list(_TOKEN.finditer(text))
    lists = [token for token in tokens if len(token[0]) > 1]
    if (
        len(tokens) == 9
        and lists
        and all(t[0].isdecimal() and list(t[0]) == sorted(set(t[0])) for t in lists)
    ):
        return _CANDIDATES, lists[0].start()
    return None


def foreign(text: str, start: int = 0, stop: int | None = None) -> Problem | None:
    """The first character that belongs to no drawing of a Sudoku."""
    for index, char in enumerate(text[start:stop], start):
        if char not in CELLS and char not in _SEPARATORS:
            shown = repr(char) if char.isprintable() else f"U+{ord(char):04X}"
            cells = f"a cell is a digit 1-9 or a blank (one of {' '.join(BLANKS)} or a space)"
            return undecoded(char) or f"wrong character {shown}; {cells}", index
    return None


def line_problem(text: str) -> Problem:
    """Why a line is not 81 cells, and where."""
    match = _ATTEMPT.match(text)
    start, stop = match.span(1) if match else (0, len(text))
    solid = not text.strip(DIGITS + " ")
    at = [i for i in range(start, stop) if text[i] in CELLS or solid]
    return foreign(text, start, stop) or (
        f"{count(len(at), 'cell')}; {SHAPE}",
        [*at, stop][min(len(at), 81)],
    )


def count(number: int, thing: str) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{number} {thing}{'s' * (number != 1)}"
