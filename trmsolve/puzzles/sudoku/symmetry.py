"""The symmetries of a Sudoku: relabelled digits, exchanged bands, stacks, rows and columns, the transpose."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.values import Grid


@dataclass(frozen=True)
class SudokuView:
    """A symmetry: relabel the digits, perhaps transpose, then exchange rows and columns within the bands' order.

    ``digits[d]`` is the new name of digit d (0, the blank, stays 0); ``rows[i]`` and ``columns[j]``
    say which row and column of the old grid stand at (i, j) of the new one.
    """

    digits: NDArray[np.int8]  # (10,)
    transpose: bool
    rows: NDArray[np.intp]  # (9,)
    columns: NDArray[np.intp]  # (9,)

    def apply(self, grid: Grid) -> Grid:
        """The grid as the model will see it."""
        turned = grid.T if self.transpose else grid
        seen: Grid = self.digits[turned[np.ix_(self.rows, self.columns)]]
        return seen

    def undo_cells(self, cells: NDArray[Any]) -> NDArray[Any]:
        """Put what belongs to the cells (confidence, masks) back where the puzzle has them."""
        turned = cells[np.ix_(np.argsort(self.rows), np.argsort(self.columns))]
        return np.ascontiguousarray(turned.swapaxes(0, 1) if self.transpose else turned)

    def undo(self, grid: NDArray[Any]) -> NDArray[Any]:
        """Back to the puzzle's own frame: ``undo(apply(g)) == g``."""
        given: NDArray[Any] = np.argsort(self.digits).astype(np.int8)[self.undo_cells(grid)]
        return given

    def undo_candidates(self, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(9, 9, 9) -> the same in the puzzle's own frame; the last axis is the digit, from 1."""
        given: NDArray[np.bool_] = self.undo_cells(candidates)[..., self.digits[1:] - 1]
        return given


IDENTITY = SudokuView(np.arange(10, dtype=np.int8), False, np.arange(9), np.arange(9))


def random_view(rng: np.random.Generator | np.random.RandomState) -> SudokuView:
    """A symmetry drawn evenly from all 9! x 2 x 6^8, in the order of draws of the paper's public code."""

    def lines() -> NDArray[np.intp]:
        return np.concatenate([3 * band + rng.permutation(3) for band in rng.permutation(3)])

    digits = np.concatenate(([0], rng.permutation(np.arange(1, 10)))).astype(np.int8)
    return SudokuView(digits, bool(rng.random() < 0.5), lines(), lines())


def symmetries(draws: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Symmetries from uniform numbers (n, 34), as evenly drawn as those are.

    Where each cell comes from (n, 81), what each digit becomes (n, 10).
    """
    turn, bands, rows, stacks, columns, digits = np.split(draws, np.cumsum([1, 3, 9, 3, 9]), axis=1)

    def lines(outer: NDArray[np.float64], inner: NDArray[np.float64]) -> NDArray[np.int64]:
        return (3 * outer.argsort(-1)[:, :, None] + inner.reshape(-1, 3, 3).argsort(-1)).reshape(
            -1, 9
        )

    row, column = lines(bands, rows)[:, :, None], lines(stacks, columns)[:, None, :]
    cells = np.where(turn[:, :, None] < 0.5, 9 * row + column, row + 9 * column).reshape(-1, 81)
    return cells, np.concatenate(
        (np.zeros((len(draws), 1), np.int64), 1 + digits.argsort(-1)), axis=1
    )
