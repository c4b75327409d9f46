"""Reads Sudokus from a stream of text in every form that people keep them in, and writes them back.

The forms are told apart by content:

- 81 cells on one line, whatever stands around them
- nine rows with or without a frame
- CSV with a header
- lists and objects, as JSON and programs have them

docs/formats.md shows each. A puzzle that cannot be read becomes a ``PuzzleError`` in its place, and
the rest follows. No more than one puzzle's text is held at a time. A line that is a puzzle is
handed on before the next line is awaited.

This module gathers lines. Bytes are the business of ``reading.lines``, lists and tables that of
``reading.reader``, ``listed`` and ``table``, the cells of one line that of ``cells`` and ``sizes``,
and the rows of a grid that of ``groups``. It does not know how a Sudoku is solved or verified.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading import literals
from trmsolve.puzzles.reading.lines import LIMIT, Source, TextLines
from trmsolve.puzzles.reading.places import Item, Joined, attempt
from trmsolve.puzzles.reading.reader import Reader
from trmsolve.puzzles.sudoku.cells import line_runs, row_cells
from trmsolve.puzzles.sudoku.groups import (
    awaits_bands,
    has_other_frame,
    side_of,
    split_bands,
    split_group,
)
from trmsolve.puzzles.sudoku.line import SudokuLine, make_line
from trmsolve.puzzles.sudoku.listed import find_listed, read_listed
from trmsolve.puzzles.sudoku.problems import beside_problem, line_problem
from trmsolve.puzzles.sudoku.puzzle import read_beside, read_puzzle
from trmsolve.puzzles.sudoku.signs import SHAPE, Spans
from trmsolve.puzzles.sudoku.sizes import Frame, frame_of, line_cells
from trmsolve.puzzles.sudoku.table import SudokuTable, find_table

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
        yield from read_listed(self.name, find_listed(joined))

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
        listed = find_listed(Joined([line])) if bracketed and not self.skip_section else []
        runs = [] if listed or self.skip_section else _find_runs(line)
        if not listed and not runs:
            yield from self._gather(line.of_its_kind())
            return
        yield from self.end_drawn()
        self.skip_group = False
        yield from read_listed(self.name, listed) if listed else self._read_line(line, runs)

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
            yield from read_beside(self.name, [[replace(line, at=run)] for run in runs])

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
                return not awaits_bands(self.group)
            case "section" | "title":
                return any(kept.drawn for kept in self.group)
            case "comment":  # after the last row it heads the next puzzle
                rows = sum(kept.kind in ("row", "wide") for kept in self.group)
                return rows >= side_of(self.group)
            case "wide":
                return has_other_frame(self.nine_frames, line)
            case _:
                is_nine = bool(self.wide_frames) and bool(row_cells(line.text))
                return is_nine and has_other_frame(self.wide_frames, line)

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
        bands = split_bands(group)
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


def _read_group(name: str, group: list[SudokuLine]) -> Iterator[Item]:
    """Read the puzzles of a group of lines."""
    try:
        puzzles = split_group(group)
    except PuzzleError as error:
        yield error
    else:
        for lines in puzzles:
            yield attempt(read_puzzle, name, lines)
