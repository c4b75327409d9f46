"""Which full Sudoku grids the symmetries turn into each other: relabelled digits, exchanged lines, transposition.

``invariants`` is cheap and for many grids at once: equal for grids that are the same, and nearly
always unequal for others. ``canonical_form`` is exact and for one grid. Knows full grids only, no
clues, and nothing of the search; the exact form is compiled, so importing this file imports numba.
"""

from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.compiling import kernel
from trmsolve.puzzles.sudoku.compiled import Ints
from trmsolve.puzzles.values import Grid

CHUNK = 4096
"""Grids looked at together: what is computed of them stays in the processor's cache."""

PAIRS = np.array(
    [(3 * band + i, 3 * band + j) for band in range(3) for i, j in ((0, 1), (0, 2), (1, 2))]
).T  # (2, 9)
OTHER_PAIR = np.array([2, 1, 0])  # of a band's three pairs of rows the one without row 0, 1, 2

_THREE = list(permutations(range(3)))
COLUMN_ORDERS = np.array(
    [
        [
            3 * stack + column
            for stack, columns in zip(stacks, inside, strict=True)
            for column in columns
        ]
        for stacks, inside in product(_THREE, product(_THREE, repeat=3))
    ]
)  # (1296, 9): every order of the columns that keeps stacks together


def invariants(answers: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Full grids (N, 9, 9) -> (N,): equal if the grids are the same under the symmetries, nearly always unequal else.

    Two rows of a band, read as "this digit stands over that", make a permutation of the digits
    whose cycles no symmetry changes. Rows and columns are told apart by them, cells by their row
    and column, digits by their cells.
    """
    parts = [_invariants(answers[i : i + CHUNK]) for i in range(0, len(answers), CHUNK)]
    return np.concatenate(parts) if parts else np.zeros(0, np.uint64)


def canonical_form(answer: Grid) -> bytes:
    """The 81 digits (1 to 9, a byte each) of the least grid, read row by row, that the symmetries make of a full grid.

    Raises ValueError if a row, column or box of the grid (9, 9) does not hold 1 to 9 once each.
    """
    boxes = answer.reshape(3, 3, 3, 3).swapaxes(1, 2).reshape(9, 9)
    if not (np.sort(np.concatenate((answer, answer.T, boxes)), axis=1) == np.arange(1, 10)).all():
        raise ValueError("only a full and valid grid has a canonical form")
    least = np.full((9, 9), 9, np.int64)
    _least(np.stack((answer, answer.T)).astype(np.int64), COLUMN_ORDERS, least)
    return least.astype(np.int8).tobytes()


def _invariants(grids: NDArray[np.int8]) -> NDArray[np.uint64]:
    rows, columns = _line_marks(grids), _line_marks(grids.swapaxes(1, 2))
    cells = _mixed(rows[:, :, None] + columns[:, None, :])
    order = np.argsort(grids.reshape(-1, 81), axis=1, kind="stable")
    digits = np.take_along_axis(cells.reshape(-1, 81), order, axis=1).reshape(-1, 9, 9)
    marks: NDArray[np.uint64] = _mixed(_mixed(digits.sum(-1)).sum(-1))
    return marks


def _line_marks(grids: NDArray[np.int8]) -> NDArray[np.uint64]:
    """(N, 9): of each row what its band's cycles say of it."""
    place = np.empty((*grids.shape[:2], 9), np.int8)
    np.put_along_axis(
        place, grids.astype(np.int64) - 1, np.arange(9, dtype=np.int8)[None, None], axis=2
    )
    once = np.take_along_axis(
        grids[:, PAIRS[1]] - np.int8(1), place[:, PAIRS[0]].astype(np.int64), axis=2
    )
    index = once.astype(np.int64)
    twice = np.take_along_axis(once, index, axis=2)
    thrice = np.take_along_axis(twice, index, axis=2)
    fourth = np.take_along_axis(thrice, index, axis=2)
    back = [
        (power == np.arange(9)).sum(-1) for power in (twice, thrice, fourth)
    ]  # how many digits are where they were
    pairs = _mixed((back[0] + 10 * back[1] + 100 * back[2]).astype(np.uint64)).reshape(-1, 3, 3)
    bands = pairs.sum(-1, keepdims=True)
    return _mixed(_mixed(bands) + bands - pairs[:, :, OTHER_PAIR]).reshape(-1, 9)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scattered over all 64 bits, so that sums tell apart what went into them (the end of splitmix64)."""
    values = (values + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ values >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return values ^ values >> np.uint64(31)


@kernel
def _least(turned: Ints, orders: Ints, least: Ints) -> None:
    """Makes ``least`` the least grid there is, from the grid and its transpose in ``turned`` (2, 9, 9).

    The first row is always 1 to 9: the choice of it and of the order of columns is a choice of
    names for the digits. Of the rows after its band, the least first digit comes first. What is
    greater than the least so far is left early.
    """
    names, rows = np.empty(10, np.int64), np.empty(9, np.int64)
    for side in range(2):
        grid = turned[side]
        for first in range(9):
            band = first // 3 * 3
            for swapped in range(2):
                rows[0] = first
                rows[1] = band + (first + 1 + swapped) % 3
                rows[2] = band + (first + 2 - swapped) % 3
                for columns in orders:
                    for column in range(9):
                        names[grid[first, columns[column]]] = column + 1
                    if _compare(grid, rows, 1, 2, columns, names, least) <= 0:
                        _order_rows(grid, rows, columns[0], names)
                        if _compare(grid, rows, 1, 9, columns, names, least) < 0:
                            for row in range(9):
                                for column in range(9):
                                    least[row, column] = names[grid[rows[row], columns[column]]]


@kernel
def _compare(
    grid: Ints, rows: Ints, start: int, stop: int, columns: Ints, names: Ints, least: Ints
) -> int:
    """Below, at or above zero as the renamed rows ``start`` to ``stop`` are less than the least, equal or greater."""
    for row in range(start, stop):
        for column in range(9):
            difference = names[grid[rows[row], columns[column]]] - least[row, column]
            if difference:
                return difference  # type: ignore[no-any-return]
    return 0


@kernel
def _order_rows(grid: Ints, rows: Ints, column: int, names: Ints) -> None:
    """Fills ``rows[3:]``: in each band by the name in the first column, and so the bands."""
    at = 3
    for band in range(0, 9, 3):
        if band != rows[0] // 3 * 3:
            for row in range(band, band + 3):
                rows[at] = row
                at += 1
    for start in (3, 6):
        for one, other in ((start, start + 1), (start + 1, start + 2), (start, start + 1)):
            if names[grid[rows[one], column]] > names[grid[rows[other], column]]:
                rows[one], rows[other] = rows[other], rows[one]
    if names[grid[rows[3], column]] > names[grid[rows[6], column]]:
        for row in range(3, 6):
            rows[row], rows[row + 3] = rows[row + 3], rows[row]
