"""What scenes are drawn with: empty grids, random cells, and shapes at free places."""

import numpy as np

from trmsolve.arc.generate.components import SIDES, Mask, content_box
from trmsolve.arc.generate.setting import Setting, Unfit
from trmsolve.puzzles.values import Grid

TRIES = 12
"""How often a place is drawn for an object before it is left out."""


def empty_grid(setting: Setting) -> Grid:
    """A grid of the background, in a size of the setting."""
    return np.zeros(setting.size(), np.int8)


def random_colours(setting: Setting, shape: tuple[int, int]) -> Grid:
    """Cells of independent colours of the palette."""
    places = setting.rng.random(shape) * len(setting.palette)
    return np.array(setting.palette, np.int8)[places.astype(np.int8)]


def random_mask(setting: Setting, shape: tuple[int, int], share: float) -> Mask:
    """Independent cells of about this share."""
    return setting.rng.random(shape) < share


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


def shape_side(setting: Setting, grid: Grid, most: int = 5) -> int:
    """Draw a side for an object that leaves room for others."""
    return setting.between(2, max(2, min(most, min(grid.shape) // 2)))


def not_empty(grid: Grid) -> Grid:
    """The grid. Raises Unfit if it has nothing but background."""
    if not grid.any():
        raise Unfit
    return grid
