"""The symmetries of a Sudoku.

Digits are relabelled, bands, stacks, rows and columns exchanged, and the grid transposed.

They are symmetries of grids here: of cells 0 to 80 and digits 0 to 9. ``task`` turns them into
symmetries of tokens.
"""

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.values import Symmetry

CELLS = np.arange(81).reshape(9, 9)
IDENTITY = Symmetry(CELLS, np.arange(10, dtype=np.int8))


def random_view(rng: np.random.Generator | np.random.RandomState) -> Symmetry:
    """A symmetry drawn evenly from all 9! x 2 x 6^8, in the public code's order of draws."""
    digits = np.concatenate(([0], rng.permutation(np.arange(1, 10)))).astype(np.int8)
    transposed = rng.random() < 0.5
    rows = _random_lines(rng)
    columns = _random_lines(rng)
    cells = CELLS.T if transposed else CELLS
    return Symmetry(cells[np.ix_(rows, columns)], digits)


def _random_lines(rng: np.random.Generator | np.random.RandomState) -> NDArray[np.intp]:
    """(9,) rows or columns: the bands in a new order, and the lines within each."""
    bands = rng.permutation(3)
    lines = [3 * band + rng.permutation(3) for band in bands]
    return np.concatenate(lines)


def symmetries(draws: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Symmetries from uniform numbers (n, 34), as evenly drawn as those of ``random_view``.

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
