"""Where the cells are in the rows of a drawn maze: margins, separators and doubled characters.

A cell is one character, two equal ones, or one with a separator behind it. Rows that are no
rectangle are refused, with the place. This module knows what the characters of the rows mean. It
does not know what their cells make together.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, WALL
from trmsolve.puzzles.maze.form import LEAST, MOST
from trmsolve.puzzles.maze.meanings import ENDS, Meaning
from trmsolve.puzzles.reading.places import Line
from trmsolve.wording import count

WIDEST = 3 * MOST
"""The most characters of a row: two for each cell, and a margin."""

_STRIPPED = "; write floor as '.' where spaces at the ends of lines may be lost"
_BETWEEN = "{!r} separates only some cells; put it between all cells or none"
_PAIRS = "every cell is drawn as two equal characters here, but not"
_TURNS = 6  # how often walls begin and end, always where a pair does, in a doubled drawing


class Layout(NamedTuple):
    """Where the cells are in the rows of text."""

    rows: list[Line]

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


def lay_out_line(rows: Sequence[Line]) -> Layout:
    """Lay out rows that stand on one line."""
    right = _most_common(len(row.text) for row in rows)
    layout = Layout(list(rows), 0, right)
    for nth, row in enumerate(rows, 1):
        if len(row.text) != right:
            raise _ragged(row, nth, len(row.text), layout)
    return layout


def lay_out(rows: Sequence[Line], meaning: Meaning) -> Layout:
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
        for joint in ",\t":
            if joint in row.text and joint not in meaning:
                raise row.error(_BETWEEN.format(joint), row.text.index(joint))
    dots = any(content == FLOOR and char != " " for char, content in meaning.items())
    left = _most_common(_begin(row) for row in inner)
    right = _most_common(_end(row) for row in inner)
    layout = Layout(inner, left, right)
    if dots and not any(" " in row.text.strip(" ") for row in inner):
        _refuse_ragged(layout, spaces=False)
        return layout
    if _is_framed(layout, meaning):
        _refuse_ragged(layout, spaces=True)
        return layout
    lengths = [len(row.text) for row in rows]
    if not dots and not any(row.text.endswith(" ") for row in rows):
        return Layout(list(rows), 0, max(lengths))  # an editor has stripped the spaces
    layout = Layout(list(rows), 0, _most_common(lengths))
    _refuse_ragged(layout, spaces=True)
    return layout


def _refuse_wide(rows: Sequence[Line]) -> None:
    """Raise PuzzleError for a row that is longer than any maze."""
    for row in rows:
        if len(row.text) > WIDEST:
            problem = f"a row of {len(row.text)} characters"
            raise row.error(f"{problem}; the maximum is {MOST} x {MOST} cells", MOST)


def _begin(row: Line) -> int:
    """Find the column of the first character that is no space."""
    drawn = row.text.lstrip(" ")
    return len(row.text) - len(drawn)


def _end(row: Line) -> int:
    """Find the column after the last character that is no space."""
    return len(row.text.rstrip(" "))


def _most_common(numbers: Iterable[int]) -> int:
    """Return the most common of the numbers, the first of equals."""
    return Counter(numbers).most_common(1)[0][0]


def _is_framed(layout: Layout, meaning: Meaning) -> bool:
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


def _refuse_ragged(layout: Layout, spaces: bool) -> None:
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


def _ragged(row: Line, nth: int, end: int, layout: Layout, hint: str = "") -> PuzzleError:
    """Make the error of a row whose cells end in another column than most."""
    size = max(end - layout.left, 0)
    most = layout.right - layout.left
    problem = f"ragged maze: row {nth} has {count(size, 'character')}, most have {most}{hint}"
    return row.error(problem, min(end, layout.right))


def _lay_out_separated(rows: list[Line], meaning: Meaning) -> Layout | None:
    """Lay out rows in which a separator stands between all cells. Returns None for other rows.

    Where a space may be floor too, an outer wall has to show that it is a separator.
    """
    left = min(_begin(row) for row in rows)
    right = max(len(row.text.rstrip(" ,\t")) for row in rows)
    if right - left < 2 * LEAST - 1:
        return None
    texts = [row.text.rstrip(" ,\t").ljust(right)[left:] for row in rows]
    cells = [text[::2] for text in texts]
    between = set(chain.from_iterable(text[1::2] for text in texts))
    if between not in ({" "}, {","}, {"\t"}):
        return None
    sure = between != {" "} or not any(" " in text for text in cells)
    if not sure:
        solid = {char for char, content in meaning.items() if content in (WALL, START, GOAL)}
        sure = solid.issuperset(cells[0]) and solid.issuperset(cells[-1])
    return Layout(rows, left, right, 2) if sure else None


def is_doubled(layout: Layout, meaning: Meaning) -> bool:
    """Tell whether every cell is drawn as two equal characters, an end perhaps with a space.

    A small maze of single characters may look so by chance. There has to be another sign: an end of
    two letters, side walls two characters thick, or walls that begin and end six times, always
    where a pair does. Raises PuzzleError if only few pairs are not equal.
    """
    if layout.step == 2 or (layout.right - layout.left) % 2:
        return False
    texts = layout.texts()
    ends = {char for char, content in meaning.items() if content in ENDS}
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
            is_end = meaning[first] in ENDS and meaning[second] == FLOOR
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
