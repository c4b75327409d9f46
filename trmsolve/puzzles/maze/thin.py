"""Reads drawings in which walls are lines between cells: ``+---+``, box drawing and ``|_|``.

Such a drawing of r x c cells becomes a maze of (2r + 1) x (2c + 1) cells, in which every wall and
every gap between two cells is a cell too. This module knows lines of text. It does not know which
signs are ends.
"""

import math
from collections.abc import Sequence

from trmsolve.puzzles.maze.cells import SYMBOLS
from trmsolve.puzzles.maze.form import LEAST, Row

_BOX = "".join(map(chr, range(0x2500, 0x2580)))
_ACROSS = "-=_~─━═"
_UPRIGHT = "|│┃║"
_CORNERS = "+oO*." + "".join(char for char in _BOX if char not in _ACROSS + _UPRIGHT)
_WALL = SYMBOLS[0]
_FLOOR = SYMBOLS[1]

Lattice = tuple[list[Row], tuple[int, ...]]
"""The rows of the maze, and the column of the text for each column of cells. There are none if the
answer cannot be drawn in the text."""


def unfold(rows: Sequence[Row]) -> Lattice | None:
    """Make a maze of cells of a drawing with thin walls. Returns None for other drawings."""
    rows = [row for row in rows if row.text.strip()]
    if len(rows) < LEAST or not any(char in row.text for row in rows for char in _UPRIGHT):
        return None
    return _unfold_corners(rows) or _unfold_underscores(rows)


def _unfold_corners(rows: Sequence[Row]) -> Lattice | None:
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
    lines = [_unfold_row(text, step, across=i % 2 == 0) for i, text in enumerate(texts)]
    made: list[Row] = []
    places = [left + i * step // 2 for i in range(2 * (len(first) - 1) // step + 1)]
    for row, line in zip(rows, lines, strict=True):
        if line is None:
            return None
        made.append(Row(row.number, line, columns=places))
    return made, tuple(places)


def _unfold_row(text: str, step: int, across: bool) -> str | None:
    """Read one row: the walls ``across`` between cells, or cells with upright walls beside them."""
    cells = []
    for begin in range(0, len(text), step):
        post = text[begin]
        cells.append(_WALL if across or post in _UPRIGHT else post)
        between = text[begin + 1 : begin + step]
        if not between:
            continue
        sign = between.strip()
        if across and sign:
            if set(between) - set(_ACROSS + _CORNERS):
                return None
            sign = _WALL
        if len(sign) > 1:
            return None
        cells.append(sign or _FLOOR)
    return "".join(cells)


def _unfold_underscores(rows: Sequence[Row]) -> Lattice | None:
    """Unfold a drawing in which ``_`` is the wall below a cell and ``|`` the wall beside it."""
    right = max(len(row.text.rstrip()) for row in rows)
    right += 1 - right % 2
    texts = [row.text.rstrip().ljust(right) for row in rows]
    if set("".join(texts)) - set("|_ ") or "|" in texts[0] or right < 5:
        return None
    top = [_WALL if char == "_" else _FLOOR for char in texts[0][1::2]]
    made = [Row(rows[0].number, _join_posts(top))]
    for row, text in zip(rows[1:], texts[1:], strict=True):
        beside = [_WALL if char == "|" else _FLOOR for char in text[::2]]
        middle = "".join(f"{wall}{_FLOOR}" for wall in beside)[:-1]
        below = [_WALL if char == "_" else _FLOOR for char in text[1::2]]
        made += Row(row.number, middle), Row(row.number, _join_posts(below))
    return made, ()


def _join_posts(walls: Sequence[str]) -> str:
    """Put a post between all walls of a row and around them."""
    return _WALL + "".join(wall + _WALL for wall in walls)
