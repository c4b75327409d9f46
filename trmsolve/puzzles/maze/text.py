"""Mazes as files: every form people keep them in, told apart by content, read as a stream.

Read are drawings with an empty line between them (``#``, blocks, digits, single or double width,
see ``maze_drawing``), mazes on one line, CSV with a header, as UTF-8 or UTF-16, plain or gzipped,
and PNG images. What cannot be read comes out as a ``PuzzleError`` in its place, the rest follows.
No more than one maze's text is held at a time, and a maze is handed on as soon as the line after it
has been read.

Knows which lines of a file belong together. Does not know what their characters mean, nor how a
maze is solved.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, Literal

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.drawing import WIDEST, read_rows
from trmsolve.puzzles.maze.form import (
    CROSSES,
    GOALS,
    HALVES,
    KNOWN,
    MOST,
    SHAPE,
    STARTS,
    WALLS,
    Row,
    is_line,
    line_maze,
    write_maze,
)
from trmsolve.puzzles.maze.image import is_image, read_image
from trmsolve.puzzles.maze.table import Table, find_table
from trmsolve.puzzles.reading.lines import GIVE_UP, TextLines, read_chunks
from trmsolve.puzzles.values import Puzzle

__all__ = ["line_maze", "read_mazes", "write_maze"]

LIMIT = 1 << 22  # characters of a line: a question and an answer of the largest maze, twice
TITLES = 10  # lines above a maze that are kept
EMPTY_LINE = 256  # characters that a line counts for at least: reading it costs as much as they do

_RULE = re.compile(r"\s*(?:-{3,}\s*|={3,}\s*|[`~]{3,}[^`~]*)")  # a fence of Markdown among them
_NUMBERS = re.compile(r"\s*[0-9]{1,4}(?:\s*[x\xd7, ]\s*[0-9]{1,4})?\s*")
_WORD = re.compile(r"[^\W\d_]{2,}")
_STRIPPED = "; an empty line ends a maze: if it was a row of floor, write its cells as '.'"

Item = Puzzle | PuzzleError


def read_mazes(stream: BinaryIO, name: str) -> Iterator[Item]:
    """Every maze of a stream in order, each as soon as it is complete; ``name`` is what errors call the stream."""
    found = False
    try:
        head, chunks = read_chunks(stream)
        items = (
            iter([read_image(chunks, name)])
            if is_image(head)
            else _Reader(TextLines(chunks, name, LIMIT))
        )
        for item in items:
            found = True
            yield (
                item
                if isinstance(item, Puzzle)
                else PuzzleError(item.problem, name, item.line, item.column)
            )
    except PuzzleError as error:  # nothing after it can be trusted
        yield error
    else:
        if not found:
            yield PuzzleError(f"empty: no maze in it; {SHAPE}", name)


class _Reader:
    """Gathers lines into groups, each of which is a maze or several on a line each."""

    def __init__(self, lines: TextLines) -> None:
        self.lines = lines
        self.group: list[Row] = []
        self.titles: list[str] = []  # directly above the group
        self.table: Table | None = None
        self.follows = False  # whether an empty line and a maze stand before the group
        self.listing = False  # whether every line here is a maze
        self.skip = False

    def __iter__(self) -> Iterator[Item]:
        """Every item of the lines, in order."""
        barren = 0
        for number, text in self.lines:
            barren += max(len(text), EMPTY_LINE)
            if barren > GIVE_UP:
                raise PuzzleError(
                    "no maze in this line and the many before it: given up", "", number
                )
            for item in self._take(Row(number, text)):
                barren = 0
                yield item
        yield from self._end()

    def _end(self) -> Iterator[Item]:
        """What the lines so far still hold."""
        yield from self.table.end() if self.table else self._end_group()

    def _take(self, row: Row) -> Iterator[Item]:
        """A line: of a CSV, or one that opens, continues or ends a group."""
        if len(row.text) > LIMIT:
            yield from self._end()
            yield row.error(f"a line longer than {LIMIT} characters; {SHAPE}")
        elif self.table or self._starts_table(row):
            assert self.table
            yield from self.table.take(row)
        elif (kind := self._kind(row.text)) != "row":
            yield from self._end_group(blank=kind == "blank")
            self.listing = self.skip = False
            self.titles = [*self.titles[1 - TITLES :], row.text] if kind == "title" else []
        elif not self.skip:
            yield from self._gather(row)

    def _gather(self, row: Row) -> Iterator[Item]:
        if is_line(row.text) and any(is_line(other.text) for other in self.group):
            self.listing = True  # two rows of one maze cannot have both ends each
        wide = len(row.text) > WIDEST and (self.group or not is_line(row.text))
        self.group.append(row)
        if self.listing:
            yield from self._end_group()
        elif wide or len(self.group) > MOST:
            problem = (
                f"a row of {len(row.text)} characters" if wide else f"no empty line in {MOST} rows"
            )
            yield self.group[-1 if wide else 0].error(
                f"{problem}; more than {MOST} x {MOST} cells are not read"
            )
            self.group, self.titles, self.skip = [], [], True

    def _kind(self, text: str) -> Literal["blank", "rule", "title", "row"]:
        """What a line is, by itself and by the row above."""
        above = self.group[-1].text if self.group else ""
        if not text.strip():
            return (
                "blank"
                if text.strip(" \xa0") or not text or (above and self._is_over(text))
                else "row"
            )
        if _RULE.fullmatch(text):
            return "rule"
        if _is_size(text) and (text.strip("01 ,") or not set(WALLS).isdisjoint(above)):
            return "title"
        if KNOWN.issuperset(text) or (len(text) == len(above) and above.strip()):
            return "row"
        words = "".join(re.sub(r"#(?=[0-9])", "", text.lstrip(" \t#/;%*->!=")).split())
        named = any(set(word.lower()) - set("sgeo") for word in _WORD.findall(text))
        wordy = (
            named
            and set(words).isdisjoint(WALLS)
            and 2 * sum(map(str.isalnum, words)) >= len(words)
        )
        return "title" if wordy else "row"

    def _is_over(self, text: str) -> bool:
        """Whether a line of spaces is none of the maze above: not as long as its last row, or below its outer wall."""
        rows = self.group
        if len(text) != len(rows[-1].text):
            return True
        walled = _closes(rows[0], rows) and _closes(rows[-1], rows)
        return walled and all(
            any(char in row.text for row in rows for char in kind) for kind in (STARTS, GOALS)
        )

    def _starts_table(self, row: Row) -> bool:
        """Whether the line before was the header of a CSV and this is its first record."""
        if self.titles and not self.group:
            self.table = find_table(self.titles[-1], row.text, self.lines)
        return self.table is not None

    def _end_group(self, blank: bool = False) -> Iterator[Item]:
        rows, self.group = self.group, []
        if any(row.text.strip() for row in rows):
            for part in [[row] for row in rows] if self.listing else [rows]:
                yield self._maze(part, blank)
            self.titles, self.follows = [], blank

    def _maze(self, rows: list[Row], blank: bool) -> Item:
        """The maze of these rows; ``blank`` says that an empty line ended it."""
        while not rows[0].text.strip() and len(rows[0].text) != len(rows[1].text):
            rows = rows[1:]
        titles = self.titles
        if rows[1:] and _is_size(rows[0].text) and not set(WALLS).isdisjoint(rows[1].text):
            titles, rows = [*titles, rows[0].text], rows[1:]
        try:
            drawing = read_rows(rows, "".join(f"{title}\n" for title in titles), self.lines.end)
        except PuzzleError as error:
            torn = (blank and not _closes(rows[-1], rows)) or (
                self.follows and not _closes(rows[0], rows)
            )
            hint = (
                _STRIPPED if torn and error.column is None else ""
            )  # the maze as a whole lacks something
            return PuzzleError(error.problem + hint, "", error.line, error.column)
        return drawing.puzzle(self.lines.name, drawing.layout.rows[0].number)


def _is_size(text: str) -> bool:
    """Whether a line may say the size of the maze below it, as ``10 10`` does."""
    return len(text) < 32 and bool(_NUMBERS.fullmatch(text))


def _closes(row: Row, rows: list[Row]) -> bool:
    """Whether a row of a drawing may be its outer wall."""
    texts = [other.text.rstrip(" ") for other in rows if other.text.strip(" ")]
    width = max(map(len, texts), default=0) - min(
        (len(text) - len(text.lstrip(" ")) for text in texts), default=0
    )
    bare = row.text.strip(" ")
    return len(bare) == width and not bare.strip(WALLS + HALVES + CROSSES + "01o")
