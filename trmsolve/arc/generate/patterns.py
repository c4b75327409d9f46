"""Rules that complete patterns: mirror images, tilings, stripes."""

from itertools import product

import numpy as np

from trmsolve.arc.generate.components import Mask, content_box
from trmsolve.arc.generate.setting import Unfit
from trmsolve.puzzles.values import Grid

LARGEST_PERIOD = 6
"""Rows or columns after which a pattern repeats, at most."""


def mirror_images(grid: Grid, symmetry: str) -> list[Grid]:
    """The images of the grid under a symmetry: "rows", "columns", "both" or "diagonal"."""
    images = {
        "rows": [grid[::-1]],
        "columns": [grid[:, ::-1]],
        "both": [grid[::-1], grid[:, ::-1], grid[::-1, ::-1]],
        "diagonal": [grid.T],
    }
    return images[symmetry]


def complete_symmetry(grid: Grid, symmetry: str, hole: int) -> Grid:
    """Fill the cells of the hole's colour so that the grid is symmetric."""
    if symmetry == "diagonal" and grid.shape[0] != grid.shape[1]:
        raise Unfit
    result = grid
    for image in mirror_images(grid, symmetry):
        result = np.where(result == hole, image, result)
    if (result == hole).any():
        raise Unfit
    return result


def patch_of_symmetry(grid: Grid, symmetry: str, hole: int) -> Grid:
    """Show only what completes the symmetric grid in its hole."""
    return complete_symmetry(grid, symmetry, hole)[_hole_box(grid, hole)]


def reflect(grid: Grid, axis: str) -> Grid:
    """Draw the mirror image of everything in the empty other half."""
    image = grid[::-1] if axis == "rows" else grid[:, ::-1]
    return np.where(grid != 0, grid, image).astype(np.int8)


def complete_tiling(grid: Grid, hole: int) -> Grid:
    """Fill the cells of the hole's colour so that the pattern repeats in the shortest period."""
    known = grid != hole
    tall = _repeats(grid, known)
    wide = _repeats(grid.T, known.T)
    for rows, columns in _periods(tall, wide):
        filled = _repeated(grid, known, rows, columns)
        if filled is not None:
            return filled
    raise Unfit


def patch_of_tiling(grid: Grid, hole: int) -> Grid:
    """Show only what completes the repeating pattern in its hole."""
    return complete_tiling(grid, hole)[_hole_box(grid, hole)]


def _hole_box(grid: Grid, hole: int) -> tuple[slice, slice]:
    if not (grid == hole).any():
        raise Unfit
    return content_box(grid == hole)


def _repeats(grid: Grid, known: Mask) -> list[int]:
    """The numbers of rows after which no known cell differs; two of each must fit in the grid."""
    periods = [1] if _agree(grid, known, 1) else []
    for rows in range(2, min(LARGEST_PERIOD, len(grid) // 2) + 1):
        if _agree(grid, known, rows):
            periods.append(rows)
    return periods


def _agree(grid: Grid, known: Mask, rows: int) -> bool:
    both_known = known[rows:] & known[:-rows]
    return not ((grid[rows:] != grid[:-rows]) & both_known).any()


def _periods(tall: list[int], wide: list[int]) -> list[tuple[int, int]]:
    """Rows and columns of tiles, those of few cells first."""
    return sorted(product(tall, wide), key=lambda tile: (tile[0] * tile[1], tile))


def _repeated(grid: Grid, known: Mask, rows: int, columns: int) -> Grid | None:
    """The grid as tiles of this size; None if the known cells differ or say too little."""
    tall, wide = -(-grid.shape[0] // rows), -(-grid.shape[1] // columns)
    padding = ((0, tall * rows - grid.shape[0]), (0, wide * columns - grid.shape[1]))
    shape = (tall, rows, wide, columns)
    lowest = np.pad(np.where(known, grid, 10), padding, constant_values=10)
    highest = np.pad(np.where(known, grid, -1), padding, constant_values=-1)
    low = lowest.reshape(shape).min((0, 2))
    high = highest.reshape(shape).max((0, 2))
    if not np.array_equal(low, high):
        return None
    whole = np.tile(low, (tall, wide))[: grid.shape[0], : grid.shape[1]]
    return whole.astype(np.int8)
