"""Reads a drawn maze: what its characters mean, where its cells are, and what is wrong where.

A cell is one character, two equal ones, one with a separator behind it, or half of a character
(``▀`` and ``▄``). A drawing that can mean two things is refused, with the place and what to write
instead.

The characters ``0`` and ``o`` are walls if they stand all around a maze. Otherwise ``0`` is floor
and ``o`` is a path, and there must be another wall. If both ``0`` and ``1`` are cells, a note says
which of them was taken for the wall, unless a ring of ``1`` confirms it.

This module knows rows of text. It does not know the lines around them, CSV, bytes, or how a maze is
solved.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
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

WIDEST = 3 * MOST
"""The most characters of a row: two for each cell, and a margin."""

_CELLS = "walls are '#' or blocks, floor is ' ' or '.', the start is S, the goal G or E"
_STRIPPED = "; write floor as '.' where spaces at the ends of lines may be lost"
_BESIDE = "'░' beside darker walls is ambiguous; draw walls as '█' and floor as ' '"
_HEADLESS = (
    "after a maze on a line; a CSV file must begin with its column names, such as question,answer"
)
_TAB = "tabs have no fixed width; use spaces"
_DRAWN_LINE = "walls drawn as lines between cells are not supported; draw each wall as a cell, '#'"
_ESCAPE = "U+001B: terminal colours are not supported; save the maze without them"
_BETWEEN = "',' separates only some cells; put it between all cells or none"
_PAIRS = "every cell is drawn as two equal characters here, but not"
_NO_WALL = "draw walls as '#'"
_OTHERWISE = "if it is the other way round, write walls as '#'"

_BOX_DRAWING = "".join(map(chr, range(0x2500, 0x2580)))
_LINED = frozenset("|-+" + _BOX_DRAWING)
# While a drawing is read: a wall in the upper or lower half of a character alone.
_UPPER = 5
_LOWER = 6
_RINGS = "0o"  # usually floor and a path; walls if they stand all around
_ENDS = {START: ("start", "S"), GOAL: ("goal", "G or E")}
_TURNS = 6  # how often walls begin and end, always where a pair does, in a doubled drawing

Meaning = dict[str, int]
"""The content of a cell that each character means."""


class _Layout(NamedTuple):
    """Where the cells are in the rows of text."""

    rows: list[Row]

    left: int
    """The column of the first cell."""

    right: int
    """The column after the last cell."""

    step: int = 1
    """How many characters it is from a cell to the next."""

    size: int = 1
    """How many characters a cell has."""

    def texts(self) -> list[str]:
        """Return the rows without margins. Characters that are missing at the end are floor."""
        texts = [row.text.ljust(self.right) for row in self.rows]
        return [text[self.left : self.right] for text in texts]


class _Reading(NamedTuple):
    """What rows show if their characters have a certain meaning."""

    meaning: Meaning
    layout: _Layout

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
        return _has_halves(self.meaning)

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
    layout: _Layout

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
        note = f"{name}: {self.note}" if self.note else ""
        return Puzzle(self.form.grid, f"{name}:{line}", self.form, note=note)


def read_rows(
    rows: Sequence[Row], head: str = "", end: str = "\n", question: Drawing | None = None
) -> Drawing:
    """Read the maze of these rows. One row alone is a maze on a line.

    Args:
        rows: the rows of text.
        head: the titles directly above.
        end: the end of a line.
        question: for an answer its question, whose characters mean the same.

    Raises:
        PuzzleError: without the file's name, if the rows are no maze.
    """
    if not any(row.text.strip(" ") for row in rows):
        raise rows[0].error(f"only spaces; {SHAPE}")
    wall = question.wall if question else ""
    reading = None if question else _read_in_ring(rows)
    if reading:
        wall = "".join(reading.shown(WALL))
    else:
        reading = _read(rows, wall)
    form = _find_form(reading, head, end)
    layout = reading.layout
    drawing = Drawing(reading.cells, form, layout, reading.skipped, wall, _find_note(reading))
    _refuse_ends(drawing)
    if not question:
        _refuse_no_wall(drawing, reading)
    return drawing


def _read(rows: Sequence[Row], wall: str = "") -> _Reading:
    """Read what the rows show, with ``wall`` or the usual characters for the wall.

    Raises PuzzleError if that is no rectangle.
    """
    meaning = _find_meanings(rows, wall)
    halves = _has_halves(meaning)
    joint = "\n"
    if len(rows) == 1:
        rows, joint = line_rows(rows[0])
    if joint != "\n":
        layout = _lay_out_line(rows)
    else:
        layout = _lay_out(rows, meaning)
        if not halves and _is_doubled(layout, meaning):
            layout = layout._replace(step=2, size=2)
    texts = [text[:: layout.step] for text in layout.texts()]
    height = 2 * len(texts) if halves else len(texts)
    _refuse_size(layout.rows[0], height, len(texts[0]))
    cells = _read_cells(texts, meaning)
    skipped = 0
    if halves:
        cells, skipped = _unfold(cells)
    return _Reading(meaning, layout, texts, cells, skipped, joint)


def _has_halves(meaning: Meaning) -> bool:
    """Tell whether half blocks are among the characters."""
    return any(half in meaning for half in HALVES)


def _ring(cells: Grid) -> Grid:
    """Return the contents of the outermost cells, in no certain order."""
    sides = cells[1:-1]
    return np.concatenate([cells[0], cells[-1], sides[:, 0], sides[:, -1]])


def _read_in_ring(rows: Sequence[Row]) -> _Reading | None:
    """Read the rows with a character of ``_RINGS`` for the wall.

    Returns None unless it stands all around and that makes a maze.
    """
    try:
        char = _ring_character(rows)
        reading = _read(rows, char) if char else None
    except PuzzleError:  # the usual reading tells what is wrong
        return None
    if not reading or not reading.is_ringed():
        return None
    if not (reading.cells == FLOOR).any() or not _ends_are_open(reading.cells):
        return None
    return reading


def _ring_character(rows: Sequence[Row]) -> str:
    """Find the character of ``_RINGS`` that the first row consists of.

    Returns "" if there is none, or if the rows have usual walls.
    """
    found = _characters(rows)
    if len(rows) == 1:
        rows = line_rows(rows[0])[0]
    first = next((row.text for row in rows if row.text.strip(" ")), "")
    chars = set(first) - set(STARTS + GOALS + " ,")
    char = "".join(chars)
    if len(chars) != 1 or char not in _RINGS:
        return ""
    usual = WALLS + HALVES + CROSSES
    if char != DIGITS[0]:
        usual += DIGITS[1]
    return char if found.isdisjoint(usual) else ""


def _characters(rows: Iterable[Row]) -> set[str]:
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


def _find_meanings(rows: Sequence[Row], wall: str = "") -> Meaning:
    """Find what every character of the rows means.

    ``wall`` is the one character that is the wall, if it is none of the usual ones. Raises
    PuzzleError at the first character that means nothing.
    """
    found = set(chain.from_iterable(row.text.strip(" ") for row in rows))
    kinds = _find_kinds(found, wall)
    meaning = {" ": FLOOR}
    for content, chars in kinds.items():
        for char in chars:
            if char in found:
                meaning[char] = content
    _settle_shades(meaning, found, kinds[FLOOR])
    known = {*meaning, *_find_joints(rows)}
    if not found <= known:
        raise _foreign(rows, known)
    return meaning


def _find_kinds(found: set[str], wall: str) -> dict[int, str]:
    """Find the characters that mean each content, given all that were found."""
    kinds = {
        FLOOR: FLOORS,
        WALL: WALLS,
        START: STARTS,
        GOAL: GOALS,
        PATH: PATHS,
        _UPPER: HALVES[0],
        _LOWER: HALVES[1],
    }
    if wall:
        kinds[WALL] = wall
        kinds[FLOOR] += DIGITS.replace(wall, "")
        kinds[PATH] = PATHS.replace(wall, "")
    elif found.isdisjoint(WALLS):
        if not found.isdisjoint(DIGITS):
            kinds[FLOOR] += DIGITS[0]
            kinds[WALL] += DIGITS[1]
        elif found.isdisjoint(HALVES):
            kinds[WALL] += CROSSES
    if not found.isdisjoint(kinds[WALL] + HALVES + DIGITS):
        kinds[PATH] += MAYBE_PATHS
    return kinds


def _settle_shades(meaning: Meaning, found: set[str], floors: str) -> None:
    """Make the lighter of two shades of walls floor, where there is no other floor.

    Beside other floor the lightest shade means nothing.
    """
    walls = [char for char in WALLS if char in found]
    if len(walls) < 2 or walls[-1] not in "▓▒░":
        return
    if found.isdisjoint(floors):
        meaning[walls[-1]] = FLOOR
    elif walls[-1] == "░":
        meaning.pop("░", None)


def _find_joints(rows: Sequence[Row]) -> str:
    """Find the character that may stand between rows or cells, if there is one."""
    if len(rows) == 1:
        return "/"
    drawn = [row for row in rows if row.text.strip(" ")]
    return "," if all("," in row.text for row in drawn) else ""


def _foreign(rows: Iterable[Row], known: set[str]) -> PuzzleError:
    """Make the error of the first character that means nothing."""
    row = next(row for row in rows if not known.issuperset(row.text))
    index = next(i for i, char in enumerate(row.text) if char not in known)
    char = row.text[index]
    shown = repr(char) if char.isprintable() else f"U+{ord(char):04X}"
    if char in ",;\t" and is_line(row.text[:index]):
        problem = f"{shown} {_HEADLESS}"
    elif char == "\t":
        problem = _TAB
    elif char == "░":
        problem = _BESIDE
    elif char in _LINED:
        problem = f"{shown}: {_DRAWN_LINE}"
    elif char == "\x1b":
        problem = _ESCAPE
    else:
        problem = undecoded(char) or f"wrong character {shown}; {_CELLS}"
    return row.error(problem, index)


def _lay_out_line(rows: Sequence[Row]) -> _Layout:
    """Lay out rows that stand on one line."""
    right = _most_common(len(row.text) for row in rows)
    layout = _Layout(list(rows), 0, right)
    for nth, row in enumerate(rows, 1):
        if len(row.text) != right:
            raise _ragged(row, nth, len(row.text), layout)
    return layout


def _lay_out(rows: Sequence[Row], meaning: Meaning) -> _Layout:
    """Find the rectangle of the cells.

    Margins are left out, stripped spaces are restored, and characters between cells are skipped.
    Raises PuzzleError if the rows are no rectangle.
    """
    _refuse_wide(rows)
    drawn = [i for i, row in enumerate(rows) if row.text.strip(" ")]
    inner = list(rows[drawn[0] : drawn[-1] + 1])
    separated = _lay_out_separated(inner, meaning)
    if separated:
        return separated
    for row in rows:
        if "," in row.text:
            raise row.error(_BETWEEN, row.text.index(","))
    dots = any(content == FLOOR and char != " " for char, content in meaning.items())
    left = _most_common(_begin(row) for row in inner)
    right = _most_common(_end(row) for row in inner)
    layout = _Layout(inner, left, right)
    if dots and not any(" " in row.text.strip(" ") for row in inner):
        _refuse_ragged(layout, spaces=False)
        return layout
    if _is_framed(layout, meaning):
        _refuse_ragged(layout, spaces=True)
        return layout
    lengths = [len(row.text) for row in rows]
    if not dots and not any(row.text.endswith(" ") for row in rows):
        return _Layout(list(rows), 0, max(lengths))  # an editor has stripped the spaces
    layout = _Layout(list(rows), 0, _most_common(lengths))
    _refuse_ragged(layout, spaces=True)
    return layout


def _refuse_wide(rows: Sequence[Row]) -> None:
    """Raise PuzzleError for a row that is longer than any maze."""
    for row in rows:
        if len(row.text) > WIDEST:
            problem = f"a row of {len(row.text)} characters"
            raise row.error(f"{problem}; the maximum is {MOST} x {MOST} cells", MOST)


def _begin(row: Row) -> int:
    """Find the column of the first character that is no space."""
    return len(row.text) - len(row.text.lstrip(" "))


def _end(row: Row) -> int:
    """Find the column after the last character that is no space."""
    return len(row.text.rstrip(" "))


def _most_common(numbers: Iterable[int]) -> int:
    """Return the most common of the numbers, the first of equals."""
    return Counter(numbers).most_common(1)[0][0]


def _is_framed(layout: _Layout, meaning: Meaning) -> bool:
    """Tell whether an outer wall, with two openings at most, shows the sides of the maze.

    Spaces beyond it are no cells then.
    """
    if len(layout.rows) < LEAST or layout.right - layout.left < LEAST:
        return False
    beyond = 0
    for row in layout.rows:
        beyond += _begin(row) < layout.left or _end(row) > layout.right
    lengths = {len(row.text) for row in layout.rows}
    slips = max(len(layout.rows) // 5, 1 if len(lengths) > 1 else 0)
    if beyond > slips:
        return False
    solid = {char for char, content in meaning.items() if content not in (FLOOR, PATH)}
    texts = layout.texts()
    left = [text[0] for text in texts[1:-1]]
    right = [text[-1] for text in texts[1:-1]]
    ring = [*texts[0], *texts[-1], *left, *right]
    openings = sum(char not in solid for char in ring)
    return openings <= min(2, len(ring) // 8)


def _refuse_ragged(layout: _Layout, spaces: bool) -> None:
    """Raise PuzzleError unless every row fills the columns of the cells, and no others.

    ``spaces`` says whether spaces are cells.
    """
    for nth, row in enumerate(layout.rows, 1):
        begin = _begin(row)
        end = _end(row)
        filled = len(row.text) if spaces else end
        if begin < min(layout.left, end):
            raise row.error(f"ragged maze: row {nth} begins before the others", begin)
        if end > layout.right:
            raise _ragged(row, nth, end, layout)
        if filled < layout.right:
            raise _ragged(row, nth, filled, layout, _STRIPPED if spaces else "")
        if begin > layout.left and not spaces:
            raise row.error(f"ragged maze: row {nth} begins after the others", layout.left)


def _ragged(row: Row, nth: int, end: int, layout: _Layout, hint: str = "") -> PuzzleError:
    """Make the error of a row whose cells end in another column than most."""
    size = max(end - layout.left, 0)
    plural = "s" if size != 1 else ""
    most = layout.right - layout.left
    problem = f"ragged maze: row {nth} has {size} character{plural}, most have {most}{hint}"
    return row.error(problem, min(end, layout.right))


def _lay_out_separated(rows: list[Row], meaning: Meaning) -> _Layout | None:
    """Lay out rows in which a separator stands between all cells. Returns None for other rows.

    Where a space may be floor too, an outer wall has to show that it is a separator.
    """
    left = min(_begin(row) for row in rows)
    right = max(len(row.text.rstrip(" ,")) for row in rows)
    if right - left < 2 * LEAST - 1:
        return None
    texts = [row.text.rstrip(" ,").ljust(right)[left:] for row in rows]
    cells = [text[::2] for text in texts]
    between = set(chain.from_iterable(text[1::2] for text in texts))
    if between not in ({" "}, {","}):
        return None
    sure = between == {","} or not any(" " in text for text in cells)
    if not sure:
        solid = {char for char, content in meaning.items() if content in (WALL, START, GOAL)}
        sure = solid.issuperset(cells[0]) and solid.issuperset(cells[-1])
    return _Layout(rows, left, right, 2) if sure else None


def _is_doubled(layout: _Layout, meaning: Meaning) -> bool:
    """Tell whether every cell is drawn as two equal characters, an end perhaps with a space.

    A small maze of single characters may look so by chance. There has to be another sign: an end of
    two letters, side walls two characters thick, or walls that begin and end six times, always
    where a pair does. Raises PuzzleError if only few pairs are not equal.
    """
    if layout.step == 2 or (layout.right - layout.left) % 2:
        return False
    texts = layout.texts()
    ends = {char for char, content in meaning.items() if content in _ENDS}
    doubled_ends = _count_doubled(texts, ends)
    odd = _list_odd_pairs(texts, meaning)
    if odd:
        pairs = len(texts) * len(texts[0]) // 2
        if doubled_ends == 2 and 8 * len(odd) < pairs:
            row, column = odd[0]
            pair = texts[row][column : column + 2]
            raise layout.rows[row].error(f"{_PAIRS} {pair!r}", layout.left + column)
        return False
    walls = {char for char, content in meaning.items() if content == WALL}
    cells = [text[::2] for text in texts]
    if doubled_ends or _has_thick_sides(cells, walls | ends):
        return True
    return _count_turns(cells, walls) >= _TURNS


def _count_doubled(texts: list[str], chars: set[str]) -> int:
    """Count the pairs of characters that are twice the same one of ``chars``."""
    doubled = 0
    for text in texts:
        if chars.isdisjoint(text):
            continue
        for first, second in zip(text[::2], text[1::2], strict=True):
            doubled += first == second and first in chars
    return doubled


def _list_odd_pairs(texts: list[str], meaning: Meaning) -> list[tuple[int, int]]:
    """List where pairs of different characters begin, except for an end with floor behind it."""
    odd = []
    for row, text in enumerate(texts):
        if text[::2] == text[1::2]:
            continue
        for column in range(0, len(text), 2):
            first = text[column]
            second = text[column + 1]
            if first == second:
                continue
            is_end = meaning[first] in _ENDS and meaning[second] == FLOOR
            if not is_end:
                odd.append((row, column))
    return odd


def _has_thick_sides(cells: list[str], solid: set[str]) -> bool:
    """Tell whether the first and the last cell of every row are walls or ends."""
    left = {text[0] for text in cells}
    right = {text[-1] for text in cells}
    return left | right <= solid


def _count_turns(cells: list[str], walls: set[str]) -> int:
    """Count how often a wall begins or ends along the rows."""
    turns = 0
    for text in cells:
        for one, other in pairwise(text):
            turns += (one in walls) != (other in walls)
    return turns


def _refuse_size(row: Row, rows: int, columns: int) -> None:
    """Raise PuzzleError for a maze that is too small or too large."""
    if min(rows, columns) < LEAST:
        raise row.error(f"{rows} x {columns} cells; the minimum is {LEAST} x {LEAST}")
    if max(rows, columns) > MOST:
        raise row.error(f"{rows} x {columns} cells; the maximum is {MOST} x {MOST}")


def _read_cells(texts: list[str], meaning: Meaning) -> Grid:
    """Make the grid of rows that have one character for each cell."""
    contents = {ord(char): content for char, content in meaning.items()}
    codes = "".join(texts).translate(contents).encode("latin-1")
    return np.frombuffer(codes, np.int8).reshape(len(texts), -1).copy()


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
    upper = np.where(cells == _LOWER, FLOOR, cells)
    lower = np.where(cells == _UPPER, FLOOR, cells)
    upper[upper == _UPPER] = WALL
    lower[lower == _LOWER] = WALL
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
    for content, (name, letters) in _ENDS.items():
        found = np.argwhere(drawing.cells == content)[:2].tolist()
        if not found:
            raise drawing.layout.rows[0].error(f"no {name}: mark it with {letters}")
        if len(found) > 1:
            places = [drawing.error("", row, column) for row, column in found]
            named = [f"line {place.line}, column {place.column}" for place in places]
            problem = f"two {name}s: {' and '.join(named)}"
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
    if not {marks[WALL], marks[FLOOR]}.isdisjoint(DIGITS + PATHS):
        marks[PATH] = "*"  # among zeros an o would not be seen
    elif "⬛" in marks or "⬜" in marks:
        marks[PATH] = "🟦"  # as wide as its neighbours
    return tuple(mark * reading.layout.size for mark in marks)
