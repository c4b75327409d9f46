"""Sudokus as text: every form people keep them in, told apart by content, read as a stream, written back as drawn.

Read are 81 cells on one line (.sdm), also with the answer or other puzzles beside them, nine rows
with or without a frame (.sdk, .ss, box drawing), and CSV with a header, as UTF-8 or UTF-16, plain
or gzipped. A puzzle that cannot be read comes out as a ``PuzzleError`` in its place; the rest
follows. No more than one puzzle's text is held at a time, and a line that is a puzzle is handed on
before the next is awaited.

Knows how lines make a grid, what a CSV is, and that equal clues may not clash; bytes are the
business of ``lines``, the cells of one line of ``sudoku_cells``. Does not know how a Sudoku is
solved, encoded or verified.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import BinaryIO, NamedTuple

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading.lines import GIVE_UP, LIMIT, read_lines
from trmsolve.puzzles.sudoku.cells import (
    BLANKS,
    CELLS,
    COMMENT,
    DIGITS,
    SHAPE,
    Kind,
    beside_problem,
    candidates,
    count,
    foreign,
    is_line,
    kind_of,
    line_problem,
    line_runs,
    row_cells,
)
from trmsolve.puzzles.values import Grid, Puzzle

CELL = "\0"  # a cell in a template; text cannot contain it, since NUL is refused as binary
EMPTY_LINE = 64  # characters that a line counts for at least: reading it costs as much as they do
LINES = 1000  # lines of one group; its characters have the limit of a line

_VALUES = str.maketrans(DIGITS + BLANKS + " ", "".join(map(chr, range(1, 10))) + "\0" * 8)
_INDEX = np.arange(81).reshape(9, 9)
_UNITS = np.concatenate([_INDEX, _INDEX.T, _INDEX.reshape(3, 3, 3, 3).swapaxes(1, 2).reshape(9, 9)])
_BITS = np.array([0] + [1 << digit for digit in range(1, 10)], np.int16)

_QUESTION = re.compile(r"(sudoku|puzzle|question|quiz|clue|problem|given|board|grid)(s|zes)?")
_ANSWER = re.compile(r"answer|solution|solved")

Item = Puzzle | PuzzleError
Table = tuple[
    str, int, int | None, int | None
]  # of a CSV: delimiter; columns of question, answer and rating


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
        return (
            self.text[at.start : at.stop]
            if isinstance(at, range)
            else "".join([self.text[i] for i in at])
        )

    @property
    def template(self) -> str:
        return "".join([CELL if i in self.at else char for i, char in enumerate(self.text)])


def read_sudokus(stream: BinaryIO, name: str) -> Iterator[Item]:
    """Every puzzle of a stream in order, each as soon as it is complete; ``name`` is what errors call the stream."""
    found = False
    try:
        for item in _Reader(name).read(read_lines(stream, name)):
            found = True
            yield (
                item
                if isinstance(item, Puzzle)
                else PuzzleError(item.problem, name, item.line, item.column)
            )
    except PuzzleError as error:  # not text: nothing after it can be trusted
        yield error
    else:
        if not found:
            yield PuzzleError(f"empty: no Sudoku in it; {SHAPE}", name)


def write_sudoku(grid: Grid, form: TextForm) -> str:
    """The grid drawn as its puzzle was."""
    marks = form.blank + DIGITS
    cells = (marks[value] for value in grid.ravel().tolist())
    return "".join([next(cells) if char == CELL else char for char in form.template])


class _Reader:
    """Gathers lines into groups and groups into puzzles; a line that is a puzzle by itself passes straight through."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.group: list[_Line] = []
        self.table: Table | None = None
        self.in_sections = self.skip_section = self.skip_group = False

    def read(self, lines: Iterable[tuple[int, str]]) -> Iterator[Item]:
        """Every item of the numbered lines, in order."""
        barren = 0
        for number, text in lines:
            barren += max(len(text), EMPTY_LINE)
            if barren > GIVE_UP:
                raise PuzzleError(
                    "no Sudoku in this line and the many before it: given up", self.name, number
                )
            if len(text) > LIMIT:
                yield from self._end_group()
                yield _error(number, f"a line longer than {LIMIT} characters; {SHAPE}")
            elif self.table or self._starts_table(text):
                if text.strip() and not COMMENT.fullmatch(text):
                    barren = 0
                    yield _attempt(_record, self.name, self.table, number, text)
            elif not self.skip_section and (runs := line_runs(text)):
                yield from self._end_group()
                self.skip_group, barren = False, 0
                yield from _of_a_line(self.name, number, text, runs)
            else:
                for item in self._gather(_Line(number, text, kind_of(text))):
                    barren = 0
                    yield item
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
        if ends or (
            kind == "comment" and drawn.count("row") >= 9
        ):  # which then heads the next puzzle
            yield from self._end_group()
        if kind == "section":  # [Puzzle] is read, a [State] or [Comment] after it is not
            self.skip_section = self.in_sections and "puzzle" not in line.text.lower()
            self.in_sections = True
        if kind == "blank":
            self.skip_group = False
            self.group = [kept for kept in self.group if kept.kind == "title"][
                -1:
            ]  # may head a grid further down
        elif kind == "attempt" and not self.skip_section:
            yield _error(line.number, *line_problem(line.text))
        elif not self.skip_section and not self.skip_group:
            self.group.append(line)
        if len(self.group) > LINES or sum(len(kept.text) for kept in self.group) > LIMIT:
            yield _error(
                self.group[0].number,
                f"no empty line in {LINES} lines or {LIMIT} characters; {SHAPE}",
            )
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


def _of_a_line(name: str, number: int, text: str, runs: Sequence[Sequence[int]]) -> Iterator[Item]:
    """The puzzles of a line, whose cells are at ``runs``; of two, the second may be the answer to the first."""
    if problem := beside_problem(text, runs):
        yield _error(number, *problem)
        return
    lines = [_Line(number, text, at=run) for run in runs]
    if len(lines) == 1:
        yield _attempt(_puzzle, name, lines)
    elif len(lines) == 2 and _is_answer(_grid(lines[0].cells), _grid(lines[1].cells)):
        yield _attempt(_pair, name, *lines)
    else:
        for line in lines:
            yield _attempt(_one_of_several, name, line)


def _is_answer(question: Grid, answer: Grid) -> bool:
    """Whether a grid is full and keeps the clues of the question."""
    full = bool((answer > 0).all())
    return full and bool((answer == question)[question > 0].all())


def _pair(name: str, question: _Line, answer: _Line) -> Puzzle:
    """A question and its answer on one line; its form is a line of its own, as for a row of a CSV."""
    puzzle = _puzzle(name, [question], LINE.template)
    return replace(puzzle, answer=_grid(answer.cells))


def _one_of_several(name: str, line: _Line) -> Puzzle:
    """One of the puzzles of a line; its form is a line of its own, and its source names the column too."""
    puzzle = _puzzle(name, [line], LINE.template)
    return replace(puzzle, source=f"{puzzle.source}:{line.at[0] + 1}")


def _grids(group: list[_Line]) -> list[list[_Line]]:
    """The puzzles of a group, each with its whole drawing; its nine rows know where their cells are."""
    titles = [line for line in group if line.kind == "title"]
    if titles and not any(line.drawn for line in group):
        raise _error(
            titles[0].number, f"no Sudoku follows {titles[0].text.strip()[:40]!r}; {SHAPE}", 0
        )
    for line in group:
        if line.drawn and (
            problem := candidates(line.text) or (line.kind == "row" and foreign(line.text))
        ):
            raise _error(line.number, *problem)
    group = [
        line._replace(at=row_cells(line.text) or ()) if line.drawn else line
        for line in _padded(group)
    ]
    chosen = _rows(group)
    if not chosen:
        return []  # a line between puzzles, for the eye
    _refuse_ragged([group[i] for i in chosen])
    if len(chosen) % 9:
        raise _error(
            group[chosen[0]].number, f"{count(len(chosen), 'row')}; a grid has 9 rows of 9 cells"
        )
    for i in {*range(len(group))} - {*chosen}:
        group[i] = group[i]._replace(at=())
    # Puzzles may follow each other without an empty line: of the rules between, half are a bottom
    # and half a top.
    cuts = [
        above + (below - above) // 2 + 1
        for above, below in zip(chosen[8::9], chosen[9::9], strict=False)
    ]
    return [group[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(group)], strict=True)]


def _rows(group: list[_Line]) -> list[int]:
    """Which lines are rows.

    ``---------`` is one among rows of its shape that lack it and have ``-`` for a blank.
    """
    sure = [i for i, line in enumerate(group) if line.kind == "row"]
    maybe = [i for i, line in enumerate(group) if line.kind == "rule" and line.at]
    if not sure:
        looks = Counter(group[i].text for i in maybe)
        return [i for i in maybe if looks[group[i].text] % 9 == 0]
    shapes = {group[i].template for i in sure}
    blanks = {char for i in sure for char in group[i].cells} - set(DIGITS) or CELLS | {" "}
    like = [i for i in maybe if group[i].template in shapes and group[i].cells[0] in blanks]
    return sorted(sure + like if len(sure) % 9 else sure)


def _padded(group: list[_Line]) -> list[_Line]:
    """Gives back the blanks at the ends of rows that an editor has stripped, where that is beyond doubt."""
    drawn = [line.text for line in group if line.drawn]
    text = "".join(drawn)
    if len(drawn) != 9 or max(map(len, drawn)) != 9 or " " not in text or text.strip(DIGITS + " "):
        return group
    return [line._replace(text=line.text.ljust(9)) if line.drawn else line for line in group]


def _refuse_ragged(rows: list[_Line]) -> None:
    """Every row needs nine cells, and where blanks are spaces the cells have to stand in columns."""
    for nth, row in enumerate(rows, 1):
        if not row.at:
            solid = len(row.text) < 9 and not row.text.strip(DIGITS + " ")
            at = [i for i, char in enumerate(row.text) if char in CELLS or solid]
            found = count(len(at), "cell")
            problem = (
                f"ragged grid: row {nth} has {found}, every row needs 9"
                if rows[1:]
                else f"{found}; {SHAPE}"
            )
            raise _error(row.number, problem, [*at, len(row.text)][min(len(at), 9)])
    spaced = any(" " in row.cells for row in rows)
    for nth, row in enumerate(rows, 1):
        if spaced and row.at != rows[0].at:
            raise _error(
                row.number, f"ragged grid: row {nth} is not in line with row 1; write blanks as '.'"
            )


def _puzzle(name: str, lines: Sequence[_Line], template: str = "") -> Puzzle:
    """The puzzle that stands at the cells of these lines."""
    cells = "".join([line.cells for line in lines])
    grid = _grid(cells)
    if clash := _clash(grid):
        problem, *pair = clash
        places = [(line.number, index + 1) for line in lines for index in line.at]
        named = [
            f"r{i // 9 + 1}c{i % 9 + 1} (line {places[i][0]}, column {places[i][1]})" for i in pair
        ]
        raise PuzzleError(f"{problem}: {' and '.join(named)}", "", *places[pair[1]])
    form = TextForm(
        template or "".join([line.template + "\n" for line in lines]),
        cells.strip(DIGITS)[:1] or ".",
    )
    return Puzzle(grid, f"{name}:{next(line.number for line in lines if line.drawn)}", form)


def _grid(cells: str) -> Grid:
    return np.frombuffer(cells.translate(_VALUES).encode(), np.int8).reshape(9, 9).copy()


def _clash(grid: Grid) -> tuple[str, int, int] | None:
    """Two equal clues in one row, column or box: which, and their cells."""
    bits = _BITS[grid.ravel()[_UNITS]]
    if (
        bits.sum(axis=1) == np.bitwise_or.reduce(bits, axis=1)
    ).all():  # equal only if no bit comes twice
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
    """The columns, by what the first record holds; names decide between equals.

    None if this is no CSV.
    """
    delimiter = max(",;\t", key=header.count)
    names, fields = [name.lower() for name in _fields(header, delimiter)], _fields(text, delimiter)
    asks, tells = ([bool(known.search(name)) for name in names] for known in (_QUESTION, _ANSWER))
    if len(names) != len(fields) or (len(names) == 1 and not _QUESTION.fullmatch(names[0])):
        return None
    full = [is_line(field) and not field.strip(DIGITS) for field in fields]
    open_ = [is_line(field) and bool(field.strip(DIGITS)) for field in fields]
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
    if rate is not None and re.fullmatch(
        r"-?[0-9]{1,9}", rating := "".join(fields[rate : rate + 1])
    ):
        puzzle = replace(puzzle, rating=int(rating))
    if tell is None or not "".join(fields[tell : tell + 1]).strip():
        return puzzle
    line = _column(number, text, fields, tell, "answer")
    answer = _grid(line.cells)
    for cell in np.flatnonzero((answer == 0) | ((puzzle.grid > 0) & (answer != puzzle.grid)))[
        :1
    ].tolist():
        clue, found = puzzle.grid.flat[cell] or "no clue", line.cells[cell]
        problem = (
            f"the answer has {found!r} in r{cell // 9 + 1}c{cell % 9 + 1}, the question {clue}"
        )
        raise _error(number, problem, line.at[cell])
    return replace(puzzle, answer=answer)


def _column(number: int, text: str, fields: list[str], index: int, what: str) -> _Line:
    """The 81 cells of one column, with their place in the line."""
    if index >= len(fields):
        raise _error(
            number, f"{count(len(fields), 'column')}; the {what} is expected in column {index + 1}"
        )
    cells = fields[index]
    start = max(
        text.find(cells, sum(map(len, fields[:index])) + index), 0
    )  # quotes and spaces move it to the right
    if not is_line(cells):
        problem, place = line_problem(cells)
        raise _error(number, f"{what}: {problem}", start + place)
    return _Line(number, text, at=range(start, start + 81))
