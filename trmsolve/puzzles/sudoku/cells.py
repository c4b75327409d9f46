"""Reads one line of a Sudoku text: its kind, where its cells are, and what is wrong with it where.

All functions take the folded text of a line, see ``look``. This module knows every way to write
nine cells or whole puzzles on a line. It does not know the lines around it, nor which digits may
meet.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from trmsolve.puzzles.reading.lines import undecoded
from trmsolve.puzzles.reading.signs import FILLER, QUOTE, Text, look_at
from trmsolve.puzzles.reading.table import LOST, rounded, split_record

LEAST_EXPONENT = 59
"""The exponent of a Sudoku of which a spreadsheet has made a number, without up to 21 zeros."""

DIGITS = "123456789"
BLANKS = ".0_*xX-"
CELLS = frozenset(DIGITS + BLANKS)
SHAPE = "a Sudoku is 81 cells on one line or 9 rows of 9"
FORMATS = "docs/formats.md"
LONGEST_ROW = 1000
"""The most characters of a line that is one row of a grid."""

Problem = tuple[str, int]
"""What is wrong, and at which index of the text."""

Spans = Sequence[tuple[int, int]]
"""Where cells begin and end in a text. A cell may be a longer word, or nothing between commas."""

# Other signs for a blank, which become dots in the folded text.
_SIGNS = str.maketrans(dict.fromkeys("?·•∙⋅∘◦○●◯□▢◻◽▫■◼⬜⬛・‧␣", "."))
_HASHES = re.compile(rf"[1-9#|,\s{FILLER}{QUOTE}]*")
_KSUDOKU = re.compile(r"(?<=<values>)[_b-j]{81}(?=<)")
_KSUDOKU_DIGITS = str.maketrans("bcdefghij", DIGITS)

_BOX_DRAWING = "".join(map(chr, range(0x2500, 0x2580)))
SEPARATORS = frozenset(" \t|+=:,;'\"[](){}<>" + FILLER + QUOTE + _BOX_DRAWING)
_CANDIDATES = (
    "these are candidate lists (pencil marks); "
    "give only the placed digits, and '.' for every open cell"
)
_SPACED = "digits and spaces beside a puzzle; if they are a puzzle too, write blanks as '.'"

# The cells but for the space, inside a character class.
_CELL = "1-9.0_*xX-"
# What may stand around 81 cells whose blanks are spaces, inside a character class.
_BOUND = ",;:\t\"'" + FILLER + QUOTE
# A longer or shorter run is no puzzle. HoDoKu marks digits that a player has placed with a plus.
_RUN = re.compile(
    rf"(?<![{_CELL}])(?:[{_CELL}]|\+[1-9]){{81}}(?![{_CELL}])"
    rf"|(?<![^{_BOUND}])[1-9 ]{{81}}(?![^{_BOUND}])"
)
_LONG_INDEX = re.compile(r"\s*([0-9]{8,19})(?![\w.])")
# Longer than numbers, ratings and dates.
_LONG_RUN = re.compile(rf"[{_CELL}]{{20,}}")
_SPACED_RUN = re.compile(r"[1-9][1-9 ]{58,}[1-9]")
# Cells that are spread over a line come in groups of 27 at most.
_SOLID = re.compile(rf"[{_CELL}]{{28,}}")
_FIELD = re.compile(r"\s*(?:[1-9](?:\.0+)?|[0._*xX-]?|0\.0+|NaN|nan|null|NULL|None|N/A)\s*")

# An index such as "12: " before the cells.
_NUMBERED = r"\s*(?:\d{1,7}[:).,;]?\s+|\d{1,7}[:),;])?"
_ATTEMPT = re.compile(_NUMBERED + r"([^\s,;#]{19,})")
_LABEL = re.compile(
    rf"[\s{FILLER}{QUOTE}]*"
    r"(?:(?:row|r|line)?\s?(?:[a-j]|\d\d?)(?:\s?[:)|=│┃║]|\.(?=\s))|[a-j]\s|\d\d?\s+(?=\S{9}\s*$))",
    re.IGNORECASE,
)
_REMARK = re.compile(r"\s+(?=[^\W\d_]{2}|#|//|--\s|;|\(|!)")
_PART = re.compile(r"[^|│┃║]+")
_TOKEN = re.compile(r"[^\s|│┃║]+")
_BRACE = re.compile(r"[{(<]\s*[1-9]{2,9}\s*[})>]")

Kind = Literal["blank", "fence", "comment", "section", "title", "rule", "row", "wide", "attempt"]
COMMENT = re.compile(r"\s*(?:#|//).*")
_KINDS: dict[Kind, re.Pattern[str]] = {
    # Nothing but decoration, a fence of Markdown, or a tag of XML.
    "fence": re.compile(
        rf"[\s{FILLER}]*|\s*[`~]{{3,}}\s*\w*|\s*<[^\d\s<>][^<>]*>[^<>]*(?:</[^<>]*>)?\s*"
    ),
    "comment": COMMENT,
    "section": re.compile(r"\s*\[\s*[^\W\d]\w*\s*\]\s*"),
    # Dots, colons and quotes are corners only: .---. and :---: but not a row of dots.
    "rule": re.compile(r"[-*_=+|\s─-╿]*|(?=.*(?:--|==|──|══))[-*_=+|\s─-╿.:,'`]*"),
}
_TITLE = re.compile(r"[\s\"',;]*(?![xX]{2})(?:[^\W\d_]{2,}|[^\W\d_xX]\w*[\"',;\t]).*")
# A row of 12 x 12 or 16 x 16, where letters are digits too.
_LARGE_ROW = re.compile(
    r"(?=.*[0-9._*-])[\s|]*(?:[0-9A-Pa-p._*-][\s|]*){12}(?:(?:[0-9A-Pa-p._*-][\s|]*){4})?"
)
_ROW_MARKS = 18  # more than two rows' worth of cells is nobody's row
_PART_SIZES = {1: 9, 3: 3, 9: 1}  # cells of a part, by the number of parts


def look(line: str) -> Text:
    """Fold a line of a file: every sign for a blank is one of ``BLANKS`` or a space."""
    text = look_at(line)
    folded = text.folded
    if "?" in folded or not folded.isascii():
        folded = folded.translate(_SIGNS)
    if "#" in folded and _HASHES.fullmatch(folded):
        dotted = folded.replace("#", ".")
        if len(_marks(dotted)) in (9, 81):
            folded = dotted
    if "<values>" in folded:
        folded = _KSUDOKU.sub(lambda match: match[0].translate(_KSUDOKU_DIGITS), folded)
    return text._replace(folded=folded)


def kind_of(text: str) -> Kind:
    """Tell the kind of a line that is no puzzle by itself."""
    bare = text.lstrip(QUOTE)
    if not bare.strip():
        return "rule" if row_cells(text) else "blank"  # nine spaces may be an empty row
    for kind, pattern in _KINDS.items():
        if pattern.fullmatch(bare):
            return kind
    if row_cells(text) or (len(text) <= LONGEST_ROW and _LARGE_ROW.fullmatch(text)):
        return "row"
    long_run = _LONG_RUN.search(text)
    if _TITLE.fullmatch(text) or _is_wordy(text):
        return "attempt" if long_run and not set(DIGITS).isdisjoint(long_run[0]) else "title"
    marks = sum(char not in SEPARATORS for char in text)
    return "attempt" if marks > _ROW_MARKS and not candidates(text) else "row"


def _is_wordy(text: str) -> bool:
    """Tell whether most of the characters of a line are letters, and few are cells."""
    letters = sum(char.isalpha() and char not in "xX" for char in text)
    return letters > len(_marks(text))


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


def _marks(text: str) -> list[int]:
    """List where the characters are that may be cells, spaces aside."""
    return [i for i, char in enumerate(text) if char in CELLS]


def single(indices: Iterable[int]) -> Spans:
    """The spans of cells of one character each."""
    return [(i, i + 1) for i in indices]


def is_cell(word: str) -> bool:
    """Tell whether a word is one cell: a digit, also as ``5.0``, a blank, ``null`` or nothing."""
    return bool(_FIELD.fullmatch(word))


def cell_of(word: str) -> str:
    """The digit of a cell as it is written, or a blank."""
    digit = word.strip()[:1]
    return digit if digit and digit in DIGITS else "."


def line_runs(text: str) -> list[Spans]:
    """Find where the 81 cells of every puzzle of a line are, in order.

    A puzzle is a run of exactly 81 cells, whatever stands around it, or all 81 cells of a line with
    separators between them. The list is empty if no puzzle is on the line.
    """
    if len(text) < 80:
        return []
    if is_line(text):
        return [single(range(81))]
    if COMMENT.fullmatch(text) or _is_rule(text):
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
        return [fields]
    at = _marks(text)
    if len(at) != 81 or _SOLID.search(text) or foreign(text) or candidates(text):
        return []
    return [single(at)]


def find_fields(text: str, number: int, is_cell: Callable[[str], bool] = is_cell) -> Spans:
    """Find so many cells between the delimiters of a CSV; one more may end the line."""
    for delimiter in ",;\t":
        if not number - 1 <= text.count(delimiter) <= number:
            continue
        covered = len(text) - len(text.lstrip(FILLER + QUOTE))
        fields = split_record(text[covered:], delimiter)
        if len(fields) == number + 1 and not fields[-1].text.strip():
            fields.pop()
        words = [field.text + field.tail for field in fields]
        if len(fields) == number and all(map(is_cell, words)):
            return [_trim(field.start + covered, field.text) for field in fields]
    return []


def _trim(start: int, text: str) -> tuple[int, int]:
    """The span of a word without the spaces around it."""
    bare = text.strip()
    start += text.index(bare)
    return start, start + len(bare)


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
    for match in _LONG_RUN.finditer(text):
        if not any(char in "0123456789" for char in match[0]):
            continue  # it is a line for the eye
        place = min(match.end(), match.start() + 81)
        return f"{_told(match[0])} beside a puzzle; {SHAPE}", place
    spaced = _SPACED_RUN.search(text)
    return (_SPACED, spaced.start()) if spaced else rounded(text, LEAST_EXPONENT)


def _is_rule(text: str) -> bool:
    """Tell whether a long line is a rule, and not puzzles without a clue."""
    if CELLS.union(" ,;\t").issuperset(text):
        return False
    return bool(_KINDS["rule"].fullmatch(text))


def row_cells(text: str) -> Spans:
    """Find where the nine cells of a row are, in front of a remark and behind a label."""
    if len(text) > LONGEST_ROW:
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
    text = text[start:stop]
    at = _row_of(text)
    return [(begin + start, end + start) for begin, end in at]


def _row_of(text: str) -> Spans:
    marks = _marks(text)
    if len(marks) == 9 and not foreign(text):
        return single(marks)
    fields = find_fields(text, 9)
    if fields or len(marks) > 9 or not set(BLANKS).isdisjoint(text):
        return fields
    covered = len(text) - len(text.lstrip(FILLER + QUOTE))
    indented = len(text) - len(text.lstrip(FILLER + QUOTE + " "))
    for indent in (covered, indented):
        for margin in (0, 1):  # the outer spaces may lack where there are no outer bars
            at = [i + indent for i in _part_cells(text[indent:], margin)]
            inside = len(at) == 9 and at[0] >= indent and at[-1] < len(text)
            if not inside or not set(at).issuperset(marks):
                continue
            if all(text[i] in DIGITS + " " for i in at):
                return single(at)
    return []


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


def tabled_cells(text: str) -> Spans:
    """Find the ten cells of a row with its number, or of a header of nine numbers and a corner."""
    fields = find_fields(text, 10)
    if fields:
        return fields
    marks = _marks(text)
    return single(marks) if len(marks) == 10 and not foreign(text) else []


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
        if char in CELLS or char in SEPARATORS:
            continue
        shown = repr(char) if char.isprintable() else f"U+{ord(char):04X}"
        blanks = " ".join(BLANKS)
        cells = f"a cell is a digit 1-9 or a blank (one of {blanks} ? or a space); see {FORMATS}"
        return undecoded(char) or f"wrong character {shown}; {cells}", index
    return None


def attempt_span(text: str) -> tuple[int, int]:
    """Where in a line a puzzle stands that could not be read: behind its number, if it has one."""
    match = _ATTEMPT.match(text)
    return match.span(1) if match else (0, len(text))


def line_problem(text: str) -> Problem:
    """Say why a line is not 81 cells, and where."""
    match = _ATTEMPT.match(text)
    start, stop = attempt_span(text)
    wrong = rounded(text) or foreign(text, start, stop)
    run = _LONG_RUN.search(text)
    if run and not match:
        start, stop = run.span()
        wrong = rounded(text)
    if wrong:
        return wrong
    at = cells_between(text, start, stop)
    place = [*at, stop][min(len(at), 81)]
    cells = "".join(text[i] for i in at)
    return f"{_told(cells)}; {SHAPE}", place


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
    solid = spaces and _is_spaced(text)
    return [i for i in range(start, stop) if solid or text[i] in CELLS]


def count(number: int, thing: str) -> str:
    """Write a number of things: ``1 cell``, ``2 cells``."""
    plural = "" if number == 1 else "s"
    return f"{number} {thing}{plural}"
