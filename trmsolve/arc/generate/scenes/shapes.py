"""Scenes of shapes: objects, rectangles and bars, and one that differs from the others."""

import numpy as np

from trmsolve.arc.generate.scenes.drawing import (
    TRIES,
    blob,
    empty_grid,
    not_empty,
    place,
    random_colours,
    random_mask,
    shape_side,
)
from trmsolve.arc.generate.setting import Setting, Unfit
from trmsolve.puzzles.values import Grid


def objects(setting: Setting) -> Grid:
    """Draw objects of random shapes, each of one colour."""
    grid = empty_grid(setting)
    for _ in range(setting.between(2, 6)):
        shape = blob(setting, shape_side(setting, grid))
        place(setting, grid, (shape * setting.colour()).astype(np.int8))
    return not_empty(grid)


def one_object(setting: Setting) -> Grid:
    """Draw one object of several colours."""
    grid = empty_grid(setting)
    shape = blob(setting, max(2, min(6, min(grid.shape) - 1)), 3)
    place(setting, grid, np.where(shape, random_colours(setting, shape.shape), 0).astype(np.int8))
    return not_empty(grid)


def objects_of_one_colour(setting: Setting) -> Grid:
    """Draw objects of random shapes in one colour."""
    return np.where(objects(setting) != 0, setting.colour(), 0).astype(np.int8)


def three_objects(setting: Setting) -> Grid:
    """Draw three objects of different sizes in one colour."""
    grid = empty_grid(setting)
    colour = setting.colour()
    for _ in range(3):
        shape = blob(setting, shape_side(setting, grid, 4))
        if not place(setting, grid, (shape * colour).astype(np.int8)):
            raise Unfit
    return grid


def small_objects(setting: Setting) -> Grid:
    """Draw objects of one to four cells in one colour."""
    grid = empty_grid(setting)
    colour = setting.colour()
    for _ in range(setting.between(3, 7)):
        shape = blob(setting, 2, 1) if setting.chance(0.6) else np.ones(_bar(setting), np.bool_)
        place(setting, grid, (shape * colour).astype(np.int8))
    return not_empty(grid)


def _bar(setting: Setting) -> tuple[int, int]:
    """Draw the rows and columns of a bar of up to four cells."""
    length = setting.between(1, 4)
    return (1, length) if setting.chance(0.5) else (length, 1)


def bars(setting: Setting) -> Grid:
    """Draw upright and lying rectangles in one colour."""
    grid = empty_grid(setting)
    colour = setting.colour()
    for _ in range(setting.between(2, 6)):
        short = setting.between(1, 2)
        long = setting.between(short + 1, 5)
        shape = (short, long) if setting.chance(0.5) else (long, short)
        place(setting, grid, np.full(shape, colour, np.int8))
    return not_empty(grid)


def rectangles(setting: Setting, smallest: int = 3, most: int = 4) -> Grid:
    """Draw solid rectangles with sides of at least ``smallest``."""
    grid = empty_grid(setting)
    largest = max(smallest, min(grid.shape) * 2 // 3)
    for _ in range(setting.between(1, most)):
        shape = (setting.between(smallest, largest), setting.between(smallest, largest))
        place(setting, grid, np.full(shape, setting.colour(), np.int8))
    return not_empty(grid)


def small_rectangles(setting: Setting) -> Grid:
    """Draw solid rectangles with sides of two cells or more."""
    return rectangles(setting, 2, 5)


def one_rectangle(setting: Setting) -> Grid:
    """Draw a small solid rectangle."""
    grid = empty_grid(setting)
    side = max(1, min(3, min(grid.shape) // 3))
    shape = (setting.between(1, side), setting.between(1, side))
    place(setting, grid, np.full(shape, setting.colour(), np.int8))
    return not_empty(grid)


def odd_rectangles(setting: Setting) -> Grid:
    """Draw solid rectangles with sides of 1, 3 or 5 cells."""
    grid = empty_grid(setting)
    longest = (min(5, min(grid.shape)) - 1) // 2
    for _ in range(setting.between(1, 5)):
        shape = (2 * setting.between(0, longest) + 1, 2 * setting.between(0, longest) + 1)
        place(setting, grid, np.full(shape, setting.colour(), np.int8))
    return not_empty(grid)


def outlines(setting: Setting) -> Grid:
    """Draw outlines of rectangles, some of them broken at one cell."""
    grid = empty_grid(setting)
    largest = max(3, min(7, min(grid.shape) * 2 // 3))
    for _ in range(setting.between(1, 5)):
        shape = (setting.between(3, largest), setting.between(3, largest))
        picture = np.full(shape, setting.colour(), np.int8)
        picture[1:-1, 1:-1] = 0
        if setting.chance(0.25):
            picture[0, setting.between(1, shape[1] - 2)] = 0
        place(setting, grid, picture)
    return not_empty(grid)


def holed_objects(setting: Setting) -> Grid:
    """Draw rectangles in one colour with no hole, one hole or two holes."""
    grid = empty_grid(setting)
    colour = setting.colour()
    for _ in range(setting.between(2, 5)):
        holes = setting.between(0, 2)
        width = setting.between(3, 4) if holes < 2 else 5
        picture = np.full((setting.between(3, 4), width), colour, np.int8)
        if holes:
            picture[1:-1, 1] = 0
        if holes == 2:
            picture[1:-1, 3] = 0
        place(setting, grid, picture if setting.chance(0.5) else picture.T)
    return not_empty(grid)


def one_unique_colour(setting: Setting) -> Grid:
    """Draw objects of one colour and one of another."""
    grid = empty_grid(setting)
    common, single = setting.rng.permutation(setting.palette)[:2].tolist()
    number = setting.between(3, 5)
    for index in range(number):
        shape = blob(setting, shape_side(setting, grid, 4))
        colour = single if index == 0 else common
        place(setting, grid, (shape * colour).astype(np.int8))
    return not_empty(grid)


def one_odd_shape(setting: Setting) -> Grid:
    """Draw objects of one shape, in several colours, and one of another shape."""
    grid = empty_grid(setting)
    side = shape_side(setting, grid, 3)
    odd, common = blob(setting, side), blob(setting, side)
    for shape in (odd, *[common] * setting.between(2, 4)):
        place(setting, grid, (shape * setting.colour()).astype(np.int8))
    return not_empty(grid)


def repeated_shapes(setting: Setting) -> Grid:
    """Draw objects in one colour; some have the same shape."""
    grid = empty_grid(setting)
    colour = setting.colour()
    side = shape_side(setting, grid, 3)
    shared = blob(setting, side)
    others = [blob(setting, side) for _ in range(setting.between(1, 3))]
    for shape in (shared, *others, shared):
        place(setting, grid, (shape * colour).astype(np.int8))
    return not_empty(grid)


def one_symmetric_object(setting: Setting) -> Grid:
    """Draw objects of random shapes and one that is its own mirror image."""
    grid = empty_grid(setting)
    half = blob(setting, 3)[:, :2]
    shapes = [np.concatenate((half, half[:, ::-1]), 1)]
    for _ in range(TRIES):
        other = blob(setting, 3, 3)
        if len(shapes) < 4 and not np.array_equal(other, other[:, ::-1]):
            shapes.append(other)
    for shape in shapes:
        place(setting, grid, (shape * setting.colour()).astype(np.int8))
    return not_empty(grid)


def objects_and_specks(setting: Setting) -> Grid:
    """Draw solid rectangles, and single cells apart from them."""
    grid = rectangles(setting, 2, 4)
    colour = setting.colour()
    for _ in range(setting.between(3, 8)):
        place(setting, grid, np.full((1, 1), colour, np.int8))
    return grid


def speckled_rectangles(setting: Setting) -> Grid:
    """Draw rectangles in which some cells have another colour."""
    grid = rectangles(setting)
    specks = random_mask(setting, grid.shape, 0.2) & (grid != 0)
    return np.where(specks, random_colours(setting, grid.shape), grid).astype(np.int8)


def object_and_markers(setting: Setting) -> Grid:
    """Draw one object of three by three cells, and single cells of the marker's colour."""
    grid = empty_grid(setting)
    shape = blob(setting, 3, 5)
    if shape.shape != (3, 3):
        raise Unfit
    place(setting, grid, np.where(shape, random_colours(setting, shape.shape), 0).astype(np.int8))
    for _ in range(setting.between(1, 4)):
        place(setting, grid, np.full((1, 1), setting.marker, np.int8), 2)
    return not_empty(grid)
