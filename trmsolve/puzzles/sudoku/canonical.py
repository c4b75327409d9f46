"""Tells which full Sudoku grids are the same under the symmetries.

The symmetries relabel the digits, exchange rows and columns as the boxes allow, and transpose.
``invariants`` is cheap and takes many grids at once: it is equal for grids that are the same, and
nearly always unequal for others. ``canonical_form`` is exact and takes one grid.

This module knows full grids only, no clues and no search. The exact form is compiled, so importing
this module imports numba.
"""

from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.compiling import kernel
from trmsolve.puzzles.sudoku.compiled import Ints
from trmsolve.puzzles.values import Grid

CHUNK = 4096
"""How many grids are computed together, so that the numbers stay in the processor's cache."""


def _list_pairs() -> Ints:
    """List the first and the second rows (2, 9) of the three pairs of rows in each band."""
    pairs = []
    for first in (0, 3, 6):
        pairs += [(first, first + 1), (first, first + 2), (first + 1, first + 2)]
    return np.array(pairs).T


def _list_column_orders() -> Ints:
    """List every order (1296, 9) of the columns that keeps the stacks together."""
    three = list(permutations(range(3)))
    orders = []
    for stacks in three:
        for inside in product(three, repeat=3):
            order: list[int] = []
            for stack, columns in zip(stacks, inside, strict=True):
                order += [3 * stack + column for column in columns]
            orders.append(order)
    return np.array(orders)


PAIRS = _list_pairs()
COLUMN_ORDERS = _list_column_orders()

OTHER_PAIR = np.array([2, 1, 0])
"""For each row of a band the pair, of the three in ``PAIRS``, without that row."""


def invariants(answers: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Compute a number (N,) for each full grid (N, 9, 9).

    It is equal for grids that are the same under the symmetries, and nearly always unequal for
    others.

    Two rows of a band, read as "this digit stands over that", make a permutation of the digits
    whose cycles no symmetry changes. Rows and columns are told apart by them, cells by their row
    and column, digits by their cells.
    """
    if not len(answers):
        return np.zeros(0, np.uint64)
    starts = range(0, len(answers), CHUNK)
    parts = [_invariants(answers[start : start + CHUNK]) for start in starts]
    return np.concatenate(parts)


def canonical_form(answer: Grid) -> bytes:
    """Find the least grid, read row by row, that the symmetries make of a full grid (9, 9).

    Returns its 81 digits (1 to 9), a byte each. Raises ValueError if a row, column or box of the
    grid does not hold 1 to 9 once each.
    """
    boxes = answer.reshape(3, 3, 3, 3).swapaxes(1, 2).reshape(9, 9)
    houses = np.concatenate((answer, answer.T, boxes))
    if not (np.sort(houses, axis=1) == np.arange(1, 10)).all():
        raise ValueError("only a full and valid grid has a canonical form")
    least = np.full((9, 9), 9, np.int64)
    both_sides = np.stack((answer, answer.T)).astype(np.int64)
    _least(both_sides, COLUMN_ORDERS, least)
    return least.astype(np.int8).tobytes()


def _invariants(grids: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Compute the invariants (N,) of one chunk of grids (N, 9, 9)."""
    rows = _line_invariants(grids)
    columns = _line_invariants(grids.swapaxes(1, 2))
    cells = _mix(rows[:, :, None] + columns[:, None, :])
    order = np.argsort(grids.reshape(-1, 81), axis=1, kind="stable")
    digits = np.take_along_axis(cells.reshape(-1, 81), order, axis=1).reshape(-1, 9, 9)
    each_digit = _mix(digits.sum(-1))
    whole: NDArray[np.uint64] = _mix(each_digit.sum(-1))
    return whole


def _line_invariants(grids: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Compute for each row (N, 9) what the cycles of its band say of it."""
    place = np.empty((*grids.shape[:2], 9), np.int8)  # of each digit in each row
    index = grids.astype(np.int64) - 1
    np.put_along_axis(place, index, np.arange(9, dtype=np.int8)[None, None], axis=2)
    # The permutations (N, 9 pairs, 9 digits), applied once, twice and so on.
    second = grids[:, PAIRS[1]] - np.int8(1)
    once = np.take_along_axis(second, place[:, PAIRS[0]].astype(np.int64), axis=2)
    step = once.astype(np.int64)
    twice = np.take_along_axis(once, step, axis=2)
    thrice = np.take_along_axis(twice, step, axis=2)
    fourth = np.take_along_axis(thrice, step, axis=2)
    cycles = _count_fixed(twice) + 10 * _count_fixed(thrice) + 100 * _count_fixed(fourth)
    pairs = _mix(cycles.astype(np.uint64)).reshape(-1, 3, 3)
    bands = pairs.sum(-1, keepdims=True)
    return _mix(_mix(bands) + bands - pairs[:, :, OTHER_PAIR]).reshape(-1, 9)


def _count_fixed(permuted: NDArray[np.int8]) -> Ints:
    """Count the digits that a permutation (..., 9) leaves where they are."""
    fixed: Ints = (permuted == np.arange(9)).sum(-1)
    return fixed


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter values over all 64 bits, so that sums of them tell apart what went into them.

    This is the end of SplitMix64.
    """
    values = (values + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ values >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return values ^ values >> np.uint64(31)


@kernel
def _least(turned: Ints, orders: Ints, least: Ints) -> None:
    """Make ``least`` the least grid, from a grid and its transpose in ``turned`` (2, 9, 9).

    The first row is always 1 to 9: the choice of the row and of the order of columns is a choice of
    names for the digits. The rows after its band are ordered by their first digit. An attempt that
    is greater than the least so far is left early.
    """
    names = np.empty(10, np.int64)
    rows = np.empty(9, np.int64)
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
                            _rename(grid, rows, columns, names, least)


@kernel
def _rename(grid: Ints, rows: Ints, columns: Ints, names: Ints, least: Ints) -> None:
    """Write the grid into ``least``, with its rows and columns in order and its digits renamed."""
    for row in range(9):
        for column in range(9):
            least[row, column] = names[grid[rows[row], columns[column]]]


@kernel
def _compare(  # noqa: PLR0913  (numba takes no dataclass)
    grid: Ints, rows: Ints, start: int, stop: int, columns: Ints, names: Ints, least: Ints
) -> int:
    """Compare the renamed rows ``start`` to ``stop`` with those of the least grid.

    Returns a number below zero if they are less, zero if they are equal, and else one above.
    """
    for row in range(start, stop):
        for column in range(9):
            difference = names[grid[rows[row], columns[column]]] - least[row, column]
            if difference:
                return difference  # type: ignore[no-any-return]
    return 0


@kernel
def _order_rows(grid: Ints, rows: Ints, column: int, names: Ints) -> None:
    """Fill ``rows[3:]`` with the other two bands.

    The rows of each band are ordered by the name of their digit in the first column, and so are the
    bands.
    """
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
