"""Draws one cycle of a maze as lines of styled text, two rows of cells in each line.

Every character is two half blocks, so that a cell is nearly a square. The style of a character
names its two halves as "ink on paper", such as "wall on path". If the model gives a direction for
its cells, the floor that has one is tinted: the tint floods the maze from the goal, cycle by cycle,
until the path runs back through it. In ASCII a cell is a character and a row is a line.

Where there is room, a cell has two columns and a line of its own, the ends are letters, and the
directions are arrows. Where there is little room, a braille character is four rows of two cells,
and its dots are walls.

This module knows numpy and the puzzle values. It does not know the rules (the cycle says what is
faulty), the terminal or any colour.
"""

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.maze.cells import (
    FLOOR,
    GOAL,
    PATH,
    START,
    WALL,
    count_beside,
    overwritten,
)
from trmsolve.puzzles.values import Cycle, Line

# A path cell is drawn in three steps of certainty.
UNSURE = 0.7
"""The probability below which a path cell is drawn as unsure."""

SURE = 0.95
"""The probability from which on a path cell is drawn as sure."""

GLOW = 3
"""The width of the front, in cells, between the floor not yet reached and the plain wave."""

UPPER, LOWER, BOTH, NEITHER = "▀▄█ "

PLAIN = {
    "wall": "#",
    "floor": " ",
    "wave": ".",
    "start": "S",
    "goal": "G",
    "path": "o",
    "changed": "*",
    "conflict": "!",
    "overwritten": "?",
}
"""The kinds of cells in ASCII."""

ALIKE = {"front": "wave", "unsure": "path", "likely": "path"}
"""The kinds that ASCII does not tell apart from others."""

ARROWS = " ↓←→↑"
"""What the large drawing has for the directions 0 to 4 of ``Cycle.arrows``."""

LETTERS = {"start": "S ", "goal": "G "}

BRAILLE = 0x2800
DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bit of each dot of a braille character, in four rows of two."""

WORST = (
    "overwritten",
    "conflict",
    "start",
    "goal",
    "changed",
    "unsure",
    "likely",
    "path",
    "front",
    "wave",
    "floor",
)
"""The kinds of cells that give a braille character its colour; the first that is there wins."""

KEY: list[Line] = [
    [("S", "wall on start"), (" start", "")],
    [("G", "wall on goal"), (" goal", "")],
    [(LOWER, "path on floor"), (" path", "")],
]
"""The ends, whose letters stand in the border or in their cells, and the path."""

KEY_PLAIN: list[Line] = [[("S start", "")], [("G goal", "")], [("o path", "")]]
"""The same in ASCII."""

Place = tuple[int, int] | None
"""The row and column of a cell, if there is one."""


def paint_maze(cycle: Cycle, plain: bool) -> list[Line]:
    """Draw the maze in a border.

    The border says where the ends are: S above and to the left, G below and to the right. With
    ``plain`` it is ASCII, where the ends are letters themselves.
    """
    kinds = cell_kinds(cycle)
    if plain:
        return _paint_plain(kinds)
    if len(kinds) % 2:
        kinds = [*kinds, ["floor"] * len(kinds[0])]
    rows: list[Line] = []
    for upper, lower in zip(kinds[0::2], kinds[1::2], strict=True):
        rows.append([_halves(*pair) for pair in zip(upper, lower, strict=True)])
    return _frame(rows, _find(cycle, START), _find(cycle, GOAL))


def paint_maze_large(cycle: Cycle) -> list[Line]:
    """Draw the maze in a border with two columns and a line for each cell."""
    kinds = cell_kinds(cycle)
    rows: list[Line] = []
    for row, names in enumerate(kinds):
        line: Line = [("│", "border")]
        for column, kind in enumerate(names):
            line.append(_large_cell(kind, _arrow(cycle, row, column)))
        rows.append([*line, ("│", "border")])
    dashes = "─" * (2 * len(kinds[0]))
    return [[(f"╭{dashes}╮", "border")], *rows, [(f"╰{dashes}╯", "border")]]


def paint_maze_small(cycle: Cycle) -> list[Line]:
    """Draw the maze without a border, eight cells in each character: dots are walls."""
    rows, columns = cycle.grid.shape
    height = len(DOTS)
    width = len(DOTS[0])
    padded = np.full((-(-rows // height) * height, -(-columns // width) * width), "floor", object)
    padded[:rows, :columns] = np.array(cell_kinds(cycle), object)
    lines: list[Line] = []
    for top in range(0, len(padded), height):
        line: Line = []
        for left in range(0, len(padded[0]), width):
            line.append(_braille_cell(padded[top : top + height, left : left + width]))
        lines.append(line)
    return lines


def cell_kinds(cycle: Cycle) -> list[list[str]]:
    """Name the kind of each cell. If several kinds fit, the first wins: the worst news is shown.

    The ends are an exception: without a path they are faulty too, but everyone looks for them.
    """
    question = cycle.puzzle.grid
    answer = cycle.grid
    path = answer == PATH
    wave, front = _flood(cycle)
    rules = {
        "overwritten": overwritten(question, answer),
        "start": answer == START,
        "goal": answer == GOAL,
        "wall": answer == WALL,
        "conflict": cycle.faulty,
        "changed": path & cycle.changed,
        "unsure": path & (cycle.confidence < UNSURE),
        "likely": path & (cycle.confidence < SURE),
        "path": path,
        "front": front,
        "wave": wave,
    }
    names: list[list[str]] = np.select(list(rules.values()), list(rules), default="floor").tolist()
    return names


def _flood(cycle: Cycle) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Mark the floor for which the model gives a direction, and the part of it near other floor."""
    if cycle.arrows is None:
        nowhere = np.zeros(cycle.grid.shape, np.bool_)
        return nowhere, nowhere
    floor = cycle.grid == FLOOR
    reached = cycle.arrows > 0
    near = floor & ~reached
    for _ in range(GLOW):  # goes round corners, not through walls
        near |= floor & (count_beside(near) > 0)
    return floor & reached, reached & near


def _halves(upper: str, lower: str) -> tuple[str, str]:
    """Draw two cells in one character.

    A wall is always ink and bare floor is always paper, which the viewer's styles rely on.
    """
    if upper == lower:
        character = {"wall": BOTH, "floor": NEITHER}.get(upper, UPPER)
        return character, f"{upper} on {lower}"
    if lower == "wall" or upper == "floor":
        return LOWER, f"{lower} on {upper}"
    return UPPER, f"{upper} on {lower}"


def _braille_cell(kinds: NDArray[np.object_]) -> tuple[str, str]:
    """Draw four rows of two cells in one character, in the colour of the worst news.

    The ends are letters, also where the news is worse.
    """
    bits = int(DOTS[kinds == "wall"].sum())
    paper = next((kind for kind in WORST if (kinds == kind).any()), "floor")
    for end, letter in LETTERS.items():
        if (kinds == end).any():
            return letter[0], f"wall on {paper}"
    return chr(BRAILLE + bits), f"wall on {paper}"


def _large_cell(kind: str, arrow: str) -> tuple[str, str]:
    """Draw a cell in two columns. Letters and arrows are in the terminal's own ink."""
    if kind in LETTERS:
        return LETTERS[kind], f"wall on {kind}"
    if kind == "wall":
        return BOTH * 2, "wall on wall"
    if kind in ("wave", "front"):
        return arrow, f"wall on {kind}"
    return NEITHER * 2, f"{kind} on {kind}"


def _arrow(cycle: Cycle, row: int, column: int) -> str:
    if cycle.arrows is None:
        return NEITHER * 2
    return ARROWS[int(cycle.arrows[row, column])] + " "


def _paint_plain(kinds: list[list[str]]) -> list[Line]:
    """Draw the maze in ASCII."""
    side = ("|", "border")
    rule = [("+" + "-" * len(kinds[0]) + "+", "border")]
    lines: list[Line] = [rule]
    for row in kinds:
        shown = [ALIKE.get(kind, kind) for kind in row]
        cells = [(PLAIN[kind], kind) for kind in shown]
        lines.append([side, *cells, side])
    return [*lines, rule]


def _frame(rows: list[Line], start: Place, goal: Place) -> list[Line]:
    """Put a border of light box lines around the rows.

    A letter stands where a line across or down from there meets an end.
    """
    width = len(rows[0])
    lines = [_rule("╭╮", width, start, "S")]
    for number, row in enumerate(rows):
        lines.append([_side(start, number, "S"), *row, _side(goal, number, "G")])
    return [*lines, _rule("╰╯", width, goal, "G")]


def _side(place: Place, line: int, letter: str) -> tuple[str, str]:
    """Draw the left or right end of a line, as a letter if the place is on the line."""
    here = place is not None and place[0] // 2 == line
    return (letter if here else "│", "border")


def _rule(corners: str, width: int, place: Place, letter: str) -> Line:
    """Draw the top or bottom of the border, with a letter above or below the place."""
    dashes = ["─"] * width
    if place:
        dashes[place[1]] = letter
    return [(corners[0] + "".join(dashes) + corners[1], "border")]


def _find(cycle: Cycle, content: int) -> Place:
    """Find the first cell of the question that has this content."""
    found = np.argwhere(cycle.puzzle.grid == content).tolist()
    if not found:
        return None
    row, column = found[0]
    return row, column
