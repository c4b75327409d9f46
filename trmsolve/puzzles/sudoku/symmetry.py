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


def draws_of(board: Board) -> list[int]:
    """How many uniform numbers ``symmetries`` needs of each kind.

    The kinds are: whether to transpose, bands, rows, stacks, columns, digits.
    """
    return [1, board.box_columns, board.side, board.box_rows, board.side, board.side]


def symmetries(
    draws: NDArray[np.float64], board: Board = USUAL
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Symmetries from uniform numbers (N, ``draws_of``), drawn as evenly as by ``random_view``.

    Returns (N, n * n) where each cell comes from, and (N, n + 1) what each digit becomes.
    """
    ends = np.cumsum(draws_of(board))[:-1]
    turn, bands, rows, stacks, columns, digits = np.split(draws, ends, axis=1)
    row = _lines(bands, rows)[:, :, None]
    column = _lines(stacks, columns)[:, None, :]
    cells = board.side * row + column
    if board.box_rows == board.box_columns:
        transposed = row + board.side * column
        cells = np.where(turn[:, :, None] < 0.5, cells, transposed)
    blank = np.zeros((len(draws), 1), np.int64)
    values = np.concatenate((blank, 1 + digits.argsort(-1)), axis=1)
    return cells.reshape(-1, board.side**2), values


def _lines(bands: NDArray[np.float64], lines: NDArray[np.float64]) -> NDArray[np.int64]:
    """(N, n) rows or columns, from a number for each band and for each line (N, n)."""
    size = lines.shape[1] // bands.shape[1]
    outer = size * bands.argsort(-1)[:, :, None]
    inner = lines.reshape(len(lines), -1, size).argsort(-1)
    order: NDArray[np.int64] = outer + inner
    return order.reshape(lines.shape)
