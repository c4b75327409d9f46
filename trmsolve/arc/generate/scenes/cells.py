"""Scenes of cells: noise, patchwork, scattered cells, walls, lines and bars."""

import numpy as np

from trmsolve.arc.generate.scenes.drawing import (
    empty_grid,
    not_empty,
    place,
    random_colours,
    random_mask,
)
from trmsolve.arc.generate.scenes.shapes import objects
from trmsolve.arc.generate.setting import Setting
from trmsolve.puzzles.values import Grid


def mosaic(setting: Setting) -> Grid:
    """Draw a grid without background, each cell in its own colour."""
    return random_colours(setting, setting.size())


def noise(setting: Setting) -> Grid:
    """Draw a grid in which some cells are coloured, each in its own colour."""
    shape = setting.size()
    share = 0.15 + 0.5 * setting.rng.random()
    return np.where(random_mask(setting, shape, share), random_colours(setting, shape), 0).astype(
        np.int8
    )


def noise_of_one_colour(setting: Setting) -> Grid:
    """Draw a grid in which some cells have one colour."""
    share = 0.25 + 0.5 * setting.rng.random()
    return np.where(random_mask(setting, setting.size(), share), setting.colour(), 0).astype(
        np.int8
    )


def patchwork(setting: Setting) -> Grid:
    """Draw rectangles of colours that fill the grid."""
    rows, columns = setting.size()
    down, across = max(2, rows // 3), max(2, columns // 3)
    small = random_colours(setting, (down, across))
    which = (np.arange(rows) * down // rows, np.arange(columns) * across // columns)
    return small[np.ix_(*which)]


def anything(setting: Setting) -> Grid:
    """Draw a scene that suits every rule; most tasks keep to one kind of scene."""
    kinds = (mosaic, noise, objects, patchwork)
    choice = setting.style * (len(kinds) + 1)
    if choice >= len(kinds):
        choice = len(kinds) * setting.rng.random()
    return kinds[int(choice)](setting)


def square(setting: Setting) -> Grid:
    """Draw a square grid that suits every rule."""
    grid = anything(setting)
    side = min(grid.shape)
    return grid[:side, :side]


def small_noise(setting: Setting) -> Grid:
    """Draw noise of two or three rows and columns."""
    return noise(setting)[:3, :3]


def scattered(setting: Setting, fewest: int = 2, most: int = 6, gap: int = 1) -> Grid:
    """Draw single cells, at least ``gap`` cells apart."""
    grid = empty_grid(setting)
    for _ in range(setting.between(fewest, most)):
        place(setting, grid, np.full((1, 1), setting.colour(), np.int8), gap)
    return not_empty(grid)


def scattered_apart(setting: Setting) -> Grid:
    """Draw single cells with room for a pattern of three by three cells around each."""
    return scattered(setting, 1, 5, 2)


def scattered_of_one_colour(setting: Setting) -> Grid:
    """Draw one to three single cells of one colour."""
    grid = scattered(setting, 1, 3)
    return np.where(grid != 0, setting.colour(), 0).astype(np.int8)


def seeds_in_own_lines(setting: Setting) -> Grid:
    """Draw single cells, no two in one row or column."""
    grid = empty_grid(setting)
    most = min(4, min(grid.shape) - 1)
    number = setting.between(1, most)
    rows = setting.rng.permutation(grid.shape[0])[:number]
    columns = setting.rng.permutation(grid.shape[1])[:number]
    for row, column in zip(rows, columns, strict=True):
        grid[row, column] = setting.colour()
    return grid


def one_cell_at_the_bottom(setting: Setting) -> Grid:
    """Draw one cell in the last row."""
    grid = empty_grid(setting)
    grid[-1, setting.between(0, grid.shape[1] - 1)] = setting.colour()
    return grid


def cells_and_walls(setting: Setting) -> Grid:
    """Draw single cells, and more cells of the marker's colour as walls."""
    grid = noise(setting)
    thin = random_mask(setting, grid.shape, 0.4)
    walls = random_mask(setting, grid.shape, 0.12)
    grid = np.where(thin, grid, 0)
    return not_empty(np.where(walls, setting.marker, grid).astype(np.int8))


def equal_pairs(setting: Setting) -> Grid:
    """Draw pairs of cells of one colour, each pair in one row or column."""
    grid = empty_grid(setting)
    colours = setting.rng.permutation(setting.palette).tolist()
    for colour in colours[: setting.between(1, 3)]:
        turned = grid if setting.chance(0.5) else grid.T
        row = setting.between(0, turned.shape[0] - 1)
        ends = np.sort(setting.rng.permutation(turned.shape[1])[:2])
        if ends[1] - ends[0] > 1 and not turned[row].any():
            turned[row, ends] = colour
    return not_empty(grid)


def full_lines(setting: Setting) -> Grid:
    """Draw full rows of one colour over full columns of another."""
    grid = empty_grid(setting)
    rows = setting.rng.permutation(grid.shape[0])[: setting.between(1, 3)]
    columns = setting.rng.permutation(grid.shape[1])[: setting.between(1, 3)]
    grid[:, columns] = setting.palette[0]
    grid[rows] = setting.palette[1]
    return grid


def framed_part(setting: Setting) -> Grid:
    """Draw noise, and a frame of the marker's colour around a part of it."""
    grid, top, left, bottom, right = _part(setting)
    inside = grid[top + 1 : bottom - 1, left + 1 : right - 1].copy()
    grid[top:bottom, left:right] = setting.marker
    grid[top + 1 : bottom - 1, left + 1 : right - 1] = inside
    return grid


def part_between_corners(setting: Setting) -> Grid:
    """Draw noise, and four cells of the marker's colour at the corners of a part of it."""
    grid, top, left, bottom, right = _part(setting)
    for row in (top, bottom - 1):
        grid[row, [left, right - 1]] = setting.marker
    return grid


def _part(setting: Setting) -> tuple[Grid, int, int, int, int]:
    """Noise, and the first and last rows and columns of a part of it."""
    grid = noise(setting)
    rows, columns = grid.shape
    height, width = setting.between(3, rows - 1), setting.between(3, columns - 1)
    top, left = setting.between(0, rows - height), setting.between(0, columns - width)
    return grid, top, left, top + height, left + width


def columns_of_bars(setting: Setting) -> Grid:
    """Draw in each column a bar that stands on the last row."""
    grid = empty_grid(setting)
    for column in range(grid.shape[1]):
        height = setting.between(0, len(grid))
        grid[len(grid) - height :, column] = setting.colour()
    return not_empty(grid)


def rows_of_bars(setting: Setting) -> Grid:
    """Draw in each row a bar that begins at the left edge."""
    return columns_of_bars(setting)[:, ::-1].T
