"""Makes a puzzle of the lines in which its cells stand, and refuses clues that clash.

Of two puzzles beside each other, the second may be the answer to the first.

This module knows lines whose cells are found. It does not know how they were found.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, combinations

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading.places import Item, attempt
from trmsolve.puzzles.sudoku.board import SYMBOLS, USUAL, Board, board_of
from trmsolve.puzzles.sudoku.digits import Digits
from trmsolve.puzzles.sudoku.form import CELL, LINE, TextForm
from trmsolve.puzzles.sudoku.line import SudokuLine, cells_of
from trmsolve.puzzles.sudoku.sizes import in_columns
from trmsolve.puzzles.values import Grid, Puzzle

# Cells of a list or of a table.
_LISTED = re.compile(rf"{CELL}[^{CELL}]*[],;\t}}][^{CELL}]*{CELL}")
_BITS = np.array([0] + [1 << digit for digit in range(1, len(SYMBOLS))], np.int32)


def read_puzzle(name: str, lines: Sequence[SudokuLine], template: str = "") -> Puzzle:
    """Read the puzzle that stands at the cells of these lines.

    Raises PuzzleError if two equal clues clash, and for a board of another size than 9 x 9 also if
    a digit is not one of the board, or if there is no clue or no blank.
    """
    template = template or "".join([line.template + "\n" for line in lines])
    digits = digits_of(lines)
    grid = make_grid(lines, digits)
    if digits.board.side == USUAL.side:
        form = _form_of_nine(lines, grid, template)
    else:
        form = _form_of_other_size(lines, grid, digits, template)
    _refuse_clash(grid, lines, form)
    first = next(line.number for line in lines if line.drawn)
    return Puzzle(grid, f"{name}:{first}", form)


def _form_of_nine(lines: Sequence[SudokuLine], grid: Grid, template: str) -> TextForm:
    """How a Sudoku of 9 x 9 is drawn. It may have several signs for blanks, or no blank."""
    if grid.all():
        return TextForm(template)
    line, start, stop = cells_of(lines)[int(grid.argmin())]
    return TextForm(template, line.shown[start:stop])


def _form_of_other_size(
    lines: Sequence[SudokuLine], grid: Grid, digits: Digits, template: str
) -> TextForm:
    """How a Sudoku of another size is drawn. Raises PuzzleError if it is not clearly one."""
    size = digits.board.size
    cells = cells_of(lines)
    first_line, first, _ = cells[0]
    if not grid.any():
        raise first_line.error(f"a Sudoku of {size} without a clue", first)
    if grid.all():
        raise first_line.error(f"a Sudoku of {size} without a blank", first)
    shown = [line.shown[start:stop] for line, start, stop in cells]
    blanks = np.flatnonzero(grid == 0).tolist()
    blank = shown[blanks[0]]
    for place in blanks:
        if shown[place].strip() != blank.strip():
            line, start, _ = cells[place]
            problem = f"blanks written as {blank.strip()!r} and as {shown[place].strip()!r}"
            raise line.error(f"{problem}; write all alike", start)
    if template == LINE.template:
        blank = blank.strip()
        return TextForm(template, blank if len(blank) == 1 else ".", tuple(digits.symbols))
    words = [word for line in lines for word in line.words]
    numbers = CELL * 2 not in template and bool(_LISTED.search(template))
    return TextForm(template, blank, digits.signs(words, numbers))


def digits_of(lines: Sequence[SudokuLine]) -> Digits:
    """Tell how the digits of a board are written."""
    cells = sum(len(line.at) for line in lines)
    words = chain.from_iterable(line.words for line in lines)
    return Digits.of(math.isqrt(cells), words)


def make_grid(lines: Sequence[SudokuLine], digits: Digits) -> Grid:
    """Make the grid (n, n) of cells. Raises PuzzleError for what is no digit of the board."""
    side = digits.board.side
    values: list[int] = []
    for line in lines:
        for start, stop in line.at:
            value = digits.value(line.text[start:stop])
            if value is None:
                raise line.error(digits.wrong(line.text[start:stop]), start)
            values.append(value)
    return np.array(values, np.int8).reshape(side, side)


def answer_grid(question: Sequence[SudokuLine], answer: Sequence[SudokuLine]) -> Grid:
    """Make the grid of the answer to a question, whose digits are written alike.

    Raises PuzzleError for what is no digit of the board.
    """
    return make_grid(answer, digits_of(question))


def place_in_columns(lines: list[SudokuLine]) -> list[SudokuLine]:
    """Give all cells of a board of another size than 9 x 9 one width, if they stand in columns."""
    rows = [line for line in lines if line.at]
    sizes = {len(line.at) for line in rows}
    if len(sizes) > 1 or len(cells_of(rows)) == USUAL.side**2:
        return lines
    found = in_columns([line.text for line in rows], [line.at for line in rows])
    cells = iter(found)
    return [replace(line, at=next(cells)) if line.at else line for line in lines]


def _refuse_clash(grid: Grid, lines: Sequence[SudokuLine], form: TextForm) -> None:
    """Raise PuzzleError, with both places, if two equal clues are in one row, column or box."""
    board = board_of(len(grid))
    clash = _find_clash(grid, board)
    if not clash:
        return
    house, *pair = clash
    cells = cells_of(lines)
    named = []
    for cell in pair:
        line, start, _ = cells[cell]
        place = f"(line {line.number}, column {line.column(start) + 1})"
        named.append(f"{board.name_cell(cell)} {place}")
    sign = form.signs[grid.flat[pair[0]] - 1].strip()
    problem = f"two {sign}s in {board.name_house(house)}"
    raise line.error(f"{problem}: {' and '.join(named)}", start)


def _find_clash(grid: Grid, board: Board) -> tuple[int, int, int] | None:
    """Find two equal clues in one row, column or box. Returns the house and their cells."""
    digits = grid.ravel()[board.houses]
    bits = _BITS[digits]
    # The sum equals the union only if no bit comes twice.
    union = np.bitwise_or.reduce(bits, axis=1)
    if (bits.sum(axis=1) == union).all():
        return None
    for number, house in enumerate(board.houses.tolist()):
        for one, other in combinations(house, 2):
            digit = grid.flat[one]
            if digit and digit == grid.flat[other]:
                return number, one, other
    return None


def read_beside(name: str, grids: Sequence[Sequence[SudokuLine]]) -> Iterator[Item]:
    """Read the puzzles that stand beside each other.

    If there are two, the second may be the answer to the first.
    """
    if len(grids) == 1:
        yield attempt(read_puzzle, name, grids[0])
    elif len(grids) == 2 and is_answer(*grids):
        yield attempt(_read_pair, name, *grids)
    else:
        for lines in grids:
            yield attempt(_read_one_of_several, name, lines)


def is_answer(question: Sequence[SudokuLine], answer: Sequence[SudokuLine]) -> bool:
    """Tell whether a grid is full and keeps the clues of the question."""
    if sum(len(line.at) for line in question) != sum(len(line.at) for line in answer):
        return False
    try:
        clues = answer_grid(question, question)
        values = answer_grid(question, answer)
    except PuzzleError:  # a digit that the board has not
        return False
    full = bool((values > 0).all())
    return full and bool((values == clues)[clues > 0].all())


def _read_pair(name: str, question: Sequence[SudokuLine], answer: Sequence[SudokuLine]) -> Puzzle:
    """Read a question and the answer beside it. Its form is a line, as for a record of a CSV."""
    puzzle = read_puzzle(name, question, LINE.template)
    return replace(puzzle, answer=answer_grid(question, answer))


def _read_one_of_several(name: str, lines: Sequence[SudokuLine]) -> Puzzle:
    """Read one of several puzzles. Its form is a line, and its source has the column too."""
    puzzle = read_puzzle(name, lines, LINE.template)
    first = next(line for line in lines if line.at)
    place = first.error("", first.at[0][0])
    return replace(puzzle, source=f"{name}:{place.line}:{place.column}")
