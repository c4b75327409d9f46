"""Reads drawings in which walls are lines between cells: ``+---+``, box drawing and ``|_|``.

Such a drawing of r x c cells becomes a maze of (2r + 1) x (2c + 1) cells, in which every wall and
every gap between two cells is a cell too. This module knows lines of text. It does not know which
signs are ends.
"""

import math
from collections.abc import Container, Sequence
from itertools import chain
from typing import NamedTuple

from trmsolve.puzzles.maze.cells import SYMBOLS
from trmsolve.puzzles.maze.form import LEAST, MAYBE_PATHS, NOT_DRAWN, PATHS
from trmsolve.puzzles.reading.places import Line

_BOX = "".join(map(chr, range(0x2500, 0x2580)))
_ACROSS = "-=_~─━═"
_UPRIGHT = "|│┃║"
_CORNERS = "+oO*." + "".join(char for char in _BOX if char not in _ACROSS + _UPRIGHT)
_WALL = SYMBOLS[0]
_FLOOR = SYMBOLS[1]
_HIDDEN = (
    "{!r} hides whether a wall is below its cell: write '_' or a space there, and give its place, "
    "{},{}, by --start or --goal"
)


class Lattice(NamedTuple):
    """The maze of a drawing with thin walls, and where its cells are in the text."""

    rows: list[Line]
    """The rows of cells."""

    texts: tuple[str, ...]
    """The rows of text, without the path that they may show."""

    lines: tuple[int, ...]
    """The row of text for each row of cells, or ``NOT_DRAWN``."""

    places: tuple[int, ...]
    """The column of the text for each column of cells."""

    solid: str = ""
    """The wall over which no path is drawn, since it stands in the middle of a cell."""


def unfold(rows: Sequence[Line]) -> Lattice | None:
    """Make a maze of cells of a drawing with thin walls. Returns None for other drawings.

    Raises PuzzleError where a sign covers what may be a wall.
    """
    rows = [row for row in rows if row.text.strip()]
    if len(rows) < LEAST or not any(char in row.text for row in rows for char in _UPRIGHT):
        return None
    return _unfold_corners(rows) or _unfold_underscores(rows)


def _unfold_corners(rows: Sequence[Line]) -> Lattice | None:
    """Unfold a drawing whose walls meet in corners."""
    left = min(len(row.text) - len(row.text.lstrip()) for row in rows)
    right = max(len(row.text.rstrip()) for row in rows)
    texts = [row.text.ljust(right)[left:right] for row in rows]
    first = texts[0]
    if first[0] not in _CORNERS or set(first) - set(_CORNERS + _ACROSS + " "):
        return None
    posts = [i for i, char in enumerate(first) if char in _CORNERS]
    for text in texts[1::2]:
        posts += [i for i, char in enumerate(text) if char in _UPRIGHT]
    step = math.gcd(*posts)
    if step < 2 or len(texts) % 2 == 0 or (len(first) - 1) % step:
        return None
    paths = set(PATHS + MAYBE_PATHS) - set(first)
    lines = []
    for i, text in enumerate(texts):
        line = _unfold_walls(text, step, paths) if i % 2 == 0 else _unfold_cells(text, step)
        if line is None:
            return None
        lines.append(line)
    places = _find_places(left, step, len(lines[0]))
    made = [_make_row(row, line, places) for row, line in zip(rows, lines, strict=True)]
    texts = [_wipe(row.text, places, paths, " " * len(places)) for row in rows]
    return Lattice(made, tuple(texts), tuple(range(len(lines))), places)


def _find_places(left: int, step: int, columns: int) -> tuple[int, ...]:
    """Find the column of the text of each column of cells: a post, the middle of a cell, a post."""
    posts = range(left, left + columns // 2 * step + 1, step)
    cells = [post + step // 2 for post in posts]
    both = chain.from_iterable(zip(posts, cells, strict=True))
    return tuple(both)[:columns]


def _make_row(row: Line, cells: str, places: Sequence[int]) -> Line:
    """Make a row of cells that stand at these places of a row of text."""
    return Line(row.number, cells, [row.column(place) for place in places])


def _wipe(text: str, places: Sequence[int], paths: Container[str], bare: str) -> str:
    """Wipe the path from a row of text, given what stands at these places without one."""
    chars = list(text)
    for place, char in zip(places, bare, strict=True):
        if place < len(chars) and chars[place] in paths:
            chars[place] = char
    return "".join(chars)


def _unfold_walls(text: str, step: int, paths: set[str]) -> str | None:
    """Read a row of corners and the walls between them. Returns None if it is no such row."""
    cells = [_WALL]
    for begin in range(0, len(text) - 1, step):
        between = text[begin + 1 : begin + step]
        sign = between.strip()
        if sign and sign not in paths:
            if set(between) - set(_ACROSS):
                return None
            sign = _WALL
        cells += sign or _FLOOR, _WALL
    return "".join(cells)


def _unfold_cells(text: str, step: int) -> str | None:
    """Read a row of cells and the walls beside them. Returns None if it is no such row."""
    cells: list[str] = []
    for begin in range(0, len(text), step):
        post = text[begin]
        sign = text[begin + 1 : begin + step].strip()
        if len(sign) > 1:
            return None
        cells += _WALL if post in _UPRIGHT else post, sign or _FLOOR
    return "".join(cells[:-1])


class _Line(NamedTuple):
    """A row of text in which walls are ``|`` and ``_``: one character for each post and cell."""

    posts: str
    signs: str

    below: str
    """The walls below the cells."""


def _unfold_underscores(rows: Sequence[Line]) -> Lattice | None:
    """Unfold a drawing in which ``_`` is the wall below a cell and ``|`` the wall beside it.

    Cells are as wide as possible, so that ``|___|`` is one cell and not two.
    """
    posts = [i for row in rows for i, char in enumerate(row.text) if char == "|"]
    if not posts or "_" not in rows[0].text or set(rows[0].text) - set("_ "):
        return None
    left = min(posts)
    right = max(len(row.text.rstrip()) for row in rows) - left
    widest = math.gcd(*[post - left for post in posts])
    for step in range(widest, 1, -1):
        if widest % step:
            continue
        columns = math.ceil((right - 1) / step)
        width = columns * step + 1
        texts = [row.text[left : left + width].ljust(width) for row in rows]
        lines = [_read_line(text, step) for text in texts]
        found = [line for line in lines if line]
        if len(found) == len(rows):
            return _join_lines(rows, found, step, left)
    return None


def _read_line(text: str, step: int) -> _Line | None:
    """Read a row of ``|`` and ``_``. Returns None if it is not uniform within each cell."""
    posts = text[::step]
    signs = ""
    below = ""
    for begin in range(0, len(text) - 1, step):
        part = text[begin + 1 : begin + step]
        sign = part.replace("_", "").strip()
        rest = part.replace(sign, "", 1)
        if len(sign) > 1 or len(set(rest)) > 1:
            return None
        signs += sign or _FLOOR
        below += _WALL if "_" in rest else _FLOOR
    return _Line(posts, signs, below) if set(posts) <= set("|_ " + PATHS) else None


def _join_lines(rows: Sequence[Line], lines: Sequence[_Line], step: int, left: int) -> Lattice:
    """Make the maze of a drawing of ``|`` and ``_`` whose cells are so many characters apart."""
    places = _find_places(left, step, 2 * len(lines[0].signs) + 1)
    made = [_make_row(rows[0], _join_posts(lines[0].below), places)]
    for number, (row, line) in enumerate(zip(rows[1:], lines[1:], strict=True), 1):
        if step == 2:
            _refuse_hidden(row, line, 2 * number, places)
        posts = line.posts.replace("_", _FLOOR).replace("|", _WALL)
        cells = "".join(map(str.__add__, posts, line.signs)) + posts[-1]
        made.append(_make_row(row, cells, places))
        made.append(_make_row(row, _join_posts(line.below), places))
    texts = []
    for row, line in zip(rows, lines, strict=True):
        # A wall below a wide cell goes on where the path was.
        below = line.below.replace(_WALL, "_" if step > 2 else " ")
        bare = "".join(f" {wall}" for wall in below) + " "
        texts.append(_wipe(row.text, places, PATHS, bare))
    numbers = [(row + 1) // 2 for row in range(len(made))]
    if step > 2:  # the mark of a cell stands over the gap below it
        numbers[::2] = [NOT_DRAWN] * len(rows)
    return Lattice(made, tuple(texts), tuple(numbers), places, "_" if step == 2 else "")


def _join_posts(walls: str) -> str:
    """Put a post between all walls of a row and around them."""
    return _WALL + "".join(wall + _WALL for wall in walls)


def _refuse_hidden(row: Line, line: _Line, number: int, places: Sequence[int]) -> None:
    """Raise PuzzleError for a sign that stands where the wall below its cell would be."""
    for column, sign in enumerate(line.signs):
        if sign not in _FLOOR + PATHS:
            place = 2 * column + 1
            raise row.error(_HIDDEN.format(sign, number, place + 1), places[place])
