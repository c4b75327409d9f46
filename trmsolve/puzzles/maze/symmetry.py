"""The 16 symmetries of a maze: turned or mirrored, and perhaps walked from the goal to the start.

Knows numpy, grids and directions; nothing of tokens or rules.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, STEPS, WALL
from trmsolve.puzzles.values import Symmetry

SWAPPED = np.array([WALL, FLOOR, GOAL, START, PATH], np.int8)
TURNED = np.zeros((8, 5), np.int8)
"""What each direction becomes under each symmetry: filled below, from the symmetries themselves."""


def turn(cells: NDArray[Any], symmetry: int) -> NDArray[Any]:
    """One of the 8 symmetries of a rectangle (rows, columns): perhaps transposed, then turned."""
    if symmetry >= 4:
        cells = cells.swapaxes(0, 1)
    return np.rot90(cells, symmetry % 4)


def _fill_turned() -> None:
    """Mark a cell beside the middle of a 3x3 board, turn the board, and see where the mark is."""
    for symmetry in range(8):
        for direction in range(1, 5):
            cells = np.zeros((3, 3), np.int8)
            cells[1 + STEPS[direction][0], 1 + STEPS[direction][1]] = 1
            row, column = np.argwhere(turn(cells, symmetry))[0].tolist()
            TURNED[symmetry, direction] = STEPS.index((row - 1, column - 1))


_fill_turned()


def grid_symmetry(shape: tuple[int, ...], symmetry: int = 0, swapped: bool = False) -> Symmetry:
    """A symmetry of the grids of that shape; ``swapped`` exchanges start and goal."""
    places = np.arange(math.prod(shape)).reshape(shape)
    values = SWAPPED if swapped else np.arange(len(SWAPPED), dtype=np.int8)
    return Symmetry(turn(places, symmetry), values)


def on_board(
    places: NDArray[np.intp], shape: tuple[int, ...], board: tuple[int, int]
) -> NDArray[np.intp]:
    """The places (rows, columns) of a turned grid as those of a board (S,) around it.

    ``shape`` is that of the grid before it is turned. All cells outside it are walls, so it does
    not matter which of them comes where.
    """
    rows, columns = shape
    whole = np.arange(math.prod(board)).reshape(board)
    inside = whole[:rows, :columns].reshape(-1)[places]
    cells = np.full(board, -1)
    cells[: places.shape[0], : places.shape[1]] = inside
    cells[cells < 0] = np.setdiff1d(whole, inside)
    return cells.reshape(-1)
