"""Rules that give cells or objects other colours and leave them where they are."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from trmsolve.arc.generate.components import Component, enclosed, find_objects, find_regions
from trmsolve.arc.generate.objects import the_extreme
from trmsolve.arc.generate.setting import Unfit
from trmsolve.arc.task import COLOURS
from trmsolve.puzzles.values import Grid


def recolour(grid: Grid, colours: dict[int, int]) -> Grid:
    """Give every colour the colour that the map has for it; others stay."""
    table = np.arange(COLOURS, dtype=np.int8)
    for old, new in colours.items():
        table[old] = new
    return table[grid]


def swap_colours(grid: Grid, one: int, other: int) -> Grid:
    """Exchange two colours."""
    return recolour(grid, {one: other, other: one})


def invert(grid: Grid) -> Grid:
    """Exchange the background with the only other colour."""
    colours = np.unique(grid[grid != 0])
    if len(colours) != 1:
        raise Unfit
    return np.where(grid == 0, colours[0], 0).astype(np.int8)


def paint_objects(grid: Grid, choose: Callable[[Component], int]) -> Grid:
    """Paint every object in the colour that is chosen for it."""
    result = grid.copy()
    for thing in find_objects(grid):
        result[thing.at] = choose(thing)
    return result


def paint_some(grid: Grid, choose: Callable[[Component], int]) -> Grid:
    """Paint every object in the colour that is chosen for it, at least one in its own.

    Raises:
        Unfit: If none stays as it is, so that nothing shows which objects are meant.
    """
    result = paint_objects(grid, choose)
    if not ((result == grid) & (grid != 0)).any():
        raise Unfit
    return result


def recolour_extreme(grid: Grid, which: str, colour: int) -> Grid:
    """Paint the largest or the smallest object."""
    result = grid.copy()
    result[the_extreme(find_objects(grid), which).at] = colour
    return result


def recolour_by_rank(grid: Grid, colours: tuple[int, ...]) -> Grid:
    """Paint the largest object in the first colour, the next in the second, and so on."""
    objects = sorted(find_objects(grid), key=lambda thing: -thing.size)
    sizes = {thing.size for thing in objects}
    if len(sizes) != len(objects) or len(objects) != len(colours):
        raise Unfit
    result = grid.copy()
    for thing, colour in zip(objects, colours, strict=True):
        result[thing.at] = colour
    return result


def recolour_by_size(grid: Grid, colours: tuple[int, ...]) -> Grid:
    """Paint objects of one cell in the first colour, of two cells in the second, and so on."""
    objects = find_objects(grid)
    if max(thing.size for thing in objects) > len(colours):
        raise Unfit
    return paint_objects(grid, lambda thing: colours[thing.size - 1])


def recolour_by_holes(grid: Grid, colours: tuple[int, ...]) -> Grid:
    """Paint objects without a hole in the first colour, those with one in the second, and so on."""

    def choose(thing: Component) -> int:
        number = count_holes(thing)
        if number >= len(colours):
            raise Unfit
        return colours[number]

    return paint_objects(grid, choose)


def count_holes(thing: Component) -> int:
    """The number of empty regions that an object encloses."""
    holes = enclosed(~thing.mask)
    return len(find_regions(thing.picture, holes))


def recolour_at_edge(grid: Grid, colour: int) -> Grid:
    """Paint the objects that touch the edge of the grid."""
    rows, columns = grid.shape

    def choose(thing: Component) -> int:
        touches = thing.top == 0 or thing.left == 0
        touches = touches or thing.bottom == rows or thing.right == columns
        return colour if touches else thing.colour

    return paint_some(grid, choose)


def recolour_by_side(grid: Grid, first: int, second: int) -> Grid:
    """Paint objects in the left half in the first colour, those in the right half in the second."""
    columns = grid.shape[1]

    def choose(thing: Component) -> int:
        if thing.left < columns / 2 < thing.right:
            raise Unfit
        return first if thing.right <= columns / 2 else second

    return paint_objects(grid, choose)


def recolour_by_form(grid: Grid, tall: int, wide: int) -> Grid:
    """Paint objects that are taller than wide in one colour, and wider ones in another."""

    def choose(thing: Component) -> int:
        rows, columns = thing.mask.shape
        if rows == columns:
            raise Unfit
        return tall if rows > columns else wide

    return paint_objects(grid, choose)


def recolour_shared_shapes(grid: Grid, colour: int) -> Grid:
    """Paint all objects whose shape another object has as well."""
    counts = Counter((thing.mask.shape, thing.mask.tobytes()) for thing in find_objects(grid))

    def choose(thing: Component) -> int:
        shared = counts[thing.mask.shape, thing.mask.tobytes()] > 1
        return colour if shared else thing.colour

    return paint_some(grid, choose)


def ranked_colours(grid: Grid) -> list[int]:
    """The colours but 0, the most frequent first.

    Raises:
        Unfit: If two are equally frequent, or there are fewer than two.
    """
    colours, counts = np.unique(grid[grid != 0], return_counts=True)
    if len(colours) < 2 or len(set(counts.tolist())) < len(counts):
        raise Unfit
    return [int(colour) for colour in colours[np.argsort(-counts)]]


def keep_colour(grid: Grid, rank: str) -> Grid:
    """Remove all cells but those of the most ("commonest") or least ("rarest") frequent colour."""
    ranked = ranked_colours(grid)
    kept = ranked[0] if rank == "commonest" else ranked[-1]
    return np.where(grid == kept, grid, 0).astype(np.int8)


def recolour_rank(grid: Grid, rank: str, colour: int) -> Grid:
    """Paint the cells of the most or least frequent colour."""
    ranked = ranked_colours(grid)
    old = ranked[0] if rank == "commonest" else ranked[-1]
    return recolour(grid, {old: colour})


def remove_colour(grid: Grid, colour: int) -> Grid:
    """Remove all cells of one colour."""
    return recolour(grid, {colour: 0})


def unite_colours(grid: Grid) -> Grid:
    """Paint every object of several colours in the one that most of its cells have."""
    result = grid.copy()
    for thing in find_objects(grid, mixed=True):
        counts = Counter(thing.colours.tolist()).most_common(2)
        if len(counts) == 2 and counts[0][1] == counts[1][1]:
            raise Unfit
        result[thing.at] = counts[0][0]
    return result
