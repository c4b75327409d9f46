"""The 16 symmetries of a maze: turned or mirrored, and perhaps walked from the goal to the start.

Knows numpy, grids and directions; nothing of tokens or rules.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, STEPS, WALL
from trmsolve.puzzles.values import Grid

SWAPPED = np.array([WALL, FLOOR, GOAL, START, PATH], np.int8)
TURNED = np.zeros((8, 5), np.int8)
"""What each direction becomes under each symmetry: filled below, from the symmetries themselves."""


def turn(cells: NDArray[Any], symmetry: int) -> NDArray[Any]:
    """One of the 8 symmetries of a rectangle's cells (rows, columns): perhaps transposed, then turned."""
    return np.rot90(cells.swapaxes(0, 1) if symmetry >= 4 else cells, symmetry % 4)


def turn_back(cells: NDArray[Any], symmetry: int) -> NDArray[Any]:
    """``turn_back(turn(c, s), s) == c``."""
    turned = np.rot90(cells, -(symmetry % 4))
    return np.ascontiguousarray(turned.swapaxes(0, 1) if symmetry >= 4 else turned)


def _fill_turned() -> None:
    """Walk from the middle of a 3x3 board in each direction, turn the board, and see where that has come to."""
    for symmetry in range(8):
        for direction in range(1, 5):
            cells = np.zeros((3, 3), np.int8)
            cells[1 + STEPS[direction][0], 1 + STEPS[direction][1]] = 1
            row, column = np.argwhere(turn(cells, symmetry))[0].tolist()
            TURNED[symmetry, direction] = STEPS.index((row - 1, column - 1))


_fill_turned()


@dataclass(frozen=True)
class MazeView:
    """A maze turned or mirrored, and perhaps walked the other way: start and goal swapped."""

    symmetry: int = 0
    swapped: bool = False

    def apply(self, grid: Grid) -> Grid:
        """The maze as the model will see it."""
        seen: Grid = np.ascontiguousarray(turn(grid, self.symmetry))
        return SWAPPED[seen] if self.swapped else seen

    def undo(self, grid: NDArray[Any]) -> NDArray[Any]:
        """Back to the puzzle's own frame."""
        given = turn_back(grid, self.symmetry)
        return SWAPPED[given] if self.swapped else given

    def undo_cells(self, cells: NDArray[Any]) -> NDArray[Any]:
        """Put what belongs to the cells back where the puzzle has them."""
        return turn_back(cells, self.symmetry)

    def undo_candidates(self, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(rows, columns, contents): which contents of ``maze_cells`` a cell may have, in the puzzle's own frame."""
        given = turn_back(candidates, self.symmetry)
        return given[..., SWAPPED] if self.swapped else given

    def undo_arrows(self, arrows: NDArray[np.int8]) -> NDArray[np.int8]:
        """Directions back to the puzzle's own frame; in a swapped view they lead to the start."""
        back = np.argsort(TURNED[self.symmetry]).astype(np.int8)
        given: NDArray[np.int8] = back[turn_back(arrows, self.symmetry)]
        return given
