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

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading import literals
from trmsolve.puzzles.reading.lines import LIMIT, Source, TextLines
from trmsolve.puzzles.reading.places import Item, Joined, attempt
from trmsolve.puzzles.reading.reader import Reader
from trmsolve.puzzles.sudoku.board import USUAL, board_of
from trmsolve.puzzles.sudoku.cells import line_runs, row_cells
from trmsolve.puzzles.sudoku.digits import OTHER_SIDES
from trmsolve.puzzles.sudoku.form import LINE
from trmsolve.puzzles.sudoku.groups import is_size, split_group
from trmsolve.puzzles.sudoku.line import SudokuLine, make_line, place
from trmsolve.puzzles.sudoku.listed import find_records, find_sized_records
from trmsolve.puzzles.sudoku.problems import beside_problem, line_problem
from trmsolve.puzzles.sudoku.puzzle import answer_grid, place_in_columns, read_puzzle
from trmsolve.puzzles.sudoku.signs import SHAPE, Spans
from trmsolve.puzzles.sudoku.sizes import Frame, cells_of_rows, frame_of, line_cells
from trmsolve.puzzles.sudoku.table import SudokuTable, find_table
from trmsolve.puzzles.values import Puzzle

LINES = 1000
"""The most lines of one group. Its characters have the limit of a line."""


def read_sudokus(stream: BinaryIO, name: str) -> Iterator[Item]:
    """Generate every puzzle of a stream in order, each as soon as it is complete.

    Errors call the stream ``name``.
    """
    lines = TextLines(Source(stream), name, list_limit=literals.LIMIT)
    yield from _Reader(lines).read()


class _Reader(Reader[SudokuLine]):
    """Gathers lines into groups, and groups into puzzles.

    A line that is a puzzle by itself passes straight through.
    """

    noun = "Sudoku"
    shape = SHAPE

    def __init__(self, lines: TextLines) -> None:
        super().__init__(lines)
        self._start_group([])
        self.caption: SudokuLine | None = None  # the first that stands above no puzzle
        self.in_sections = False
        self.skip_section = False
        self.skip_group = False

    def look(self, number: int, text: str) -> SudokuLine:
        """Make a line of its text."""
        return make_line(number, text)

    def opens_list(self, line: SudokuLine) -> bool:
        """Tell whether a list begins in a line that is no puzzle, and goes on in the next one."""
        return not self.skip_section and literals.opens(line.text) and not _find_runs(line)

    def read_list(self, joined: Joined[SudokuLine]) -> Iterator[Item]:
        """Generate the puzzles of a list."""
        yield from _read_listed(self.name, _find_listed(joined))

    def find_table(self, line: SudokuLine) -> SudokuTable | None:
        """Make a table if the last line was the header of a CSV and this is its first record."""
        if not self.group or self.group[-1].kind != "title":
            return None
        table = find_table(self.group[-1].text, line.text, self.lines)
        if table:
            self._start_group([])
        return table

    def take_drawn(self, line: SudokuLine) -> Iterator[Item]:
        """Take a line that is puzzles by itself, or belongs to a group."""
        bracketed = line.text.lstrip().startswith(("[", "{"))
        listed = _find_listed(Joined([line])) if bracketed and not self.skip_section else []
        runs = [] if listed or self.skip_section else _find_runs(line)
        if not listed and not runs:
            yield from self._gather(line.of_its_kind())
            return
        yield from self.end_drawn()
        self.skip_group = False
        yield from _read_listed(self.name, listed) if listed else self._read_line(line, runs)

    def close(self) -> Iterator[Item]:
        """Tell what stood beside puzzles, or which caption stood above none."""
        self._skip(self.group)
        if self.found:
            self.skipped.tell()
        elif self.caption:
            title = self.caption.shown.strip()[:40]
            yield self.caption.error(f"no Sudoku follows {title!r}; {SHAPE}", 0)

    def _read_line(self, line: SudokuLine, runs: Sequence[Spans]) -> Iterator[Item]:
        """Read the puzzles of a line, whose cells are at ``runs``."""
        problem = beside_problem(line.text, runs)
        if problem:
            yield line.error(*problem)
        else:
            yield from _read_beside(self.name, [[replace(line, at=run)] for run in runs])

    def _gather(self, line: SudokuLine) -> Iterator[Item]:
        """Take a line that is no puzzle by itself: it opens, continues or ends a group."""
        if line.kind == "blank" and not self.group:
            self.skip_group = False
            return
        if line.kind == "blank":  # part of the drawing: keeps answers apart as the puzzles were
            self._add(replace(line, text="", shown=""))
        if self._ends_group(line):
            yield from self.end_drawn()
        if line.kind == "section":  # [Puzzle] is read, a [State] or [Comment] after it is not
            self.skip_section = self.in_sections and "puzzle" not in line.text.lower()
            self.in_sections = True
        if line.kind == "blank":
            self.skip_group = False
        elif line.kind == "attempt" and not self.skip_section:
            yield line.error(*line_problem(line.text))
        elif line.kind != "fence" and not self.skip_section and not self.skip_group:
            self._add(line)
        yield from self._refuse_long_group()

    def _ends_group(self, line: SudokuLine) -> bool:
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
                is_nine = bool(self.wide_frames) and bool(row_cells(line.text))
                return is_nine and _has_other_frame(self.wide_frames, line)

    def _start_group(self, lines: Sequence[SudokuLine]) -> None:
        """Begin a group with these lines."""
        self.group: list[SudokuLine] = []
        self.characters = 0
        # The frames of its rows of nine cells, and of its rows of larger boards.
        self.nine_frames: set[Frame] = set()
        self.wide_frames: set[Frame] = set()
        for line in lines:
            self._add(line)

    def _add(self, line: SudokuLine) -> None:
        """Add a line to the group."""
        self.group.append(line)
        self.characters += len(line.text)
        if line.kind == "wide":
            self.wide_frames.add(frame_of(line.text))
        elif line.drawn and row_cells(line.text):
            self.nine_frames.add(frame_of(line.text))

    def _refuse_long_group(self) -> Iterator[Item]:
        """Give up a group that is longer than any puzzle."""
        if len(self.group) <= LINES and self.characters <= LIMIT:
            return
        problem = f"no empty line in {LINES} lines or {LIMIT} characters; {SHAPE}"
        yield self.group[0].error(problem)
        self._start_group([])
        self.skip_group = True

    def end_drawn(self) -> Iterator[Item]:
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

    def _skip(self, titles: list[SudokuLine]) -> None:
        """Count titles that stand above no puzzle."""
        for line in titles:
            self.skipped.count(line.number, line.shown)


def _find_runs(line: SudokuLine) -> list[Spans]:
    """Find where the cells of every puzzle of a line are.

    A line of another size may hold 81 characters beside a letter that look like a Sudoku of 9 x 9.
    It is one if the whole line breaks a rule.
    """
    runs = line_runs(line.text)
    at = line_cells(line.text) if len(line.text) != 81 else []
    # A line of 16 characters may also be a row of 16 x 16: its group decides.
    if len(at) <= 16:
        return runs
    whole = replace(line, at=at)
    return runs if runs and isinstance(attempt(read_puzzle, "", [whole]), PuzzleError) else [at]


def _side(group: list[SudokuLine]) -> int:
    """The number of rows that the Sudoku of a group has."""
    first = next((line.text for line in group if line.kind in ("row", "wide")), "")
    sides = [side for side in (USUAL.side, *OTHER_SIDES) if any(cells_of_rows([first], side))]
    return sides[0] if sides else USUAL.side


def _read_group(name: str, group: list[SudokuLine]) -> Iterator[Item]:
    """Read the puzzles of a group of lines."""
    try:
        puzzles = split_group(group)
    except PuzzleError as error:
        yield error
    else:
        for lines in puzzles:
            yield attempt(read_puzzle, name, lines)


def _has_other_frame(frames: set[Frame], line: SudokuLine) -> bool:
    """Tell whether a line has another frame than one of these, and so belongs to another puzzle.

    Rows of nine cells and of a larger board do. But a row of a larger board may have nine digits
    too, and spaces for its blanks.
    """
    frame = frame_of(line.text)
    return bool(frames) and (not frame or frames != {frame})


def _split_bands(group: list[SudokuLine]) -> list[list[SudokuLine]]:
    """Split a group at its empty lines into those parts that have something drawn."""
    bands: list[list[SudokuLine]] = [[]]
    for line in group:
        if line.kind == "blank":
            bands.append([])
        else:
            bands[-1].append(line)
    return [band for band in bands if any(line.drawn for line in band)]


def _awaits_bands(group: list[SudokuLine]) -> bool:
    """Tell whether a grid may go on after an empty line: in bands of boxes, or row by row."""
    bands = _split_bands(group)
    if bands and is_size(bands[0][0]):
        bands[0] = bands[0][1:]
    side = _side([line for band in bands for line in band])
    rows = [_rows_of(band, side) for band in bands]
    heights = set(map(len, rows))
    may_be_bands = heights == {board_of(side).box_rows} or (heights == {1} and side == USUAL.side)
    found = cells_of_rows([row.text for band in rows for row in band], side)
    return may_be_bands and 0 < len(found) < side and all(found)


def _rows_of(band: list[SudokuLine], side: int) -> list[SudokuLine]:
    """The rows of a band. Those of blanks may look like rules, if with them it has 1 or 3."""
    rows = [line for line in band if line.kind in ("row", "wide")]
    if side == USUAL.side and all(row_cells(row.text) for row in rows):
        like = [line for line in band if line.drawn and row_cells(line.text)]
        return like if len(like) in (1, 3) else rows
    return rows


def _find_listed(joined: Joined[SudokuLine]) -> list[list[list[SudokuLine]]]:
    """Find the records of a list; each has the lines of every grid that stands in it.

    There are none if a line has a run of 81 cells that is no value of the list.
    """
    listing = literals.parse(joined.text)
    records = list(find_records(listing)) if listing else []
    runs = sum(len(line_runs(line.text)) for line in joined.lines)
    if sum(map(len, records)) < runs:
        return []
    if listing and not records and not any(row_cells(line.text) for line in joined.lines):
        records = list(find_sized_records(listing, joined.text))
    if len(records) == 1 and len(records[0]) == 1:  # answered in the list
        return [[place_in_columns(place(joined, records[0][0], whole=True))]]
    return [[place(joined, at) for at in record] for record in records]


def _read_listed(name: str, records: list[list[list[SudokuLine]]]) -> Iterator[Item]:
    """Read the puzzles of a list. One alone is answered in the list, others on lines."""
    if len(records) == 1 and len(records[0]) == 1:
        yield attempt(read_puzzle, name, records[0][0])
        return
    for record in records:
        if len(record) == 2 and _is_answer(record[1], record[0]):
            record.reverse()
        yield from _read_beside(name, record)


def _read_beside(name: str, grids: Sequence[Sequence[SudokuLine]]) -> Iterator[Item]:
    """Read the puzzles that stand beside each other.

    If there are two, the second may be the answer to the first.
    """
    if len(grids) == 1:
        yield attempt(read_puzzle, name, grids[0])
    elif len(grids) == 2 and _is_answer(*grids):
        yield attempt(_read_pair, name, *grids)
    else:
        for lines in grids:
            yield attempt(_read_one_of_several, name, lines)


def _is_answer(question: Sequence[SudokuLine], answer: Sequence[SudokuLine]) -> bool:
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


def _read_pair(name: str, question: Sequence[SudokuLine], answer: Sequence[SudokuLine]) -> Puzzle:
    """Read a question and the answer beside it. Its form is a line, as for a record of a CSV."""
    puzzle = read_puzzle(name, question, LINE.template)
    return replace(puzzle, answer=answer_grid(question, answer))


def _read_one_of_several(name: str, lines: Sequence[SudokuLine]) -> Puzzle:
    """Read one of several puzzles. Its form is a line, and its source has the column too."""
    puzzle = read_puzzle(name, lines, LINE.template)
    first = next(line for line in lines if line.at)
    place = first.error("", first.at[0][0])
    return replace(puzzle, source=f"{name}:{place.line}:{place.column}")
