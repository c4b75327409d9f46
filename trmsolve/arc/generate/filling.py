"""Rules that fill areas: enclosed ones, those around seeds, those nearest to a seed."""

import numpy as np

from trmsolve.arc.generate.components import enclosed, find_regions, reach
from trmsolve.arc.generate.objects import the_extreme
from trmsolve.arc.generate.setting import Unfit
from trmsolve.puzzles.values import Grid


def fill_enclosed(grid: Grid, colour: int) -> Grid:
    """Fill the empty cells that objects enclose."""
    return np.where(enclosed(grid == 0), colour, grid).astype(np.int8)


SMALL, LARGE = 4, 8
"""Cells of a small region, at most, and of a large one, at least."""


def fill_enclosed_by_size(grid: Grid, small: int, large: int) -> Grid:
    """Fill small enclosed regions in one colour and large ones in another."""
    result = grid.copy()
    for region in find_regions(grid, enclosed(grid == 0)):
        if SMALL < region.size < LARGE:
            raise Unfit
        result[region.at] = small if region.size <= SMALL else large
    return result


def fill_outside(grid: Grid, colour: int) -> Grid:
    """Fill the empty cells that nothing encloses."""
    empty = grid == 0
    return np.where(empty & ~enclosed(empty), colour, grid).astype(np.int8)


def fill_room(grid: Grid, which: str, colour: int) -> Grid:
    """Fill the largest or the smallest of the empty rooms."""
    result = grid.copy()
    result[the_extreme(find_regions(grid, grid == 0), which).at] = colour
    return result


def flood(grid: Grid, wall: int) -> Grid:
    """Fill every room, whose walls have one colour, with the colour of the seed in it."""
    result = grid.copy()
    free = grid != wall
    for row, column in np.argwhere(free & (grid != 0)).tolist():
        start = np.zeros(grid.shape, np.bool_)
        start[row, column] = True
        room = reach(free, start)
        colour = grid[row, column]
        if not np.isin(grid[room], (0, colour)).all():
            raise Unfit
        result[room] = colour
    return result


def fill_nearest(grid: Grid) -> Grid:
    """Paint every empty cell like the nearest coloured cell.

    The distance is the number of steps along rows and columns. Cells with
    several nearest ones of different colours stay empty.
    """
    seeds = np.argwhere(grid)
    if len(seeds) < 2:
        raise Unfit
    rows, columns = np.indices(grid.shape)
    distances = np.abs(rows - seeds[:, 0, None, None]) + np.abs(columns - seeds[:, 1, None, None])
    nearest = distances == distances.min(0)
    colours = grid[seeds[:, 0], seeds[:, 1]][:, None, None]
    lowest = np.where(nearest, colours, 10).min(0)
    highest = np.where(nearest, colours, 0).max(0)
    return np.where(lowest == highest, lowest, 0).astype(np.int8)
