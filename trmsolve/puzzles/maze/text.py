"""Reads mazes from a stream in every form that people keep them in.

The forms are told apart by content:

- drawings with an empty line between them (``#``, blocks, digits, single or double width), see
  ``drawing``
- mazes on one line
- lists of rows, see ``listed``
- CSV with a header, see ``table``
- PNG images, see ``image``

What cannot be read becomes a ``PuzzleError`` in its place, and the rest follows. No more than one
maze's text is held at a time. A maze is handed on as soon as the line after it has been read.

This module knows which lines of a file belong together. It does not know what their characters
mean, nor how a maze is solved.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, Literal

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.drawing import read_rows
from trmsolve.puzzles.maze.form import (
    CROSSES,
    GOALS,
    HALVES,
    KNOWN,
    LEAST,
    MOST,
    NO_MARKS,
    PATHS,
    SHAPE,
    STARTS,
    WALLS,
    Marks,
    is_line,
)
from trmsolve.puzzles.maze.image import is_image, read_image
from trmsolve.puzzles.maze.layout import WIDEST
from trmsolve.puzzles.maze.listed import find_mazes
from trmsolve.puzzles.maze.table import MazeTable, find_table
from trmsolve.puzzles.reading.lines import Source, TextLines
from trmsolve.puzzles.reading.places import Item, Joined, Line, attempt
from trmsolve.puzzles.reading.reader import Reader
from trmsolve.puzzles.reading.signs import look_at
from trmsolve.puzzles.values import Puzzle

LIMIT = 1 << 22
"""The most characters of a line: a question and an answer of the largest maze, twice."""

TITLES = 10
"""How many lines above a maze are kept."""

_SIZE_LINE = 32  # characters that a line with the size of a maze is shorter than
# Fences of Markdown are among them.
_RULE = re.compile(
    r"\s*(?:-{3,}\s*|={3,}\s*|[`~]{3,}[^`~]*|</?[a-z]+[^<>]*>\s*|\[/?[a-z]+\])", re.I
)
_LIST = re.compile(r"[\[{]\s*(?:$|[\[{\"'\d])|[\w.\[\] ]+(?:[=:(]\s*)+[\[{]")
_LIST_HEAD = 200  # characters in which a list begins, after its name
_PLACE = re.compile(r"\s*\d{1,4}[ ,]\s*\d{1,4}\s*")
_NUMBER = re.compile(r"\d+")
_NUMBERS = re.compile(r"\s*[0-9]{1,4}(?:\s*[x\xd7, ]\s*[0-9]{1,4})?\s*")
_WORD = re.compile(r"[^\W\d_]{2,}")
_STRIPPED = "; an empty line ends a maze: if it was a row of floor, write its cells as '.'"

Kind = Literal["blank", "rule", "title", "row"]


def read_mazes(stream: BinaryIO, name: str, marks: Marks = NO_MARKS) -> Iterator[Item]:
    """Generate every maze of a stream in order, each as soon as it is complete.

    Errors call the stream ``name``. ``marks`` is what the user says of signs and ends.
    """
    source = Source(stream)
    if is_image(source.head):
        yield attempt(read_image, io.BufferedReader(source), name, marks)
    else:
        yield from _Reader(TextLines(source, name, LIMIT), marks).read()


class _Reader(Reader[Line]):
    """Gathers lines into groups. Each group is one maze, or several on a line each."""

    noun = "maze"
    shape = SHAPE

    def __init__(self, lines: TextLines, marks: Marks) -> None:
        super().__init__(lines)
        self.marks = marks
        self.group: list[Line] = []
        self.titles: list[Line] = []  # directly above the group
        self.places: list[Line] = []  # lines below the group, with a row and a column each
        self.quoted = False
        self.follows = False  # whether an empty line and a maze stand before the group
        self.listing = False  # whether every line here is a maze
        self.skip = False

    def look(self, number: int, text: str) -> Line:
        """Make a line of its text.

        The mark of a quotation is left out, if the first line of a group begins with one.
        """
        looked = look_at(text)
        line = Line(number, looked.shown, looked.columns)
        bare = line.text.lstrip(">").removeprefix(" ") if line.text.startswith(">") else line.text
        at = len(line.text) - len(bare)
        if not self.group or self.quoted:
            self.quoted = at > 1 or (self.quoted and at > 0)
        return line.cut(at, len(line.text)) if self.quoted else line

    def opens_list(self, line: Line) -> bool:
        """Tell whether a list of rows begins in a line, as programs write them."""
        return bool(_LIST.match(line.text.lstrip()[:_LIST_HEAD]))

    def read_list(self, joined: Joined[Line]) -> Iterator[Item]:
        """Generate the mazes of a list."""
        for rows, marks in find_mazes(joined, self.marks):
            yield self._read_rows(rows, marks)

    def find_table(self, line: Line) -> MazeTable | None:
        """Make a table if the last line was the header of a CSV and this is its first record."""
        if not self.titles or self.group:
            return None
        return find_table(self.titles[-1].text, line.text, self.lines)

    def close(self) -> Iterator[Item]:
        """Tell what stood beside mazes."""
        self._keep_title(None)
        self.skipped.tell()
        yield from ()

    def take_drawn(self, row: Line) -> Iterator[Item]:
        """Take a line that opens, continues or ends a group."""
        kind = self._kind(row.text)
        if kind == "title" and _PLACE.fullmatch(row.text) and self._lacks_ends():
            self.places.append(row)
            return
        if kind != "row" or self.places:
            yield from self.end_drawn(blank=kind == "blank")
            self.listing = False
            self.skip = False
            self._keep_title(row if kind == "title" else None)
        elif not self.skip:
            yield from self._gather(row)

    def _keep_title(self, title: Line | None) -> None:
        """Keep the last titles above a maze. A line that is no title ends them."""
        kept = [*self.titles, title][-TITLES:] if title else []
        for row in self.titles:
            if row not in kept:
                self.skipped.count(row.number, row.text)
        self.titles = kept

    def _gather(self, row: Line) -> Iterator[Item]:
        """Add a row to the group. A row of a listing is a maze at once."""
        line = is_line(row.text)
        if line and any(is_line(other.text) for other in self.group):
            self.listing = True  # two rows of one maze cannot have both ends each
        continues = bool(self.group)
        self.group.append(row)
        if self.listing:
            yield from self.end_drawn()
        elif len(row.text) > WIDEST and (continues or not line):
            yield self._give_up(row, f"a row of {len(row.text)} characters")
        elif len(self.group) > MOST:
            yield self._give_up(self.group[0], f"no empty line in {MOST} rows")

    def _give_up(self, row: Line, problem: str) -> PuzzleError:
        """Drop a group that is too large for a maze, and what follows it."""
        self.group = []
        self.titles = []
        self.skip = True
        return row.error(f"{problem}; the maximum is {MOST} x {MOST} cells")

    def _kind(self, text: str) -> Kind:
        """Tell the kind of a line from itself and from the row above."""
        above = self.group[-1].text if self.group else ""
        if not text.strip():
            return "blank" if self._is_blank(text, above) else "row"
        if _RULE.fullmatch(text):
            return "rule"
        if _is_size(text):
            digits_are_cells = not text.strip("0123 ,\t")
            if not digits_are_cells or _has_wall(above):
                return "title"
        if KNOWN.issuperset(text):
            return "row"
        if len(text) == len(above) and above.strip():
            return "row"
        if above and set(above + self.group[0].text).issuperset(text):
            return "row"  # a damaged one
        return "title" if _is_wordy(text) else "row"

    def _is_blank(self, text: str, above: str) -> bool:
        """Tell whether a line without ink is an empty line, and not a row of floor."""
        if not text or text.strip(" \xa0"):
            return True
        return bool(above) and self._is_over(text)

    def _is_over(self, text: str) -> bool:
        """Tell whether a line of spaces is not part of the maze above.

        It is not as long as the last row of the maze, or it is below its outer wall.
        """
        rows = self.group
        if len(text) != len(rows[-1].text):
            return True
        if not _may_close(rows[0], rows) or not _may_close(rows[-1], rows):
            return False
        drawn = set().union(*(row.text for row in rows))
        return not drawn.isdisjoint(STARTS) and not drawn.isdisjoint(GOALS)

    def end_drawn(self, blank: bool = False) -> Iterator[Item]:
        """Read the mazes of the group; ``blank`` says that an empty line ended it."""
        rows = self.group
        places = self.places
        self.group = []
        self.places = []
        inked = [row for row in rows if row.text.strip()]
        if not inked:
            return
        parts = [[row] for row in inked] if self.listing else [rows]
        if len(places) == 2 and len(parts) == 1:
            yield self._read_placed(rows, places)
            places = []
        else:
            for part in parts:
                yield self._read_maze(part, blank, self.marks)
        self.titles = places
        self.follows = blank

    def _lacks_ends(self) -> bool:
        """Tell whether a maze without signs of ends may be followed by their places."""
        drawn = set().union(*(row.text for row in self.group))
        return bool(drawn) and drawn.isdisjoint(STARTS + GOALS) and len(self.places) < 2

    def _read_placed(self, rows: list[Line], places: list[Line]) -> Item:
        """Read a maze whose ends are named by a row and a column each, on two lines below it."""
        numbers = [[int(number) for number in _NUMBER.findall(place.text)] for place in places]
        (top, left), (bottom, right) = numbers
        for origin in (0, 1):
            start = (top - origin, left - origin)
            goal = (bottom - origin, right - origin)
            marks = Marks(self.marks.start or start, self.marks.goal or goal, self.marks.meaning)
            item = self._read_maze(rows, False, marks)
            if isinstance(item, Puzzle) and min(*start, *goal) >= 0:
                told = f"start and goal are those of the lines below, counting from {origin}"
                told = f"{self.lines.name}: {told}; --start and --goal choose others"
                return replace(item, note="; ".join(filter(None, [item.note, told])))
        return item

    def _read_maze(self, rows: list[Line], blank: bool, marks: Marks) -> Item:
        """Read the maze of these rows; ``blank`` says that an empty line ended it."""
        while not rows[0].text.strip() and len(rows[0].text) != len(rows[1].text):
            rows = rows[1:]
        titles = self.titles
        if titles and _is_first_row(titles[-1].text, rows):
            rows = [titles[-1], *rows]
            titles = titles[:-1]
        if len(rows) > 1 and _is_size(rows[0].text) and _has_wall(rows[1].text):
            titles = [*titles, rows[0]]
            rows = rows[1:]
        head = "".join(f"{title.text}\n" for title in titles)
        item = self._read_rows(rows, marks, head)
        # Without a column, the maze as a whole lacks something.
        if isinstance(item, Puzzle) or item.column is not None:
            return item
        if self._is_torn(rows, blank):
            return PuzzleError(item.problem + _STRIPPED, "", item.line)
        return item

    def _read_rows(self, rows: list[Line], marks: Marks, head: str = "") -> Item:
        """Read the maze of these rows, or tell why they are none."""
        try:
            drawing = read_rows(rows, head, self.lines.end, marks=marks)
        except PuzzleError as error:
            return error
        return drawing.puzzle(self.lines.name, drawing.layout.rows[0].number)

    def _is_torn(self, rows: list[Line], blank: bool) -> bool:
        """Tell whether an empty line, above or below, may stand in the middle of a maze."""
        below = blank and not _may_close(rows[-1], rows)
        above = self.follows and not _may_close(rows[0], rows)
        return below or above


def _is_size(text: str) -> bool:
    """Tell whether a line may say the size of the maze below it, as ``10 10`` does."""
    return len(text) < _SIZE_LINE and bool(_NUMBERS.fullmatch(text))


def _is_first_row(title: str, rows: list[Line]) -> bool:
    """Tell whether what looks like a title is a row.

    It has letters, and all its characters are in the rows. Or it is as long as the row below it. In
    that case it is a word whose letters are all in the rows, as in ``X0XX`` above a maze with walls
    of X, or it has one letter beside those of ends and paths, as in ``  WoW``, and there is no
    other wall.
    """
    letters = {character for character in title if character.isalpha()}
    if letters and set().union(*(row.text for row in rows)).issuperset(title):
        return True
    if len(title) != len(rows[0].text):
        return False
    other_letters = letters.difference(STARTS + GOALS + PATHS)
    if len(other_letters) == 1 and not any(_has_wall(row.text) for row in rows):
        return True
    return title.isalnum() and all(any(letter in row.text for row in rows) for letter in letters)


def _has_wall(text: str) -> bool:
    return not set(WALLS).isdisjoint(text)


def _is_wordy(text: str) -> bool:
    """Tell whether a line is mostly words, has no walls, and is more than the names of ends."""
    words = _WORD.findall(text)
    if not any(set(word.lower()) - set("sgeo") for word in words):
        return False
    parts = text.split("/")
    if _is_mostly_one(text) or (len(parts) >= LEAST and len(set(map(len, parts))) == 1):
        return False
    bare = text.lstrip(" \t#/;%*->!=")
    bare = re.sub(r"#(?=[0-9])", "", bare)  # as in "maze #3"
    chars = "".join(bare.split())
    if _has_wall(chars):
        return False
    return 2 * sum(map(str.isalnum, chars)) >= len(chars)


def _is_mostly_one(text: str) -> bool:
    """Tell whether one character makes up most of a line, as in a wall of ``W``."""
    chars = Counter("".join(text.split()))
    most = max(chars.values(), default=0)
    return most >= 3 and 3 * most >= 2 * chars.total()


def _may_close(row: Line, rows: list[Line]) -> bool:
    """Tell whether a row of a drawing may be its outer wall."""
    texts = [other.text.rstrip(" ") for other in rows if other.text.strip(" ")]
    begins = [len(text) - len(text.lstrip(" ")) for text in texts]
    right = max(map(len, texts), default=0)
    left = min(begins, default=0)
    bare = row.text.strip(" ")
    if len(bare) != right - left:
        return False
    return not bare.strip(WALLS + HALVES + CROSSES + "01o")
