"""Reads Sudokus from a stream of text in every form that people keep them in, and writes them back.

The forms are told apart by content:

- 81 cells on one line (.sdm), also with the answer or other puzzles beside them
- nine rows with or without a frame (.sdk, .ss, box drawing)
- CSV with a header

A puzzle that cannot be read becomes a ``PuzzleError`` in its place, and the rest follows. No more
than one puzzle's text is held at a time. A line that is a puzzle is handed on before the next line
is awaited.

This module gathers lines. Bytes are the business of ``reading.lines``, the cells of one line that
of ``cells``, the rows of a grid that of ``drawing``, and the columns of a CSV that of ``table``. It
does not know how a Sudoku is solved, encoded or verified.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading.lines import LIMIT, Patience, read_lines
from trmsolve.puzzles.sudoku.cells import (
    COMMENT,
    SHAPE,
    beside_problem,
    kind_of,
    line_problem,
    line_runs,
)
from trmsolve.puzzles.sudoku.drawing import Line, grid_of, line_error, read_puzzle, split_group
from trmsolve.puzzles.sudoku.form import LINE
from trmsolve.puzzles.sudoku.table import SudokuCsv, find_table, read_record
from trmsolve.puzzles.values import Grid, Puzzle

LINES = 1000
"""The most lines of one group. Its characters have the limit of a line."""


Item = Puzzle | PuzzleError


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


class _Reader:
    """Gathers lines into groups, and groups into puzzles.

    A line that is a puzzle by itself passes straight through.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.group: list[Line] = []
        self.table: SudokuCsv | None = None
        self.in_sections = False
        self.skip_section = False
        self.skip_group = False

    def read(self, lines: Iterable[tuple[int, str]]) -> Iterator[Item]:
        """Generate every item of the numbered lines, in order."""
        patience = Patience(self.name, "Sudoku")
        for number, text in lines:
            patience.count(number, text)
            too_long = len(text) > LIMIT
            for item in self._take(number, text):
                if not too_long:
                    patience.renew()
                yield item
        yield from self._end_group()

    def _take(self, number: int, text: str) -> Iterator[Item]:
        """Read a line: a record of a CSV, puzzles, or a part of a group."""
        if len(text) > LIMIT:
            yield from self._end_group()
            yield line_error(number, f"a line longer than {LIMIT} characters; {SHAPE}")
            return
        if not self.table:
            self._start_table(text)
        if self.table:
            if text.strip() and not COMMENT.fullmatch(text):
                yield _attempt(read_record, self.name, self.table, number, text)
            return
        runs = [] if self.skip_section else line_runs(text)
        if runs:
            yield from self._end_group()
            self.skip_group = False
            yield from _read_runs(self.name, number, text, runs)
        else:
            yield from self._gather(Line(number, text, kind_of(text)))

    def _start_table(self, text: str) -> None:
        """Start a table if the last line was the header of a CSV and this is its first record."""
        if not self.group or self.group[-1].kind != "title":
            return
        self.table = find_table(self.group[-1].text, text)
        if self.table:
            self.group = []

    def _gather(self, line: Line) -> Iterator[Item]:
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
            yield line_error(line.number, *line_problem(line.text))
        elif not self.skip_section and not self.skip_group:
            self.group.append(line)
        yield from self._refuse_long_group()

    def _ends_group(self, line: Line) -> bool:
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
        yield line_error(self.group[0].number, problem)
        self.group = []
        self.skip_group = True

    def _end_group(self) -> Iterator[Item]:
        """Read the puzzles of the group."""
        group = self.group
        self.group = []
        try:
            puzzles = [_attempt(read_puzzle, self.name, lines) for lines in split_group(group)]
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


def _read_runs(name: str, number: int, text: str, runs: Sequence[Sequence[int]]) -> Iterator[Item]:
    """Read the puzzles of a line, whose cells are at ``runs``.

    If there are two, the second may be the answer to the first.
    """
    problem = beside_problem(text, runs)
    if problem:
        yield line_error(number, *problem)
        return
    lines = [Line(number, text, at=run) for run in runs]
    if len(lines) == 1:
        yield _attempt(read_puzzle, name, lines)
    elif len(lines) == 2 and _is_answer(grid_of(lines[0].cells), grid_of(lines[1].cells)):
        yield _attempt(_read_pair, name, *lines)
    else:
        for line in lines:
            yield _attempt(_read_one_of_several, name, line)


def _is_answer(question: Grid, answer: Grid) -> bool:
    """Tell whether a grid is full and keeps the clues of the question."""
    full = bool((answer > 0).all())
    return full and bool((answer == question)[question > 0].all())


def _read_pair(name: str, question: Line, answer: Line) -> Puzzle:
    """Read a question and its answer on one line. Its form is a line, as for a record of a CSV."""
    puzzle = read_puzzle(name, [question], LINE.template)
    return replace(puzzle, answer=grid_of(answer.cells))


def _read_one_of_several(name: str, line: Line) -> Puzzle:
    """Read one of the puzzles of a line. Its form is a line, and its source has the column too."""
    puzzle = read_puzzle(name, [line], LINE.template)
    return replace(puzzle, source=f"{puzzle.source}:{line.at[0] + 1}")
