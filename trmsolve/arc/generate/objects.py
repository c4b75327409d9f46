"""Rules that choose objects, crop to them, or draw at them."""

from collections import Counter

import numpy as np

from trmsolve.arc.generate.components import (
    AROUND,
    Component,
    Mask,
    content_box,
    find_objects,
    interior,
    neighbours,
)
from trmsolve.arc.generate.setting import Unfit
from trmsolve.puzzles.values import Grid


def the_extreme(objects: list[Component], which: str) -> Component:
    """The one object with the most ("largest") or the fewest ("smallest") cells.

    Raises:
        Unfit: If there is no other object, or another of the same size.
    """
    ordered = sorted(objects, key=lambda thing: thing.size, reverse=which == "largest")
    if len(ordered) < 2 or ordered[0].size == ordered[1].size:
        raise Unfit
    return ordered[0]


def find_separate_objects(grid: Grid) -> list[Component]:
    """The objects of a grid, if their bounding boxes do not overlap.

    Raises:
        Unfit: If they do.
    """
    objects = find_objects(grid)
    taken = np.zeros(grid.shape, np.bool_)
    for thing in objects:
        if taken[thing.box].any():
            raise Unfit
        taken[thing.box] = True
    return objects


def crop_to_content(grid: Grid) -> Grid:
    """Crop the grid to all that is coloured."""
    if not grid.any():
        raise Unfit
    return grid[content_box(grid != 0)]


def crop_to_object(grid: Grid, which: str) -> Grid:
    """Crop the grid to its largest or its smallest object."""
    return the_extreme(find_objects(grid), which).picture


def crop_to_unique_colour(grid: Grid) -> Grid:
    """Crop the grid to the object whose colour no other object has."""
    objects = find_objects(grid)
    counts = Counter(thing.colour for thing in objects)
    return _the_only([thing for thing in objects if counts[thing.colour] == 1], objects)


def crop_to_odd_shape(grid: Grid) -> Grid:
    """Crop the grid to the object whose shape no other object has."""
    objects = find_objects(grid)
    shapes = [(thing.mask.shape, thing.mask.tobytes()) for thing in objects]
    counts = Counter(shapes)
    single = [thing for thing, shape in zip(objects, shapes, strict=True) if counts[shape] == 1]
    return _the_only(single, objects)


def crop_to_symmetric(grid: Grid) -> Grid:
    """Crop the grid to the only object that is its own mirror image, left and right."""
    objects = find_objects(grid)
    symmetric = [thing for thing in objects if np.array_equal(thing.mask, thing.mask[:, ::-1])]
    return _the_only(symmetric, objects)


def _the_only(chosen: list[Component], objects: list[Component]) -> Grid:
    """The picture of the only chosen object among at least three."""
    if len(chosen) != 1 or len(objects) < 3:
        raise Unfit
    return chosen[0].picture


def crop_to_marked(grid: Grid, marker: int) -> Grid:
    """Crop the grid to what lies inside the cells of one colour: a frame, or four corners."""
    marked = grid == marker
    if not marked.any():
        raise Unfit
    inside = grid[content_box(marked)][1:-1, 1:-1]
    if not inside.size:
        raise Unfit
    return inside


def keep_object(grid: Grid, which: str) -> Grid:
    """Remove all objects but the largest or the smallest."""
    kept = np.zeros_like(grid)
    chosen = the_extreme(find_objects(grid), which)
    kept[chosen.at] = chosen.colours
    return kept


def remove_object(grid: Grid, which: str) -> Grid:
    """Remove the largest or the smallest object."""
    rest = grid.copy()
    rest[the_extreme(find_objects(grid), which).at] = 0
    return rest


def remove_single_cells(grid: Grid) -> Grid:
    """Remove the cells that no other cell of their colour touches."""
    cleaned = grid.copy()
    for thing in find_objects(grid):
        if thing.size == 1:
            cleaned[thing.at] = 0
    return cleaned


def outline(grid: Grid, colour: int) -> Grid:
    """Draw an outline around all objects, corners included."""
    around = neighbours(grid != 0, AROUND) & (grid == 0)
    return np.where(around, colour, grid).astype(np.int8)


def paint_interior(grid: Grid, colour: int) -> Grid:
    """Paint the cells of objects that are surrounded by their own colour; 0 hollows them out."""
    result = grid.copy()
    for value in np.unique(grid[grid != 0]).tolist():
        result[interior(grid == value)] = colour
    return result


def paint_rim(grid: Grid, colour: int) -> Grid:
    """Paint the cells of objects that are not surrounded by their own colour."""
    inner = paint_interior(grid, 0)
    return np.where(inner != 0, colour, grid).astype(np.int8)


def paint_corners(grid: Grid, colour: int) -> Grid:
    """Paint the four corners of the bounding box of every object."""
    result = grid.copy()
    for thing in find_separate_objects(grid):
        for row in (thing.top, thing.bottom - 1):
            for column in (thing.left, thing.right - 1):
                result[row, column] = colour
    return result


def fill_boxes(grid: Grid, colour: int) -> Grid:
    """Fill the rest of the bounding box of every object with one colour."""
    result = grid.copy()
    for thing in find_objects(grid):
        box = result[thing.box]
        box[box == 0] = colour
    return result


def complete_boxes(grid: Grid) -> Grid:
    """Fill the bounding box of every object with its own colour."""
    result = grid.copy()
    for thing in find_separate_objects(grid):
        result[thing.box] = thing.colour
    return result


def drop_shadow(grid: Grid, down: int, right: int, colour: int) -> Grid:
    """Draw a shadow of everything, moved by one cell down or up and right or left, behind it."""
    shadow = neighbours(grid != 0, [(down, right)]) & (grid == 0)
    return np.where(shadow, colour, grid).astype(np.int8)


def shrink_to_centres(grid: Grid) -> Grid:
    """Replace every object by the cell in the middle of its bounding box."""
    result = np.zeros_like(grid)
    for thing in find_objects(grid):
        if thing.mask.shape[0] % 2 == 0 or thing.mask.shape[1] % 2 == 0:
            raise Unfit
        middle = ((thing.top + thing.bottom) // 2, (thing.left + thing.right) // 2)
        result[middle] = thing.colour
    return result


STAMPS = {
    "plus": [[0, 1, 0], [1, 1, 1], [0, 1, 0]],
    "cross": [[1, 0, 1], [0, 1, 0], [1, 0, 1]],
    "ring": [[1, 1, 1], [1, 0, 1], [1, 1, 1]],
    "bar": [[0, 0, 0], [1, 1, 1], [0, 0, 0]],
    "post": [[0, 1, 0], [0, 1, 0], [0, 1, 0]],
}
"""Patterns of 3 by 3 cells by their names."""


def stamp(grid: Grid, pattern: str, colour: int) -> Grid:
    """Draw a pattern in one colour around every coloured cell, where the grid is empty."""
    return _stamped(grid, grid != 0, pattern, colour)


def stamp_by_colour(grid: Grid, patterns: dict[int, str]) -> Grid:
    """Draw around every coloured cell the pattern of its colour, where the grid is empty."""
    result = grid
    for colour, pattern in patterns.items():
        result = _stamped(result, grid == colour, pattern, colour)
    return result


def _stamped(grid: Grid, where: Mask, pattern: str, colour: int) -> Grid:
    rows, columns = np.nonzero(np.array(STAMPS[pattern]))
    steps = list(zip((rows - 1).tolist(), (columns - 1).tolist(), strict=True))
    return np.where(neighbours(where, steps) & (grid == 0), colour, grid).astype(np.int8)


def copy_to_markers(grid: Grid, marker: int) -> Grid:
    """Put a copy of the one object, 3 by 3 cells, over every marked cell."""
    objects = find_objects(np.where(grid == marker, 0, grid), mixed=True)
    if len(objects) != 1 or objects[0].mask.shape != (3, 3):
        raise Unfit
    picture = objects[0].picture
    padded = np.pad(np.where(grid == marker, 0, grid), 1)
    for row, column in np.argwhere(grid == marker).tolist():
        place = padded[row : row + 3, column : column + 3]
        place[picture != 0] = picture[picture != 0]
    return padded[1:-1, 1:-1]
