"""Looking along lines against plain torch: values and gradients."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.support.gradients import random, same_with_gradients
from trmsolve.arc.compression.kernels import MARGIN, STEPS, WIDTH
from trmsolve.arc.compression.lines import LOOKS, MAXIMUM, MIRROR, SHIFT, Lines, look_along
from trmsolve.arc.compression.ranks import DIRECTIONS

ROWS, COLUMNS, GRIDS = 4, 3, 2

LIVE = torch.ones(ROWS, COLUMNS, GRIDS)
LIVE[3:, :, 1] = 0
LIVE[1:, 2:, 1] = 0
"""The second grid has rows of three, two and two cells, and no fourth row."""

ALL = torch.ones(ROWS, COLUMNS, GRIDS)

DIRECTIONS_DOWN_AND_RIGHT = [(int(down), int(right)) for down, right in STEPS]

DOWN = DIRECTIONS_DOWN_AND_RIGHT.index((1, 0))
RIGHT = DIRECTIONS_DOWN_AND_RIGHT.index((0, 1))
UP = DIRECTIONS_DOWN_AND_RIGHT.index((-1, 0))
DOWN_RIGHT = DIRECTIONS_DOWN_AND_RIGHT.index((1, 1))
DOWN_LEFT = DIRECTIONS_DOWN_AND_RIGHT.index((1, -1))

COPIES = 2


def lines(live: Tensor = LIVE) -> Lines:
    rows, columns, grids = live.shape
    return Lines(rows, columns, live.reshape(rows * columns, grids).contiguous().numpy())


def line_values() -> Tensor:
    return random(COPIES, LOOKS, DIRECTIONS * ROWS * COLUMNS * GRIDS)


def views_of(tensor: Tensor) -> Tensor:
    """(copies, channels, directions, rows, columns, grids)"""
    return tensor.view(len(tensor), -1, DIRECTIONS, ROWS, COLUMNS, GRIDS)


def is_inside(row: int, column: int) -> bool:
    return 0 <= row < ROWS and 0 <= column < COLUMNS


def line_through(row: int, column: int, down: int, right: int) -> list[tuple[int, int]]:
    """All cells of the line through a cell, in the direction's order."""
    while is_inside(row - down, column - right):
        row, column = row - down, column - right
    cells = []
    while is_inside(row, column):
        cells.append((row, column))
        row, column = row + down, column + right
    return cells


def all_lines(down: int, right: int) -> list[list[tuple[int, int]]]:
    """Every line of a direction once."""
    found = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            line = line_through(row, column, down, right)
            if line[0] == (row, column):
                found.append(line)
    return found


def plain_maximum_of_line(values: Tensor) -> Tensor:
    """The running maximum of live cells alone, scaled to their range."""
    margin = float(MARGIN)
    span = values.max() - values.min() + 2 * margin
    return 2 * (values.cummax(0).values - values.min() + margin) / span - 1


def plain_maximum(values: Tensor, result: Tensor, live: Tensor, sense: int) -> None:
    """One channel of one copy: (directions, rows, columns, grids)."""
    for direction, (down, right) in enumerate(DIRECTIONS_DOWN_AND_RIGHT):
        for line in all_lines(sense * down, sense * right):
            for grid in range(GRIDS):
                cells = [cell for cell in line if live[*cell, grid]]
                if cells:
                    row, column = zip(*cells, strict=True)
                    found = plain_maximum_of_line(values[direction, row, column, grid])
                    result[direction, row, column, grid] = found


def plain_shift(values: Tensor, result: Tensor, live: Tensor, sense: int) -> None:
    for direction, (down, right) in enumerate(DIRECTIONS_DOWN_AND_RIGHT):
        for row in range(ROWS):
            for column in range(COLUMNS):
                above, before = row - sense * down, column - sense * right
                if is_inside(above, before):
                    behind = values[direction, above, before]
                    result[direction, row, column] = behind * live[above, before]


def plain_mirror(values: Tensor, result: Tensor, live: Tensor, _sense: int) -> None:
    """Each grid is the rectangle of its live cells, which begins in the corner here."""
    for grid in range(GRIDS):
        rows = int(live[..., grid].any(1).sum())
        columns = int(live[..., grid].any(0).sum())
        for direction, (down, right) in enumerate(DIRECTIONS_DOWN_AND_RIGHT):
            inside = (values[direction] * live)[:rows, :columns, grid]
            if right == 0:
                image = inside.flip(0)
            elif down == 0:
                image = inside.flip(1)
            elif rows != columns:
                continue
            elif down == right:
                image = inside.flip(0, 1).T
            else:
                image = inside.T
            result[direction, :rows, :columns, grid] = image


def plain_look(tensor: Tensor, live: Tensor) -> Tensor:
    values = views_of(tensor)
    result = torch.zeros_like(values)
    for copy in range(len(values)):
        for first, look in ((MAXIMUM, plain_maximum), (SHIFT, plain_shift), (MIRROR, plain_mirror)):
            for part in range(WIDTH):
                sense = 1 if part % 2 == 0 else -1
                look(values[copy, first + part], result[copy, first + part], live, sense)
    return result.view(tensor.shape)


@pytest.mark.parametrize("live", [ALL, LIVE], ids=["all cells", "some cells"])
def test_cells_see_what_plain_torch_says(live: Tensor) -> None:
    same_with_gradients(
        lambda tensor: look_along(tensor, lines(live)),
        lambda tensor: plain_look(tensor, live),
        line_values(),
    )


def test_a_line_may_have_gaps() -> None:
    live = LIVE.clone()
    live[1, 1] = 0
    same_with_gradients(
        lambda tensor: look_along(tensor, lines(live))[:, :MIRROR],
        lambda tensor: plain_look(tensor, live)[:, :MIRROR],
        line_values(),
    )


def test_maxima_stay_in_their_range_and_are_zero_outside_of_grids() -> None:
    values = views_of(look_along(100 * line_values(), lines()))
    maxima = values[:, MAXIMUM : MAXIMUM + WIDTH]
    assert maxima.abs().max() <= 1 and not maxima[..., LIVE == 0].any()


def test_a_line_of_equal_values_has_the_middle() -> None:
    values = look_along(torch.full_like(line_values(), 7.0), lines())
    maxima = values[:, MAXIMUM : MAXIMUM + WIDTH]
    torch.testing.assert_close(maxima, torch.zeros_like(maxima), atol=1e-3, rtol=0)


def test_a_grid_of_one_cell_has_no_neighbours_and_is_its_own_image() -> None:
    alone = Lines(1, 1, np.ones((1, 1), np.float32))
    values = random(COPIES, LOOKS, DIRECTIONS)
    found = look_along(values, alone)
    assert not found[:, SHIFT : SHIFT + WIDTH].any()
    assert found[:, MAXIMUM : MAXIMUM + WIDTH].abs().max() < 1e-3
    assert torch.equal(found[:, MIRROR : MIRROR + WIDTH], values[:, MIRROR : MIRROR + WIDTH])


def mirrored(drawing: str, direction: int) -> str:
    """A drawing of digits as one direction sees it mirrored."""
    rows = drawing.split("/")
    numbers = torch.tensor([[float(sign) for sign in row] for row in rows])
    live = torch.ones(*numbers.shape, 1)
    values = torch.zeros(1, LOOKS, DIRECTIONS, *numbers.shape)
    values[:, MIRROR] = numbers
    found = look_along(values.flatten(2), lines(live)).view(values.shape)
    digits = found[0, MIRROR, direction].int().tolist()
    return "/".join("".join(str(digit) for digit in row) for row in digits)


@pytest.mark.parametrize(
    ("direction", "drawing", "expected"),
    [
        (DOWN, "120/340/560", "560/340/120"),
        (UP, "120/340/560", "560/340/120"),
        (RIGHT, "123/456", "321/654"),
        (DOWN_LEFT, "123/456/789", "147/258/369"),
        (DOWN_RIGHT, "123/456/789", "963/852/741"),
        (DOWN_RIGHT, "123/456", "000/000"),
    ],
)
def test_drawings_are_reflected(direction: int, drawing: str, expected: str) -> None:
    assert mirrored(drawing, direction) == expected


def test_every_direction_has_every_cell_once() -> None:
    found = lines()
    for direction, (down, right) in enumerate(DIRECTIONS_DOWN_AND_RIGHT):
        assert sorted(found.order[direction].tolist()) == list(range(ROWS * COLUMNS))
        ends = found.begins[direction, : found.counts[direction] + 1].tolist()
        for begin, end in pairwise(ends):
            row, column = divmod(int(found.order[direction, begin]), COLUMNS)
            line = line_through(row, column, down, right)
            expected = [row * COLUMNS + column for row, column in line]
            assert found.order[direction, begin:end].tolist() == expected
