"""Reads Sudokus from a stream of text in every form that people keep them in, and writes them back.

The forms are told apart by content:

- 81 cells on one line, whatever stands around them
- nine rows with or without a frame
- CSV with a header
- lists and objects, as JSON and programs have them

docs/formats.md shows each. A puzzle that cannot be read becomes a ``PuzzleError`` in its place, and
the rest follows. No more than one puzzle's text is held at a time. A line that is a puzzle is
handed on before the next line is awaited.

This module gathers lines. Bytes are the business of ``reading.lines``, the cells of one line that
of ``cells``, the rows of a grid that of ``drawing``, lists that of ``listed``, and the columns of a
CSV that of ``table``. It does not know how a Sudoku is solved, encoded or verified.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import BinaryIO

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading import literals
from trmsolve.puzzles.reading.lines import (
    LIMIT,
    Patience,
    Skipped,
    TextLines,
    limit_of,
    read_chunks,
)
from trmsolve.puzzles.reading.table import ends_quoted
from trmsolve.puzzles.sudoku.board import USUAL, board_of
from trmsolve.puzzles.sudoku.cells import (
    COMMENT,
    SHAPE,
    Spans,
    beside_problem,
    line_runs,
    look,
    row_cells,
)
from trmsolve.puzzles.sudoku.drawing import (
    Line,
    answer_grid,
    is_size,
    join_lines,
    place_cells,
    place_in_columns,
    read_puzzle,
    split_group,
)
from trmsolve.puzzles.sudoku.form import LINE
from trmsolve.puzzles.sudoku.listed import find_records, find_sized_records
from trmsolve.puzzles.sudoku.sizes import (
    OTHER_SIDES,
    Frame,
    frame_of,
    kind_of,
    line_cells,
    line_problem,
    rows_cells,
)
from trmsolve.puzzles.sudoku.table import SudokuCsv, find_table, read_record
from trmsolve.puzzles.values import Puzzle

LINES = 1000
"""The most lines of one group. Its characters have the limit of a line."""

Item = Puzzle | PuzzleError


def read_sudokus(stream: BinaryIO, name: str) -> Iterator[Item]:
    """Generate every puzzle of a stream in order, each as soon as it is complete.

    Errors call the stream ``name``.
    """
    found = False
    try:
        lines = TextLines(read_chunks(stream)[1], name, list_limit=literals.LIMIT)
        for item in _Reader(name).read(lines):
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


class _Reader:
    """Gathers lines into groups, and groups into puzzles.

    A line that is a puzzle by itself passes straight through.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._start_group([])
        self.list: list[Line] = []
        self.open_brackets = literals.Balance()
        self.record: list[Line] = []  # of a CSV, whose quotes are still open
        self.table: SudokuCsv | None = None
        self.skipped = Skipped(name)
        self.caption: Line | None = None  # the first that stands above no puzzle
        self.found = False
        self.in_sections = False
        self.skip_section = False
        self.skip_group = False

    def read(self, lines: Iterable[tuple[int, str]]) -> Iterator[Item]:
        """Generate every item of the numbered lines, in order."""
        patience = Patience(self.name, "Sudoku")
        for number, text in lines:
            patience.count(number, text)
            most = limit_of(text, (LIMIT, literals.LIMIT))
            if len(text) > most:
                yield from self._end()
                yield PuzzleError(f"a line longer than {most} characters; {SHAPE}", "", number)
                continue
            for item in self._take(Line(number, look(text))):
                self.found = True
                patience.renew()
                yield item
        for item in self._end():
            self.found = True
            yield item
        if self.found:
            self.skipped.tell()
        elif self.caption:
            title = self.caption.text.shown.strip()[:40]
            yield self.caption.error(f"no Sudoku follows {title!r}; {SHAPE}", 0)

    def _take(self, line: Line, may_open: bool = True) -> Iterator[Item]:
        """Read a line: a record of a CSV, puzzles, or a part of a list or of a group."""
        if self.list:
            yield from self._take_listed(line)
        elif self.table or self._starts_table(line):
            yield from self._take_record(line)
        elif self.skip_section:
            yield from self._gather(line._replace(kind=kind_of(line.plain)))
        else:
            yield from self._take_puzzles(line, may_open)

    def _take_puzzles(self, line: Line, may_open: bool) -> Iterator[Item]:
        """Read a line that is puzzles by itself, begins a list, or belongs to a group."""
        bracketed = may_open and line.plain.lstrip().startswith(("[", "{"))
        listed = _find_listed([line]) if bracketed else []
        runs = [] if listed else _find_runs(line)
        if listed or runs:
            yield from self._end_group()
            self.skip_group = False
            yield from _read_listed(self.name, listed) if listed else self._read_line(line, runs)
        elif may_open and literals.opens(line.plain):
            yield from self._end_group()
            yield from self._take_listed(line)
        else:
            yield from self._gather(line._replace(kind=kind_of(line.plain)))

    def _read_line(self, line: Line, runs: Sequence[Spans]) -> Iterator[Item]:
        """Read the puzzles of a line, whose cells are at ``runs``."""
        problem = beside_problem(line.plain, runs)
        if problem:
            yield line.error(*problem)
        else:
            yield from _read_beside(self.name, [[line._replace(at=run)] for run in runs])

    def _take_listed(self, line: Line) -> Iterator[Item]:
        """Add a line to a list, and read the list if it ends here."""
        self.list.append(line)
        if self.open_brackets.add(line.plain):
            yield from self._end_list()

    def _end_list(self) -> Iterator[Item]:
        """Read the puzzles of a list. The lines of a list that has none are read one by one."""
        lines = self.list
        self.list = []
        self.open_brackets = literals.Balance()
        listed = _find_listed(lines)
        if listed:
            yield from _read_listed(self.name, listed)
            return
        for line in lines:
            yield from self._take(line, may_open=False)

    def _starts_table(self, line: Line) -> bool:
        """Start a table if the last line was the header of a CSV and this is its first record."""
        if self.group and self.group[-1].kind == "title":
            self.table = find_table(self.group[-1].plain, line.plain)
            if self.table:
                self._start_group([])
        return self.table is not None

    def _take_record(self, line: Line) -> Iterator[Item]:
        """Read a line of a CSV, whose records may go on over several lines between quotes."""
        if not self.table or (not self.record and _is_no_record(line)):
            return
        self.record.append(line)
        record = join_lines(self.record)
        if len(self.record) <= LINES and ends_quoted(record.plain, self.table.delimiter):
            return
        self.record = []
        yield _attempt(read_record, self.name, self.table, record)

    def _gather(self, line: Line) -> Iterator[Item]:
        """Take a line that is no puzzle by itself: it opens, continues or ends a group."""
        if line.kind == "blank" and not self.group:
            self.skip_group = False
            return
        if line.kind == "blank":  # part of the drawing: keeps answers apart as the puzzles were
            self._add(line._replace(text=look("")))
        if self._ends_group(line):
            yield from self._end_group()
        if line.kind == "section":  # [Puzzle] is read, a [State] or [Comment] after it is not
            self.skip_section = self.in_sections and "puzzle" not in line.plain.lower()
            self.in_sections = True
        if line.kind == "blank":
            self.skip_group = False
        elif line.kind == "attempt" and not self.skip_section:
            yield line.error(*line_problem(line.plain))
        elif line.kind != "fence" and not self.skip_section and not self.skip_group:
            self._add(line)
        yield from self._refuse_long_group()

    def _ends_group(self, line: Line) -> bool:
        """Tell whether a line ends the group before it."""
        match line.kind:
            case "attempt" | "fence":
                return True
            case "blank":
                return not _awaits_bands(self.group)
            case "section" | "title":
                return any(kept.drawn for kept in self.group)
            case "comment":  # after the last row it heads the next puzzle
                rows = sum(kept.kind in ("row", "wide") for kept in self.group)
                return rows >= _side(self.group)
            case "wide":
                return _has_other_frame(self.nine_frames, line)
            case _:
                is_nine = bool(self.wide_frames) and bool(row_cells(line.plain))
                return is_nine and _has_other_frame(self.wide_frames, line)

    def _start_group(self, lines: Sequence[Line]) -> None:
        """Begin a group with these lines."""
        self.group: list[Line] = []
        self.characters = 0
        # The frames of its rows of nine cells, and of its rows of larger boards.
        self.nine_frames: set[Frame] = set()
        self.wide_frames: set[Frame] = set()
        for line in lines:
            self._add(line)

    def _add(self, line: Line) -> None:
        """Add a line to the group."""
        self.group.append(line)
        self.characters += len(line.plain)
        if line.kind == "wide":
            self.wide_frames.add(frame_of(line.plain))
        elif line.drawn and row_cells(line.plain):
            self.nine_frames.add(frame_of(line.plain))

    def _refuse_long_group(self) -> Iterator[Item]:
        """Give up a group that is longer than any puzzle."""
        if len(self.group) <= LINES and self.characters <= LIMIT:
            return
        problem = f"no empty line in {LINES} lines or {LIMIT} characters; {SHAPE}"
        yield self.group[0].error(problem)
        self._start_group([])
        self.skip_group = True

    def _end_group(self) -> Iterator[Item]:
        """Read the puzzles of the group. A title at its end may head a grid further down."""
        group = self.group
        titles = [line for line in group if line.kind == "title"]
        drawn = any(line.drawn for line in group)
        self._start_group(titles[-1:] if not drawn else [])
        if titles and not drawn and not self.caption:
            self.caption = titles[0]
        if not drawn:
            self._skip(titles[:-1])
        items = list(_read_group(self.name, group))
        bands = _split_bands(group)
        if len(bands) > 1 and items and isinstance(items[0], PuzzleError):
            for band in bands:
                yield from _read_group(self.name, band)
        else:
            yield from items

    def _skip(self, titles: list[Line]) -> None:
        """Count titles that stand above no puzzle."""
        for line in titles:
            self.skipped.count(line.number, line.text.shown)

    def _end(self) -> Iterator[Item]:
        """Read what the lines so far still hold."""
        if self.record and self.table:
            yield self.record[0].error("a quote in this record is never closed")
            self.record = []
        if self.list:
            yield from self._end_list()
        yield from self._end_group()
        self._skip(self.group)
        self._start_group([])


def _find_runs(line: Line) -> list[Spans]:
    """Find where the cells of every puzzle of a line are.

    A line of another size may hold 81 characters beside a letter that look like a Sudoku of 9 x 9.
    It is one if the whole line breaks a rule.
    """
    runs = line_runs(line.plain)
    at = line_cells(line.plain) if len(line.plain) != 81 else []
    # A line of 16 characters may also be a row of 16 x 16: its group decides.
    if len(at) <= 16:
        return runs
    whole = line._replace(at=at)
    return runs if runs and isinstance(_attempt(read_puzzle, "", [whole]), PuzzleError) else [at]


def _side(group: list[Line]) -> int:
    """The number of rows that the Sudoku of a group has."""
    first = next((line.plain for line in group if line.kind in ("row", "wide")), "")
    sides = [side for side in OTHER_SIDES if rows_cells([first], side)]
    return USUAL.side if row_cells(first) or not sides else sides[0]


def _attempt(make: Callable[..., Puzzle], *args: object) -> Item:
    """Return the puzzle that a function makes, or its error."""
    try:
        return make(*args)
    except PuzzleError as error:
        return error


def _read_group(name: str, group: list[Line]) -> Iterator[Item]:
    """Read the puzzles of a group of lines."""
    try:
        puzzles = split_group(group)
    except PuzzleError as error:
        yield error
    else:
        for lines in puzzles:
            yield _attempt(read_puzzle, name, lines)


def _has_other_frame(frames: set[Frame], line: Line) -> bool:
    """Tell whether a line has another frame than one of these, and so belongs to another puzzle.

    Rows of nine cells and of a larger board do. But a row of a larger board may have nine digits
    too, and spaces for its blanks.
    """
    frame = frame_of(line.plain)
    return bool(frames) and (not frame or frames != {frame})


def _split_bands(group: list[Line]) -> list[list[Line]]:
    """Split a group at its empty lines into those parts that have something drawn."""
    bands: list[list[Line]] = [[]]
    for line in group:
        if line.kind == "blank":
            bands.append([])
        else:
            bands[-1].append(line)
    return [band for band in bands if any(line.drawn for line in band)]


def _awaits_bands(group: list[Line]) -> bool:
    """Tell whether a grid may go on after an empty line: in bands of boxes, or row by row."""
    bands = _split_bands(group)
    if bands and is_size(bands[0][0]):
        bands[0] = bands[0][1:]
    heights = {_find_height(band) for band in bands}
    nine = (heights == {3} and len(bands) < 3) or (heights == {1} and len(bands) < 9)
    return nine or _awaits_sized(bands)


def _awaits_sized(bands: list[list[Line]]) -> bool:
    """Tell whether bands are the first boxes of a board of another size."""
    side = _side([line for band in bands for line in band])
    if side == USUAL.side:
        return False
    board = board_of(side)
    rows = [[line.plain for line in band if line.kind in ("row", "wide")] for band in bands]
    if {len(band) for band in rows} != {board.box_rows} or len(bands) >= board.box_columns:
        return False
    return bool(rows_cells([row for band in rows for row in band], side))


def _find_height(band: list[Line]) -> int:
    """Count the rows of a band. Returns 0 if one of them has not nine cells."""
    drawn = [line for line in band if line.drawn]
    rows = [line for line in drawn if line.kind == "row"]
    if not all(row_cells(row.plain) for row in rows):
        return 0
    # A row of blanks may look like a rule.
    like = sum(bool(row_cells(line.plain)) for line in drawn)
    return like if like in (1, 3) else len(rows)


def _is_no_record(line: Line) -> bool:
    """Tell whether a line between the records of a CSV is empty or a comment."""
    return not line.plain.strip() or bool(COMMENT.fullmatch(line.plain))


def _find_listed(lines: list[Line]) -> list[list[list[Line]]]:
    """Find the records of a list; each has the lines of every grid that stands in it.

    There are none if a line has a run of 81 cells that is no value of the list.
    """
    text = join_lines(lines).plain
    listing = literals.parse(text)
    records = list(find_records(listing)) if listing else []
    runs = sum(len(line_runs(line.plain)) for line in lines)
    if sum(map(len, records)) < runs:
        return []
    if listing and not records and not any(row_cells(line.plain) for line in lines):
        records = list(find_sized_records(listing, text))
    if len(records) == 1 and len(records[0]) == 1:  # answered in the list: all lines are needed
        placed = place_cells(lines, records[0][0])
        return [[placed if len(records[0][0]) == 81 else place_in_columns(placed)]]
    begins = list(accumulate((len(line.plain) + 1 for line in lines), initial=0))
    return [[_place_among(lines, begins, at) for at in record] for record in records]


def _place_among(lines: list[Line], begins: Sequence[int], at: Spans) -> list[Line]:
    """Give cells to those lines of many in which they stand, given where the lines begin."""
    first = bisect_right(begins, at[0][0]) - 1
    stop = bisect_right(begins, at[-1][0])
    origin = begins[first]
    return place_cells(lines[first:stop], [(start - origin, end - origin) for start, end in at])


def _read_listed(name: str, records: list[list[list[Line]]]) -> Iterator[Item]:
    """Read the puzzles of a list. One alone is answered in the list, others on lines."""
    if len(records) == 1 and len(records[0]) == 1:
        yield _attempt(read_puzzle, name, records[0][0])
        return
    for record in records:
        if len(record) == 2 and _is_answer(record[1], record[0]):
            record.reverse()
        yield from _read_beside(name, record)


def _read_beside(name: str, grids: Sequence[Sequence[Line]]) -> Iterator[Item]:
    """Read the puzzles that stand beside each other.

    If there are two, the second may be the answer to the first.
    """
    if len(grids) == 1:
        yield _attempt(read_puzzle, name, grids[0])
    elif len(grids) == 2 and _is_answer(*grids):
        yield _attempt(_read_pair, name, *grids)
    else:
        for lines in grids:
            yield _attempt(_read_one_of_several, name, lines)


def _is_answer(question: Sequence[Line], answer: Sequence[Line]) -> bool:
    """Tell whether a grid is full and keeps the clues of the question."""
    if sum(len(line.at) for line in question) != sum(len(line.at) for line in answer):
        return False
    try:
        clues = answer_grid(question, question)
        values = answer_grid(question, answer)
    except PuzzleError:  # a digit that the board has not
        return False
    full = bool((values > 0).all())
    return full and bool((values == clues)[clues > 0].all())


def _read_pair(name: str, question: Sequence[Line], answer: Sequence[Line]) -> Puzzle:
    """Read a question and the answer beside it. Its form is a line, as for a record of a CSV."""
    puzzle = read_puzzle(name, question, LINE.template)
    return replace(puzzle, answer=answer_grid(question, answer))


def _read_one_of_several(name: str, lines: Sequence[Line]) -> Puzzle:
    """Read one of several puzzles. Its form is a line, and its source has the column too."""
    puzzle = read_puzzle(name, lines, LINE.template)
    first = next(line for line in lines if line.at)
    place = first.error("", first.at[0][0])
    return replace(puzzle, source=f"{name}:{place.line}:{place.column}")
