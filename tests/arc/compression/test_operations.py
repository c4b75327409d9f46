"""The operations against plain torch: their values and their gradients."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.support.gradients import random, same_with_gradients
from trmsolve.arc.compression.lines import LOOKS, Lines, look_along
from trmsolve.arc.compression.operations import (
    LOWEST,
    Axes,
    exchanged,
    normalized,
    softmax_groups,
    softmax_over_axes,
)
from trmsolve.arc.compression.ranks import DIRECTIONS, RANKS, dimension

SIZES = {"d": DIRECTIONS, "x": 4, "y": 3, "e": 2, "c": 2}

CELLS = torch.ones(4, 3, 2)
CELLS[3:, :, 1] = 0
CELLS[1:, 2:, 1] = 0
"""The second example has rows of three, two and two cells, and no fourth row."""

COPIES = 2


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


# Copies

SHAPE = tuple(SIZES[axis] for axis in "dxye")

LINES = Lines(SIZES["x"], SIZES["y"], CELLS.reshape(-1, SIZES["e"]).numpy())


def values_of_both() -> Tensor:
    return random(COPIES, LOOKS, int(np.prod(SHAPE)))


@pytest.mark.parametrize(
    "operation",
    [
        normalized,
        lambda tensor: softmax_over_axes(tensor, SHAPE, softmax_groups("dxye")),
        lambda tensor: look_along(tensor, LINES),
    ],
    ids=["normalized", "softmax", "lines"],
)
def test_copies_are_treated_as_each_is_alone(operation: Callable[[Tensor], Tensor]) -> None:
    both = values_of_both().requires_grad_()
    values = operation(both)
    weights = random(*values.shape, seed=99)
    (gradient,) = torch.autograd.grad((weights * values).sum(), both)
    for copy in range(COPIES):
        alone = values_of_both()[copy][None].requires_grad_()
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
