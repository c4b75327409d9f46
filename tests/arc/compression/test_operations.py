"""The operations against plain torch: their values and their gradients."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from trmsolve.arc.compression.kernels import MARGIN, STEPS
from trmsolve.arc.compression.operations import (
    LOWEST,
    Axes,
    Lines,
    cumulative_maximum,
    exchanged,
    normalized,
    shifted,
    softmax_groups,
    softmax_over_axes,
)
from trmsolve.arc.compression.ranks import DIRECTIONS, RANKS, channels, dimension

SIZES = {"d": DIRECTIONS, "x": 4, "y": 3, "e": 2, "c": 2}

CELLS = torch.ones(4, 3, 2)
CELLS[3:, :, 1] = 0
CELLS[1:, 2:, 1] = 0
"""The second example has rows of three, two and two cells, and no fourth row."""

DIRECTIONS_DOWN_AND_RIGHT = [(int(down), int(right)) for down, right in STEPS]


COPIES = 2


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def same_with_gradients(
    found: Callable[..., Tensor], plain: Callable[..., Tensor], *arguments: Tensor
) -> None:
    """Both functions have equal values, and equal gradients of a random sum of these.

    Means are over a ten-thousandth of a cell more than there are, which is no error here.
    """
    results = []
    for function in (found, plain):
        leaves = [argument.clone().requires_grad_() for argument in arguments]
        value = function(*leaves)
        weights = random(*value.shape, seed=99)
        gradients = torch.autograd.grad((weights * value).sum(), leaves)
        results.append((value, *gradients))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=5e-4)


# Normalization


def test_every_channel_is_normalized_by_itself() -> None:
    values = normalized(3 + 5 * random(2, 4, 30))
    torch.testing.assert_close(values.mean(dim=2), torch.zeros(2, 4), atol=1e-5, rtol=0)
    variance = values.var(dim=2, correction=0)
    torch.testing.assert_close(variance, torch.ones(2, 4), atol=1e-4, rtol=0)


def test_a_single_number_is_normalized_to_zero() -> None:
    lonely = random(2, 4, 1).requires_grad_()
    values = normalized(lonely)
    values.sum().backward()
    assert not values.any()
    assert lonely.grad is not None and not lonely.grad.any()


# Tensors of all ranks that hear each other


def shaped(tensors: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """By rank, with axes apart: (copies times channels, axes...)."""
    views = {}
    for rank, tensor in zip(RANKS, tensors, strict=True):
        views[rank] = tensor.view(-1, *(SIZES[axis] for axis in rank))
    return views


def plain_upwards(*tensors: Tensor) -> Tensor:
    views = shaped(tensors)
    results = []
    for high in RANKS:
        total = torch.zeros_like(views[high])
        for low in RANKS:
            if set(low) <= set(high):
                sizes = [SIZES[axis] if axis in low else 1 for axis in high]
                total = total + views[low].reshape(-1, *sizes)
        results.append(total.view(COPIES, -1))
    return torch.cat(results, dim=1)


def plain_mean(tensor: Tensor, rank: str, axis: str, cells: Tensor | None) -> Tensor:
    """The mean over one axis; for rows and columns, that over the cells that there are."""
    along = dimension(rank, axis)
    if cells is None or axis not in "xy":
        return tensor.mean(along)
    if "x" not in rank:
        cells = cells.amax(0, keepdim=True)
    if "y" not in rank:
        cells = cells.amax(1, keepdim=True)
    sizes = [SIZES[other] if other in "xye" else 1 for other in rank]
    weights = cells.reshape(sizes)
    number = weights.sum(along - 1, keepdim=True)
    # Rows without a cell have a mean of 0.
    share = weights / number.clamp(min=1)
    return (tensor * share).sum(along)


def plain_downwards(cells: Tensor | None, *tensors: Tensor) -> Tensor:
    views = shaped(tensors)
    results = []
    for low in RANKS:
        total = torch.zeros_like(views[low])
        for high in RANKS:
            if set(low) <= set(high):
                total = total + plain_mean_of_axes(views[high], high, low, cells)
        results.append(total.view(COPIES, -1))
    return torch.cat(results, dim=1)


def plain_mean_of_axes(tensor: Tensor, high: str, low: str, cells: Tensor | None) -> Tensor:
    """The mean over all axes that ``low`` has not; columns are averaged before rows."""
    for axis in "dcyxe":
        if axis in high and axis not in low:
            tensor = plain_mean(tensor, high, axis, cells)
            high = high.replace(axis, "")
    return tensor


def all_tensors() -> list[Tensor]:
    tensors = []
    for number, rank in enumerate(RANKS):
        cells = int(np.prod([SIZES[axis] for axis in rank]))
        tensors.append(random(COPIES, 2, cells, seed=number))
    return tensors


def flat(tensors: tuple[Tensor, ...], copies: int = COPIES) -> Tensor:
    """(copies, all numbers of a copy)."""
    return torch.cat([tensor.view(copies, -1) for tensor in tensors], dim=1)


def test_upwards_every_tensor_adds_those_of_contained_ranks() -> None:
    axes = Axes(SIZES)
    same_with_gradients(
        lambda *tensors: flat(exchanged(axes, True, tensors)), plain_upwards, *all_tensors()
    )


@pytest.mark.parametrize("cells", [None, CELLS], ids=["all cells", "some cells"])
def test_downwards_every_tensor_adds_means_of_containing_ranks(cells: Tensor | None) -> None:
    axes = Axes(SIZES, cells)
    same_with_gradients(
        lambda *tensors: flat(exchanged(axes, False, tensors)),
        lambda *tensors: plain_downwards(cells, *tensors),
        *all_tensors(),
    )


def test_arguments_stay_as_they_are() -> None:
    tensors = all_tensors()
    copies = [tensor.clone() for tensor in tensors]
    for upwards in (True, False):
        exchanged(Axes(SIZES), upwards, tensors)
    for tensor, copy in zip(tensors, copies, strict=True):
        assert torch.equal(tensor, copy)


def test_cells_that_no_grid_has_do_not_matter_for_means() -> None:
    axes = Axes(SIZES, CELLS)
    tensors = dict(zip(RANKS, all_tensors(), strict=True))
    before = exchanged(axes, False, list(tensors.values()))
    views = shaped(tuple(tensors.values()))
    for rank in ("xyec", "xye"):
        views[rank][:, 3, :, 1] = 1e4
        views[rank][:, 1, 2, 1] = 1e4
    after = exchanged(axes, False, list(tensors.values()))
    for rank, one, other in zip(RANKS, before, after, strict=True):
        if rank not in ("xyec", "xye", "xec", "xe", "yec", "ye"):
            torch.testing.assert_close(one, other)


# Softmax


def plain_softmax(logits: Tensor, shape: tuple[int, ...], rank: str) -> Tensor:
    copies = []
    for copy in logits:
        exponentials = copy.view(-1, *shape).exp()
        results = []
        for group in softmax_groups(rank):
            results.append(exponentials / exponentials.sum(group, keepdim=True))
        copies.append(torch.cat(results).flatten(1))
    return torch.stack(copies)


@pytest.mark.parametrize(
    ("rank", "groups"),
    [
        ("c", ["c"]),
        ("xe", ["x"]),
        ("ec", ["c"]),
        ("dec", ["d", "c", "dc"]),
        ("xye", ["x", "y", "xy"]),
        ("xyec", ["x", "y", "c", "xy", "xyc"]),
        ("dyec", ["d", "y", "c", "dyc"]),
        ("dxyec", ["d", "x", "y", "c", "xy", "dxyc"]),
    ],
)
def test_groups_are_single_axes_cells_and_all_axes(rank: str, groups: list[str]) -> None:
    expected = []
    for axes in groups:
        expected.append(tuple(dimension(rank, axis) for axis in axes))
    assert softmax_groups(rank) == tuple(expected)


@pytest.mark.parametrize("rank", RANKS)
def test_no_softmax_is_over_examples_and_the_last_is_over_all_else(rank: str) -> None:
    groups = softmax_groups(rank)
    axes_but_examples = rank.replace("e", "")
    assert groups[-1] == tuple(dimension(rank, axis) for axis in axes_but_examples)
    if "e" in rank:
        assert all(dimension(rank, "e") not in group for group in groups)


@pytest.mark.parametrize("rank", RANKS)
def test_softmax_is_taken_over_every_group_of_axes(rank: str) -> None:
    shape = tuple(SIZES[axis] for axis in rank)
    groups = softmax_groups(rank)
    same_with_gradients(
        lambda logits: softmax_over_axes(logits, shape, groups),
        lambda logits: plain_softmax(logits, shape, rank),
        random(COPIES, 2, int(np.prod(shape))),
    )


@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_softmax_sums_to_one_over_each_group(scale: float) -> None:
    shape = tuple(SIZES[axis] for axis in "xyec")
    groups = softmax_groups("xyec")
    logits = (scale * random(COPIES, 2, int(np.prod(shape)))).requires_grad_()
    values = softmax_over_axes(logits, shape, groups)
    for copy in values.view(COPIES, len(groups), 2, *shape):
        for group, part in zip(groups, copy, strict=True):
            sums = part.sum(group)
            torch.testing.assert_close(sums, torch.ones_like(sums))
    (random(*values.shape) * values).sum().backward()
    assert logits.grad is not None and logits.grad.isfinite().all()


def test_a_cell_far_below_all_others_still_has_a_share() -> None:
    logits = torch.tensor([[[0.0, 1000.0]]])
    values = softmax_over_axes(logits, (1, 2), ((1,), (2,), (1, 2)))
    assert values[0, 0].tolist() == [1.0, 1.0]
    assert values[0, 2, 0].item() == pytest.approx(np.exp(LOWEST), rel=1e-4)


# Lines

ROWS, COLUMNS, GRIDS = 4, 3, 2

LIVE = CELLS.reshape(ROWS * COLUMNS, GRIDS)


def lines(live: Tensor = LIVE) -> Lines:
    return Lines(ROWS, COLUMNS, live.contiguous().numpy())


def is_inside(row: int, column: int) -> bool:
    return 0 <= row < ROWS and 0 <= column < COLUMNS


def line_through(row: int, column: int, down: int, right: int) -> list[int]:
    """All cells of the line through a cell, in the direction's order."""
    while is_inside(row - down, column - right):
        row, column = row - down, column - right
    cells = []
    while is_inside(row, column):
        cells.append(row * COLUMNS + column)
        row, column = row + down, column + right
    return cells


def plain_maximum_of_line(values: Tensor) -> Tensor:
    """The running maximum of live cells alone, scaled to their range."""
    margin = float(MARGIN)
    span = values.max() - values.min() + 2 * margin
    return 2 * (values.cummax(0).values - values.min() + margin) / span - 1


def plain_cumulative_maximum(tensor: Tensor, live: Tensor) -> Tensor:
    views = tensor.view(-1, DIRECTIONS, ROWS * COLUMNS, GRIDS)
    result = torch.zeros_like(views)
    for channel in range(views.shape[0]):
        for direction, (down, right) in enumerate(DIRECTIONS_DOWN_AND_RIGHT):
            sense = 1 if channel % 2 == 0 else -1
            for grid in range(GRIDS):
                values = views[channel, direction, :, grid]
                for row in range(ROWS):
                    for column in range(COLUMNS):
                        if is_inside(row - sense * down, column - sense * right):
                            continue
                        line = line_through(row, column, sense * down, sense * right)
                        cells = [cell for cell in line if live[cell, grid]]
                        if cells:
                            found = plain_maximum_of_line(values[cells])
                            result[channel, direction, cells, grid] = found
    return result.view(tensor.shape)


def plain_shifted(tensor: Tensor, live: Tensor) -> Tensor:
    views = tensor.view(-1, DIRECTIONS, ROWS, COLUMNS, GRIDS)
    cells = live.view(ROWS, COLUMNS, GRIDS)
    result = torch.zeros_like(views)
    for channel in range(views.shape[0]):
        for direction, (down, right) in enumerate(DIRECTIONS_DOWN_AND_RIGHT):
            sense = 1 if channel % 2 == 0 else -1
            for row in range(ROWS):
                for column in range(COLUMNS):
                    above = row - sense * down
                    before = column - sense * right
                    if is_inside(above, before):
                        behind = views[channel, direction, above, before]
                        result[channel, direction, row, column] = behind * cells[above, before]
    return result.view(tensor.shape)


def line_values() -> Tensor:
    """Values with an even number of channels: each second one goes the other way in every copy."""
    return random(COPIES, 4, DIRECTIONS * ROWS * COLUMNS * GRIDS)


@pytest.mark.parametrize("live", [torch.ones_like(LIVE), LIVE], ids=["all cells", "some cells"])
def test_the_running_maximum_is_that_of_plain_torch(live: Tensor) -> None:
    same_with_gradients(
        lambda tensor: cumulative_maximum(tensor, lines(live)),
        lambda tensor: plain_cumulative_maximum(tensor, live),
        line_values(),
    )


def test_a_line_may_have_gaps() -> None:
    live = LIVE.clone()
    live[4] = 0  # the cell in the second row and column, of both grids
    same_with_gradients(
        lambda tensor: cumulative_maximum(tensor, lines(live)),
        lambda tensor: plain_cumulative_maximum(tensor, live),
        line_values(),
    )


def test_maxima_stay_in_their_range_and_are_zero_outside_of_grids() -> None:
    values = cumulative_maximum(100 * line_values(), lines())
    views = values.view(-1, DIRECTIONS, ROWS * COLUMNS, GRIDS)
    assert views.abs().max() <= 1
    assert not views[..., LIVE == 0].any()


def test_a_line_of_equal_values_has_the_middle() -> None:
    values = cumulative_maximum(torch.full_like(line_values(), 7.0), lines())
    torch.testing.assert_close(values, torch.zeros_like(values), atol=1e-3, rtol=0)


@pytest.mark.parametrize("live", [torch.ones_like(LIVE), LIVE], ids=["all cells", "some cells"])
def test_cells_take_their_neighbours_as_in_plain_torch(live: Tensor) -> None:
    same_with_gradients(
        lambda tensor: shifted(tensor, lines(live)),
        lambda tensor: plain_shifted(tensor, live),
        line_values(),
    )


def test_a_grid_of_one_cell_has_no_neighbours() -> None:
    alone = Lines(1, 1, np.ones((1, 1), np.float32))
    values = random(COPIES, channels("dxye"), DIRECTIONS)
    assert not shifted(values, alone).any()
    assert cumulative_maximum(values, alone).abs().max() < 1e-3


def test_every_direction_has_every_cell_once() -> None:
    found = lines()
    for direction, (down, right) in enumerate(DIRECTIONS_DOWN_AND_RIGHT):
        assert sorted(found.order[direction].tolist()) == list(range(ROWS * COLUMNS))
        ends = found.begins[direction, : found.counts[direction] + 1].tolist()
        for begin, end in pairwise(ends):
            row, column = divmod(int(found.order[direction, begin]), COLUMNS)
            expected = line_through(row, column, down, right)
            assert found.order[direction, begin:end].tolist() == expected


# Copies

SHAPE = tuple(SIZES[axis] for axis in "dxye")


@pytest.mark.parametrize(
    "operation",
    [
        normalized,
        lambda tensor: softmax_over_axes(tensor, SHAPE, softmax_groups("dxye")),
        lambda tensor: cumulative_maximum(tensor, lines()),
        lambda tensor: shifted(tensor, lines()),
    ],
    ids=["normalized", "softmax", "maximum", "shift"],
)
def test_copies_are_treated_as_each_is_alone(operation: Callable[[Tensor], Tensor]) -> None:
    both = line_values().requires_grad_()
    values = operation(both)
    weights = random(*values.shape, seed=99)
    (gradient,) = torch.autograd.grad((weights * values).sum(), both)
    for copy in range(COPIES):
        alone = line_values()[copy][None].requires_grad_()
        expected = operation(alone)
        total = (weights[copy] * expected).sum()
        (slope,) = torch.autograd.grad(total, alone)
        torch.testing.assert_close(values[copy], expected[0], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(gradient[copy], slope[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("upwards", [True, False])
def test_copies_hear_nothing_of_each_other(upwards: bool) -> None:
    axes = Axes(SIZES, CELLS)
    both = [tensor.requires_grad_() for tensor in all_tensors()]
    heard = flat(exchanged(axes, upwards, both), COPIES)
    weights = random(*heard.shape, seed=99)
    slopes = torch.autograd.grad((weights * heard).sum(), both)
    for copy in range(COPIES):
        alone = [tensor[copy][None].detach().requires_grad_() for tensor in both]
        expected = flat(exchanged(axes, upwards, alone), 1)
        torch.testing.assert_close(heard[copy], expected[0], rtol=1e-5, atol=1e-5)
        slopes_alone = torch.autograd.grad((weights[copy] * expected).sum(), alone)
        for slope, slope_alone in zip(slopes, slopes_alone, strict=True):
            torch.testing.assert_close(slope[copy], slope_alone[0], rtol=1e-5, atol=1e-5)
