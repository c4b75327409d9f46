"""The symmetries of a Sudoku.

Digits are relabelled, bands, stacks, rows and columns exchanged, and the grid transposed.

They are symmetries of grids here: of cells and digits. ``task`` turns them into symmetries of
tokens.
"""

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.sudoku.board import USUAL, Board
from trmsolve.puzzles.values import Symmetry


def identity_of(board: Board) -> Symmetry:
    """The symmetry that leaves a grid as it is."""
    return Symmetry(_cells(board), np.arange(board.side + 1, dtype=np.int8))


def random_view(rng: np.random.Generator | np.random.RandomState, board: Board = USUAL) -> Symmetry:
    """A symmetry drawn evenly from all, in the public code's order of draws.

    There are 9! x 2 x 6^8 for 9 x 9. A board whose boxes are no squares is not transposed.
    """
    digits = np.concatenate(([0], rng.permutation(np.arange(1, board.side + 1)))).astype(np.int8)
    transposed = board.box_rows == board.box_columns and rng.random() < 0.5
    rows = _random_lines(rng, board.box_columns, board.box_rows)
    columns = _random_lines(rng, board.box_rows, board.box_columns)
    cells = _cells(board)
    if transposed:
        cells = cells.T
    return Symmetry(cells[np.ix_(rows, columns)], digits)


def _cells(board: Board) -> NDArray[np.intp]:
    """(n, n): the numbers of the cells."""
    return np.arange(board.side**2).reshape(board.side, board.side)


def _random_lines(
    rng: np.random.Generator | np.random.RandomState, bands: int, size: int
) -> NDArray[np.intp]:
    """(n,) rows or columns: the bands in a new order, and the ``size`` lines within each."""
    order = rng.permutation(bands)
    lines = [size * band + rng.permutation(size) for band in order]
    return np.concatenate(lines)


def symmetries(draws: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Symmetries of 9 x 9 from uniform numbers (n, 34), drawn as evenly as by ``random_view``.

    Returns (n, 81) where each cell comes from, and (n, 10) what each digit becomes.
    """
    ends = np.cumsum([1, 3, 9, 3, 9])
    turn, bands, rows, stacks, columns, digits = np.split(draws, ends, axis=1)
    row = _lines(bands, rows)[:, :, None]
    column = _lines(stacks, columns)[:, None, :]
    as_given = 9 * row + column
    transposed = row + 9 * column
    cells = np.where(turn[:, :, None] < 0.5, as_given, transposed)
    blank = np.zeros((len(draws), 1), np.int64)
    values = np.concatenate((blank, 1 + digits.argsort(-1)), axis=1)
    return cells.reshape(-1, 81), values


def _lines(bands: NDArray[np.float64], lines: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n, 9) rows or columns, from a number for each band (n, 3) and for each line (n, 9)."""
    outer = 3 * bands.argsort(-1)[:, :, None]
    inner = lines.reshape(-1, 3, 3).argsort(-1)
    return (outer + inner).reshape(-1, 9)
