"""A Sudoku on the screen: the 9x9 grid of one cycle as lines of styled text, 25 columns by 13 lines.

Every cell is one piece of text with the name of one style, so that a viewer can count what it shows. Knows numpy and
the values that pass between rooms; not the rules (the cycle says what is faulty), not the terminal, not a colour.
"""

import numpy as np

from trmsolve.puzzles.base import Cycle, Line

UNSURE = 0.5  # below this probability a digit is drawn dimmer

# Corners of the top, a middle and the bottom rule, then the horizontal and the vertical stroke.
LIGHT = ("╭┬╮", "├┼┤", "╰┴╯", "─", "│")
ASCII = ("+++", "+++", "+++", "-", "|")

# What tells the cells apart where colour cannot. The overwritten clue keeps its mark in colour too: a model that
# changes the question must not pass unseen.
MARKS = {"overwritten": "?", "conflict": "!", "changed": "*"}


def paint_sudoku(cycle: Cycle, plain: bool) -> list[Line]:
    """The grid with its boxes framed; ``plain`` is ASCII and marks by a character behind the digit."""
    top, middle, bottom, dash, bar = ASCII if plain else LIGHT
    styles = cell_styles(cycle)
    lines: list[Line] = []
    for row in range(9):
        if row % 3 == 0:
            lines.append(_rule(middle if row else top, dash))
        lines.append(_row(cycle.grid[row].tolist(), styles[row], bar, plain))
    return [*lines, _rule(bottom, dash)]


def cell_styles(cycle: Cycle) -> list[list[str]]:
    """One style name a cell. Where several would fit the first wins: the worst news is the one to show."""
    given = cycle.puzzle.grid != 0
    rules = {
        "overwritten": given & (cycle.grid != cycle.puzzle.grid),
        "conflict": cycle.faulty,
        "changed": cycle.changed,
        "given": given,
        "blank": cycle.grid == 0,
        "unsure": cycle.confidence < UNSURE,
    }
    names: list[list[str]] = np.select(list(rules.values()), list(rules), default="answer").tolist()
    return names


def _row(digits: list[int], styles: list[str], bar: str, plain: bool) -> Line:
    line: Line = []
    for column, (digit, style) in enumerate(zip(digits, styles, strict=True)):
        if column % 3 == 0:
            line += [(bar, "frame"), (" ", "")]
        line += _cell(digit, style, plain)
    return [*line, (bar, "frame")]


def _cell(digit: int, style: str, plain: bool) -> Line:
    """Two columns: the digit, then its mark, or a space without style so that a reversed digit stands apart."""
    face = str(digit) if digit else "." if plain else "·"
    mark = MARKS.get(style, "") if plain or style == "overwritten" else ""
    return [(face + mark, style)] if mark else [(face, style), (" ", "")]


def _rule(corners: str, dash: str) -> Line:
    left, cross, right = tuple(corners)
    return [(left + cross.join([dash * 7] * 3) + right, "frame")]
