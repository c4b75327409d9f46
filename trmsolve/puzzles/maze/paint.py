"""A maze on the screen: one cycle as lines of styled text, two rows of cells in each line, a cell nearly a square.

Every character is two half blocks, and its style names what both halves are: "ink on paper", as in
"wall on path". Where the model says of cells which way it would go, the floor it has reached is
tinted: it floods the maze from the goal, cycle after cycle, until the path runs back through it. In
ASCII a cell is a character and a row is a line. Knows numpy and the values that pass between rooms;
not the rules (the cycle says what is faulty), not the terminal, not a colour.
"""

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, WALL, overwritten
from trmsolve.puzzles.values import Cycle, Line

UNSURE, SURE = (
    0.7,
    0.95,
)  # a path cell is drawn in three steps: below the first probability, between, and above
GLOW = 3  # cells from the ground not yet reached to where the wave is as everywhere

UPPER, LOWER, BOTH, NEITHER = "▀▄█ "

# What the kinds of cells are in ASCII, where some are not told apart.
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
ALIKE = {"front": "wave", "unsure": "path", "likely": "path"}

Place = tuple[int, int] | None


def paint_maze(cycle: Cycle, plain: bool) -> list[Line]:
    """The maze in a frame, which says where the ends are: S above and to the left, G below and to the right.

    ``plain`` is ASCII, where the ends are letters themselves.
    """
    kinds = cell_kinds(cycle)
    if plain:
        return _plain([[ALIKE.get(kind, kind) for kind in row] for row in kinds])
    below = [*kinds[1:], ["floor"] * len(kinds[0])]  # also under an odd last row
    rows = [
        [_halves(*pair) for pair in zip(kinds[i], below[i], strict=True)]
        for i in range(0, len(kinds), 2)
    ]
    return _framed(rows, _find(cycle, START), _find(cycle, GOAL))


def cell_kinds(cycle: Cycle) -> list[list[str]]:
    """One name a cell. Where several would fit the first wins: the worst news is the one to show.

    But the ends stay what they are: without a path they are faulty too, and everyone looks for
    them.
    """
    question, answer = cycle.puzzle.grid, cycle.grid
    path, (wave, front) = answer == PATH, _flood(cycle)
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
    """The bare floor where the model says which way it would go, and where that is about to spread: near dry floor."""
    if cycle.arrows is None:
        return (nowhere := np.zeros(cycle.grid.shape, np.bool_)), nowhere
    floor, reached = cycle.grid == FLOOR, cycle.arrows > 0
    near = floor & ~reached
    for _ in range(GLOW):  # round corners, not through walls
        near |= floor & _beside(near)
    return floor & reached, reached & near


def _beside(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells that have one of these above, below, left or right."""
    around = np.pad(cells, 1)
    beside: NDArray[np.bool_] = (
        around[:-2, 1:-1] | around[2:, 1:-1] | around[1:-1, :-2] | around[1:-1, 2:]
    )
    return beside


def _halves(upper: str, lower: str) -> tuple[str, str]:
    """Two cells in one character.

    A wall is always ink and bare floor always paper: see ``FILLS`` in ``render``.
    """
    if upper == lower:
        return {"wall": BOTH, "floor": NEITHER}.get(upper, UPPER), f"{upper} on {lower}"
    if lower == "wall" or upper == "floor":
        return LOWER, f"{lower} on {upper}"
    return UPPER, f"{upper} on {lower}"


def _plain(kinds: list[list[str]]) -> list[Line]:
    side, rule = ("|", "frame"), [("+" + "-" * len(kinds[0]) + "+", "frame")]
    return [rule, *[[side, *[(PLAIN[kind], kind) for kind in row], side] for row in kinds], rule]


def _framed(rows: list[Line], start: Place, goal: Place) -> list[Line]:
    """In light box lines, with letters where a line across or down from there meets the ends."""

    def side(place: Place, line: int, letter: str) -> tuple[str, str]:
        return (letter if place and place[0] // 2 == line else "│", "frame")

    width = len(rows[0])
    lines = [
        [side(start, number, "S"), *row, side(goal, number, "G")] for number, row in enumerate(rows)
    ]
    return [_rule("╭╮", width, start, "S"), *lines, _rule("╰╯", width, goal, "G")]


def _rule(corners: str, width: int, place: Place, letter: str) -> Line:
    dashes = ["─"] * width
    if place:
        dashes[place[1]] = letter
    return [(corners[0] + "".join(dashes) + corners[1], "frame")]


def _find(cycle: Cycle, content: int) -> Place:
    found = np.argwhere(cycle.puzzle.grid == content).tolist()
    return (found[0][0], found[0][1]) if found else None
