"""The eight symmetries of a square for grids, and what a network has written on a canvas."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trmsolve.arc.task import COLOURS
from trmsolve.puzzles.values import Grid

SYMMETRIES: tuple[Callable[[NDArray[Any]], NDArray[Any]], ...] = (
    lambda grid: grid,
    lambda grid: np.rot90(grid),  # counter-clockwise
    lambda grid: np.rot90(grid, 2),
    lambda grid: np.rot90(grid, 3),
    lambda grid: np.fliplr(grid),
    lambda grid: np.flipud(grid),
    lambda grid: np.swapaxes(grid, 0, 1),
    lambda grid: np.fliplr(np.rot90(grid)),  # across the other diagonal
)

INVERSE = (0, 3, 2, 1, 4, 5, 6, 7)
"""For each symmetry the number of the one that undoes it."""


def dihedral(grid: NDArray[Any], symmetry: int) -> NDArray[Any]:
    """The array (rows, columns, ...) under one of the 8 symmetries; may share its memory."""
    return SYMMETRIES[symmetry](grid)


def undo_dihedral(grid: NDArray[Any], symmetry: int) -> NDArray[Any]:
    """The array of which ``dihedral`` made this one; may share its memory."""
    return SYMMETRIES[INVERSE[symmetry]](grid)


def crop(tokens: NDArray[Any], first_colour: int) -> Grid:
    """The answer on a canvas (rows, columns): the largest rectangle of colours from its first cell.

    Among equally large ones it is the one of fewest rows. It has the shape (0, 0) if the first cell
    is no colour. Colours are the ten tokens from ``first_colour`` on.
    """
    coloured = (tokens >= first_colour) & (tokens < first_colour + COLOURS)
    unbroken = np.logical_and.accumulate(coloured, axis=1)
    # The width of the widest rectangle that reaches down to each row.
    widths = np.minimum.accumulate(unbroken.sum(1))
    areas = widths * np.arange(1, len(tokens) + 1)
    if not areas.any():
        return np.zeros((0, 0), np.int8)
    rows = int(areas.argmax()) + 1
    columns = widths[rows - 1]
    answer = tokens[:rows, :columns] - first_colour
    return answer.astype(np.int8)
