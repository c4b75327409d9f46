"""A Sudoku on the screen: the 9x9 grid of one cycle as lines of styled text, 25 columns by 13 lines.

Every cell is one piece of text with the name of one style, so that a viewer can count what it
shows. Where the model keeps a lattice, a cell with several candidates left is drawn as those and
not as a digit: 3x3 dots, 1 to 9, that go out one after the other. Knows numpy and the values that
pass between rooms; not the rules (the cycle says what is faulty), not the terminal, not a colour.
"""

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.values import Cycle, Line

UNSURE = 0.5  # below this probability a digit is drawn dimmer

# Corners of the top, a middle and the bottom rule, then the horizontal and the vertical stroke.
LIGHT = ("╭┬╮", "├┼┤", "╰┴╯", "─", "│")
ASCII = ("+++", "+++", "+++", "-", "|")

# What tells the cells apart where colour cannot. The overwritten clue keeps its mark in colour too:
# a model that changes the question must not pass unseen.
MARKS = {"overwritten": "?", "conflict": "!", "changed": "*"}

# What a cell with several candidates is in ASCII, by how many are left: the fewer, the more ink.
# Their number would read as the answer.
PLAIN_OPEN = "??=::....."
DEAD = "x"  # no candidate left

# The bits of the dots of a braille character: its left column and its right one, of which the upper
# three are used.
BRAILLE, LEFT, RIGHT = 0x2800, (0x01, 0x02, 0x04), (0x08, 0x10, 0x20)


def paint_sudoku(cycle: Cycle, plain: bool) -> list[Line]:
    """The grid with its boxes framed; ``plain`` is ASCII and marks by a character behind the digit."""
    top, middle, bottom, dash, bar = ASCII if plain else LIGHT
    faces, styles = cell_faces(cycle, plain), cell_styles(cycle)
    lines: list[Line] = []
    for row in range(9):
        if row % 3 == 0:
            lines.append(_rule(middle if row else top, dash))
        lines.append(_row(faces[row], styles[row], bar, plain))
    return [*lines, _rule(bottom, dash)]


def cell_styles(cycle: Cycle) -> list[list[str]]:
    """One style name a cell.

    Where several would fit the first wins: the worst news is the one to show.

    A cell with several candidates claims no digit yet, and so none that breaks a rule.
    """
    given, left = cycle.puzzle.grid != 0, candidates_left(cycle)
    rules = {
        "overwritten": given & (cycle.grid != cycle.puzzle.grid),
        "conflict": (left == 0) | (cycle.faulty & (left == 1)),
        "changed": cycle.changed,
        "open": left > 1,
        "given": given,
        "blank": cycle.grid == 0,
        "unsure": cycle.confidence < UNSURE,
    }
    names: list[list[str]] = np.select(list(rules.values()), list(rules), default="answer").tolist()
    return names


def cell_faces(cycle: Cycle, plain: bool) -> list[list[str]]:
    """What is written in each cell: a digit in one column, or candidates in two (one in ASCII)."""
    left, overwritten = (
        candidates_left(cycle),
        (cycle.puzzle.grid != 0) & (cycle.grid != cycle.puzzle.grid),
    )

    def face(row: int, column: int) -> str:
        digit, count = int(cycle.grid[row, column]), int(left[row, column])
        if (
            count == 1 or overwritten[row, column]
        ):  # an overwritten clue is shown as what it was made to be
            return str(digit) if digit else "." if plain else "·"
        if count == 0:
            return DEAD
        return PLAIN_OPEN[count] if plain else dots(possible[row, column].tolist())

    possible = cycle.candidates if cycle.candidates is not None else np.empty((9, 9, 0), np.bool_)
    return [[face(row, column) for column in range(9)] for row in range(9)]


def candidates_left(cycle: Cycle) -> NDArray[np.int_]:
    """How many digits each cell may still be; 1 everywhere without a lattice, and once the answer breaks no rule."""
    if cycle.candidates is None or cycle.violations == 0:
        return np.ones((9, 9), np.int_)
    left: NDArray[np.int_] = cycle.candidates.sum(-1, dtype=np.int_)
    return left


def dots(possible: list[bool]) -> str:
    """Nine candidates as 3x3 dots in two braille characters: the columns 1 4 7 and 2 5 8, then 3 6 9 and a gap."""
    bits = [LEFT, RIGHT, LEFT]
    columns = [
        sum(bit for bit, here in zip(bits[i], possible[i::3], strict=True) if here)
        for i in range(3)
    ]
    return "".join(
        chr(BRAILLE + code) if code else " " for code in (columns[0] | columns[1], columns[2])
    )


def _row(faces: list[str], styles: list[str], bar: str, plain: bool) -> Line:
    line: Line = []
    for column, (face, style) in enumerate(zip(faces, styles, strict=True)):
        if column % 3 == 0:
            line += [(bar, "frame"), (" ", "")]
        line += _cell(face, style, plain)
    return [*line, (bar, "frame")]


def _cell(face: str, style: str, plain: bool) -> Line:
    """Two columns: the digit, then its mark, or a space without style so that a reversed digit stands apart."""
    mark = MARKS.get(style, "") if plain or style == "overwritten" else ""
    return [(face + mark, style)] if mark or len(face) > 1 else [(face, style), (" ", "")]


def _rule(corners: str, dash: str) -> Line:
    left, cross, right = tuple(corners)
    return [(left + cross.join([dash * 7] * 3) + right, "frame")]
