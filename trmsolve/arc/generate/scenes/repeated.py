"""Scenes that repeat themselves: rings, mirrored patterns, tilings, with holes or without."""

import numpy as np

from trmsolve.arc.generate.scenes.cells import mosaic, noise
from trmsolve.arc.generate.scenes.drawing import empty_grid, not_empty, random_colours
from trmsolve.arc.generate.scenes.shapes import objects
from trmsolve.arc.generate.setting import Setting
from trmsolve.puzzles.values import Grid


def rings(setting: Setting) -> Grid:
    """Draw nested rings, each of another colour than its neighbours."""
    grid = empty_grid(setting)
    last = 0
    for ring in range((min(grid.shape) + 1) // 2):
        colour = setting.colour()
        while colour == last:
            colour = setting.colour()
        inside = slice(ring, -ring or None)
        grid[inside, inside] = colour
        last = colour
    return grid


def scaled(setting: Setting, factor: int) -> Grid:
    """Draw a grid of squares of equal cells."""
    small = noise(setting)
    return small.repeat(factor, 0).repeat(factor, 1)


def with_repeated_lines(setting: Setting) -> Grid:
    """Draw a grid of noise in which rows and columns are repeated."""
    grid = mosaic(setting)
    for axis in (0, 1):
        grid = grid.repeat(setting.rng.integers(1, 4, grid.shape[axis]), axis)
    return grid


def symmetric(setting: Setting, symmetry: str) -> Grid:
    """Draw a symmetric grid without background."""
    rows, columns = setting.size()
    grid = random_colours(setting, (rows, rows if symmetry == "diagonal" else columns))
    if symmetry in ("rows", "both"):
        grid[-(-len(grid) // 2) :] = grid[: len(grid) // 2][::-1]
    if symmetry in ("columns", "both"):
        grid[:, -(-columns // 2) :] = grid[:, : columns // 2][:, ::-1]
    if symmetry == "diagonal":
        grid = np.where(np.tri(rows, dtype=np.bool_), grid, grid.T).astype(np.int8)
    return grid


def symmetric_with_hole(setting: Setting, symmetry: str) -> Grid:
    """Draw a symmetric grid with a hole of the marker's colour."""
    return with_hole(setting, symmetric(setting, symmetry))


def half_empty(setting: Setting, axis: str) -> Grid:
    """Draw objects in one half of the grid; a middle row or column stays empty."""
    grid = objects(setting)
    turned = grid if axis == "rows" else grid.T
    middle = len(turned) // 2
    turned[middle:] = 0
    return not_empty(grid[::-1, ::-1] if setting.style < 0.5 else grid)


def with_hole(setting: Setting, grid: Grid) -> Grid:
    """Paint a rectangle of the grid in the marker's colour."""
    rows, columns = grid.shape
    height = setting.between(1, max(1, rows // 2 - 1))
    width = setting.between(1, max(1, columns // 2 - 1))
    top, left = setting.between(0, rows - height), setting.between(0, columns - width)
    grid = grid.copy()
    grid[top : top + height, left : left + width] = setting.marker
    return grid


def tiling(setting: Setting) -> Grid:
    """Draw a grid of equal tiles of two to four rows and columns, the last ones cut off."""
    rows, columns = setting.size()
    most_rows, most_columns = max(1, min(4, rows // 2)), max(1, min(4, columns // 2))
    tall, wide = setting.between(1, most_rows), setting.between(1, most_columns)
    small = random_colours(setting, (tall, wide))
    return np.tile(small, (-(-rows // tall), -(-columns // wide)))[:rows, :columns]


def tiling_with_hole(setting: Setting) -> Grid:
    """Draw equal tiles with a hole of the marker's colour."""
    return with_hole(setting, tiling(setting))


def begun_tiling(setting: Setting) -> Grid:
    """Draw equal tiles and leave the right part of the grid empty."""
    grid = tiling(setting)
    grid[:, -setting.between(1, max(1, grid.shape[1] // 3)) :] = 0
    return grid


def begun_stripes(setting: Setting) -> Grid:
    """Draw stripes that repeat, twice at least, and leave the rest of the grid empty."""
    rows, columns = setting.size()
    number = setting.between(2, max(2, min(4, columns // 3)))
    stripes = np.tile(random_colours(setting, (1, number)), columns)[:, :columns]
    stripes[:, setting.between(min(2 * number, columns - 1), columns - 1) :] = 0
    return stripes.repeat(rows, 0)
