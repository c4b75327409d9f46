"""Rules that draw lines: rays, crosses, diagonals, connections, grid lines."""

from functools import partial

import numpy as np

from trmsolve.arc.generate.components import Mask, find_objects
from trmsolve.arc.generate.movement import toward
from trmsolve.arc.generate.setting import Unfit
from trmsolve.puzzles.values import Grid

DIAGONALS = ((-1, -1), (-1, 1), (1, -1), (1, 1))
"""Steps along the diagonals."""


def extend(grid: Grid, direction: str) -> Grid:
    """Draw a line from every coloured cell to the edge, or up to the next coloured cell."""
    return toward(grid, direction, _extend_down)


def _extend_down(grid: Grid) -> Grid:
    places = np.arange(len(grid))[:, None]
    last = np.maximum.accumulate(np.where(grid != 0, places, 0))
    return np.take_along_axis(grid, last, 0)


def extend_to_wall(grid: Grid, direction: str, wall: int) -> Grid:
    """Draw a line from every cell that is no wall, until a wall, another cell or the edge."""
    return toward(grid, direction, partial(_extend_down_to_wall, wall=wall))


def _extend_down_to_wall(grid: Grid, wall: int) -> Grid:
    extended = _extend_down(grid)
    extended[(extended == wall) & (grid == 0)] = 0
    return extended


def draw_lines(grid: Grid, lines: str) -> Grid:
    """Draw from every coloured cell a line over the whole row or the whole column."""
    turned = grid if lines == "rows" else grid.T
    result = turned.copy()
    for row in np.flatnonzero(turned.any(1)).tolist():
        colours = np.unique(turned[row][turned[row] != 0])
        if len(colours) != 1:
            raise Unfit
        result[row] = colours[0]
    return result if lines == "rows" else result.T


def draw_crosses(grid: Grid) -> Grid:
    """Draw from every coloured cell its row and its column; rows lie over columns."""
    below = draw_lines(grid, "columns")
    above = draw_lines(grid, "rows")
    return np.where(above != 0, above, below).astype(np.int8)


def draw_diagonals(grid: Grid) -> Grid:
    """Draw both diagonals from every cell of the only colour to the edges."""
    return _rays(grid, grid != 0, DIAGONALS, _only_colour(grid))


def draw_diagonal(grid: Grid, diagonal: str) -> Grid:
    """Draw one diagonal, "falling" or "rising", through every cell of the only colour."""
    steps = DIAGONALS[::3] if diagonal == "falling" else DIAGONALS[1:3]
    return _rays(grid, grid != 0, steps, _only_colour(grid))


def draw_star(grid: Grid, colour: int) -> Grid:
    """Draw lines in all eight directions from every coloured cell to the edges."""
    steps = (*DIAGONALS, (-1, 0), (0, -1), (0, 1), (1, 0))
    return _rays(grid, grid != 0, steps, colour)


def draw_from_corners(grid: Grid) -> Grid:
    """Draw a diagonal outwards from each corner of every object of the only colour."""
    result = grid
    colour = _only_colour(grid)
    for thing in find_objects(grid):
        for down, right in DIAGONALS:
            corner = np.zeros(grid.shape, np.bool_)
            row = thing.top if down < 0 else thing.bottom - 1
            corner[row, thing.left if right < 0 else thing.right - 1] = True
            result = _rays(result, corner, ((down, right),), colour)
    return result


def _only_colour(grid: Grid) -> int:
    colours = np.unique(grid[grid != 0])
    if len(colours) != 1:
        raise Unfit
    return int(colours[0])


def _rays(grid: Grid, start: Mask, steps: tuple[tuple[int, int], ...], colour: int) -> Grid:
    """Paint empty cells on the rays from the start cells to the edges."""
    result = grid.copy()
    rows, columns = grid.shape
    for row, column in np.argwhere(start).tolist():
        for down, right in steps:
            at, across = row + down, column + right
            while 0 <= at < rows and 0 <= across < columns:
                if result[at, across] == 0:
                    result[at, across] = colour
                at, across = at + down, across + right
    return result


def connect_equal(grid: Grid, colour: int) -> Grid:
    """Connect cells of one colour that share a row or a column, in their own colour.

    Columns lie over rows. A ``colour`` other than 0 is the colour of the connection.
    """
    result = grid.copy()
    for old in np.unique(grid[grid != 0]).tolist():
        cells = grid == old
        _connect_rows(result, cells, colour or old)
    for old in np.unique(grid[grid != 0]).tolist():
        cells = grid == old
        _connect_rows(result.T, cells.T, colour or old)
    return np.where(grid != 0, grid, result).astype(np.int8)


def _connect_rows(result: Grid, cells: Mask, colour: int) -> None:
    for row in np.flatnonzero(cells.sum(1) > 1).tolist():
        places = np.flatnonzero(cells[row])
        result[row, places[0] + 1 : places[-1]] = colour


def bounce(grid: Grid, side: str) -> Grid:
    """Draw a diagonal upwards from a cell in the last row; the left and right edges reflect it.

    ``side`` is the side to which it begins. The grid shows that cell alone.
    """
    places = np.argwhere(grid)
    rows, columns = grid.shape
    if len(places) != 1 or places[0, 0] != rows - 1 or columns < 2:
        raise Unfit
    column = int(places[0, 1])
    step = -1 if side == "left" else 1
    result = grid.copy()
    for row in range(rows - 2, -1, -1):
        if not 0 <= column + step < columns:
            step = -step
        column += step
        result[row, column] = grid[places[0, 0], places[0, 1]]
    return result


def draw_grid_lines(grid: Grid, spacing: int, colour: int) -> Grid:
    """Draw every so many rows and columns a line over the empty cells."""
    lines = np.zeros(grid.shape, np.bool_)
    lines[spacing - 1 :: spacing] = True
    lines[:, spacing - 1 :: spacing] = True
    return np.where(lines & (grid == 0), colour, grid).astype(np.int8)


def draw_checkerboard(grid: Grid, colour: int) -> Grid:
    """Paint every second empty cell, beginning with the first cell of the grid."""
    rows, columns = np.indices(grid.shape)
    black = (rows + columns) % 2 == 0
    return np.where(black & (grid == 0), colour, grid).astype(np.int8)


def mark_crossings(grid: Grid, colour: int) -> Grid:
    """Paint the cells where a full row and a full column cross."""
    full = (grid != 0).all(1)[:, None] & (grid != 0).all(0)
    return np.where(full, colour, grid).astype(np.int8)


def project_to_edge(grid: Grid, direction: str, colour: int) -> Grid:
    """Paint the cells of one edge that have something coloured above them."""
    return toward(grid, direction, partial(_project_down, colour=colour))


def _project_down(grid: Grid, colour: int) -> Grid:
    result = grid.copy()
    result[-1, grid.any(0)] = colour
    return result
