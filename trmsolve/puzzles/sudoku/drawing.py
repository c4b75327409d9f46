"""Reads the Sudokus of a group of lines: which lines are rows, and whether their grid is sound.

Nine rows with or without a frame are a grid, and so is one line of 81 cells. Equal clues may not
clash. This module knows lines that stand together. It does not know what separates a group from the
next, CSV or bytes.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading.signs import Text
from trmsolve.puzzles.sudoku.board import SYMBOLS, Board, board_of
from trmsolve.puzzles.sudoku.cells import (
    BLANKS,
    CELLS,
    DIGITS,
    SHAPE,
    Kind,
    Spans,
    candidates,
    cell_of,
    cells_between,
    count,
    foreign,
    has_label,
    row_cells,
    tabled_cells,
)
from trmsolve.puzzles.sudoku.form import CELL, LINE, TextForm
from trmsolve.puzzles.sudoku.sizes import (
    OTHER_SIDES,
    Digits,
    in_columns,
    line_cells,
    line_problem,
    line_side,
    rows_cells,
)
from trmsolve.puzzles.values import Grid, Puzzle

_VALUES = str.maketrans(DIGITS + BLANKS + " ", "".join(map(chr, range(1, 10))) + "\0" * 8)
_SIZE = re.compile(r"\s*\d{1,3}(?:\s*[x\xd7, ]\s*\d{1,3}){0,2}\s*")
_COUNTS = ("123456789", "012345678")
_WORD = re.compile(r"[0-9A-Za-z._*-]+")
# Cells of a list or of a table.
_LISTED = re.compile(rf"{CELL}[^{CELL}]*[],;\t}}][^{CELL}]*{CELL}")
_BITS = np.array([0] + [1 << digit for digit in range(1, len(SYMBOLS))], np.int32)


class Line(NamedTuple):
    """A line of the text."""

    number: int
    text: Text
    kind: Kind = "row"

    at: Spans = ()
    """Where its cells are in the text."""

    @property
    def plain(self) -> str:
        """The folded text, in which the cells are looked for."""
        return self.text.folded

    @property
    def drawn(self) -> bool:
        """Whether the line may be part of a drawing."""
        return self.kind in ("row", "wide", "rule")

    @property
    def cells(self) -> str:
        """The characters of its cells; a blank of several characters or none is a dot."""
        words = [self.plain[start:stop] for start, stop in self.at]
        return "".join([word if len(word) == 1 else cell_of(word) for word in words])

    @property
    def blanks(self) -> list[str]:
        """How its blank cells are written."""
        cells = zip(self.cells, self.at, strict=True)
        return [self.text.shown[slice(*span)] for cell, span in cells if cell not in DIGITS]

    @property
    def template(self) -> str:
        """The text, with every cell replaced by ``CELL``."""
        pieces: list[str] = []
        end = 0
        for start, stop in self.at:
            pieces += self.text.shown[end:start], CELL
            end = stop
        return "".join([*pieces, self.text.shown[end:]])

    def error(self, problem: str, index: int | None = None) -> PuzzleError:
        """Make the error of this line, or of one character of it."""
        if index is None:
            return PuzzleError(problem, "", self.number)
        columns = self.text.columns
        beyond = index - len(columns)
        column = columns[index] if beyond < 0 else (columns[-1] + 1 if columns else 0) + beyond
        return PuzzleError(problem, "", self.number, column + 1)

    def padded(self, end: str) -> "Line":
        """The line with blanks restored at its end."""
        shown, folded, columns = self.text
        return self._replace(text=Text(shown + end, folded + end, columns))


def join_lines(lines: Sequence[Line]) -> Line:
    """Join lines to one, as a record of a CSV or a list that goes over several lines."""
    if len(lines) == 1:
        return lines[0]
    shown = "\n".join([line.text.shown for line in lines])
    folded = "\n".join([line.plain for line in lines])
    columns: list[int] = []
    for line in lines:
        columns += *line.text.columns, len(line.text.shown)
    return Line(lines[0].number, Text(shown, folded, columns))


def place_cells(lines: Sequence[Line], at: Spans) -> list[Line]:
    """Give the cells of joined lines back to the lines in which they stand."""
    placed: list[Line] = []
    begin = 0
    for line in lines:
        end = begin + len(line.plain)
        own = [(start - begin, stop - begin) for start, stop in at if begin <= start <= end]
        placed.append(line._replace(at=own, kind="row" if own else "title"))
        begin = end + 1
    return placed


def split_group(group: list[Line]) -> list[list[Line]]:
    """Split a group into puzzles, each with its whole drawing.

    The nine rows of a puzzle know where their cells are, other lines have none. Raises PuzzleError
    if the group is no puzzle.
    """
    if not any(line.drawn for line in group):
        return []
    group = _leave_out_size([_find_cells(line) for line in _pad(group)])
    group = _leave_out_numbers(group)
    sized = split_sized(group)
    if sized:
        return sized
    _refuse_foreign(group)
    chosen = _choose_rows(group)
    if not chosen:
        return []  # a line between puzzles, for the eye
    _refuse_ragged([group[i] for i in chosen])
    if len(chosen) % 9:
        problem = f"{count(len(chosen), 'row')}; a grid has 9 rows of 9 cells"
        raise group[chosen[0]].error(problem)
    rows = set(chosen)
    group = [line if i in rows else line._replace(at=()) for i, line in enumerate(group)]
    # Puzzles may follow each other without an empty line: of the rules between them, half are a
    # bottom and half a top.
    puzzles: list[list[Line]] = []
    start = 0
    for above, below in zip(chosen[8::9], chosen[9::9], strict=False):
        stop = above + (below - above) // 2 + 1
        puzzles.append(group[start:stop])
        start = stop
    return [*puzzles, group[start:]]


def _leave_out_size(group: list[Line]) -> list[Line]:
    """Make a title of a first line that says the size or the number of what follows, as ``9 9``."""
    first = next((i for i, line in enumerate(group) if line.kind == "row"), None)
    if first is None or not is_size(group[first]):
        return group
    if any(not line.at for line in group[first + 1 :] if line.kind == "row"):
        return group
    title = group[first]._replace(kind="title")
    return [*group[:first], title, *group[first + 1 :]]


def is_size(line: Line) -> bool:
    """Tell whether a line may say a size or a number, and is no row."""
    return bool(_SIZE.fullmatch(line.plain)) and not row_cells(line.plain)


def _leave_out_numbers(group: list[Line]) -> list[Line]:
    """Find the cells of rows that are numbered, with numbered columns above them or not."""
    rows = [i for i, line in enumerate(group) if line.kind == "row"]
    header = group[rows[0]] if len(rows) == 10 else None
    if header:
        if _join(header, header.at or tabled_cells(header.plain)) not in _COUNTS:
            return group
        group = [line._replace(kind="title", at=()) if line is header else line for line in group]
        rows = rows[1:]
    tables = {i: tabled_cells(group[i].plain) for i in rows}
    if len(rows) != 9 or len(tables) != 9 or not all(tables.values()):
        return group
    numbers = [_join(group[i], at[:1]) for i, at in tables.items()]
    if "".join(numbers) not in _COUNTS:
        return group
    return [
        line._replace(at=tables[i][1:]) if i in tables else line for i, line in enumerate(group)
    ]


def _join(line: Line, at: Spans) -> str:
    """Join the words of a line at these places."""
    return "".join(line.plain[start:stop].strip() for start, stop in at)


def split_sized(group: list[Line]) -> list[list[Line]]:
    """Split a group into Sudokus of other sizes than 9 x 9. Returns none if they are none.

    Raises PuzzleError if their size is certain, but not their cells.
    """
    rows = [line for line in group if line.kind in ("row", "wide")]
    if not rows or all(line.at for line in rows) or _has_numbers(rows):
        return []
    lines = [line._replace(at=line_cells(line.plain)) for line in rows]
    if all(line.at for line in lines) and not _is_square(rows):
        return [[line] for line in lines]
    sized = _find_square(group, rows)
    if not sized:
        _refuse_other_size(rows)
    return sized


def _has_numbers(rows: list[Line]) -> bool:
    """Tell whether ten rows may be nine with numbers at the left, below a header of numbers."""
    at = [tabled_cells(line.plain) for line in rows]
    if len(rows) != 10 or not all(at):
        return False
    firsts = [_join(row, cells[:1]) for row, cells in zip(rows, at, strict=True)]
    return _join(rows[0], at[0][1:]) in _COUNTS or "".join(firsts[1:]) in _COUNTS


def _is_square(rows: list[Line]) -> bool:
    """Tell whether 16 lines of 16 characters are one Sudoku: they have digits that no small has."""
    text = "".join([line.plain for line in rows])
    return len(rows) == 16 and bool(set(text.upper()) & set("56789ABCDEFG"))


def _find_square(group: list[Line], rows: list[Line]) -> list[list[Line]]:
    """Find the one Sudoku of a group: its rows are as many as each has cells."""
    if len(rows) > 1 and is_size(rows[0]):
        numbers = set(re.findall(r"\d+", rows[0].plain))
        if numbers == {str(len(rows) - 1)}:
            title = rows[0]
            rows = rows[1:]
            group = [line._replace(kind="title") if line is title else line for line in group]
    for side in OTHER_SIDES:
        like = _rows_like(group, rows, side)
        found = rows_cells([line.plain for line in like], side) if len(like) == side else []
        if found:
            at = {line.number: cells for line, cells in zip(like, found, strict=True)}
            return [[line._replace(at=at.get(line.number, ())) for line in group]]
    return []


def _rows_like(group: list[Line], rows: list[Line], side: int) -> list[Line]:
    """Add to rows those rules that are rows without a clue, if rows are missing."""
    if len(rows) >= side:
        return rows
    model = rows[0].plain
    like = [line for line in group if line.kind == "rule" and rows_cells([model, line.plain], side)]
    return sorted(rows + like, key=lambda line: line.number)


def _refuse_other_size(rows: list[Line]) -> None:
    """Raise PuzzleError if the rows are a Sudoku of another size that cannot be read."""
    if len(rows) == 1 and line_side(rows[0].plain.strip()):
        raise rows[0].error(*line_problem(rows[0].plain))
    wide = [line for line in rows if line.kind == "wide"]
    if len(rows) in OTHER_SIDES:
        words = [_WORD.findall(line.plain) for line in rows]
        if all(len(rows) in (len(row), len("".join(row))) for row in words):
            size = f"{len(rows)} x {len(rows)}"
            raise rows[0].error(f"a Sudoku of {size} whose rows have different shapes")
    if wide:
        raise wide[0].error(*line_problem(wide[0].plain))


def _refuse_foreign(group: list[Line]) -> None:
    """Raise PuzzleError for lines that cannot be part of a drawing."""
    for line in group:
        if line.at or not line.drawn:
            continue
        problem = candidates(line.plain)
        if line.kind == "row":
            problem = problem or foreign(line.plain)
        if problem:
            raise line.error(*problem)


def _find_cells(line: Line) -> Line:
    """Add to a drawn line where its cells are, if it has nine."""
    if not line.drawn:
        return line
    return line._replace(at=row_cells(line.plain))


def _choose_rows(group: list[Line]) -> list[int]:
    """Choose the lines that are rows.

    ``---------`` is a row among rows of its shape, if one is missing and ``-`` is their blank.
    """
    sure = [i for i, line in enumerate(group) if line.kind == "row"]
    maybe = [i for i, line in enumerate(group) if line.kind == "rule" and line.at]
    if not sure:
        looks = Counter(group[i].plain for i in maybe)
        return [i for i in maybe if looks[group[i].plain] % 9 == 0]
    if len(sure) % 9 == 0:
        return sure
    shapes = {group[i].template for i in sure}
    cells = "".join(group[i].cells for i in sure)
    blanks = set(cells) - set(DIGITS) or CELLS | {" "}
    like = [i for i in maybe if group[i].template in shapes and group[i].cells[0] in blanks]
    return sorted(sure + like)


def _pad(group: list[Line]) -> list[Line]:
    """Restore the blanks at the ends of rows that an editor has stripped, where that is certain."""
    drawn = [line for line in group if line.drawn]
    text = "".join(line.plain for line in drawn)
    if len(drawn) != 9:
        return group
    tabs = [line.plain.count("\t") for line in drawn]
    if max(tabs) == 8 and min(tabs) > 0:
        return [line.padded("\t" * (8 - line.plain.count("\t"))) for line in group]
    if max(len(line.plain) for line in drawn) != 9 or " " not in text or text.strip(DIGITS + " "):
        return group
    return [line.padded(" " * (9 - len(line.plain))) if line.drawn else line for line in group]


def _refuse_ragged(rows: list[Line]) -> None:
    """Raise PuzzleError unless every row has nine cells.

    Where blanks are spaces, the cells have to stand in columns.
    """
    for nth, row in enumerate(rows, 1):
        if row.at:
            continue
        at = cells_between(row.plain, 0, len(row.plain), spaces=len(row.plain) < 9)
        found = count(len(at), "cell")
        problem = f"{found}; {SHAPE}"
        if len(rows) > 1:
            problem = f"ragged grid: row {nth} has {found}, every row needs 9"
        raise row.error(problem, [*at, len(row.plain)][min(len(at), 9)])
    labels = [has_label(row.plain) for row in rows]
    if any(labels) and not all(labels):
        row = rows[labels.index(not labels[0])]
        raise row.error("ragged grid: some rows have a label and others have none")
    if not any(" " in row.cells for row in rows):
        return
    for nth, row in enumerate(rows, 1):
        if row.at != rows[0].at:
            problem = f"ragged grid: row {nth} is not in line with row 1; write blanks as '.'"
            raise row.error(problem)


def read_puzzle(name: str, lines: Sequence[Line], template: str = "") -> Puzzle:
    """Read the puzzle that stands at the cells of these lines.

    Raises PuzzleError if two equal clues clash, and for a board of another size than 9 x 9 also if
    a digit is not one of the board, or if there is no clue or no blank.
    """
    if not template:
        template = "".join([line.template + "\n" for line in lines])
    if sum(len(line.at) for line in lines) == 81:
        grid = grid_of("".join([line.cells for line in lines]))
        blanks = [blank for line in lines for blank in line.blanks[:1]]
        form = TextForm(template, blanks[0] if blanks else ".")
    else:
        grid, form = _read_sized(lines, template)
    _refuse_clash(grid, lines, form)
    first = next(line.number for line in lines if line.drawn)
    return Puzzle(grid, f"{name}:{first}", form)


def _read_sized(lines: Sequence[Line], template: str) -> tuple[Grid, TextForm]:
    """Read the cells of a board of another size."""
    digits = digits_of(lines)
    grid = sized_grid(lines, digits)
    cells = [(line, span) for line in lines for span in line.at]
    shown = [line.text.shown[start:stop] for line, (start, stop) in cells]
    size = digits.board.size
    first_line, (first, _) = cells[0]
    if not grid.any():
        raise first_line.error(f"a Sudoku of {size} without a clue", first)
    if grid.all():
        raise first_line.error(f"a Sudoku of {size} without a blank", first)
    blanks = [place for place, value in enumerate(grid.ravel().tolist()) if not value]
    blank = shown[blanks[0]]
    for place in blanks:
        if shown[place].strip() != blank.strip():
            line, (start, _) = cells[place]
            problem = f"blanks written as {blank.strip()!r} and as {shown[place].strip()!r}"
            raise line.error(f"{problem}; write all alike", start)
    if template == LINE.template:
        blank = blank.strip()
        return grid, TextForm(template, blank if len(blank) == 1 else ".", tuple(digits.symbols))
    words = [line.plain[start:stop] for line, (start, stop) in cells]
    numbers = CELL * 2 not in template and bool(_LISTED.search(template))
    return grid, TextForm(template, blank, digits.signs(words, numbers))


def digits_of(lines: Sequence[Line]) -> Digits:
    """Tell how the digits of a board of another size than 9 x 9 are written."""
    words = [line.plain[start:stop] for line in lines for start, stop in line.at]
    return Digits.of(math.isqrt(len(words)), words)


def sized_grid(lines: Sequence[Line], digits: Digits) -> Grid:
    """Make the grid (n, n) of cells. Raises PuzzleError for what is no digit of the board."""
    side = digits.board.side
    values: list[int] = []
    for line in lines:
        for start, stop in line.at:
            value = digits.value(line.plain[start:stop])
            if value is None:
                raise line.error(digits.wrong(line.plain[start:stop]), start)
            values.append(value)
    return np.array(values, np.int8).reshape(side, side)


def answer_grid(question: Sequence[Line], answer: Sequence[Line]) -> Grid:
    """Make the grid of the answer to a question, whose digits are written alike.

    Raises PuzzleError for what is no digit of the board.
    """
    if sum(len(line.at) for line in answer) == 81:
        return grid_of("".join([line.cells for line in answer]))
    return sized_grid(answer, digits_of(question))


def place_in_columns(lines: list[Line]) -> list[Line]:
    """Give all cells of a board of another size one width, if they stand in columns."""
    rows = [line for line in lines if line.at]
    if len({len(line.at) for line in rows}) > 1:
        return lines
    found = in_columns([line.plain for line in rows], [line.at for line in rows])
    cells = iter(found)
    return [line._replace(at=next(cells)) if line.at else line for line in lines]


def grid_of(cells: str) -> Grid:
    """Make the grid (9, 9) of 81 cells."""
    values = cells.translate(_VALUES).encode()
    grid = np.frombuffer(values, np.int8).reshape(9, 9)
    return grid.copy()  # a buffer cannot be written to


def _refuse_clash(grid: Grid, lines: Sequence[Line], form: TextForm) -> None:
    """Raise PuzzleError, with both places, if two equal clues are in one row, column or box."""
    board = board_of(len(grid))
    clash = _find_clash(grid, board)
    if not clash:
        return
    places: list[tuple[int, int]] = []  # the line and the column of each cell
    for line in lines:
        for start, _ in line.at:
            place = line.error("", start)
            places.append((line.number, place.column or 0))
    house, *pair = clash
    named = []
    for cell in pair:
        number, column = places[cell]
        named.append(f"{board.name_cell(cell)} (line {number}, column {column})")
    sign = form.signs[grid.flat[pair[0]] - 1].strip()
    problem = f"two {sign}s in {board.name_house(house)}"
    raise PuzzleError(f"{problem}: {' and '.join(named)}", "", *places[pair[1]])


def _find_clash(grid: Grid, board: Board) -> tuple[int, int, int] | None:
    """Find two equal clues in one row, column or box. Returns the house and their cells."""
    digits = grid.ravel()[board.houses]
    bits = _BITS[digits]
    # The sum equals the union only if no bit comes twice.
    union = np.bitwise_or.reduce(bits, axis=1)
    if (bits.sum(axis=1) == union).all():
        return None
    for number, house in enumerate(board.houses.tolist()):
        for one, other in combinations(house, 2):
            digit = grid.flat[one]
            if digit and digit == grid.flat[other]:
                return number, one, other
    return None
