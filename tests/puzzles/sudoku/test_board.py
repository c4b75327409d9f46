"""The boards of Sudoku."""

import numpy as np
import pytest

from trmsolve.puzzles.sudoku.board import SIDES, SYMBOLS, USUAL, board_of


@pytest.mark.parametrize(
    ("side", "box"),
    [(4, (2, 2)), (6, (2, 3)), (8, (2, 4)), (9, (3, 3)), (10, (2, 5)), (12, (3, 4)), (16, (4, 4))],
)
def test_boxes_are_nearly_square(side: int, box: tuple[int, int]) -> None:
    board = board_of(side)
    assert (board.box_rows, board.box_columns) == box
    assert board.side == side


@pytest.mark.parametrize("side", SIDES)
def test_each_cell_is_in_a_row_a_column_and_a_box(side: int) -> None:
    board = board_of(side)
    assert board.houses.shape == (3 * side, side)
    for kind in np.split(board.houses, 3):
        assert sorted(kind.ravel().tolist()) == list(range(side * side))
    assert len(board.digits) == side


def test_a_box_is_a_rectangle_of_its_height_and_width() -> None:
    assert board_of(6).houses[13].tolist() == [3, 4, 5, 9, 10, 11]


def test_names() -> None:
    assert USUAL.name_house(0) == "row 1"
    assert USUAL.name_house(10) == "column 2"
    assert USUAL.name_house(26) == "box 9"
    assert board_of(4).name_cell(5) == "r2c2"
    assert USUAL.size == "9 x 9"
    assert SYMBOLS.index("G") == 16


@pytest.mark.parametrize("side", [0, 2, 3, 5, 7, 25])
def test_other_sides_have_no_board(side: int) -> None:
    with pytest.raises(ValueError, match="no Sudoku"):
        board_of(side)
