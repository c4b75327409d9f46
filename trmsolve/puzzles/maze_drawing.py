"""A drawn maze: what its characters mean, where its cells are, and what is wrong with it where.

A cell is one character, two equal ones, one with a separator behind it, or half of a character (``▀`` and ``▄``). Where
a drawing can mean two things it is refused, with the place and what to write instead.

Knows rows of text. Does not know the lines around them, CSV, bytes, or how a maze is solved.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.base import Grid
from trmsolve.puzzles.lines import undecoded
from trmsolve.puzzles.maze_cells import FLOOR, GOAL, PATH, START, SYMBOLS, WALL
from trmsolve.puzzles.maze_form import (
    CROSSES,
    DIGITS,
    FLOORS,
    GOALS,
    HALVES,
    LEAST,
    MAYBE_PATHS,
    MOST,
    PATHS,
    SHAPE,
    STARTS,
    WALLS,
    MazeForm,
    Row,
    is_line,
    line_rows,
)

WIDEST = 3 * MOST  # characters of a row: two for a cell, and a margin

_CELLS = "walls are '#' or blocks, floor is ' ' or '.', the start is S, the goal G or E"
_STRIPPED = "; write floor as '.' where spaces at the ends of lines may be lost"
_BESIDE = "'░' beside darker walls: wall or floor? Draw walls as '█' and floor as ' '"
_LINED = frozenset("|-+" + "".join(map(chr, range(0x2500, 0x2580))))  # the last are box drawing
_UPPER, _LOWER = 5, 6  # while a drawing is read: a wall in the upper or lower half of a character alone
_ENDS = {START: ("start", "S"), GOAL: ("goal", "G or E")}

Meaning = dict[str, int]


class _Layout(NamedTuple):
    """Where the cells are: the rows of text, and the columns of the first cell and after the last."""

    rows: list[Row]
    left: int
    right: int
    step: int = 1  # from a cell to the next
    size: int = 1  # characters of a cell

    def texts(self) -> list[str]:
        """The rows without margins; characters that are missing at the end are floor."""
        return [row.text.ljust(self.right)[self.left : self.right] for row in self.rows]


@dataclass(frozen=True, eq=False)
class Drawing:
    """What rows of text show, a path included, and how they show it."""

    cells: Grid
    form: MazeForm
    layout: _Layout
    skipped: int  # half rows above the first row of cells

    def error(self, problem: str, row: int, column: int) -> PuzzleError:
        """What is wrong with a cell."""
        line = self.layout.rows[(row + self.skipped) // (1 + self.form.halves)]
        return line.error(problem, self.layout.left + column * self.layout.step)


def read_rows(rows: Sequence[Row], head: str = "", end: str = "\n") -> Drawing:
    """The maze of these rows; one row alone is a maze on a line.

    Raises PuzzleError, without the file's name, if they are no maze.
    """
    if not any(row.text.strip(" ") for row in rows):
        raise rows[0].error(f"nothing but spaces; {SHAPE}")
    meaning, joint = _meanings(rows), "\n"
    if len(rows) == 1:
        rows, joint = line_rows(rows[0])
    layout = _lay_out(rows, meaning) if joint == "\n" else _flat(rows)
    halves = any(half in meaning for half in HALVES)
    if joint == "\n" and not halves and _is_doubled(layout, meaning):
        layout = layout._replace(step=2, size=2)
    texts = [text[:: layout.step] for text in layout.texts()]
    _refuse_size(layout.rows[0], len(texts) * (1 + halves), len(texts[0]))
    cells, skipped = _cells(texts, meaning), 0
    if halves:
        cells, skipped = _unfold(cells)
    marks = _marks(texts, meaning, layout.size)
    wiped = {ord(char): marks[FLOOR][0] for char, content in meaning.items() if content == PATH}
    drawn = tuple(row.text.translate(wiped) if wiped else row.text for row in layout.rows)
    question = np.where(cells == PATH, FLOOR, cells).astype(np.int8)
    form = MazeForm(question, drawn, marks, layout.left, layout.step, halves, joint, head, end)
    drawing = Drawing(cells, form, layout, skipped)
    _refuse_ends(drawing)
    return drawing


def _meanings(rows: Sequence[Row]) -> Meaning:
    """What every character of the rows means; the first that means nothing is an error."""
    found = set(chain.from_iterable(row.text.strip(" ") for row in rows))
    walls = [char for char in WALLS if char in found]
    kinds = {FLOOR: FLOORS, WALL: WALLS, START: STARTS, GOAL: GOALS, PATH: PATHS, _UPPER: "▀", _LOWER: "▄"}
    if not walls and not found.isdisjoint(DIGITS):
        kinds[FLOOR] += DIGITS[0]
        kinds[WALL] += DIGITS[1:]
    elif not walls and found.isdisjoint(HALVES):
        kinds[WALL] += CROSSES
    if not found.isdisjoint(kinds[WALL] + HALVES + DIGITS):
        kinds[PATH] += MAYBE_PATHS
    meaning = {" ": FLOOR} | {char: content for content, chars in kinds.items() for char in chars if char in found}
    if len(walls) > 1 and walls[-1] in "▓▒░":
        if not found & set(kinds[FLOOR]):
            meaning[walls[-1]] = FLOOR  # of two shades the lighter
        elif walls[-1] == "░":
            del meaning["░"]
    between = "/" if len(rows) == 1 else "," if all("," in row.text for row in rows if row.text.strip(" ")) else ""
    if not found <= {*meaning, *between}:
        raise _foreign(rows, {*meaning, *between})
    return meaning


def _foreign(rows: Iterable[Row], known: set[str]) -> PuzzleError:
    """The error of the first character that means nothing."""
    row, index = next((row, i) for row in rows for i, char in enumerate(row.text) if char not in known)
    char = row.text[index]
    shown = repr(char) if char.isprintable() else f"U+{ord(char):04X}"
    problem = undecoded(char) or f"wrong character {shown}; {_CELLS}"
    if char in ",;\t" and is_line(row.text[:index]):
        problem = f"{shown} after a maze on a line; a CSV begins with the names of its columns, such as question,answer"
    elif char == "\t":
        problem = "a tab has no certain width; write spaces"
    elif char == "░":
        problem = _BESIDE
    elif char in _LINED:
        problem = f"{shown}: walls drawn as lines between cells are not read; draw a wall as a cell, '#'"
    elif char == "\x1b":
        problem = "U+001B: the colours of a terminal are not read; save the maze without them"
    return row.error(problem, index)


def _flat(rows: Sequence[Row]) -> _Layout:
    """The layout of rows that stand on one line."""
    right = _common(len(row.text) for row in rows)
    for nth, row in enumerate(rows, 1):
        if len(row.text) != right:
            raise _ragged(row, nth, len(row.text), right, 0)
    return _Layout(list(rows), 0, right)


def _lay_out(rows: Sequence[Row], meaning: Meaning) -> _Layout:
    """Finds the rectangle of the cells: what is margin, what was stripped, and what stands between cells."""
    for row in rows:
        if len(row.text) > WIDEST:
            raise row.error(f"a row of {len(row.text)} characters; more than {MOST} x {MOST} cells are not read", MOST)
    drawn = [i for i, row in enumerate(rows) if row.text.strip(" ")]
    inner = list(rows[drawn[0] : drawn[-1] + 1])
    if layout := _separated(inner, meaning):
        return layout
    for row in rows:
        if "," in row.text:
            raise row.error("',' stands between some cells only; write it between all or none", row.text.index(","))
    solid = {char for char, content in meaning.items() if content not in (FLOOR, PATH)}
    dots = any(content == FLOOR and char != " " for char, content in meaning.items())
    layout = _Layout(inner, *(_common(extent[side] for extent in map(_extent, inner)) for side in (0, 1)))
    if dots and not any(" " in row.text.strip(" ") for row in inner):
        _refuse_ragged(layout, False)
    elif _is_framed(layout, solid):
        _refuse_ragged(layout, True)
    else:
        layout = _Layout(list(rows), 0, max(len(row.text) for row in rows))
        if dots or any(row.text.endswith(" ") for row in rows):  # otherwise an editor has stripped them
            layout = layout._replace(right=_common(len(row.text) for row in rows))
            _refuse_ragged(layout, True)
    return layout


def _extent(row: Row) -> tuple[int, int]:
    """Where the text between a row's outer spaces begins and ends."""
    return len(row.text) - len(row.text.lstrip(" ")), len(row.text.rstrip(" "))


def _common(numbers: Iterable[int]) -> int:
    """The most common of the numbers, the first of equals."""
    return Counter(numbers).most_common(1)[0][0]


def _is_framed(layout: _Layout, solid: set[str]) -> bool:
    """Whether an outer wall with two openings at most tells the sides, so that spaces beyond it are no cells."""
    if len(layout.rows) < LEAST or layout.right - layout.left < LEAST:
        return False
    beyond = sum(left < layout.left or right > layout.right for left, right in map(_extent, layout.rows))
    in_line = len({len(row.text) for row in layout.rows}) == 1
    if beyond > max(len(layout.rows) // 5, not in_line):
        return False  # so many are no slips
    texts = layout.texts()
    ring = [*texts[0], *texts[-1], *(text[side] for text in texts[1:-1] for side in (0, -1))]
    return sum(char not in solid for char in ring) <= min(2, len(ring) // 8)


def _refuse_ragged(layout: _Layout, spaces: bool) -> None:
    """Every row has to fill the columns of the cells and no others. ``spaces`` says whether spaces are cells."""
    for nth, row in enumerate(layout.rows, 1):
        left, right = _extent(row)
        filled = len(row.text) if spaces else right
        if left < min(layout.left, right):
            raise row.error(f"ragged maze: row {nth} begins before the others", left)
        if right > layout.right:
            raise _ragged(row, nth, right, layout.right, layout.left)
        if filled < layout.right:
            raise _ragged(row, nth, filled, layout.right, layout.left, _STRIPPED * spaces)
        if left > layout.left and not spaces:
            raise row.error(f"ragged maze: row {nth} begins after the others", layout.left)


def _ragged(row: Row, nth: int, found: int, right: int, left: int, hint: str = "") -> PuzzleError:
    size = max(found - left, 0)
    what = f"row {nth} has {size} character{'s' * (size != 1)}, most have {right - left}"
    return row.error(f"ragged maze: {what}{hint}", min(found, right))


def _separated(rows: list[Row], meaning: Meaning) -> _Layout | None:
    """The layout if a separator stands between all cells. Where a space may be floor too, an outer wall has to show."""
    left, right = min(_extent(row)[0] for row in rows), max(len(row.text.rstrip(" ,")) for row in rows)
    texts = [row.text.rstrip(" ,").ljust(right)[left:] for row in rows]
    between = set(chain.from_iterable(text[1::2] for text in texts))
    if between not in ({" "}, {","}) or right - left < 2 * LEAST - 1:
        return None
    cells = [text[::2] for text in texts]
    solid = {char for char, content in meaning.items() if content in (WALL, START, GOAL)}
    framed = between == {" "} and solid.issuperset(cells[0]) and solid.issuperset(cells[-1])
    sure = framed or between == {","} or not any(" " in text for text in cells)
    return _Layout(rows, left, right, 2) if sure else None


def _is_doubled(layout: _Layout, meaning: Meaning) -> bool:
    """Whether every cell is drawn as two equal characters, an end perhaps with a space behind it.

    A small maze of single characters may look so by chance, so there has to be a sign beside: an end of two letters,
    side walls two characters thick, or walls that begin and end six times, always where a pair does.
    """
    if layout.step == 2 or (layout.right - layout.left) % 2:
        return False
    lines = [(text[::2], text[1::2]) for text in layout.texts()]
    ends = {char for char, content in meaning.items() if content in _ENDS}
    odd = [
        (row, column)
        for row, (firsts, seconds) in enumerate(lines)
        if firsts != seconds
        for column, (one, other) in enumerate(zip(firsts, seconds, strict=True))
        if one != other and not (one in ends and meaning[other] == FLOOR)
    ]
    twice = sum(one == other and one in ends for line in lines for one, other in zip(*line, strict=True))
    if odd:
        if twice == 2 and 8 * len(odd) < len(lines) * len(lines[0][0]):
            row, column = odd[0]
            pair = lines[row][0][column] + lines[row][1][column]
            problem = f"every cell is drawn as two equal characters here, but not {pair!r}"
            raise layout.rows[row].error(problem, layout.left + 2 * column)
        return False
    walls = {char for char, content in meaning.items() if content == WALL}
    sides = all(firsts[side] in walls | ends for firsts, _ in lines for side in (0, -1))
    turns = sum((one in walls) != (other in walls) for row, _ in lines for one, other in pairwise(row))
    return twice > 0 or sides or turns >= 6


def _refuse_size(row: Row, rows: int, columns: int) -> None:
    if min(rows, columns) < LEAST:
        raise row.error(f"{rows} x {columns} cells; a maze has {LEAST} x {LEAST} at least")
    if max(rows, columns) > MOST:
        raise row.error(f"{rows} x {columns} cells; more than {MOST} x {MOST} are not read")


def _cells(texts: list[str], meaning: Meaning) -> Grid:
    codes = "".join(texts).translate({ord(char): content for char, content in meaning.items()})
    return np.frombuffer(codes.encode("latin-1"), np.int8).reshape(len(texts), -1).copy()


def _unfold(cells: Grid) -> tuple[Grid, int]:
    """Two rows of cells from each of half blocks, and how many (0 or 1) were left out at the top.

    An end opens both halves of its character and stands in the upper one; in the outer wall it opens one half only. A
    half row outside an outer wall is none.
    """
    upper, lower = np.where(cells == _LOWER, FLOOR, cells), np.where(cells == _UPPER, FLOOR, cells)
    upper[upper == _UPPER] = WALL
    lower[lower == _LOWER] = WALL
    ends = (cells == START) | (cells == GOAL)
    lower[ends] = FLOOR
    if (upper[0] == WALL)[~ends[0]].all():
        lower[0, ends[0]], upper[0, ends[0]] = cells[0, ends[0]], WALL
    if (lower[-1] == WALL)[~ends[-1]].all():
        lower[-1, ends[-1]] = WALL
    grid = np.stack([upper, lower], axis=1).reshape(-1, cells.shape[1])
    for top, bottom in ((1, 1), (1, 0), (0, 1)):
        inner = grid[top : len(grid) - bottom]
        ring = np.concatenate([inner[0], inner[-1], inner[1:-1, 0], inner[1:-1, -1]])
        outside = np.concatenate([grid[:top], grid[len(grid) - bottom :]])
        if (outside == FLOOR).all() and (ring == FLOOR).sum() <= 2:
            return inner, top
    return grid, 0


def _refuse_ends(drawing: Drawing) -> None:
    """A maze has one start and one goal."""
    for content, (name, letters) in _ENDS.items():
        found = np.argwhere(drawing.cells == content)[:2].tolist()
        if not found:
            raise drawing.layout.rows[0].error(f"no {name}: mark it with {letters}")
        if found[1:]:
            places = [drawing.error("", *cell) for cell in found]
            named = " and ".join(f"line {place.line}, column {place.column}" for place in places)
            raise PuzzleError(f"two {name}s: {named}", "", places[1].line, places[1].column)


def _marks(texts: list[str], meaning: Meaning, size: int) -> tuple[str, ...]:
    """How the drawing writes each content of a cell; what it lacks is written as usual."""
    counts, marks = Counter("".join(texts)), list(SYMBOLS)
    for content in (WALL, FLOOR, START, GOAL):
        used = [char for char in meaning if meaning[char] == content and counts[char]]
        marks[content] = max(used, key=counts.__getitem__, default=marks[content])
    if any(half in meaning for half in HALVES):
        marks[WALL] = "█"
    if marks[WALL] == "1" or marks[FLOOR] == "0":
        marks[PATH] = "*"  # among zeros an o would not be seen
    elif "⬛" in marks or "⬜" in marks:
        marks[PATH] = "🟦"  # as wide as its neighbours
    return tuple(mark * size for mark in marks)
