"""Reads a drawn maze: the maze that its cells make, how it is drawn, and what is wrong where.

A cell is one character, two equal ones, one with a separator behind it, or half of a character
(``▀`` and ``▄``). A drawing that can mean two things is refused, with the place and what to write
instead.

A character that is none of the usual walls is the wall if it stands all around a maze. Otherwise
``0`` is floor and ``o`` is a path, and there must be another wall. If both ``0`` and ``1`` are
cells, a note says which of them was taken for the wall, unless a ring of ``1`` confirms it.

Where no start and no goal are marked, they are the two openings of a closed outer wall. The nearest
of several goals is the goal. Notes tell both.

This module knows rows of text; ``meanings`` knows their characters and ``layout`` the places of
their cells. It does not know the lines around them, CSV, bytes, or how a maze is solved.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import (
    FLOOR,
    GOAL,
    PATH,
    START,
    SYMBOLS,
    WALL,
    count_beside,
)
from trmsolve.puzzles.maze.ends import find_openings, settle_ends
from trmsolve.puzzles.maze.form import (
    CROSSES,
    DIGITS,
    FLOORS,
    GOALS,
    HALVES,
    LEAST,
    MOST,
    NO_MARKS,
    OPTIONS,
    PATHS,
    SHAPE,
    STARTS,
    WALLS,
    Marks,
    MazeForm,
    line_rows,
)
from trmsolve.puzzles.maze.layout import Layout, is_doubled, lay_out, lay_out_line
from trmsolve.puzzles.maze.meanings import (
    ENDS,
    LOWER,
    UPPER,
    Meaning,
    find_meanings,
    has_halves,
)
from trmsolve.puzzles.maze.rules import find_faults
from trmsolve.puzzles.maze.thin import Lattice, unfold
from trmsolve.puzzles.reading.places import Line
from trmsolve.puzzles.values import Grid, Puzzle

_NO_WALL = "draw walls as '#'"
_OTHERWISE = "if it is the other way round, write walls as '#'"

_NAMED = "01o"  # floor, a wall and a path, if they do not stand all around
_NO_RINGS = WALLS + HALVES + FLOORS + STARTS + GOALS + ",/\t"  # never walls by standing all around


class _Reading(NamedTuple):
    """What rows show if their characters have a certain meaning."""

    meaning: Meaning
    layout: Layout

    texts: list[str]
    """The rows with one character for each cell."""

    cells: Grid

    skipped: int
    """How many half rows stand above the first row of cells."""

    joint: str
    """What stands between the rows."""

    @property
    def halves(self) -> bool:
        """Whether a character may be two cells."""
        return has_halves(self.meaning)

    def shown(self, content: int) -> list[str]:
        """List the characters with which cells of this content are written, in a fixed order."""
        used = set("".join(self.texts))
        return sorted(char for char in used if self.meaning.get(char) == content)

    def is_ringed(self) -> bool:
        """Tell whether the outermost cells are all walls, except for the ends."""
        contents = set(_ring(self.cells).tolist())
        return WALL in contents and contents <= {WALL, START, GOAL}


@dataclass(frozen=True, eq=False)
class Drawing:
    """What rows of text show, a path included, and how they show it."""

    cells: Grid
    form: MazeForm
    layout: Layout

    skipped: int
    """How many half rows stand above the first row of cells."""

    wall: str = ""
    """The character that is a wall because it stands all around."""

    note: str = ""
    """How the drawing was read where it could have been read otherwise."""

    def error(self, problem: str, row: int, column: int) -> PuzzleError:
        """Make the error of a cell."""
        rows_of_cells = 2 if self.form.halves else 1
        line = self.layout.rows[(row + self.skipped) // rows_of_cells]
        return line.error(problem, self.layout.left + column * self.layout.step)

    def puzzle(self, name: str, line: int) -> Puzzle:
        """Make the maze of this drawing, which begins in a line of a file."""
        source = f"{name}:{line}"
        note = f"{name}: {self.note}" if self.note else ""
        return Puzzle(self.form.grid, source, self.form, note=note)


def read_rows(
    rows: Sequence[Line],
    head: str = "",
    end: str = "\n",
    question: Drawing | None = None,
    marks: Marks = NO_MARKS,
) -> Drawing:
    """Read the maze of these rows. One row alone is a maze on a line.

    Args:
        rows: the rows of text.
        head: the titles directly above.
        end: the end of a line.
        question: for an answer its question, whose characters mean the same.
        marks: what the user says of signs and ends.

    Raises:
        PuzzleError: without the file's name, if the rows are no maze.
    """
    if not any(row.text.strip(" ") for row in rows):
        raise rows[0].error(f"only spaces; {SHAPE}")
    lattice = unfold(rows)
    if lattice:
        drawing = read_rows(lattice.rows, head, end, question, marks)
        return _draw_thin(drawing, lattice)
    wall = question.wall if question else ""
    usual = question or WALL in dict(marks.meaning).values()
    reading = None if usual else _read_in_ring(rows, marks)
    if reading:
        wall = "".join(reading.shown(WALL))
    else:
        reading = _read(rows, wall, marks)
    note = _find_note(reading)
    if not question:
        try:
            cells, said = settle_ends(reading.cells, marks)
        except PuzzleError as error:
            raise reading.layout.rows[0].error(error.problem) from None
        reading = reading._replace(cells=cells)
        note = "; ".join(filter(None, [note, said]))
    form = _find_form(reading, head, end)
    layout = reading.layout
    drawing = Drawing(reading.cells, form, layout, reading.skipped, wall, note)
    _refuse_ends(drawing)
    if not question:
        _refuse_no_wall(drawing, reading)
    return drawing


def _draw_thin(drawing: Drawing, lattice: Lattice) -> Drawing:
    """Have the answer drawn in the text of a drawing with thin walls."""
    marks = list(drawing.form.marks)
    marks[PATH] = "*" if any("o" in text for text in lattice.texts) else SYMBOLS[PATH]
    form = replace(
        drawing.form,
        rows=lattice.texts,
        places=lattice.places,
        lines=lattice.lines,
        solid=lattice.solid,
        marks=tuple(marks),
    )
    return replace(drawing, form=form)


def _read(rows: Sequence[Line], wall: str = "", marks: Marks = NO_MARKS) -> _Reading:
    """Read what the rows show, with ``wall`` or the usual characters for the wall.

    Raises PuzzleError if that is no rectangle.
    """
    meaning = find_meanings(rows, wall, marks.meaning)
    halves = has_halves(meaning)
    joint = "\n"
    if len(rows) == 1:
        rows, joint = line_rows(rows[0])
    if joint != "\n":
        layout = lay_out_line(rows)
    else:
        layout = lay_out(rows, meaning)
        if not halves and is_doubled(layout, meaning):
            layout = layout._replace(step=2, size=2)
    texts = [text[:: layout.step] for text in layout.texts()]
    height = 2 * len(texts) if halves else len(texts)
    _refuse_size(layout.rows[0], height, len(texts[0]))
    cells = _read_cells(texts, meaning)
    skipped = 0
    if halves:
        cells, skipped = _unfold(cells)
    return _Reading(meaning, layout, texts, cells, skipped, joint)


def _ring(cells: Grid) -> Grid:
    """Return the contents of the outermost cells, in no certain order."""
    top = cells[0]
    bottom = cells[-1]
    between = cells[1:-1]
    left = between[:, 0]
    right = between[:, -1]
    return np.concatenate([top, bottom, left, right])


def _read_in_ring(rows: Sequence[Line], marks: Marks) -> _Reading | None:
    """Read the rows with the character of the first row for the wall.

    Returns None unless it stands all around and that makes a maze.
    """
    try:
        char = _ring_character(rows)
        reading = _read(rows, char, marks) if char else None
    except PuzzleError:  # the usual reading tells what is wrong
        return None
    if not reading or not (reading.cells == FLOOR).any() or not _ends_are_open(reading.cells):
        return None
    ends = np.isin(reading.cells, (START, GOAL)).sum()
    opened = char not in _NAMED and ends < 2 and len(find_openings(reading.cells)) == 2 - ends
    return reading if opened or reading.is_ringed() else None


def _ring_character(rows: Sequence[Line]) -> str:
    """Find the character of which the first row consists, but for ends and openings.

    Returns "" if there is none that may be a wall, or if the rows have usual walls.
    """
    found = _characters(rows)
    if len(rows) == 1:
        rows = line_rows(rows[0])[0]
    drawn = [row.text for row in rows if row.text.strip(" ")]
    first = drawn[0] if drawn else ""
    likely = Counter(char for char in first if char not in _NO_RINGS)
    if not likely:
        return ""
    char = max(likely, key=likely.__getitem__)
    if 2 * likely[char] < len(first.replace(" ", "").replace(",", "")):
        return ""
    usual = WALLS + HALVES
    if char in _NAMED:
        usual += CROSSES
    if char != DIGITS[0]:
        usual += DIGITS[1].replace(char, "")
    return char if found.isdisjoint(usual) else ""


def _characters(rows: Iterable[Line]) -> set[str]:
    """Collect the characters of the rows."""
    return set(chain.from_iterable(row.text for row in rows))


def _ends_are_open(cells: Grid) -> bool:
    """Tell whether each end has something else than walls beside it."""
    open_beside = count_beside(cells != WALL) > 0
    ends = (cells == START) | (cells == GOAL)
    return bool(open_beside[ends].all())


def _find_form(reading: _Reading, head: str, end: str) -> MazeForm:
    """Find how the drawing is written again, without the path that it may show."""
    layout = reading.layout
    marks = _find_marks(reading)
    paths = [char for char, content in reading.meaning.items() if content == PATH]
    wiped = str.maketrans(dict.fromkeys(paths, marks[FLOOR][0]))
    cells = reading.cells
    return MazeForm(
        grid=np.where(cells == PATH, FLOOR, cells).astype(np.int8),
        rows=tuple(row.text.translate(wiped) for row in layout.rows),
        marks=marks,
        left=layout.left,
        step=layout.step,
        halves=reading.halves,
        joint=reading.joint,
        head=head,
        end=end,
    )


def _find_note(reading: _Reading) -> str:
    """Say which of 0 and 1 was taken for the wall, where both are cells.

    Returns "" if that is certain, because a ring of 1 confirms that it is 1.
    """
    walls = reading.shown(WALL)
    floors = reading.shown(FLOOR)
    zero, one = tuple(DIGITS)
    if walls == [zero] and one in floors:
        return f"reading 0 as wall and 1 as floor, because 0 is on the whole border; {_OTHERWISE}"
    if walls == [one] and zero in floors and not reading.is_ringed():
        return f"reading 1 as wall and 0 as floor; {_OTHERWISE}"
    return ""


def _refuse_no_wall(drawing: Drawing, reading: _Reading) -> None:
    """Raise PuzzleError for most drawings without a wall: one of their characters may be the wall.

    A field of one kind of floor is a maze, if there is a whole path in it or none.
    """
    if (drawing.cells == WALL).any():
        return
    floors = reading.shown(FLOOR)
    paths = reading.shown(PATH)
    kinds_of_floor = {char.replace("\xa0", " ") for char in floors}
    one_floor = len(kinds_of_floor) <= 1 and DIGITS[0] not in floors
    broken = bool(paths) and find_faults(drawing.form.grid, drawing.cells).any()
    if one_floor and not broken:
        return
    readings = []
    for chars, kind in ((floors, "floor"), (paths, "a path")):
        if chars:
            readings.append(f"{' and '.join(map(repr, chars))} read as {kind}")
    problem = f"no wall was recognised, with {' and '.join(readings)}; {_NO_WALL}"
    row, column = np.argwhere((drawing.cells == FLOOR) | (drawing.cells == PATH))[0].tolist()
    raise drawing.error(problem, row, column)


def _refuse_size(row: Line, rows: int, columns: int) -> None:
    """Raise PuzzleError for a maze that is too small or too large."""
    if min(rows, columns) < LEAST:
        raise row.error(f"{rows} x {columns} cells; the minimum is {LEAST} x {LEAST}")
    if max(rows, columns) > MOST:
        raise row.error(f"{rows} x {columns} cells; the maximum is {MOST} x {MOST}")


def _read_cells(texts: list[str], meaning: Meaning) -> Grid:
    """Make the grid of rows that have one character for each cell."""
    contents = {ord(char): content for char, content in meaning.items()}
    codes = "".join(texts).translate(contents)
    cells = np.frombuffer(codes.encode("latin-1"), np.int8)
    return cells.reshape(len(texts), -1).copy()  # a buffer cannot be written to


def _unfold(cells: Grid) -> tuple[Grid, int]:
    """Make two rows of cells from each row of half blocks.

    Returns them and how many of them (0 or 1) are left out at the top: a half row outside an outer
    wall is none.
    """
    grid = _double_rows(cells)
    for top, bottom in ((1, 1), (1, 0), (0, 1)):
        last = len(grid) - bottom
        inner = grid[top:last]
        outside = np.concatenate([grid[:top], grid[last:]])
        openings = (_ring(inner) == FLOOR).sum()
        if (outside == FLOOR).all() and openings <= 2:
            return inner, top
    return grid, 0


def _double_rows(cells: Grid) -> Grid:
    """Split each row of half blocks into its upper and its lower row.

    An end opens both halves of its character and stands in the upper one. In the outer wall it
    opens one half only.
    """
    upper = np.where(cells == LOWER, FLOOR, cells)
    lower = np.where(cells == UPPER, FLOOR, cells)
    upper[upper == UPPER] = WALL
    lower[lower == LOWER] = WALL
    ends = (cells == START) | (cells == GOAL)
    lower[ends] = FLOOR
    first = ends[0]
    last = ends[-1]
    if (upper[0] == WALL)[~first].all():
        lower[0, first] = cells[0, first]
        upper[0, first] = WALL
    if (lower[-1] == WALL)[~last].all():
        lower[-1, last] = WALL
    return np.stack([upper, lower], axis=1).reshape(-1, cells.shape[1])


def _refuse_ends(drawing: Drawing) -> None:
    """Raise PuzzleError unless the maze has one start and one goal."""
    for content, (name, letters) in ENDS.items():
        found = np.argwhere(drawing.cells == content)[:2].tolist()
        if not found:
            raise drawing.layout.rows[0].error(f"no {name}: mark it with {letters}, or {OPTIONS}")
        if len(found) > 1:
            places = [drawing.error("", row, column) for row, column in found]
            named = [f"line {place.line}, column {place.column}" for place in places]
            problem = f"two {name}s: {' and '.join(named)}; {OPTIONS}"
            raise PuzzleError(problem, "", places[1].line, places[1].column)


def _find_marks(reading: _Reading) -> tuple[str, ...]:
    """Find how the drawing writes each content of a cell. Missing ones are written as usual."""
    counts = Counter("".join(reading.texts))
    marks = list(SYMBOLS)
    for content in (WALL, FLOOR, START, GOAL):
        used = [char for char in reading.meaning if reading.meaning[char] == content]
        used = [char for char in used if counts[char]]
        marks[content] = max(used, key=counts.__getitem__, default=marks[content])
    if reading.halves:
        marks[WALL] = "█"
    solid = {*reading.shown(WALL), *reading.shown(FLOOR)}
    if not {marks[WALL], marks[FLOOR]}.isdisjoint(DIGITS + PATHS):
        marks[PATH] = "*" if "*" not in solid else "+"  # among zeros an o would not be seen
    elif "⬛" in marks or "⬜" in marks:
        marks[PATH] = "🟦"  # as wide as its neighbours
    return tuple(mark * reading.layout.size for mark in marks)
