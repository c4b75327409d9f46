"""The boards of Sudoku: how many cells a side has, and how its boxes lie.

A board of n x n cells has n digits, and its boxes have n cells each. Digits above 9 are written as
letters, from A for 10 on.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

SIDES = (4, 6, 8, 9, 10, 12, 16)
"""The sides of the boards that are read and solved."""

SYMBOLS = ".123456789ABCDEFG"
"""The blank and the digits, each as one character."""


@dataclass(frozen=True)
class Board:
    """A board of ``side`` x ``side`` cells in boxes of ``box_rows`` x ``box_columns``."""

    box_rows: int
    box_columns: int

    @property
    def side(self) -> int:
        """Cells of a row, a column and a box, and how many digits there are."""
        return self.box_rows * self.box_columns

    @property
    def size(self) -> str:
        """The size for people, such as 9 x 9."""
        return f"{self.side} x {self.side}"

    @property
    def digits(self) -> str:
        """The digits as characters, in their order."""
        return SYMBOLS[1 : self.side + 1]

    @cached_property
    def houses(self) -> NDArray[np.int64]:
        """(3n, n): the cells, counted row by row, of each row, then of each column and each box."""
        side = self.side
        cells = np.arange(side * side).reshape(side, side)
        # (bands, rows in a band, stacks, columns in a stack)
        split = cells.reshape(self.box_columns, self.box_rows, self.box_rows, self.box_columns)
        boxes = split.swapaxes(1, 2).reshape(side, side)
        houses: NDArray[np.int64] = np.concatenate([cells, cells.T, boxes])
        return houses

    def name_house(self, number: int) -> str:
        """The name of a row of ``houses``, such as "column 3"."""
        kind, place = divmod(number, self.side)
        return f"{('row', 'column', 'box')[kind]} {place + 1}"

    def name_cell(self, cell: int) -> str:
        """The name of a cell by its row and column from 1, such as r1c9."""
        row, column = divmod(cell, self.side)
        return f"r{row + 1}c{column + 1}"


@lru_cache
def board_of(side: int) -> Board:
    """The board of a side: its boxes are as near to squares as possible, and not higher than wide.

    Raises ValueError for a side that is not one of ``SIDES``.
    """
    if side not in SIDES:
        raise ValueError(f"there is no Sudoku of {side} x {side} cells")
    heights = [height for height in range(2, math.isqrt(side) + 1) if side % height == 0]
    box_rows = heights[-1]
    return Board(box_rows, side // box_rows)


USUAL = board_of(9)
"""The board of which all is meant that says nothing else."""
