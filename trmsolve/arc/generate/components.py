"""The connected parts of a grid: objects, which are coloured, and regions of any cells.

Knows grids; nothing of scenes and rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.values import Grid

Mask = NDArray[np.bool_]
"""Some cells of a grid, (rows, columns)."""

SIDES = ((-1, 0), (0, -1), (0, 1), (1, 0))
"""Steps to the cells that share a side."""

AROUND = (*SIDES, (-1, -1), (-1, 1), (1, -1), (1, 1))
"""Steps to the cells that share a side or a corner."""


@dataclass(frozen=True, eq=False)
class Component:
    """Cells of a grid that are connected."""

    rows: NDArray[np.int64]
    """The row of each cell."""

    columns: NDArray[np.int64]
    """The column of each cell."""

    colours: Grid
    """The colour of each cell."""

    @property
    def at(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The index of its cells in the grid."""
        return self.rows, self.columns

    @property
    def size(self) -> int:
        """The number of its cells."""
        return len(self.rows)

    @property
    def colour(self) -> int:
        """The colour of its first cell."""
        return int(self.colours[0])

    @cached_property
    def top(self) -> int:
        """Its first row."""
        return int(self.rows.min())

    @cached_property
    def left(self) -> int:
        """Its first column."""
        return int(self.columns.min())

    @cached_property
    def bottom(self) -> int:
        """The row after its last row."""
        return int(self.rows.max()) + 1

    @cached_property
    def right(self) -> int:
        """The column after its last column."""
        return int(self.columns.max()) + 1

    @property
    def box(self) -> tuple[slice, slice]:
        """The index of its bounding box in the grid."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @cached_property
    def mask(self) -> Mask:
        """Its cells in its bounding box."""
        mask = np.zeros((self.bottom - self.top, self.right - self.left), np.bool_)
        mask[self.rows - self.top, self.columns - self.left] = True
        return mask

    @cached_property
    def picture(self) -> Grid:
        """Its bounding box with its own cells alone, (rows, columns)."""
        picture = np.zeros(self.mask.shape, np.int8)
        picture[self.rows - self.top, self.columns - self.left] = self.colours
        return picture


def find_objects(grid: Grid, mixed: bool = False) -> list[Component]:
    """The objects in reading order: cells of one colour that share sides or corners.

    Cells of colour 0 belong to none. ``mixed`` objects may have several colours.
    """
    keys = (grid != 0).astype(np.int8) if mixed else grid
    return _components(grid, keys, AROUND)


def find_regions(grid: Grid, mask: Mask) -> list[Component]:
    """The parts of the masked cells that share sides, in reading order."""
    return _components(grid, mask.astype(np.int8), SIDES)


def _components(grid: Grid, keys: Grid, steps: Sequence[tuple[int, int]]) -> list[Component]:
    """The connected cells of equal keys; cells whose key is 0 belong to none."""
    rows, columns = np.nonzero(keys)
    values = keys[rows, columns].tolist()
    left = dict(zip(zip(rows.tolist(), columns.tolist(), strict=True), values, strict=True))
    found = []
    while left:
        start, key = next(iter(left.items()))
        cells = np.array(_take(left, start, key, steps))
        where = cells[:, 0], cells[:, 1]
        found.append(Component(*where, grid[where]))
    return found


def _take(
    left: dict[tuple[int, int], int],
    start: tuple[int, int],
    key: int,
    steps: Sequence[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Take the cells that are connected with ``start`` out of ``left``."""
    del left[start]
    cells = [start]
    for row, column in cells:  # grows while it is read
        for down, right in steps:
            cell = (row + down, column + right)
            if left.get(cell) == key:
                del left[cell]
                cells.append(cell)
    return cells


def neighbours(mask: Mask, steps: Sequence[tuple[int, int]]) -> Mask:
    """The cells that one of the steps reaches from a masked cell, inside the grid."""
    rows, columns = mask.shape
    padded = np.zeros((rows + 2, columns + 2), np.bool_)
    padded[1:-1, 1:-1] = mask
    reached = np.zeros_like(mask)
    for down, right in steps:
        reached |= padded[1 - down : 1 - down + rows, 1 - right : 1 - right + columns]
    return reached


def interior(mask: Mask) -> Mask:
    """The masked cells whose eight neighbours are all masked; those at the edge are not among."""
    padded = np.ones((mask.shape[0] + 2, mask.shape[1] + 2), np.bool_)
    padded[1:-1, 1:-1] = ~mask
    return mask & ~neighbours(padded, AROUND)[1:-1, 1:-1]


def reach(free: Mask, start: Mask) -> Mask:
    """The free cells that are connected by their sides with a free cell of ``start``."""
    reached = free & start
    while True:
        wider = reached | (neighbours(reached, SIDES) & free)
        if np.array_equal(wider, reached):
            return reached
        reached = wider


def enclosed(empty: Mask) -> Mask:
    """The empty cells that no way of empty cells, side by side, connects with the edge."""
    edge = np.ones_like(empty)
    edge[1:-1, 1:-1] = False
    return empty & ~reach(empty, edge)


def content_box(mask: Mask) -> tuple[slice, slice]:
    """The bounding box of the masked cells, at least one."""
    rows = np.flatnonzero(mask.any(1))
    columns = np.flatnonzero(mask.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
