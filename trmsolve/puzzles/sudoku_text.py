"""Sudokus as text: every form people keep them in, told apart by content, read as a stream, written back as drawn.

Read are 81 cells on one line (.sdm), nine rows with or without a frame (.sdk, .ss, box drawing), and CSV with a header,
as UTF-8 or UTF-16, plain or gzipped. What cannot be read comes out as a ``PuzzleError`` in its place, the rest follows.
No more than one puzzle's text is held at a time, and a line that is a puzzle is handed on before the next is awaited.

Knows how a Sudoku is written and that equal clues may not clash. Does not know how one is solved, encoded or verified.
"""

import codecs
import csv
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, takewhile
from typing import BinaryIO, Literal, NamedTuple

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.base import Grid, Puzzle

CELL = "\0"  # a cell in a template; text cannot contain it, since NUL is refused as binary
LIMIT = 1 << 16  # characters of one line or one group, bytes of one read; no Sudoku needs a tenth of it
LINES = 1000  # lines of one group

_DIGITS, _BLANKS = "123456789", ".0_*xX-"
_CELLS = frozenset(_DIGITS + _BLANKS)
_SEPARATORS = frozenset(" \t\xa0|+=:,;'\"[]" + "".join(map(chr, range(0x2500, 0x2580))))  # the last are box drawing
_VALUES = str.maketrans(_DIGITS + _BLANKS + " ", "".join(map(chr, range(1, 10))) + "\0" * 8)
_INDEX = np.arange(81).reshape(9, 9)
_UNITS = np.concatenate([_INDEX, _INDEX.T, _INDEX.reshape(3, 3, 3, 3).swapaxes(1, 2).reshape(9, 9)])
_BITS = np.array([0] + [1 << digit for digit in range(1, 10)], np.int16)

_NUMBERED = r"\s*(?:\d+[:).,;]?\s+|\d+[:),;])?"  # an index such as "12: " before the cells
_ONE_LINE = re.compile(_NUMBERED + r"([1-9.0_*xX-]{81})(?:[\s,;#].*)?")
_ATTEMPT = re.compile(_NUMBERED + r"([^\s,;#]{19,})")
_PART, _TOKEN = re.compile(r"[^|│┃║]+"), re.compile(r"[^\s|│┃║]+")
_QUESTION = re.compile(r"(sudoku|puzzle|question|quiz|clue|problem|given|board|grid)(s|zes)?")
_ANSWER = re.compile(r"answer|solution|solved")
_BRACE = re.compile(r"[{(<]\s*[1-9]")

Kind = Literal["blank", "comment", "section", "title", "rule", "row", "attempt"]
_KINDS: dict[Kind, re.Pattern[str]] = {
    "comment": re.compile(r"\s*(?:#|//).*"),
    "section": re.compile(r"\s*\[\s*[^\W\d]\w*\s*\]\s*"),
    "title": re.compile(r"[\s\"',;]*(?![xX]{2})(?:[^\W\d_]{2,}|[^\W\d_xX]\w*[\"',;\t]).*"),
    # Dots, colons and quotes are corners only: .---. and :---: but not a row of dots.
    "rule": re.compile(r"[-*_=+|\s─-╿]*|(?=.*(?:--|==|──|══))[-*_=+|\s─-╿.:,'`]*"),
}

_MAGIC = {b"\x89PNG": "a PNG image", b"%PDF": "a PDF document", b"PK\x03\x04": "a zip archive or a spreadsheet"}
_SHAPE = "a Sudoku is 81 cells on one line or 9 rows of 9"
_SAVE = "save the puzzles as UTF-8 text"
_CANDIDATES = "these are candidate lists (pencil marks); give only the placed digits, and '.' for every open cell"

Item = Puzzle | PuzzleError
Problem = tuple[str, int]  # what is wrong, and at which index of the text
Table = tuple[str, int, int | None, int | None]  # of a CSV: delimiter; columns of question, answer and rating


@dataclass(frozen=True)
class TextForm:
    """How a puzzle was drawn: its lines with every cell replaced by ``CELL``, and the character of its blanks."""

    template: str = CELL * 81 + "\n"
    blank: str = "."


LINE = TextForm()


class _Line(NamedTuple):
    number: int
    text: str
    kind: Kind = "row"
    at: Sequence[int] = ()  # where in the text its cells are; a range is one unbroken run

    @property
    def drawn(self) -> bool:
        return self.kind in ("row", "rule")

    @property
    def cells(self) -> str:
        at = self.at
        return self.text[at.start : at.stop] if isinstance(at, range) else "".join([self.text[i] for i in at])

    @property
    def template(self) -> str:
        return "".join([CELL if i in self.at else char for i, char in enumerate(self.text)])


def read_sudokus(stream: BinaryIO, name: str) -> Iterator[Item]:
    """Every puzzle of a stream in order, each as soon as it is complete; ``name`` is what errors call the stream."""
    found = False
    try:
        for item in _Reader(name).read(_lines(stream)):
            found = True
            yield item if isinstance(item, Puzzle) else PuzzleError(item.problem, name, item.line, item.column)
    except PuzzleError as error:  # not text: nothing after it can be trusted
        yield PuzzleError(error.problem, name, error.line, error.column)
    else:
        if not found:
            yield PuzzleError(f"empty: no Sudoku in it; {_SHAPE}", name)


def write_sudoku(grid: Grid, form: TextForm) -> str:
    """The grid drawn as its puzzle was."""
    marks = form.blank + _DIGITS
    cells = (marks[value] for value in grid.ravel().tolist())
    return "".join([next(cells) if char == CELL else char for char in form.template])


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Line by line without line ends. One over the limit comes cut, as soon as it is over, and its rest is dropped."""
    rest, cut = "", False
    for text in _decoded(stream):
        *whole, rest = (rest + text).split("\n")
        yield from whole[1:] if cut else whole
        cut = cut and not whole
        if len(rest) > LIMIT:
            yield from [] if cut else [rest]
            rest, cut = "", True
    if rest and not cut:
        yield rest


def _decoded(stream: BinaryIO) -> Iterator[str]:
    """Text with ``\\n`` line ends. A byte that is not UTF-8 passes as a surrogate: it hurts its own line only."""
    read = getattr(stream, "read1", stream.read)  # read1 takes what a pipe has now, read would wait for a full chunk
    head, chunks = _peek(takewhile(bool, iter(lambda: read(LIMIT), None)))
    if what := _MAGIC.get(head[:4]):
        raise PuzzleError(f"not text: this is {what}; {_SAVE}")
    if head.startswith(b"\x1f\x8b"):
        head, chunks = _peek(_unzipped(chunks))
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    codec, errors = ("utf-16", "replace") if wide else ("utf-8-sig", "surrogateescape")
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(codec)(errors), translate=True)
    yield from map(decoder.decode, chunks)
    yield decoder.decode(b"", final=True)


def _peek(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """At least four bytes, if there are so many, and all chunks including them."""
    head = b""
    while len(head) < 4 and (chunk := next(chunks, None)) is not None:
        head += chunk
    return head, chain([head], chunks)


def _unzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Gzip members one after the other, never more than ``LIMIT`` bytes at once however well they were packed."""
    member = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            while chunk and not (member.eof and not chunk.strip(b"\0")):  # members may be padded with zeros
                if member.eof:
                    member = zlib.decompressobj(wbits=31)
                yield member.decompress(chunk, LIMIT)
                chunk = member.unused_data if member.eof else member.unconsumed_tail
    except zlib.error as error:
        raise PuzzleError("damaged gzip data; make or fetch the file again") from error
    if not member.eof:
        raise PuzzleError("the gzip data ends too early; make or fetch the file again")


class _Reader:
    """Gathers lines into groups and groups into puzzles; a line that is a puzzle by itself passes straight through."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.group: list[_Line] = []
        self.table: Table | None = None
        self.in_sections = self.skip_section = self.skip_group = False

    def read(self, lines: Iterable[str]) -> Iterator[Item]:
        """Every item of the lines, in order."""
        for number, text in enumerate(lines, 1):
            if CELL in text:
                raise _error(number, f"not text: a binary file, or UTF-16 without its mark; {_SAVE}")
            if len(text) > LIMIT:
                yield from self._end_group()
                yield _error(number, f"a line longer than {LIMIT} characters; {_SHAPE}")
            elif self.table or self._starts_table(text):
                if text.strip() and not _KINDS["comment"].fullmatch(text):
                    yield _attempt(_record, self.name, self.table, number, text)
            elif not self.skip_section and (at := _line_cells(text)) is not None:
                yield from self._end_group()
                self.skip_group = False
                yield _attempt(_puzzle, self.name, [_Line(number, text, at=at)])
            else:
                yield from self._gather(_Line(number, text, _kind(text)))
        yield from self._end_group()

    def _starts_table(self, text: str) -> bool:
        """Whether the line before was the header of a CSV and this is its first record."""
        if self.group and self.group[-1].kind == "title":
            self.table = _find_table(self.group[-1].text, text)
        if self.table:
            self.group = []
        return self.table is not None

    def _gather(self, line: _Line) -> Iterator[Item]:
        """A line that is no puzzle by itself: it opens, continues or ends a group."""
        kind, drawn = line.kind, [kept.kind for kept in self.group if kept.drawn]
        if kind == "blank":  # part of the drawing: it keeps the answers apart as the puzzles were
            self.group.append(line._replace(text=""))
        ends = kind == "attempt" or (kind in ("blank", "section", "title") and drawn)
        if ends or (kind == "comment" and drawn.count("row") >= 9):  # which then heads the next puzzle
            yield from self._end_group()
        if kind == "section":  # [Puzzle] is read, a [State] or [Comment] after it is not
            self.skip_section = self.in_sections and "puzzle" not in line.text.lower()
            self.in_sections = True
        if kind == "blank":
            self.skip_group = False
            self.group = [kept for kept in self.group if kept.kind == "title"]  # may head a grid further down
        elif kind == "attempt" and not self.skip_section:
            yield _error(line.number, *_line_problem(line.text))
        elif not self.skip_section and not self.skip_group:
            self.group.append(line)
        if len(self.group) > LINES or sum(len(kept.text) for kept in self.group) > LIMIT:
            yield _error(self.group[0].number, f"no empty line in {LINES} lines or {LIMIT} characters; {_SHAPE}")
            self.group, self.skip_group = [], True

    def _end_group(self) -> Iterator[Item]:
        group, self.group = self.group, []
        try:
            yield from [_attempt(_puzzle, self.name, lines) for lines in _grids(group)]
        except PuzzleError as error:
            yield error


def _attempt(make: Callable[..., Puzzle], *args: object) -> Item:
    try:
        return make(*args)
    except PuzzleError as error:
        return error


def _error(number: int, problem: str, index: int | None = None) -> PuzzleError:
    return PuzzleError(problem, "", number, None if index is None else index + 1)


def _kind(text: str) -> Kind:
    """What a line is that is no puzzle by itself."""
    if not text.strip():
        return "rule" if _row_cells(text) else "blank"  # nine spaces may be an empty row
    too_long = sum(char not in _SEPARATORS for char in text) > 18 and not _candidates(text)
    usual: Kind = "attempt" if too_long else "row"  # more than two rows' worth of cells is nobody's row
    return next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(text)), usual)


def _grids(group: list[_Line]) -> list[list[_Line]]:
    """The puzzles of a group, each with its whole drawing; its nine rows know where their cells are."""
    titles = [line for line in group if line.kind == "title"]
    if titles and not any(line.drawn for line in group):
        raise _error(titles[0].number, f"no Sudoku follows {titles[0].text.strip()[:40]!r}; {_SHAPE}", 0)
    for line in group:
        if line.drawn and (problem := _candidates(line.text) or (line.kind == "row" and _foreign(line.text))):
            raise _error(line.number, *problem)
    group = [line._replace(at=_row_cells(line.text) or ()) if line.drawn else line for line in _padded(group)]
    chosen = _rows(group)
    if not chosen:
        return []  # a line between puzzles, for the eye
    _refuse_ragged([group[i] for i in chosen])
    if len(chosen) % 9:
        raise _error(group[chosen[0]].number, f"{_count(len(chosen), 'row')}; a grid has 9 rows of 9 cells")
    for i in {*range(len(group))} - {*chosen}:
        group[i] = group[i]._replace(at=())
    # Puzzles may follow each other without an empty line: of the rules between, half are a bottom and half a top.
    cuts = [above + (below - above) // 2 + 1 for above, below in zip(chosen[8::9], chosen[9::9], strict=False)]
    return [group[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(group)], strict=True)]


def _rows(group: list[_Line]) -> list[int]:
    """Which lines are rows. ``---------`` is one among rows of its shape that lack it and have ``-`` for a blank."""
    sure = [i for i, line in enumerate(group) if line.kind == "row"]
    maybe = [i for i, line in enumerate(group) if line.kind == "rule" and line.at]
    if not sure:
        looks = Counter(group[i].text for i in maybe)
        return [i for i in maybe if looks[group[i].text] % 9 == 0]
    shapes = {group[i].template for i in sure}
    blanks = {char for i in sure for char in group[i].cells} - set(_DIGITS) or _CELLS | {" "}
    like = [i for i in maybe if group[i].template in shapes and group[i].cells[0] in blanks]
    return sorted(sure + like if len(sure) % 9 else sure)


def _padded(group: list[_Line]) -> list[_Line]:
    """Gives back the blanks at the ends of rows that an editor has stripped, where that is beyond doubt."""
    drawn = [line.text for line in group if line.drawn]
    text = "".join(drawn)
    if len(drawn) != 9 or max(map(len, drawn)) != 9 or " " not in text or text.strip(_DIGITS + " "):
        return group
    return [line._replace(text=line.text.ljust(9)) if line.drawn else line for line in group]


def _refuse_ragged(rows: list[_Line]) -> None:
    """Every row needs nine cells, and where blanks are spaces the cells have to stand in columns."""
    for nth, row in enumerate(rows, 1):
        if not row.at:
            solid = len(row.text) < 9 and not row.text.strip(_DIGITS + " ")
            at = [i for i, char in enumerate(row.text) if char in _CELLS or solid]
            found = _count(len(at), "cell")
            problem = f"ragged grid: row {nth} has {found}, every row needs 9" if rows[1:] else f"{found}; {_SHAPE}"
            raise _error(row.number, problem, [*at, len(row.text)][min(len(at), 9)])
    spaced = any(" " in row.cells for row in rows)
    for nth, row in enumerate(rows, 1):
        if spaced and row.at != rows[0].at:
            raise _error(row.number, f"ragged grid: row {nth} is not in line with row 1; write blanks as '.'")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


def _is_line(text: str) -> bool:
    """Whether these are 81 cells and nothing else. Spaces are cells only where nothing else stands for a blank."""
    return len(text) == 81 and (_CELLS.issuperset(text) or not text.strip(_DIGITS + " "))


def _line_cells(text: str) -> Sequence[int] | None:
    """Where the cells are, if the line is a whole puzzle."""
    if len(text) < 81:
        return None
    if _is_line(text):
        return range(81)
    if match := _ONE_LINE.fullmatch(text):
        return range(*match.span(1))
    at = [i for i, char in enumerate(text) if char in _CELLS]
    rule = _KINDS["rule"].fullmatch(text) and not set(text) <= _CELLS | {" "}
    return at if len(at) == 81 and not (rule or _foreign(text) or _candidates(text)) else None


def _row_cells(text: str) -> list[int] | None:
    """Where the nine cells of a row are. Spaces are cells only where nothing else stands for a blank.

    Such a row is in one, three or nine parts, ``| 1 3|  5|7  |``, their cells side by side or with spaces between.
    """
    marks = [i for i, char in enumerate(text) if char in _CELLS]
    if len(marks) == 9 or not set(_BLANKS).isdisjoint(text):
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
        if len(at) == 9 and at[0] >= 0 and at[-1] < len(text) and set(marks) <= set(at):
            return at
    return None


def _candidates(text: str) -> Problem | None:
    """Cells of several digits, as in ``{12} 3 67 | ...`` or in nine lists of growing digits."""
    if brace := _BRACE.search(text):
        return _CANDIDATES, brace.start()
    tokens = list(_TOKEN.finditer(text))
    lists = [token for token in tokens if len(token[0]) > 1]
    if len(tokens) == 9 and lists and all(t[0].isdecimal() and list(t[0]) == sorted(set(t[0])) for t in lists):
        return _CANDIDATES, lists[0].start()
    return None


def _foreign(text: str, start: int = 0, stop: int | None = None) -> Problem | None:
    """The first character that belongs to no drawing of a Sudoku."""
    for index, char in enumerate(text[start:stop], start):
        if "\udc80" <= char <= "\udcff":
            return f"not text: byte 0x{ord(char) - 0xDC00:02X} is not UTF-8; {_SAVE}", index
        if char not in _CELLS and char not in _SEPARATORS:
            shown = repr(char) if char.isprintable() else f"U+{ord(char):04X}"
            cells = f"a cell is a digit 1-9 or a blank (one of {' '.join(_BLANKS)} or a space)"
            return f"wrong character {shown}; {cells}", index
    return None


def _line_problem(text: str) -> Problem:
    """Why a line is not 81 cells, and where."""
    match = _ATTEMPT.match(text)
    start, stop = match.span(1) if match else (0, len(text))
    solid = not text.strip(_DIGITS + " ")
    at = [i for i in range(start, stop) if text[i] in _CELLS or solid]
    return _foreign(text, start, stop) or (f"{_count(len(at), 'cell')}; {_SHAPE}", [*at, stop][min(len(at), 81)])


def _puzzle(name: str, lines: Sequence[_Line], template: str = "") -> Puzzle:
    """The puzzle that stands at the cells of these lines."""
    cells = "".join([line.cells for line in lines])
    grid = _grid(cells)
    if clash := _clash(grid):
        problem, *pair = clash
        places = [(line.number, index + 1) for line in lines for index in line.at]
        named = [f"r{i // 9 + 1}c{i % 9 + 1} (line {places[i][0]}, column {places[i][1]})" for i in pair]
        raise PuzzleError(f"{problem}: {' and '.join(named)}", "", *places[pair[1]])
    form = TextForm(template or "".join([line.template + "\n" for line in lines]), cells.strip(_DIGITS)[:1] or ".")
    return Puzzle(grid, f"{name}:{next(line.number for line in lines if line.drawn)}", form)


def _grid(cells: str) -> Grid:
    return np.frombuffer(cells.translate(_VALUES).encode(), np.int8).reshape(9, 9).copy()


def _clash(grid: Grid) -> tuple[str, int, int] | None:
    """Two equal clues in one row, column or box: which, and their cells."""
    bits = _BITS[grid.ravel()[_UNITS]]
    if (bits.sum(axis=1) == np.bitwise_or.reduce(bits, axis=1)).all():  # equal only if no bit comes twice
        return None
    for number, unit in enumerate(_UNITS.tolist()):
        for one, other in combinations(unit, 2):
            if grid.flat[one] == grid.flat[other] > 0:
                where = f"{('row', 'column', 'box')[number // 9]} {number % 9 + 1}"
                return f"two {grid.flat[one]}s in {where}", one, other
    return None


def _fields(text: str, delimiter: str) -> list[str]:
    """One record of a CSV; a quoted field may not run over the end of its line."""
    fields = next(csv.reader([text], delimiter=delimiter)) if '"' in text else text.split(delimiter)
    return [field if len(field) == 81 else field.strip() for field in fields]


def _find_table(header: str, text: str) -> Table | None:
    """The columns, by what the first record holds; names decide between equals. None if this is no CSV."""
    delimiter = max(",;\t", key=header.count)
    names, fields = [name.lower() for name in _fields(header, delimiter)], _fields(text, delimiter)
    asks, tells = ([bool(known.search(name)) for name in names] for known in (_QUESTION, _ANSWER))
    if len(names) != len(fields) or (len(names) == 1 and not _QUESTION.fullmatch(names[0])):
        return None
    full = [_is_line(field) and not field.strip(_DIGITS) for field in fields]
    open_ = [_is_line(field) and bool(field.strip(_DIGITS)) for field in fields]
    if not any(full + open_) and not (any(asks) and names[1:]):
        return None
    columns = range(len(names))
    question = max(columns, key=lambda i: (open_[i], asks[i], full[i], not tells[i], -i))
    answers = [i for i in columns if i != question and (full[i] or tells[i])]
    answer = max(answers, key=lambda i: (full[i], tells[i], -i), default=None)
    return delimiter, question, answer, next((i for i in columns if "rating" in names[i]), None)


def _record(name: str, table: Table, number: int, text: str) -> Puzzle:
    """One row of a CSV; its form is a line of its own."""
    delimiter, ask, tell, rate = table
    fields = _fields(text, delimiter)
    puzzle = _puzzle(name, [_column(number, text, fields, ask, "question")], LINE.template)
    if rate is not None and re.fullmatch(r"-?[0-9]{1,9}", rating := "".join(fields[rate : rate + 1])):
        puzzle = replace(puzzle, rating=int(rating))
    if tell is None:
        return puzzle
    line = _column(number, text, fields, tell, "answer")
    answer = _grid(line.cells)
    for cell in np.flatnonzero((answer == 0) | ((puzzle.grid > 0) & (answer != puzzle.grid)))[:1].tolist():
        clue, found = puzzle.grid.flat[cell] or "no clue", line.cells[cell]
        problem = f"the answer has {found!r} in r{cell // 9 + 1}c{cell % 9 + 1}, the question {clue}"
        raise _error(number, problem, line.at[cell])
    return replace(puzzle, answer=answer)


def _column(number: int, text: str, fields: list[str], index: int, what: str) -> _Line:
    """The 81 cells of one column, with their place in the line."""
    if index >= len(fields):
        raise _error(number, f"{_count(len(fields), 'column')}; the {what} is expected in column {index + 1}")
    cells = fields[index]
    start = max(text.find(cells, sum(map(len, fields[:index])) + index), 0)  # quotes and spaces move it to the right
    if not _is_line(cells):
        problem, place = _line_problem(cells)
        raise _error(number, f"{what}: {problem}", start + place)
    return _Line(number, text, at=range(start, start + 81))
