"""Reads Sudokus from a stream of text in every form that people keep them in, and writes them back.

The forms are told apart by content:

- 81 cells on one line (.sdm), also with the answer or other puzzles beside them
- nine rows with or without a frame (.sdk, .ss, box drawing)
- CSV with a header

A puzzle that cannot be read becomes a ``PuzzleError`` in its place, and the rest follows. No more
than one puzzle's text is held at a time. A line that is a puzzle is handed on before the next line
is awaited.

This module knows how lines make a grid, the columns of a CSV, and that equal clues may not clash.
Bytes are the business of ``reading.lines``, the cells of one line that of ``cells``. It does not
know how a Sudoku is solved, encoded or verified.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import BinaryIO, NamedTuple

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading.lines import GIVE_UP, LIMIT, read_lines
from trmsolve.puzzles.reading.table import (
    Column,
    Columns,
    Field,
    choose_columns,
    find_delimiter,
    get_field,
    get_rating,
    has_text,
    split_record,
)
from trmsolve.puzzles.sudoku.cells import (
    BLANKS,
    CELLS,
    COMMENT,
    DIGITS,
    SHAPE,
    Kind,
    beside_problem,
    candidates,
    cells_between,
    count,
    foreign,
    is_line,
    kind_of,
    line_problem,
    line_runs,
    row_cells,
)
from trmsolve.puzzles.values import Grid, Puzzle

CELL = "\0"
"""A cell in a template. Text cannot contain it, since a NUL is refused as binary."""

EMPTY_LINE = 64
"""How many characters a line counts for at least: reading it costs as much as they do."""

LINES = 1000
"""The most lines of one group. Its characters have the limit of a line."""

_VALUES = str.maketrans(DIGITS + BLANKS + " ", "".join(map(chr, range(1, 10))) + "\0" * 8)
_INDEX = np.arange(81).reshape(9, 9)
_BOXES = _INDEX.reshape(3, 3, 3, 3).swapaxes(1, 2).reshape(9, 9)
_UNITS = np.concatenate([_INDEX, _INDEX.T, _BOXES])
_UNIT_NAMES = ("row", "column", "box")
_BITS = np.array([0] + [1 << digit for digit in range(1, 10)], np.int16)

_QUESTION = re.compile(r"(sudoku|puzzle|question|quiz|clue|problem|given|board|grid)(s|zes)?")
_ANSWER = re.compile(r"answer|solution|solved")

Item = Puzzle | PuzzleError


@dataclass(frozen=True)
class TextForm:
    """How a puzzle was drawn."""

    template: str = CELL * 81 + "\n"
    """The lines of the drawing, with every cell replaced by ``CELL``."""

    blank: str = "."
    """The character of a blank cell."""


LINE = TextForm()


class _Line(NamedTuple):
    """A line of the text."""

    number: int
    text: str
    kind: Kind = "row"

    at: Sequence[int] = ()
    """The indices of its cells in the text; a range is one unbroken run."""

    @property
    def drawn(self) -> bool:
        """Whether the line may be part of a drawing."""
        return self.kind in ("row", "rule")

    @property
    def cells(self) -> str:
        """The characters of its cells."""
        if isinstance(self.at, range):
            return self.text[self.at.start : self.at.stop]
        return "".join([self.text[i] for i in self.at])

    @property
    def template(self) -> str:
        """The text, with every cell replaced by ``CELL``."""
        chars = list(self.text)
        for i in self.at:
            chars[i] = CELL
        return "".join(chars)


class _Table(NamedTuple):
    """What is known of a CSV."""

    delimiter: str
    columns: Columns


def read_sudokus(stream: BinaryIO, name: str) -> Iterator[Item]:
    """Generate every puzzle of a stream in order, each as soon as it is complete.

    Errors call the stream ``name``.
    """
    found = False
    try:
        for item in _Reader(name).read(read_lines(stream, name)):
            found = True
            if isinstance(item, Puzzle):
                yield item
            else:
                yield PuzzleError(item.problem, name, item.line, item.column)
    except PuzzleError as error:  # not text: nothing after it can be trusted
        yield error
    else:
        if not found:
            yield PuzzleError(f"empty: no Sudoku in it; {SHAPE}", name)


def write_sudoku(grid: Grid, form: TextForm) -> str:
    """Draw the grid as its puzzle was drawn."""
    marks = form.blank + DIGITS
    cells = (marks[value] for value in grid.ravel().tolist())
    return "".join([next(cells) if char == CELL else char for char in form.template])


class _Reader:
    """Gathers lines into groups, and groups into puzzles.

    A line that is a puzzle by itself passes straight through.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.group: list[_Line] = []
        self.table: _Table | None = None
        self.in_sections = False
        self.skip_section = False
        self.skip_group = False

    def read(self, lines: Iterable[tuple[int, str]]) -> Iterator[Item]:
        """Generate every item of the numbered lines, in order."""
        barren = 0  # characters since the last item
        for number, text in lines:
            barren += max(len(text), EMPTY_LINE)
            if barren > GIVE_UP:
                problem = "no Sudoku in this line and many lines before it; reading stopped"
                raise PuzzleError(problem, self.name, number)
            too_long = len(text) > LIMIT
            for item in self._take(number, text):
                if not too_long:
                    barren = 0
                yield item
        yield from self._end_group()

    def _take(self, number: int, text: str) -> Iterator[Item]:
        """Read a line: a record of a CSV, puzzles, or a part of a group."""
        if len(text) > LIMIT:
            yield from self._end_group()
            yield _error(number, f"a line longer than {LIMIT} characters; {SHAPE}")
            return
        if not self.table:
            self._start_table(text)
        if self.table:
            if text.strip() and not COMMENT.fullmatch(text):
                yield _attempt(_read_record, self.name, self.table, number, text)
            return
        runs = [] if self.skip_section else line_runs(text)
        if runs:
            yield from self._end_group()
            self.skip_group = False
            yield from _read_runs(self.name, number, text, runs)
        else:
            yield from self._gather(_Line(number, text, kind_of(text)))

    def _start_table(self, text: str) -> None:
        """Start a table if the last line was the header of a CSV and this is its first record."""
        if not self.group or self.group[-1].kind != "title":
            return
        self.table = _find_table(self.group[-1].text, text)
        if self.table:
            self.group = []

    def _gather(self, line: _Line) -> Iterator[Item]:
        """Take a line that is no puzzle by itself: it opens, continues or ends a group."""
        if line.kind == "blank":  # part of the drawing: keeps answers apart as the puzzles were
            self.group.append(line._replace(text=""))
        if self._ends_group(line):
            yield from self._end_group()
        if line.kind == "section":  # [Puzzle] is read, a [State] or [Comment] after it is not
            self.skip_section = self.in_sections and "puzzle" not in line.text.lower()
            self.in_sections = True
        if line.kind == "blank":
            self.skip_group = False
            titles = [kept for kept in self.group if kept.kind == "title"]
            self.group = titles[-1:]  # it may head a grid further down
        elif line.kind == "attempt" and not self.skip_section:
            yield _error(line.number, *line_problem(line.text))
        elif not self.skip_section and not self.skip_group:
            self.group.append(line)
        yield from self._refuse_long_group()

    def _ends_group(self, line: _Line) -> bool:
        """Tell whether a line ends the group before it."""
        drawn = [kept.kind for kept in self.group if kept.drawn]
        match line.kind:
            case "attempt":
                return True
            case "blank" | "section" | "title":
                return bool(drawn)
            case "comment":  # after nine rows it heads the next puzzle
                return drawn.count("row") >= 9
            case _:
                return False

    def _refuse_long_group(self) -> Iterator[Item]:
        """Give up a group that is longer than any puzzle."""
        characters = sum(len(kept.text) for kept in self.group)
        if len(self.group) <= LINES and characters <= LIMIT:
            return
        problem = f"no empty line in {LINES} lines or {LIMIT} characters; {SHAPE}"
        yield _error(self.group[0].number, problem)
        self.group = []
        self.skip_group = True

    def _end_group(self) -> Iterator[Item]:
        """Read the puzzles of the group."""
        group = self.group
        self.group = []
        try:
            puzzles = [_attempt(_read_lines, self.name, lines) for lines in _split_group(group)]
        except PuzzleError as error:
            yield error
        else:
            yield from puzzles


def _attempt(make: Callable[..., Puzzle], *args: object) -> Item:
    """Return the puzzle that a function makes, or its error."""
    try:
        return make(*args)
    except PuzzleError as error:
        return error


def _error(number: int, problem: str, index: int | None = None) -> PuzzleError:
    """Make the error of a line, whose column counts from 1 while the index counts from 0."""
    return PuzzleError(problem, "", number, None if index is None else index + 1)


def _read_runs(name: str, number: int, text: str, runs: Sequence[Sequence[int]]) -> Iterator[Item]:
    """Read the puzzles of a line, whose cells are at ``runs``.

    If there are two, the second may be the answer to the first.
    """
    problem = beside_problem(text, runs)
    if problem:
        yield _error(number, *problem)
        return
    lines = [_Line(number, text, at=run) for run in runs]
    if len(lines) == 1:
        yield _attempt(_read_lines, name, lines)
    elif len(lines) == 2 and _is_answer(_grid(lines[0].cells), _grid(lines[1].cells)):
        yield _attempt(_read_pair, name, *lines)
    else:
        for line in lines:
            yield _attempt(_read_one_of_several, name, line)


def _is_answer(question: Grid, answer: Grid) -> bool:
    """Tell whether a grid is full and keeps the clues of the question."""
    full = bool((answer > 0).all())
    return full and bool((answer == question)[question > 0].all())


def _read_pair(name: str, question: _Line, answer: _Line) -> Puzzle:
    """Read a question and its answer on one line. Its form is a line, as for a record of a CSV."""
    puzzle = _read_lines(name, [question], LINE.template)
    return replace(puzzle, answer=_grid(answer.cells))


def _read_one_of_several(name: str, line: _Line) -> Puzzle:
    """Read one of the puzzles of a line. Its form is a line, and its source has the column too."""
    puzzle = _read_lines(name, [line], LINE.template)
    return replace(puzzle, source=f"{puzzle.source}:{line.at[0] + 1}")


def _split_group(group: list[_Line]) -> list[list[_Line]]:
    """Split a group into puzzles, each with its whole drawing.

    The nine rows of a puzzle know where their cells are, other lines have none. Raises PuzzleError
    if the group is no puzzle.
    """
    _refuse_foreign(group)
    group = [_find_cells(line) for line in _pad(group)]
    chosen = _choose_rows(group)
    if not chosen:
        return []  # a line between puzzles, for the eye
    _refuse_ragged([group[i] for i in chosen])
    if len(chosen) % 9:
        problem = f"{count(len(chosen), 'row')}; a grid has 9 rows of 9 cells"
        raise _error(group[chosen[0]].number, problem)
    rows = set(chosen)
    group = [line if i in rows else line._replace(at=()) for i, line in enumerate(group)]
    # Puzzles may follow each other without an empty line: of the rules between them, half are a
    # bottom and half a top.
    puzzles: list[list[_Line]] = []
    start = 0
    for above, below in zip(chosen[8::9], chosen[9::9], strict=False):
        stop = above + (below - above) // 2 + 1
        puzzles.append(group[start:stop])
        start = stop
    return [*puzzles, group[start:]]


def _refuse_foreign(group: list[_Line]) -> None:
    """Raise PuzzleError for titles without a drawing, and for lines that cannot be part of one."""
    drawn = [line for line in group if line.drawn]
    titles = [line for line in group if line.kind == "title"]
    if titles and not drawn:
        title = titles[0].text.strip()[:40]
        raise _error(titles[0].number, f"no Sudoku follows {title!r}; {SHAPE}", 0)
    for line in drawn:
        problem = candidates(line.text)
        if line.kind == "row":
            problem = problem or foreign(line.text)
        if problem:
            raise _error(line.number, *problem)


def _find_cells(line: _Line) -> _Line:
    """Add to a drawn line where its cells are, if it has nine."""
    return line._replace(at=row_cells(line.text) or ()) if line.drawn else line


def _choose_rows(group: list[_Line]) -> list[int]:
    """Choose the lines that are rows.

    ``---------`` is a row among rows of its shape, if one is missing and ``-`` is their blank.
    """
    sure = [i for i, line in enumerate(group) if line.kind == "row"]
    maybe = [i for i, line in enumerate(group) if line.kind == "rule" and line.at]
    if not sure:
        looks = Counter(group[i].text for i in maybe)
        return [i for i in maybe if looks[group[i].text] % 9 == 0]
    if len(sure) % 9 == 0:
        return sure
    shapes = {group[i].template for i in sure}
    cells = "".join(group[i].cells for i in sure)
    blanks = set(cells) - set(DIGITS) or CELLS | {" "}
    like = [i for i in maybe if group[i].template in shapes and group[i].cells[0] in blanks]
    return sorted(sure + like)


def _pad(group: list[_Line]) -> list[_Line]:
    """Restore the blanks at the ends of rows that an editor has stripped, where that is certain."""
    drawn = [line.text for line in group if line.drawn]
    text = "".join(drawn)
    if len(drawn) != 9 or max(map(len, drawn)) != 9:
        return group
    if " " not in text or text.strip(DIGITS + " "):
        return group
    return [line._replace(text=line.text.ljust(9)) if line.drawn else line for line in group]


def _refuse_ragged(rows: list[_Line]) -> None:
    """Raise PuzzleError unless every row has nine cells.

    Where blanks are spaces, the cells have to stand in columns.
    """
    for nth, row in enumerate(rows, 1):
        if row.at:
            continue
        at = cells_between(row.text, 0, len(row.text), spaces=len(row.text) < 9)
        found = count(len(at), "cell")
        problem = f"{found}; {SHAPE}"
        if len(rows) > 1:
            problem = f"ragged grid: row {nth} has {found}, every row needs 9"
        raise _error(row.number, problem, [*at, len(row.text)][min(len(at), 9)])
    if not any(" " in row.cells for row in rows):
        return
    for nth, row in enumerate(rows, 1):
        if row.at != rows[0].at:
            problem = f"ragged grid: row {nth} is not in line with row 1; write blanks as '.'"
            raise _error(row.number, problem)


def _read_lines(name: str, lines: Sequence[_Line], template: str = "") -> Puzzle:
    """Read the puzzle that stands at the cells of these lines.

    Raises PuzzleError if two equal clues clash.
    """
    cells = "".join([line.cells for line in lines])
    grid = _grid(cells)
    _refuse_clash(grid, lines)
    if not template:
        template = "".join([line.template + "\n" for line in lines])
    blanks = cells.strip(DIGITS)
    form = TextForm(template, blanks[:1] or ".")
    first = next(line.number for line in lines if line.drawn)
    return Puzzle(grid, f"{name}:{first}", form)


def _grid(cells: str) -> Grid:
    """Make the grid (9, 9) of 81 cells."""
    return np.frombuffer(cells.translate(_VALUES).encode(), np.int8).reshape(9, 9).copy()


def _refuse_clash(grid: Grid, lines: Sequence[_Line]) -> None:
    """Raise PuzzleError, with both places, if two equal clues are in one row, column or box."""
    clash = _find_clash(grid)
    if not clash:
        return
    places: list[tuple[int, int]] = []  # the line and the column of each cell
    for line in lines:
        places += [(line.number, index + 1) for index in line.at]
    problem, *pair = clash
    named = []
    for cell in pair:
        number, column = places[cell]
        named.append(f"{_name_cell(cell)} (line {number}, column {column})")
    raise PuzzleError(f"{problem}: {' and '.join(named)}", "", *places[pair[1]])


def _name_cell(cell: int) -> str:
    row, column = divmod(cell, 9)
    return f"r{row + 1}c{column + 1}"


def _find_clash(grid: Grid) -> tuple[str, int, int] | None:
    """Find two equal clues in one row, column or box. Returns the problem and their cells."""
    bits = _BITS[grid.ravel()[_UNITS]]
    # The sum equals the union only if no bit comes twice.
    if (bits.sum(axis=1) == np.bitwise_or.reduce(bits, axis=1)).all():
        return None
    for number, unit in enumerate(_UNITS.tolist()):
        for one, other in combinations(unit, 2):
            digit = grid.flat[one]
            if digit and digit == grid.flat[other]:
                where = f"{_UNIT_NAMES[number // 9]} {number % 9 + 1}"
                return f"two {digit}s in {where}", one, other
    return None


def _split_fields(text: str, delimiter: str) -> list[Field]:
    """Split one record of a CSV. A quoted field may not run over the end of its line.

    Blanks around a field are left out, unless they make it 81 characters long.
    """
    fields = []
    for field in split_record(text, delimiter):
        whole = field.text + field.tail
        if len(whole) == 81:
            fields.append(Field(field.start, whole))
        else:
            blanks = len(whole) - len(whole.lstrip())
            fields.append(Field(field.start + blanks, whole.strip()))
    return fields


def _find_table(header: str, text: str) -> _Table | None:
    """Find the columns of a CSV. Returns None if the header and the first record are none."""
    delimiter = find_delimiter(header)
    names = [field.text.lower() for field in _split_fields(header, delimiter)]
    fields = _split_fields(text, delimiter)
    if len(names) != len(fields):
        return None
    if len(names) == 1 and not _QUESTION.fullmatch(names[0]):
        return None
    columns = [_describe(i, names[i], fields[i].text) for i in range(len(names))]
    named = len(names) > 1 and any(column.asks for column in columns)
    if not named and not any(column.holds_puzzle for column in columns):
        return None
    return _Table(delimiter, choose_columns(columns))


def _describe(index: int, name: str, text: str) -> Column:
    """Describe a column by its name and by its field in the first record."""
    cells = is_line(text)
    full = not text.strip(DIGITS)
    return Column(
        index,
        name,
        asks=bool(_QUESTION.search(name)),
        tells=bool(_ANSWER.search(name)),
        holds_question=cells and not full,
        holds_answer=cells and full,
    )


def _read_record(name: str, table: _Table, number: int, text: str) -> Puzzle:
    """Read one record of a CSV. Its form is a line."""
    columns = table.columns
    fields = _split_fields(text, table.delimiter)
    question = _find_column(number, text, fields, columns.question, "question")
    puzzle = _read_lines(name, [question], LINE.template)
    puzzle = replace(puzzle, rating=get_rating(fields, columns.rating))
    if columns.answer is None or not has_text(fields, columns.answer):
        return puzzle
    line = _find_column(number, text, fields, columns.answer, "answer")
    answer = _grid(line.cells)
    _refuse_other(puzzle.grid, answer, line)
    return replace(puzzle, answer=answer)


def _refuse_other(question: Grid, answer: Grid, line: _Line) -> None:
    """Raise PuzzleError at the first cell that is blank in an answer or changes a clue."""
    wrong = (answer == 0) | ((question > 0) & (answer != question))
    if not wrong.any():
        return
    cell = int(wrong.argmax())
    clue = question.flat[cell] or "no clue"
    found = line.cells[cell]
    problem = f"the answer has {found!r} in {_name_cell(cell)}, the question {clue}"
    raise _error(line.number, problem, line.at[cell])


def _find_column(number: int, text: str, fields: list[Field], index: int, name: str) -> _Line:
    """Find the 81 cells of one column. Raises PuzzleError if they are not 81 cells."""
    field = get_field(fields, index, name, number)
    if not is_line(field.text):
        problem, place = line_problem(field.text)
        raise _error(number, f"{name}: {problem}", field.start + place)
    return _Line(number, text, at=range(field.start, field.start + 81))
