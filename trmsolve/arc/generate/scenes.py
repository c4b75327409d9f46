"""Scenes: random inputs on the background 0, such as noise, objects, rooms, panels and patterns.

Every scene is drawn in the sizes and colours of a setting. A scene that finds no room raises Unfit.
Knows nothing of rules.
"""

from itertools import pairwise

import numpy as np

from trmsolve.arc.generate.components import SIDES, Mask, content_box
from trmsolve.arc.generate.setting import Setting, Unfit
from trmsolve.puzzles.values import Grid

TRIES = 12
"""How often a place is drawn for an object before it is left out."""


def _empty(setting: Setting) -> Grid:
    return np.zeros(setting.size(), np.int8)


def _colours(setting: Setting, shape: tuple[int, int]) -> Grid:
    """Cells of independent colours of the palette."""
    places = setting.rng.random(shape) * len(setting.palette)
    return np.array(setting.palette, np.int8)[places.astype(np.int8)]


def _mask(setting: Setting, shape: tuple[int, int], share: float) -> Mask:
    """Independent cells of about this share."""
    return setting.rng.random(shape) < share


# Cells


def mosaic(setting: Setting) -> Grid:
    """Draw a grid without background, each cell in its own colour."""
    return _colours(setting, setting.size())


def noise(setting: Setting) -> Grid:
    """Draw a grid in which some cells are coloured, each in its own colour."""
    shape = setting.size()
    share = 0.15 + 0.5 * setting.rng.random()
    return np.where(_mask(setting, shape, share), _colours(setting, shape), 0).astype(np.int8)


def noise_of_one_colour(setting: Setting) -> Grid:
    """Draw a grid in which some cells have one colour."""
    share = 0.25 + 0.5 * setting.rng.random()
    return np.where(_mask(setting, setting.size(), share), setting.colour(), 0).astype(np.int8)


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
    grid = _empty(setting)
    for _ in range(setting.between(fewest, most)):
        place(setting, grid, np.full((1, 1), setting.colour(), np.int8), gap)
    return _not_empty(grid)


def scattered_apart(setting: Setting) -> Grid:
    """Draw single cells with room for a pattern of three by three cells around each."""
    return scattered(setting, 1, 5, 2)


def scattered_of_one_colour(setting: Setting) -> Grid:
    """Draw one to three single cells of one colour."""
    grid = scattered(setting, 1, 3)
    return np.where(grid != 0, setting.colour(), 0).astype(np.int8)


def seeds_in_own_lines(setting: Setting) -> Grid:
    """Draw single cells, no two in one row or column."""
    grid = _empty(setting)
    most = min(4, min(grid.shape) - 1)
    number = setting.between(1, most)
    rows = setting.rng.permutation(grid.shape[0])[:number]
    columns = setting.rng.permutation(grid.shape[1])[:number]
    for row, column in zip(rows, columns, strict=True):
        grid[row, column] = setting.colour()
    return grid


def one_cell_at_the_bottom(setting: Setting) -> Grid:
    """Draw one cell in the last row."""
    grid = _empty(setting)
    grid[-1, setting.between(0, grid.shape[1] - 1)] = setting.colour()
    return grid


def cells_and_walls(setting: Setting) -> Grid:
    """Draw single cells, and more cells of the marker's colour as walls."""
    grid = noise(setting)
    thin = _mask(setting, grid.shape, 0.4)
    walls = _mask(setting, grid.shape, 0.12)
    grid = np.where(thin, grid, 0)
    return _not_empty(np.where(walls, setting.marker, grid).astype(np.int8))


def equal_pairs(setting: Setting) -> Grid:
    """Draw pairs of cells of one colour, each pair in one row or column."""
    grid = _empty(setting)
    colours = setting.rng.permutation(setting.palette).tolist()
    for colour in colours[: setting.between(1, 3)]:
        turned = grid if setting.chance(0.5) else grid.T
        row = setting.between(0, turned.shape[0] - 1)
        ends = np.sort(setting.rng.permutation(turned.shape[1])[:2])
        if ends[1] - ends[0] > 1 and not turned[row].any():
            turned[row, ends] = colour
    return _not_empty(grid)


def full_lines(setting: Setting) -> Grid:
    """Draw full rows of one colour over full columns of another."""
    grid = _empty(setting)
    rows = setting.rng.permutation(grid.shape[0])[: setting.between(1, 3)]
    columns = setting.rng.permutation(grid.shape[1])[: setting.between(1, 3)]
    grid[:, columns] = setting.palette[0]
    grid[rows] = setting.palette[1]
    return grid


# Objects


def place(setting: Setting, grid: Grid, picture: Grid, gap: int = 1) -> bool:
    """Draw a picture at a random free place, ``gap`` cells away from all else; False if none."""
    height, width = picture.shape
    rows, columns = grid.shape[0] - height, grid.shape[1] - width
    if rows < 0 or columns < 0:
        return False
    for down, across in setting.rng.random((TRIES, 2)).tolist():
        top, left = int(down * (rows + 1)), int(across * (columns + 1))
        above, before = max(top - gap, 0), max(left - gap, 0)
        around = grid[above : top + height + gap, before : left + width + gap]
        if not around.any():
            grid[top : top + height, left : left + width] = picture
            return True
    return False


def blob(setting: Setting, side: int, fewest: int = 2) -> Mask:
    """Draw connected cells in a box of at most ``side`` rows and columns, cropped to them."""
    wanted = setting.between(fewest, max(fewest, side * side * 2 // 3))
    start = (setting.between(0, side - 1), setting.between(0, side - 1))
    cells = [start]
    taken = {start}
    for base, way in setting.rng.random((4 * wanted, 2)).tolist():
        if len(cells) == wanted:
            break
        row, column = cells[int(base * len(cells))]
        down, right = SIDES[int(way * 4)]
        cell = (row + down, column + right)
        if cell not in taken and 0 <= cell[0] < side and 0 <= cell[1] < side:
            taken.add(cell)
            cells.append(cell)
    mask = np.zeros((side, side), np.bool_)
    mask[tuple(zip(*cells, strict=True))] = True
    return mask[content_box(mask)]


def _side(setting: Setting, grid: Grid, most: int = 5) -> int:
    """Draw a side for an object that leaves room for others."""
    return setting.between(2, max(2, min(most, min(grid.shape) // 2)))


def _not_empty(grid: Grid) -> Grid:
    if not grid.any():
        raise Unfit
    return grid


def objects(setting: Setting) -> Grid:
    """Draw objects of random shapes, each of one colour."""
    grid = _empty(setting)
    for _ in range(setting.between(2, 6)):
        shape = blob(setting, _side(setting, grid))
        place(setting, grid, (shape * setting.colour()).astype(np.int8))
    return _not_empty(grid)


def one_object(setting: Setting) -> Grid:
    """Draw one object of several colours."""
    grid = _empty(setting)
    shape = blob(setting, max(2, min(6, min(grid.shape) - 1)), 3)
    place(setting, grid, np.where(shape, _colours(setting, shape.shape), 0).astype(np.int8))
    return _not_empty(grid)


def objects_of_one_colour(setting: Setting) -> Grid:
    """Draw objects of random shapes in one colour."""
    return np.where(objects(setting) != 0, setting.colour(), 0).astype(np.int8)


def three_objects(setting: Setting) -> Grid:
    """Draw three objects of different sizes in one colour."""
    grid = _empty(setting)
    colour = setting.colour()
    for _ in range(3):
        shape = blob(setting, _side(setting, grid, 4))
        if not place(setting, grid, (shape * colour).astype(np.int8)):
            raise Unfit
    return grid


def small_objects(setting: Setting) -> Grid:
    """Draw objects of one to four cells in one colour."""
    grid = _empty(setting)
    colour = setting.colour()
    for _ in range(setting.between(3, 7)):
        shape = blob(setting, 2, 1) if setting.chance(0.6) else np.ones(_bar(setting), np.bool_)
        place(setting, grid, (shape * colour).astype(np.int8))
    return _not_empty(grid)


def _bar(setting: Setting) -> tuple[int, int]:
    """Draw the rows and columns of a bar of up to four cells."""
    length = setting.between(1, 4)
    return (1, length) if setting.chance(0.5) else (length, 1)


def bars(setting: Setting) -> Grid:
    """Draw upright and lying rectangles in one colour."""
    grid = _empty(setting)
    colour = setting.colour()
    for _ in range(setting.between(2, 6)):
        short = setting.between(1, 2)
        long = setting.between(short + 1, 5)
        shape = (short, long) if setting.chance(0.5) else (long, short)
        place(setting, grid, np.full(shape, colour, np.int8))
    return _not_empty(grid)


def rectangles(setting: Setting, smallest: int = 3, most: int = 4) -> Grid:
    """Draw solid rectangles with sides of at least ``smallest``."""
    grid = _empty(setting)
    largest = max(smallest, min(grid.shape) * 2 // 3)
    for _ in range(setting.between(1, most)):
        shape = (setting.between(smallest, largest), setting.between(smallest, largest))
        place(setting, grid, np.full(shape, setting.colour(), np.int8))
    return _not_empty(grid)


def small_rectangles(setting: Setting) -> Grid:
    """Draw solid rectangles with sides of two cells or more."""
    return rectangles(setting, 2, 5)


def one_rectangle(setting: Setting) -> Grid:
    """Draw a small solid rectangle."""
    grid = _empty(setting)
    side = max(1, min(3, min(grid.shape) // 3))
    shape = (setting.between(1, side), setting.between(1, side))
    place(setting, grid, np.full(shape, setting.colour(), np.int8))
    return _not_empty(grid)


def odd_rectangles(setting: Setting) -> Grid:
    """Draw solid rectangles with sides of 1, 3 or 5 cells."""
    grid = _empty(setting)
    longest = (min(5, min(grid.shape)) - 1) // 2
    for _ in range(setting.between(1, 5)):
        shape = (2 * setting.between(0, longest) + 1, 2 * setting.between(0, longest) + 1)
        place(setting, grid, np.full(shape, setting.colour(), np.int8))
    return _not_empty(grid)


def outlines(setting: Setting) -> Grid:
    """Draw outlines of rectangles, some of them broken at one cell."""
    grid = _empty(setting)
    largest = max(3, min(7, min(grid.shape) * 2 // 3))
    for _ in range(setting.between(1, 5)):
        shape = (setting.between(3, largest), setting.between(3, largest))
        picture = np.full(shape, setting.colour(), np.int8)
        picture[1:-1, 1:-1] = 0
        if setting.chance(0.25):
            picture[0, setting.between(1, shape[1] - 2)] = 0
        place(setting, grid, picture)
    return _not_empty(grid)


def holed_objects(setting: Setting) -> Grid:
    """Draw rectangles in one colour with no hole, one hole or two holes."""
    grid = _empty(setting)
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
    return _not_empty(grid)


def one_unique_colour(setting: Setting) -> Grid:
    """Draw objects of one colour and one of another."""
    grid = _empty(setting)
    common, single = setting.rng.permutation(setting.palette)[:2].tolist()
    number = setting.between(3, 5)
    for index in range(number):
        shape = blob(setting, _side(setting, grid, 4))
        colour = single if index == 0 else common
        place(setting, grid, (shape * colour).astype(np.int8))
    return _not_empty(grid)


def one_odd_shape(setting: Setting) -> Grid:
    """Draw objects of one shape, in several colours, and one of another shape."""
    grid = _empty(setting)
    side = _side(setting, grid, 3)
    odd, common = blob(setting, side), blob(setting, side)
    for shape in (odd, *[common] * setting.between(2, 4)):
        place(setting, grid, (shape * setting.colour()).astype(np.int8))
    return _not_empty(grid)


def repeated_shapes(setting: Setting) -> Grid:
    """Draw objects in one colour; some have the same shape."""
    grid = _empty(setting)
    colour = setting.colour()
    side = _side(setting, grid, 3)
    shared = blob(setting, side)
    others = [blob(setting, side) for _ in range(setting.between(1, 3))]
    for shape in (shared, *others, shared):
        place(setting, grid, (shape * colour).astype(np.int8))
    return _not_empty(grid)


def one_symmetric_object(setting: Setting) -> Grid:
    """Draw objects of random shapes and one that is its own mirror image."""
    grid = _empty(setting)
    half = blob(setting, 3)[:, :2]
    shapes = [np.concatenate((half, half[:, ::-1]), 1)]
    for _ in range(TRIES):
        other = blob(setting, 3, 3)
        if len(shapes) < 4 and not np.array_equal(other, other[:, ::-1]):
            shapes.append(other)
    for shape in shapes:
        place(setting, grid, (shape * setting.colour()).astype(np.int8))
    return _not_empty(grid)


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
    specks = _mask(setting, grid.shape, 0.2) & (grid != 0)
    return np.where(specks, _colours(setting, grid.shape), grid).astype(np.int8)


def object_and_markers(setting: Setting) -> Grid:
    """Draw one object of three by three cells, and single cells of the marker's colour."""
    grid = _empty(setting)
    shape = blob(setting, 3, 5)
    if shape.shape != (3, 3):
        raise Unfit
    place(setting, grid, np.where(shape, _colours(setting, shape.shape), 0).astype(np.int8))
    for _ in range(setting.between(1, 4)):
        place(setting, grid, np.full((1, 1), setting.marker, np.int8), 2)
    return _not_empty(grid)


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
    grid = _empty(setting)
    for column in range(grid.shape[1]):
        height = setting.between(0, len(grid))
        grid[len(grid) - height :, column] = setting.colour()
    return _not_empty(grid)


def rows_of_bars(setting: Setting) -> Grid:
    """Draw in each row a bar that begins at the left edge."""
    return columns_of_bars(setting)[:, ::-1].T


# Rooms and panels


def patchwork(setting: Setting) -> Grid:
    """Draw rectangles of colours that fill the grid."""
    rows, columns = setting.size()
    down, across = max(2, rows // 3), max(2, columns // 3)
    small = _colours(setting, (down, across))
    which = (np.arange(rows) * down // rows, np.arange(columns) * across // columns)
    return small[np.ix_(*which)]


def rooms(setting: Setting) -> Grid:
    """Draw walls of the marker's colour that divide the grid into empty rooms."""
    grid = _empty(setting)
    for turned in (grid, grid.T):
        row = setting.between(1, 3)
        while row < len(turned) - 1:
            turned[row] = setting.marker
            row += setting.between(2, 5)
    return grid


def rooms_with_seeds(setting: Setting) -> Grid:
    """Draw rooms, with one coloured cell in some of them."""
    grid = rooms(setting)
    row_starts = _starts((grid == setting.marker).all(1))
    column_starts = _starts((grid == setting.marker).all(0))
    for top, bottom in row_starts:
        for left, right in column_starts:
            if setting.chance(0.4):
                at = setting.between(top, bottom - 1), setting.between(left, right - 1)
                grid[at] = setting.colour()
    return grid


def _starts(walls: Mask) -> list[tuple[int, int]]:
    """The first line of each room, and the line after its last."""
    places = [-1, *np.flatnonzero(walls).tolist(), len(walls)]
    pairs = pairwise(places)
    return [(before + 1, after) for before, after in pairs if after - before > 1]


def _joined(setting: Setting, panels: list[Grid], lying: bool) -> Grid:
    """The panels in a row, or below each other if ``lying``, with lines between them."""
    parts = [panels[0].T if lying else panels[0]]
    line = np.full((parts[0].shape[0], 1), setting.marker, np.int8)
    for panel in panels[1:]:
        parts += [line, panel.T if lying else panel]
    joined = np.concatenate(parts, 1)
    return joined.T if lying else joined


def _is_lying(setting: Setting) -> bool:
    """Whether the panels of this task lie below each other: the same in all its grids."""
    return setting.style < 0.5


def two_panels(setting: Setting) -> Grid:
    """Draw two panels of noise, each in one colour, the same two in all grids of the task."""
    shape = setting.size()
    masks = [_mask(setting, shape, 0.5) for _ in range(2)]
    panels = [
        (mask * colour).astype(np.int8)
        for mask, colour in zip(masks, setting.palette, strict=False)
    ]
    return _joined(setting, panels, _is_lying(setting))


def one_odd_panel(setting: Setting) -> Grid:
    """Draw three equal panels but one that differs in some cells."""
    panel = noise(setting)
    other = np.where(_mask(setting, panel.shape, 0.2), _colours(setting, panel.shape), panel)
    panels = [panel, panel, panel]
    panels[setting.between(0, 2)] = other.astype(np.int8)
    return _joined(setting, panels, _is_lying(setting))


def panels_of_noise(setting: Setting) -> Grid:
    """Draw two or three panels of noise that are filled differently."""
    shape = setting.size()
    panels = []
    for _ in range(setting.between(2, 3)):
        share = 0.1 + 0.8 * setting.rng.random()
        cells = np.where(_mask(setting, shape, share), _colours(setting, shape), 0)
        panels.append(cells.astype(np.int8))
    return _joined(setting, panels, _is_lying(setting))


# Patterns


def rings(setting: Setting) -> Grid:
    """Draw nested rings, each of another colour than its neighbours."""
    grid = _empty(setting)
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
    grid = _colours(setting, (rows, rows if symmetry == "diagonal" else columns))
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
    return _not_empty(grid[::-1, ::-1] if setting.style < 0.5 else grid)


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
    small = _colours(setting, (tall, wide))
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
    stripes = np.tile(_colours(setting, (1, number)), columns)[:, :columns]
    stripes[:, setting.between(min(2 * number, columns - 1), columns - 1) :] = 0
    return stripes.repeat(rows, 0)
