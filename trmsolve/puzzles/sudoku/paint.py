"""Draws one cycle of a Sudoku as lines of styled text: 9 x 9 cells in 25 columns by 13 lines.

Where there is room, it is drawn with pencil marks: 9 x 9 cells in 73 columns by 37 lines.

Every cell is one piece of text with the name of one style, so that a viewer can count what it
shows. If the model keeps candidates, a cell with several left is drawn as dots, one for each digit,
which disappear one by one: 3x3 dots for up to nine digits, 4x4 for more. It is not drawn as a
digit.

This module knows numpy and the puzzle values. It does not know the rules (the cycle says what is
faulty), the terminal or any colour.
"""

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.sudoku.board import SYMBOLS, Board, board_of
from trmsolve.puzzles.values import Cycle, Line

UNSURE = 0.5
"""The probability below which a digit is drawn dimmer."""

LIGHT = ("╭┬╮", "├┼┤", "╰┴╯", "─", "│")
"""The corners of the top, a middle and the bottom rule, and the horizontal and vertical stroke."""

ASCII = ("+++", "+++", "+++", "-", "|")
"""The same in ASCII."""

HEAVY = "━┃"
"""The strokes around the boxes of the large drawing: horizontal and vertical."""

LARGE_RULES = {"top": "┏┯┳┓", "box": "┣┿╋┫", "cell": "┠┼╂┨", "bottom": "┗┷┻┛"}
"""Corners of its rules: left, between two cells of a box, between two boxes, right."""

# An overwritten clue keeps its mark in colour too: a model that changes the question must not pass
# unseen.
MARKS = {"overwritten": "?", "conflict": "!", "changed": "*"}
"""The marks that tell the cells apart where colour cannot."""

# Their number would read as the answer.
PLAIN_OPEN = "??=::" + 12 * "."
"""A cell with several candidates in ASCII, by how many are left: the fewer, the more ink."""

MOST_PENCILLED = 9
"""The most digits that have a place among the pencil marks of a cell."""

KEY: list[Line] = [
    [("clue", "given")],
    [("changed", "changed")],
    [("broken", "conflict")],
]
"""The kinds of digits that colours tell apart from the other ones of an answer."""

KEY_PLAIN: list[Line] = [[("* changed", "")], [("! broken", "")]]
"""The marks in ASCII."""

DEAD = "x"
"""A cell without any candidate left."""

BRAILLE = 0x2800
"""The braille character without dots. The bits below are added to it."""

LEFT = (0x01, 0x02, 0x04, 0x40)
"""The bits of the dots of the left column, from the top."""

RIGHT = (0x08, 0x10, 0x20, 0x80)
"""The bits of the dots of the right column, from the top."""


def paint_sudoku(cycle: Cycle, plain: bool) -> list[Line]:
    """Draw the grid with its boxes framed.

    With ``plain`` it is ASCII, with the marks behind the digits.
    """
    top, middle, bottom, dash, bar = ASCII if plain else LIGHT
    board = board_of(len(cycle.grid))
    faces = cell_faces(cycle, plain)
    styles = cell_styles(cycle)
    lines: list[Line] = []
    for row in range(board.side):
        if row % board.box_rows == 0:
            lines.append(_rule(board, middle if row else top, dash))
        cells = list(zip(faces[row], styles[row], strict=True))
        lines.append(_row(board, cells, bar, plain))
    return [*lines, _rule(board, bottom, dash)]


def paint_sudoku_large(cycle: Cycle) -> list[Line]:
    """Draw the grid with each open cell's candidates as 3x3 digits, at most nine of them."""
    board = board_of(len(cycle.grid))
    styles = cell_styles(cycle)
    marks = _pencil_marks(cycle)
    lines: list[Line] = []
    for row in range(board.side):
        if row == 0:
            lines.append(_large_rule(board, "top"))
        else:
            lines.append(_large_rule(board, "box" if row % board.box_rows == 0 else "cell"))
        for third in range(3):
            faces = [cell[third] for cell in marks[row]]
            lines.append(_large_row(board, faces, styles[row]))
    return [*lines, _large_rule(board, "bottom")]


def cell_styles(cycle: Cycle) -> list[list[str]]:
    """Name one style for each cell.

    If several styles fit, the first wins: the worst news is shown. A cell with several candidates
    claims no digit yet, so it breaks no rule.
    """
    given = cycle.puzzle.grid != 0
    left = candidates_left(cycle)
    rules = {
        "overwritten": _overwritten(cycle),
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
    """Write each cell: a digit in one column, or candidates in two columns (one in ASCII)."""
    # An overwritten clue is shown as the digit that the model made it.
    as_digit = (candidates_left(cycle) == 1) | _overwritten(cycle)
    faces: list[list[str]] = []
    for row, digits in enumerate(cycle.grid.tolist()):
        faces.append([])
        for column, digit in enumerate(digits):
            if as_digit[row, column] or cycle.candidates is None:
                face = _digit_face(digit, plain)
            else:
                face = _open_face(cycle.candidates[row, column].tolist(), plain)
            faces[row].append(face)
    return faces


def candidates_left(cycle: Cycle) -> NDArray[np.int_]:
    """Count how many digits each cell may still be.

    It is 1 everywhere if the model keeps no candidates, and once the answer breaks no rule. Raises
    ValueError for candidates of another board.
    """
    if cycle.candidates is not None and cycle.candidates.shape[-1] != len(cycle.grid):
        raise ValueError("the candidates of a cell are as many as a side has cells")
    if cycle.candidates is None or cycle.violations == 0:
        return np.ones(cycle.grid.shape, np.int_)
    left: NDArray[np.int_] = cycle.candidates.sum(-1, dtype=np.int_)
    return left


def dots(possible: list[bool]) -> str:
    """Draw candidates as dots in two braille characters: 3x3 of them up to nine, else 4x4.

    Up to nine the first character has the columns 1 4 7 and 2 5 8, the second 3 6 9 and a gap.
    """
    across = 3 if len(possible) <= MOST_PENCILLED else 4
    first = _dot_bits(possible[0::across], LEFT) | _dot_bits(possible[1::across], RIGHT)
    second = _dot_bits(possible[2::across], LEFT)
    if across == 4:
        second |= _dot_bits(possible[3::across], RIGHT)
    return _braille(first) + _braille(second)


def _overwritten(cycle: Cycle) -> NDArray[np.bool_]:
    """Mark the clues (n, n) that the model changed."""
    given = cycle.puzzle.grid != 0
    changed: NDArray[np.bool_] = given & (cycle.grid != cycle.puzzle.grid)
    return changed


def _digit_face(digit: int, plain: bool) -> str:
    if digit:
        return SYMBOLS[digit]
    return "." if plain else "·"


def _open_face(possible: list[bool], plain: bool) -> str:
    """Write a cell that has no candidate left, or several."""
    count = sum(possible)
    if count == 0:
        return DEAD
    return PLAIN_OPEN[count] if plain else dots(possible)


def _dot_bits(possible: list[bool], bits: tuple[int, ...]) -> int:
    """Sum the bits of the candidates that are possible."""
    total = 0
    for bit, here in zip(bits, possible, strict=False):
        if here:
            total += bit
    return total


def _braille(bits: int) -> str:
    return chr(BRAILLE + bits) if bits else " "


def _row(board: Board, cells: list[tuple[str, str]], bar: str, plain: bool) -> Line:
    """Draw a row from the face and the style of each cell."""
    line: Line = []
    for column, (face, style) in enumerate(cells):
        if column % board.box_columns == 0:
            line += [(bar, "border"), (" ", "")]
        line += _cell(face, style, plain)
    return [*line, (bar, "border")]


def _cell(face: str, style: str, plain: bool) -> Line:
    """Draw a cell in two columns: the digit, and its mark or a space.

    The space has no style, so that reversed digits stand apart.
    """
    marked = plain or style == "overwritten"
    mark = MARKS.get(style, "") if marked else ""
    if mark or len(face) > 1:
        return [(face + mark, style)]
    return [(face, style), (" ", "")]


def _pencil_marks(cycle: Cycle) -> list[list[tuple[str, str, str]]]:
    """Write each cell in three lines of five columns: its digit in the middle, or candidates."""
    left = candidates_left(cycle)
    as_digit = (left == 1) | _overwritten(cycle)
    marks: list[list[tuple[str, str, str]]] = []
    for row, digits in enumerate(cycle.grid.tolist()):
        marks.append([])
        for column, digit in enumerate(digits):
            if as_digit[row, column] or cycle.candidates is None:
                marks[row].append(_in_the_middle(_digit_face(digit, plain=False)))
            elif left[row, column] == 0:
                marks[row].append(_in_the_middle(DEAD))
            else:
                marks[row].append(_candidate_lines(cycle.candidates[row, column]))
    return marks


def _in_the_middle(face: str) -> tuple[str, str, str]:
    return " " * 5, f"  {face}  ", " " * 5


def _candidate_lines(possible: NDArray[np.bool_]) -> tuple[str, str, str]:
    """Write the possible digits at their places: ``1 2 3`` over ``4 5 6`` over ``7 8 9``."""
    digits = [SYMBOLS[digit] if here else " " for digit, here in enumerate(possible, 1)]
    digits += [" "] * (MOST_PENCILLED - len(digits))
    return " ".join(digits[0:3]), " ".join(digits[3:6]), " ".join(digits[6:9])


def _large_row(board: Board, faces: list[str], styles: list[str]) -> Line:
    """One of the three lines of a row of cells."""
    line: Line = []
    for column, (face, style) in enumerate(zip(faces, styles, strict=True)):
        stroke = HEAVY[1] if column % board.box_columns == 0 else LIGHT[4]
        line += [(stroke, "border"), (" ", ""), (face, style), (" ", "")]
    return [*line, (HEAVY[1], "border")]


def _large_rule(board: Board, kind: str) -> Line:
    """A rule of the large drawing: heavy around boxes, light between cells."""
    left, inner, between, right = tuple(LARGE_RULES[kind])
    dashes = (LIGHT[3] if kind == "cell" else HEAVY[0]) * 7
    box = inner.join([dashes] * board.box_columns)
    return [(left + between.join([box] * board.box_rows) + right, "border")]


def _rule(board: Board, corners: str, dash: str) -> Line:
    left, cross, right = tuple(corners)
    width = 2 * board.box_columns + 1
    middle = cross.join([dash * width] * board.box_rows)
    return [(left + middle + right, "border")]
