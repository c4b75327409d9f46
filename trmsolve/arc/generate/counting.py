"""Rules whose output is counted: bars, single cells, lists of colours."""

import numpy as np

from trmsolve.arc.generate.colours import ranked_colours
from trmsolve.arc.generate.components import find_objects
from trmsolve.arc.generate.setting import Unfit
from trmsolve.puzzles.values import Grid


def count_objects(grid: Grid, form: str, colour: int) -> Grid:
    """Show as many cells as there are objects, in a "row", a "column" or on a "diagonal"."""
    number = len(find_objects(grid))
    if number == 0:
        raise Unfit
    if form == "diagonal":
        return (np.eye(number) * colour).astype(np.int8)
    shape = (1, number) if form == "row" else (number, 1)
    return np.full(shape, colour, np.int8)


def show_colour(grid: Grid, rank: str) -> Grid:
    """Show the most ("commonest") or the least ("rarest") frequent colour as a single cell."""
    ranked = ranked_colours(grid)
    return np.full((1, 1), ranked[0] if rank == "commonest" else ranked[-1], np.int8)


def fill_with_commonest(grid: Grid) -> Grid:
    """Paint the whole grid in its most frequent colour."""
    return np.full(grid.shape, ranked_colours(grid)[0], np.int8)


def list_colours(grid: Grid) -> Grid:
    """List the colours in a column, the most frequent first."""
    return np.array(ranked_colours(grid), np.int8)[:, None]


def draw_histogram(grid: Grid) -> Grid:
    """Draw a bar for each colour, as long as it has cells, the longest first."""
    ranked = ranked_colours(grid)
    counts = [int(np.count_nonzero(grid == colour)) for colour in ranked]
    bars = np.zeros((len(ranked), counts[0]), np.int8)
    for row, (colour, number) in enumerate(zip(ranked, counts, strict=True)):
        bars[row, :number] = colour
    return bars


def show_largest_colour(grid: Grid) -> Grid:
    """Show the colour of the largest object as a single cell."""
    objects = sorted(find_objects(grid), key=lambda thing: -thing.size)
    if len(objects) < 2 or objects[0].size == objects[1].size:
        raise Unfit
    return np.full((1, 1), objects[0].colour, np.int8)
