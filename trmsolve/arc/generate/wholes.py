"""Rules for whole grids: mirroring, turning, tiling, scaling, framing.

Every rule makes sense for any grid, whatever it shows.
"""

import numpy as np

from trmsolve.arc.generate.setting import Unfit
from trmsolve.puzzles.values import Grid

TURNS = {"quarter": 1, "half": 2, "three-quarters": 3}
"""Names of turns, counter-clockwise, with their number of quarters."""

DOWNWARD = {"down": 0, "left": 1, "up": 2, "right": 3}
"""How many quarter turns, counter-clockwise, make each direction point down."""


def mirror(grid: Grid, axis: str) -> Grid:
    """Exchange left and right ("columns"), or top and bottom ("rows")."""
    return grid[:, ::-1] if axis == "columns" else grid[::-1]


def turn(grid: Grid, angle: str) -> Grid:
    """Turn the grid counter-clockwise by an angle of ``TURNS``."""
    return np.rot90(grid, TURNS[angle])


def transpose(grid: Grid, diagonal: str) -> Grid:
    """Mirror the grid at its falling ("main") or at its rising ("other") diagonal."""
    return grid.T if diagonal == "main" else grid[::-1, ::-1].T


def tile(grid: Grid, down: int, across: int) -> Grid:
    """Repeat the grid some times downwards and across."""
    return np.tile(grid, (down, across))


def add_mirror_image(grid: Grid, side: str) -> Grid:
    """Put the mirror image of the grid beside it, on one of its sides."""
    axis, way = (1, -1) if side in ("left", "right") else (0, -1)
    image = np.flip(grid, axis)
    both = (grid, image)[::way] if side in ("left", "up") else (grid, image)
    return np.concatenate(both, axis)


def mirror_to_four(grid: Grid) -> Grid:
    """Put the grid and its mirror images together to four quadrants."""
    upper = np.concatenate((grid, grid[:, ::-1]), 1)
    return np.concatenate((upper, upper[::-1]))


def turn_to_four(grid: Grid) -> Grid:
    """Put a square grid and its three turns together to four quadrants, clockwise."""
    if grid.shape[0] != grid.shape[1]:
        raise Unfit
    upper = np.concatenate((grid, np.rot90(grid, 3)), 1)
    return np.concatenate((upper, np.rot90(upper, 2)))


def scale_up(grid: Grid, factor: int) -> Grid:
    """Make every cell a square of cells."""
    return grid.repeat(factor, 0).repeat(factor, 1)


def scale_down(grid: Grid, factor: int) -> Grid:
    """Make every square of equal cells one cell."""
    small = grid[::factor, ::factor]
    if not np.array_equal(scale_up(small, factor), grid):
        raise Unfit
    return small


def scale_by_colours(grid: Grid) -> Grid:
    """Make every cell a square whose side is the number of colours in the grid."""
    return scale_up(grid, len(np.unique(grid[grid != 0])))


def stretch(grid: Grid, axis: str, factor: int) -> Grid:
    """Repeat every row or every column some times."""
    return grid.repeat(factor, 0 if axis == "rows" else 1)


def tile_by_itself(grid: Grid) -> Grid:
    """Put a copy of the grid in the place of each of its coloured cells."""
    return np.kron(grid != 0, grid).astype(np.int8)


def keep_half(grid: Grid, side: str) -> Grid:
    """Keep one half of the grid; a middle row or column falls to both halves."""
    rows, columns = (grid.shape[0] + 1) // 2, (grid.shape[1] + 1) // 2
    halves = {
        "up": grid[:rows],
        "down": grid[-rows:],
        "left": grid[:, :columns],
        "right": grid[:, -columns:],
    }
    return halves[side]


def frame(grid: Grid, colour: int) -> Grid:
    """Draw a frame of one colour around the grid."""
    return np.pad(grid, 1, constant_values=colour)


def paint_edge(grid: Grid, colour: int) -> Grid:
    """Paint the outermost cells of the grid in one colour."""
    return frame(peel(grid), colour)


def peel(grid: Grid) -> Grid:
    """Take the outermost rows and columns away."""
    if min(grid.shape) < 3:
        raise Unfit
    return grid[1:-1, 1:-1]


def merge_equal_lines(grid: Grid) -> Grid:
    """Keep one of neighbouring rows that are equal, and then one of equal columns."""
    new_rows = np.append(True, (grid[1:] != grid[:-1]).any(1))
    grid = grid[new_rows]
    new_columns = np.append(True, (grid[:, 1:] != grid[:, :-1]).any(0))
    return grid[:, new_columns]


def space_out(grid: Grid, colour: int) -> Grid:
    """Draw lines of one colour between all rows and all columns."""
    rows, columns = grid.shape
    spaced = np.full((2 * rows - 1, 2 * columns - 1), colour, np.int8)
    spaced[::2, ::2] = grid
    return spaced


def reverse_every_second_row(grid: Grid) -> Grid:
    """Reverse the second row, the fourth row and so on."""
    reversed_ = grid.copy()
    reversed_[1::2] = grid[1::2, ::-1]
    return reversed_


def reverse_rings(grid: Grid) -> Grid:
    """Exchange the colours of nested rings: the outermost with the innermost and so on."""
    number = (min(grid.shape) + 1) // 2
    colours = [int(grid[ring, ring]) for ring in range(number)]
    result = grid.copy()
    for ring, colour in enumerate(reversed(colours)):
        inside = slice(ring, -ring or None)
        if (grid[inside, inside][0] != colours[ring]).any():
            raise Unfit
        result[inside, inside] = colour
    return result
