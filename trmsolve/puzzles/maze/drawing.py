"""A drawn maze: what its characters mean, where its cells are, and what is wrong with it where.

A cell is one character, two equal ones, one with a separator behind it, or half of a character
(``▀`` and ``▄``). Where a drawing can mean two things it is refused, with the place and what to
write instead.

The characters ``0`` and ``o`` are walls if they stand all around a maze. Otherwise ``0`` is floor
and ``o`` is a path, and there must be another wall. If both ``0`` and ``1`` are cells, a note says
which of them was taken for the wall, unless a ring of ``1`` confirms it.

Knows rows of text. Does not know the lines around them, CSV, bytes, or how a maze is solved.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, SYMBOLS, WALL
from trmsolve.puzzles.maze.form import (
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
from trmsolve.puzzles.maze.rules import find_faults
from trmsolve.puzzles.reading.lines import undecoded
from trmsolve.puzzles.values import Grid, Puzzle

WIDEST = 3 * MOST  # characters of a row: two for a cell, and a margin

_CELLS = "walls are '#' or blocks, floor is ' ' or '.', the start is S, the goal G or E"
_STRIPPED = "; write floor as '.' where spaces at the ends of lines may be lost"
_BESIDE = "'░' beside darker walls: wall or floor? Draw walls as '█' and floor as ' '"
_LINED = frozenset("|-+" + "".join(map(chr, range(0x2500, 0x2580))))  # the last are box drawing
_UPPER, _LOWER = (
    5,
    6,
)  # while a drawing is read: a wall in the upper or lower half of a character alone
_RINGS = "0o"  # usually floor and a path; walls if they stand all around
_NO_WALL = "say which character is the wall: draw walls as '#'"
_OTHERWISE = "write walls as '#' if it is the other way round"
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


class _Reading(NamedTuple):
    """What rows show if their characters have this meaning."""

    meaning: Meaning
    layout: _Layout
    texts: list[str]  # one character a cell
    cells: Grid
    skipped: int  # half rows above the first row of cells
    joint: str  # between the rows

    @property
    def halves(self) -> bool:
        """Whether a character may be two cells."""
        return any(half in self.meaning for half in HALVES)

    def shown(self, content: int) -> list[str]:
        """The characters that cells of this content are written with, in a fixed order."""
        return sorted(
            char for char in set("".join(self.texts)) if self.meaning.get(char) == content
        )

    def is_ringed(self) -> bool:
        """Whether the outermost cells are all walls, but for the ends."""
        ring = np.ones(self.cells.shape, bool)
        ring[1:-1, 1:-1] = False
        contents = set(self.cells[ring].tolist())
        return WALL in contents and contents <= {WALL, START, GOAL}


@dataclass(frozen=True, eq=False)
class Drawing:
    """What rows of text show, a path included, and how they show it."""

    cells: Grid
    form: MazeForm
    layout: _Layout
    skipped: int  # half rows above the first row of cells
    wall: str = ""  # the character that is a wall for standing all around
    note: str = ""  # how the drawing was read where it could have been read otherwise

    def error(self, problem: str, row: int, column: int) -> PuzzleError:
        """What is wrong with a cell."""
        line = self.layout.rows[(row + self.skipped) // (1 + self.form.halves)]
        return line.error(problem, self.layout.left + column * self.layout.step)

    def puzzle(self, name: str, line: int) -> Puzzle:
        """The maze of this drawing, which begins in a line of a file."""
        note = f"{name}: {self.note}" if self.note else ""
        return Puzzle(self.form.grid, f"{name}:{line}", self.form, note=note)


def read_rows(
    rows: Sequence[Row], head: str = "", end: str = "\n", question: Drawing | None = None
) -> Drawing:
    """The maze of these rows; one row alone is a maze on a line.

    The characters of an answer mean what they mean in its ``question``. Raises PuzzleError, without
    the file's name, if the rows are no maze.
    """
    if not any(row.text.strip(" ") for row in rows):
        raise rows[0].error(f"nothing but spaces; {SHAPE}")
    wall = question.wall if question else ""
    reading = None if question else _read_in_ring(rows)
    if reading:
        wall = "".join(reading.shown(WALL))
    else:
        reading = _read(rows, wall)
    drawing = Drawing(
        reading.cells,
        _form(reading, head, end),
        reading.layout,
        reading.skipped,
        wall,
        _note(reading),
    )
    _refuse_ends(drawing)
    if not question:
        _refuse_no_wall(drawing, reading)
    return drawing


def _read(rows: Sequence[Row], wall: str = "") -> _Reading:
    """What the rows show, with ``wall`` for the wall or the usual ones.

    Raises PuzzleError if that is no rectangle.
    """
    meaning = _meanings(rows, wall)
    joint = "\n"
    if len(rows) == 1:
        rows, joint = line_rows(rows[0])
    layout = _lay_out(rows, meaning) if joint == "\n" else _flat(rows)
    halves = any(half in meaning for half in HALVES)
    if joint == "\n" and not halves and _is_doubled(layout, meaning):
        layout = layout._replace(step=2, size=2)
    texts = [text[:: layout.step] for text in layout.texts()]
    _refuse_size(layout.rows[0], len(texts) * (1 + halves), len(texts[0]))
    cells = _cells(texts, meaning)
    skipped = 0
    if halves:
        cells, skipped = _unfold(cells)
    return _Reading(meaning, layout, texts, cells, skipped, joint)


def _read_in_ring(rows: Sequence[Row]) -> _Reading | None:
    """The reading by which a character of ``_RINGS`` is the wall, if it stands all around and that makes a maze."""
    try:
        char = _ring_character(rows)
        reading = _read(rows, char) if char else None
    except PuzzleError:  # whatever is wrong is told by the usual reading
        return None
    sure = (
        reading
        and reading.is_ringed()
        and (reading.cells == FLOOR).any()
        and _ends_are_open(reading.cells)
    )
    return reading if sure else None


def _ring_character(rows: Sequence[Row]) -> str:
    """The character of ``_RINGS`` that the first row consists of, if there are no usual walls; else ""."""
    found = set(chain.from_iterable(row.text for row in rows))
    if len(rows) == 1:
        rows = line_rows(rows[0])[0]
    first = next((row.text for row in rows if row.text.strip(" ")), "")
    chars = set(first) - set(STARTS + GOALS + " ,")
    char = "".join(chars)
    others = WALLS + HALVES + CROSSES
    if char != DIGITS[0]:
        others += DIGITS[1]
    return char if len(chars) == 1 and char in _RINGS and found.isdisjoint(others) else ""


def _ends_are_open(cells: Grid) -> bool:
    """Whether something else than walls is beside each end."""
    wide = np.pad(cells != WALL, 1)
    open_beside = wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
    return bool(open_beside[(cells == START) | (cells == GOAL)].all())


def _form(reading: _Reading, head: str, end: str) -> MazeForm:
    """How the drawing is written again, without the path that it may show."""
    layout = reading.layout
    marks = _marks(reading.texts, reading.meaning, layout.size)
    wiped = {
        ord(char): marks[FLOOR][0] for char, content in reading.meaning.items() if content == PATH
    }
    drawn = tuple(row.text.translate(wiped) if wiped else row.text for row in layout.rows)
    question = np.where(reading.cells == PATH, FLOOR, reading.cells).astype(np.int8)
    return MazeForm(
        question, drawn, marks, layout.left, layout.step, reading.halves, reading.joint, head, end
    )


def _note(reading: _Reading) -> str:
    """Which of 0 and 1 was taken for the wall, where both are cells and no ring of 1 confirms that it is 1."""
    walls, floors = reading.shown(WALL), reading.shown(FLOOR)
    if walls == [DIGITS[0]] and DIGITS[1] in floors:
        return f"taking 0 for walls and 1 for floor, as 0 stands all around; {_OTHERWISE}"
    if walls == [DIGITS[1]] and DIGITS[0] in floors and not reading.is_ringed():
        return f"taking 1 for walls and 0 for floor; {_OTHERWISE}"
    return ""


def _refuse_no_wall(drawing: Drawing, reading: _Reading) -> None:
    """Without a wall, only a field of one kind of floor is a maze, with a whole path in it or none.

    Otherwise one of its characters may be the wall.
    """
    if (drawing.cells == WALL).any():
        return
    floors = reading.shown(FLOOR)
    paths = reading.shown(PATH)
    one_floor = len({char.replace("\xa0", " ") for char in floors}) <= 1 and DIGITS[0] not in floors
    if one_floor and not (paths and find_faults(drawing.form.grid, drawing.cells).any()):
        return
    kinds = [(floors, "floor"), (paths, "a path")]
    read = " and ".join(
        f"{' and '.join(map(repr, chars))} read as {kind}" for chars, kind in kinds if chars
    )
    first = np.argwhere((drawing.cells == FLOOR) | (drawing.cells == PATH))[0].tolist()
    raise drawing.error(f"no wall was recognised, with {read}; {_NO_WALL}", *first)


def _meanings(rows: Sequence[Row], wall: str = "") -> Meaning:
    """What every character of the rows means; the first that means nothing is an error.

    ``wall`` is the one character that is the wall, if it is none of the usual ones.
    """
    found = set(chain.from_iterable(row.text.strip(" ") for row in rows))
    walls = [char for char in WALLS if char in found]
    kinds = {
        FLOOR: FLOORS,
        WALL: WALLS,
        START: STARTS,
        GOAL: GOALS,
        PATH: PATHS,
        _UPPER: "▀",
        _LOWER: "▄",
    }
    if wall:
        kinds[WALL] = wall
        kinds[FLOOR] += DIGITS.replace(wall, "")
        kinds[PATH] = PATHS.replace(wall, "")
    elif not walls and not found.isdisjoint(DIGITS):
        kinds[FLOOR] += DIGITS[0]
        kinds[WALL] += DIGITS[1:]
    elif not walls and found.isdisjoint(HALVES):
        kinds[WALL] += CROSSES
    if not found.isdisjoint(kinds[WALL] + HALVES + DIGITS):
        kinds[PATH] += MAYBE_PATHS
    meaning = {" ": FLOOR} | {
        char: content for content, chars in kinds.items() for char in chars if char in found
    }
    if len(walls) > 1 and walls[-1] in "▓▒░":
        if not found & set(kinds[FLOOR]):
            meaning[walls[-1]] = FLOOR  # of two shades the lighter
        elif walls[-1] == "░":
            del meaning["░"]
    between = (
        "/"
        if len(rows) == 1
        else ","
        if all("," in row.text for row in rows if row.text.strip(" "))
        else ""
    )
    if not found <= {*meaning, *between}:
        raise _foreign(rows, {*meaning, *between})
    return meaning


def _foreign(rows: Iterable[Row], known: set[str]) -> PuzzleError:
    """The error of the first character that means nothing."""
    row, index = next(
        (row, i) for row in rows for i, char in enumerate(row.text) if char not in known
    )
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
        problem = (
            f"{shown}: walls drawn as lines between cells are not read; draw a wall as a cell, '#'"
        )
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
            raise row.error(
                f"a row of {len(row.text)} characters; more than {MOST} x {MOST} cells are not read",
                MOST,
            )
    drawn = [i for i, row in enumerate(rows) if row.text.strip(" ")]
    inner = list(rows[drawn[0] : drawn[-1] + 1])
    if layout := _separated(inner, meaning):
        return layout
    for row in rows:
        if "," in row.text:
            raise row.error(
                "',' stands between some cells only; write it between all or none",
                row.text.index(","),
            )
    solid = {char for char, content in meaning.items() if content not in (FLOOR, PATH)}
    dots = any(content == FLOOR and char != " " for char, content in meaning.items())
    layout = _Layout(
        inner, *(_common(extent[side] for extent in map(_extent, inner)) for side in (0, 1))
    )
    if dots and not any(" " in row.text.strip(" ") for row in inner):
        _refuse_ragged(layout, False)
    elif _is_framed(layout, solid):
        _refuse_ragged(layout, True)
    else:
        layout = _Layout(list(rows), 0, max(len(row.text) for row in rows))
        if dots or any(
            row.text.endswith(" ") for row in rows
        ):  # otherwise an editor has stripped them
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
    beyond = sum(
        left < layout.left or right > layout.right for left, right in map(_extent, layout.rows)
    )
    in_line = len({len(row.text) for row in layout.rows}) == 1
    if beyond > max(len(layout.rows) // 5, not in_line):
        return False  # so many are no slips
    texts = layout.texts()
    ring = [*texts[0], *texts[-1], *(text[side] for text in texts[1:-1] for side in (0, -1))]
    return sum(char not in solid for char in ring) <= min(2, len(ring) // 8)


def _refuse_ragged(layout: _Layout, spaces: bool) -> None:
    """Every row has to fill the columns of the cells and no others.

    ``spaces`` says whether spaces are cells.
    """
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
    """The layout if a separator stands between all cells.

    Where a space may be floor too, an outer wall has to show.
    """
    left, right = (
        min(_extent(row)[0] for row in rows),
        max(len(row.text.rstrip(" ,")) for row in rows),
    )
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

    A small maze of single characters may look so by chance, so there has to be a sign beside: an
    end of two letters, side walls two characters thick, or walls that begin and end six times,
    always where a pair does.
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
    twice = sum(
        one == other and one in ends for line in lines for one, other in zip(*line, strict=True)
    )
    if odd:
        if twice == 2 and 8 * len(odd) < len(lines) * len(lines[0][0]):
            row, column = odd[0]
            pair = lines[row][0][column] + lines[row][1][column]
            problem = f"every cell is drawn as two equal characters here, but not {pair!r}"
            raise layout.rows[row].error(problem, layout.left + 2 * column)
        return False
    walls = {char for char, content in meaning.items() if content == WALL}
    sides = all(firsts[side] in walls | ends for firsts, _ in lines for side in (0, -1))
    turns = sum(
        (one in walls) != (other in walls) for row, _ in lines for one, other in pairwise(row)
    )
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

    An end opens both halves of its character and stands in the upper one; in the outer wall it
    opens one half only. A half row outside an outer wall is none.
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
    if not {marks[WALL], marks[FLOOR]}.isdisjoint(DIGITS + PATHS):
        marks[PATH] = "*"  # among zeros an o would not be seen
    elif "⬛" in marks or "⬜" in marks:
        marks[PATH] = "🟦"  # as wide as its neighbours
    return tuple(mark * size for mark in marks)
