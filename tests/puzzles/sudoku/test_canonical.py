"""Which Sudoku grids are the same: the cheap invariant of many and the exact form of one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.sudoku.symmetry import random_view
from trmsolve.puzzles.values import Grid, Puzzle

SUDOKU = get_task("sudoku")


def grid_of(cells: str) -> Grid:
    return np.array([int(c) for c in cells], np.int8).reshape(9, 9)


ANSWER = grid_of(
    "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
)
CYCLIC = np.array(
    [[(3 * (r % 3) + r // 3 + c) % 9 + 1 for c in range(9)] for r in range(9)], np.int8
)
# Of all grids the first, read row by row: its form is itself.
FIRST = grid_of("123456789456789123789123456214365897365897214897214365531642978642978531978531642")
SEEDS = st.integers(0, 2**32 - 1)


def marks(*grids: Grid) -> list[int]:
    return [int(mark) for mark in SUDOKU.invariant(np.stack(grids))]


def seen(grid: Grid, seed: int) -> Grid:
    return random_view(np.random.default_rng(seed)).apply(grid)


def form(grid: Grid) -> Grid:
    return np.frombuffer(SUDOKU.canonical(grid), np.int8).reshape(9, 9)


@given(SEEDS, st.sampled_from([ANSWER, CYCLIC, FIRST]))
@settings(deadline=None)  # the first call compiles
def test_no_symmetry_changes_invariant_or_form(seed: int, grid: Grid) -> None:
    view = seen(grid, seed)
    assert marks(view) == marks(grid)
    assert SUDOKU.canonical(view) == SUDOKU.canonical(grid)


def exchanged(grid: Grid) -> Grid:
    """Another grid: two digits change places where they stand crosswise in two rows of a band."""
    for pair in ((0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5), (6, 7), (6, 8), (7, 8)):
        one, other = pair
        for left, right in np.argwhere(grid[one][:, None] == grid[other]):
            if grid[other, left] == grid[one, right]:
                twin = grid.copy()
                for column in (left, right):
                    twin[pair, column] = grid[pair[::-1], column]
                return twin
    raise AssertionError("no such rectangle")


def test_other_grids_have_others() -> None:
    twin = exchanged(ANSWER)
    assert (
        SUDOKU.verify(Puzzle(np.zeros((9, 9), np.int8)), twin).verified
        and (twin != ANSWER).sum() == 4
    )
    grids = [ANSWER, CYCLIC, FIRST, twin]
    assert len(set(marks(*grids))) == 4
    assert len({SUDOKU.canonical(grid) for grid in grids}) == 4


def test_the_form_is_the_least_grid_and_has_itself_for_form() -> None:
    assert np.array_equal(form(FIRST), FIRST)
    for seed in range(20):
        grid = seen(exchanged(ANSWER), seed)
        least = form(grid)
        assert SUDOKU.verify(Puzzle(np.zeros((9, 9), np.int8)), least).verified
        assert SUDOKU.canonical(least) == least.tobytes() and marks(least) == marks(grid)
        assert SUDOKU.canonical(seen(grid, seed)) == least.tobytes() <= seen(grid, seed).tobytes()


def test_the_invariant_takes_any_number_of_grids_in_any_memory_order() -> None:
    assert SUDOKU.invariant(np.zeros((0, 9, 9), np.int8)).shape == (0,)
    many = np.stack([seen(ANSWER if seed % 2 else CYCLIC, seed) for seed in range(50)])
    found = SUDOKU.invariant(
        np.asfortranarray(np.tile(many, (100, 1, 1)))
    )  # more than are looked at together
    assert found.shape == (5000,) and found.dtype == np.uint64
    assert found.tolist() == marks(CYCLIC, ANSWER) * 2500


def test_only_a_full_grid_has_a_form() -> None:
    blank, twice = ANSWER.copy(), ANSWER.copy()
    blank[3, 3] = 0
    twice[0, 0] = twice[0, 1]
    for grid in (blank, twice):
        with pytest.raises(ValueError, match="full and valid"):
            SUDOKU.canonical(grid)
