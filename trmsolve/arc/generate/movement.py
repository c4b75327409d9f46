"""Rules that move cells or objects: gravity, sliding, shifting, sorting."""

from collections.abc import Callable
from functools import partial

import numpy as np

from trmsolve.arc.generate.components import Component, find_objects
from trmsolve.arc.generate.objects import find_separate_objects
from trmsolve.arc.generate.setting import Unfit
from trmsolve.arc.generate.wholes import DOWNWARD
from trmsolve.puzzles.values import Grid


def toward(grid: Grid, direction: str, downward: Callable[[Grid], Grid]) -> Grid:
    """Apply in a direction a rule that is made for the direction down."""
    turns = DOWNWARD[direction]
    return np.rot90(downward(np.rot90(grid, turns)), -turns)


def cells_fall(grid: Grid, direction: str) -> Grid:
    """Let every coloured cell fall to the edge, or onto the cell that fell before it."""
    return toward(grid, direction, _cells_fall_down)


def _cells_fall_down(grid: Grid) -> Grid:
    order = np.argsort(grid != 0, axis=0, kind="stable")
    return np.take_along_axis(grid, order, 0)


def objects_fall(grid: Grid, direction: str) -> Grid:
    """Let every object fall as a whole to the edge, or onto another object."""
    return toward(grid, direction, _objects_fall_down)


def _objects_fall_down(grid: Grid) -> Grid:
    grid = grid.copy()
    moved = True
    while moved:
        moved = False
        for thing in sorted(find_objects(grid), key=lambda thing: -thing.bottom):
            distance = _room_below(grid, thing)
            if distance:
                grid[thing.at] = 0
                grid[thing.rows + distance, thing.columns] = thing.colours
                moved = True
    return grid


def _room_below(grid: Grid, thing: Component) -> int:
    """How far the object can fall while all others stay where they are."""
    others = grid != 0
    others[thing.at] = False
    distance = 0
    for step in range(1, len(grid) - thing.bottom + 1):
        if others[thing.rows + step, thing.columns].any():
            break
        distance = step
    return distance


def slide_to_wall(grid: Grid, direction: str, wall: int) -> Grid:
    """Let every cell slide until a wall, the edge or another cell stops it; walls stay."""
    return toward(grid, direction, partial(_slide_down, wall=wall))


def _slide_down(grid: Grid, wall: int) -> Grid:
    result = np.where(grid == wall, grid, 0).astype(np.int8)
    for column in range(grid.shape[1]):
        free = len(grid) - 1
        for row in range(len(grid) - 1, -1, -1):
            if grid[row, column] == wall:
                free = row - 1
            elif grid[row, column]:
                result[free, column] = grid[row, column]
                free -= 1
    return result


def shift(grid: Grid, direction: str, distance: int) -> Grid:
    """Move everything by some cells; what leaves the grid is lost."""
    return toward(grid, direction, partial(_shift_down, distance=distance))


def _shift_down(grid: Grid, distance: int) -> Grid:
    moved = np.zeros_like(grid)
    moved[distance:] = grid[:-distance]
    return moved


def shift_around(grid: Grid, direction: str, distance: int) -> Grid:
    """Move everything by some cells; what leaves the grid enters it at the other side."""
    return toward(grid, direction, lambda turned: np.roll(turned, distance, 0))


def shear_around(grid: Grid, direction: str) -> Grid:
    """Move each line one cell further than the line before; what leaves the grid enters it again.

    The lines run in the direction; one at an edge is not moved.
    """
    return toward(grid, direction, _shear_down)


def _shear_down(grid: Grid) -> Grid:
    columns = [np.roll(column, number) for number, column in enumerate(grid.T)]
    return np.stack(columns, 1)


def sort_lines(grid: Grid, lines: str, order: str) -> Grid:
    """Sort the rows or the columns by their number of coloured cells; equal ones keep their order.

    ``order`` is "growing" or "shrinking", from the top or from the left.
    """
    axis = 1 if lines == "rows" else 0
    counts = np.count_nonzero(grid, axis)
    places = np.argsort(counts if order == "growing" else -counts, kind="stable")
    return np.take(grid, places, 1 - axis)


def mirror_objects(grid: Grid, axis: str) -> Grid:
    """Mirror every object inside its bounding box; "both" turns it by half."""
    result = np.zeros_like(grid)
    flips = {"rows": (0,), "columns": (1,), "both": (0, 1)}
    for thing in find_separate_objects(grid):
        result[thing.box] = np.flip(thing.picture, flips[axis])
    return result


def move_colour(grid: Grid, direction: str, colour: int) -> Grid:
    """Move the cells of one colour by one cell in the direction, over all others."""
    if np.isin(grid, (0, colour)).all():
        raise Unfit  # nothing shows that other colours stay
    moving = np.where(grid == colour, grid, 0).astype(np.int8)
    moved = shift(moving, direction, 1)
    rest = np.where(grid == colour, 0, grid)
    return np.where(moved != 0, moved, rest).astype(np.int8)
