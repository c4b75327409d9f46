"""What the characters of a drawn maze mean: walls, floor, ends, a path, or nothing.

Half blocks (``▀`` and ``▄``) mean a wall in half of a character. A character that means nothing is
refused, with the place and what to write instead. This module knows characters, and no places of
cells.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, WALL
from trmsolve.puzzles.maze.form import (
    CROSSES,
    DIGITS,
    FLOORS,
    GOALS,
    HALVES,
    MAYBE_PATHS,
    OPTIONS,
    PAIRS,
    PATHS,
    SIGNS,
    STARTS,
    TARGETS,
    WALLS,
    is_line,
)
from trmsolve.puzzles.reading.fields import rounded
from trmsolve.puzzles.reading.lines import undecoded
from trmsolve.puzzles.reading.places import Line

_CELLS = (
    f"walls are '#' or blocks, floor is ' ' or '.', the start is S, the goal G or E; or {OPTIONS}"
)
_BESIDE = "'░' beside darker walls is ambiguous; draw walls as '█' and floor as ' '"
_HEADLESS = (
    "after a maze on a line; a CSV file must begin with its column names, such as question,answer"
)

_TAB = "tabs have no fixed width; use spaces"
_DRAWN_LINE = "these lines are no walls as in '+---+' or '|_|'; draw each wall as a cell, '#'"
_BOX_DRAWING = "".join(map(chr, range(0x2500, 0x2580)))
_LINED = frozenset("|-+" + _BOX_DRAWING)

# While a drawing is read: a wall in the upper or lower half of a character alone.
UPPER = 5
LOWER = 6
ENDS = {START: ("start", "S"), GOAL: ("goal", "G or E")}
"""What messages call each end, and the letters that mark it."""

Meaning = dict[str, int]
"""The content of a cell that each character means."""


def find_meanings(
    rows: Sequence[Line], wall: str = "", given: Iterable[tuple[str, int]] = ()
) -> Meaning:
    """Find what every character of the rows means.

    ``wall`` is the one character that is the wall, if it is none of the usual ones. ``given`` are
    meanings that the user has told. Raises PuzzleError at the first character that means nothing.
    """
    counts = Counter(chain.from_iterable(row.text.strip(" ") for row in rows))
    found = set(counts)
    kinds = _find_kinds(found, wall)
    meaning = {" ": FLOOR}
    for content, chars in kinds.items():
        for char in chars:
            if char in found:
                meaning[char] = content
    _settle_shades(meaning, found, kinds[FLOOR])
    told = dict(given)
    if not {START, GOAL} <= set(told.values()):
        meaning |= _find_ends(counts)
    meaning |= told
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
        UPPER: HALVES[0],
        LOWER: HALVES[1],
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
        kinds[PATH] += MAYBE_PATHS.replace(wall, "") if wall else MAYBE_PATHS
    return kinds


def _find_ends(counts: Counter[str]) -> Meaning:
    """Find another pair of ends, where there is not both a usual start and a usual goal."""
    starts = [char for char in STARTS if counts[char]]
    goals = [char for char in GOALS if counts[char]]
    if starts and goals:
        return {}
    for start, goal in map(tuple, PAIRS):
        if counts[start] == counts[goal] == 1:
            return {start: START, goal: GOAL}
    if counts["P"] == counts["."] == 1:  # a layout of Pac-Man
        return {"P": START, ".": GOAL}
    targets = [char for char in TARGETS if counts[char] == 1]
    for sign in SIGNS:
        if counts[sign] == 1 and (goals or len(targets) == 1):
            return {sign: START} if goals else {sign: START, targets[0]: GOAL}
    return {}


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


def _find_joints(rows: Sequence[Line]) -> str:
    """Find the character that may stand between rows or cells, if there is one."""
    if len(rows) == 1:
        return "/"
    drawn = [row for row in rows if row.text.strip(" ")]
    for joint in ",\t":
        if all(joint in row.text for row in drawn):
            return joint
    return ""


def _foreign(rows: Sequence[Line], known: set[str]) -> PuzzleError:
    """Make the error of the first character that means nothing."""
    row = next(row for row in rows if not known.issuperset(row.text))
    number = rounded(row.text) if len(rows) == 1 else None
    if number:
        return row.error(*number)
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
    else:
        problem = undecoded(char) or f"wrong character {shown}; {_CELLS}"
    return row.error(problem, index)


def has_halves(meaning: Meaning) -> bool:
    """Tell whether half blocks are among the characters."""
    return any(half in meaning for half in HALVES)
