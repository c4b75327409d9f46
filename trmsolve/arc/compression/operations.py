"""The operations of the network that torch has no function for, each with its gradient.

Tensors are (copies, channels, cells): all axes of a rank are flattened into one, in the order of
``ranks``. Copies have nothing to do with each other: together they only cost fewer calls.
Everything is float32 on the CPU.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

from trmsolve.arc.compression.ranks import RANKS, STEPS, dimension

Groups = tuple[tuple[int, ...], ...]
"""Sets of dimensions."""

LOWEST = -60.0
"""Exponents below it are raised to it, so that no sum over a part of the cells becomes 0."""


def normalized(tensor: Tensor) -> Tensor:
    """Each channel with mean 0 and variance 1 over everything else.

    A channel of a single number becomes 0.
    """
    cells = tensor.shape[-1]
    if cells == 1:
        return 0 * tensor
    return functional.layer_norm(tensor, (cells,), eps=1e-8)


class Axes:
    """The sizes of the axes of a task, and the averages over them.

    Rows and columns of an example are averaged over the cells that its grids may have, if
    ``cells`` (rows, columns, examples) says which those are: 1 for such a cell, 0 for others.
    """

    def __init__(self, sizes: dict[str, int], cells: Tensor | None = None) -> None:
        self.sizes = sizes
        self.shapes = {rank: tuple(sizes[axis] for axis in rank) for rank in RANKS}
        self._shares: dict[tuple[str, str], Tensor] = {}
        if cells is None:
            return
        for rank in RANKS:
            for axis in "xy":
                if axis in rank:
                    self._shares[rank, axis] = self._share(rank, axis, cells)

    def _share(self, rank: str, axis: str, cells: Tensor) -> Tensor:
        """The weight of each cell in the mean over one axis, in the shape of the rank."""
        if "x" not in rank:
            cells = cells[:1]
        if "y" not in rank:
            cells = cells[:, :1]
        total = cells.sum("xy".index(axis), keepdim=True)
        share = cells / (total + 1e-4)
        sizes = [self.sizes[other] if other in "xye" else 1 for other in rank]
        return share.reshape([1, *sizes])

    def add_lower(self, tensors: dict[str, Tensor]) -> None:
        """Add to each tensor all those of the ranks that it contains."""
        for low, high, axis in STEPS:
            tensors[high] += tensors[low].unsqueeze(dimension(high, axis))

    def add_lower_gradient(self, gradients: dict[str, Tensor]) -> None:
        """Turn the gradients of ``add_lower``'s results into those of its arguments."""
        for low, high, axis in reversed(STEPS):
            gradients[low] += gradients[high].sum(dimension(high, axis))

    def add_means_of_higher(self, tensors: dict[str, Tensor]) -> None:
        """Add to each tensor the means of all those whose ranks contain its own."""
        for low, high, axis in reversed(STEPS):
            share = self._shares.get((high, axis))
            along = dimension(high, axis)
            if share is None:
                tensors[low] += tensors[high].mean(along)
            else:
                tensors[low] += (tensors[high] * share).sum(along)

    def add_means_of_higher_gradient(self, gradients: dict[str, Tensor]) -> None:
        """Turn the gradients of ``add_means_of_higher``'s results into those of its arguments."""
        for low, high, axis in STEPS:
            share = self._shares.get((high, axis))
            spread = gradients[low].unsqueeze(dimension(high, axis))
            if share is None:
                gradients[high].add_(spread, alpha=1 / self.sizes[axis])
            else:
                gradients[high].addcmul_(spread, share)


def exchanged(axes: Axes, upwards: bool, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The tensors of all ranks, in their order, after they have heard each other.

    Upwards each one adds those of the ranks that it contains, downwards the means of those that
    contain it.
    """
    results: tuple[Tensor, ...] = _Exchange.apply(axes, upwards, *tensors)  # type: ignore[no-untyped-call]
    return results


class _Exchange(Function):
    @staticmethod
    def forward(ctx: Any, axes: Axes, upwards: bool, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.axes = axes
        ctx.upwards = upwards
        shaped = _shaped(axes, tensors)
        if upwards:
            axes.add_lower(shaped)
        else:
            axes.add_means_of_higher(shaped)
        return _flat(shaped, tensors)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        axes: Axes = ctx.axes
        shaped = _shaped(axes, gradients)
        if ctx.upwards:
            axes.add_lower_gradient(shaped)
        else:
            axes.add_means_of_higher_gradient(shaped)
        return (None, None, *_flat(shaped, gradients))


def _shaped(axes: Axes, tensors: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """Duplicates of the tensors, (copies times channels, axes...)."""
    shaped = {}
    for rank, tensor in zip(RANKS, tensors, strict=True):
        shaped[rank] = tensor.clone().view(-1, *axes.shapes[rank])
    return shaped


def _flat(shaped: dict[str, Tensor], like: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    pairs = zip(RANKS, like, strict=True)
    return tuple(shaped[rank].view(tensor.shape) for rank, tensor in pairs)


@cache
def softmax_groups(rank: str) -> Groups:
    """The sets of dimensions over which a softmax is taken: never the examples.

    They are every axis by itself, rows and columns together, and all axes; the last has all. The
    public code takes all subsets. In the largest tensor those are 15 instead of 6, and were two
    fifths of the time of a step.
    """
    axes = [axis for axis in rank if axis != "e"]
    groups: list[tuple[int, ...]] = [(dimension(rank, axis),) for axis in axes]
    if {"x", "y"} < set(axes):
        groups.append((dimension(rank, "x"), dimension(rank, "y")))
    if len(axes) > 1:
        groups.append(tuple(dimension(rank, axis) for axis in axes))
    return tuple(groups)


@cache
def tied_groups(rank: str) -> tuple[int, ...]:
    """For each of ``softmax_groups`` the number of its weights: rows and columns share theirs."""
    numbers: list[int] = []
    like_rows: dict[tuple[int, ...], int] = {}
    both = {"x", "y"} <= set(rank)
    for group in softmax_groups(rank):
        turned = group
        if both:
            rows = dimension(rank, "x")
            columns = dimension(rank, "y")
            if columns in group and rows not in group:
                turned = tuple(rows if along == columns else along for along in group)
        numbers.append(like_rows.setdefault(turned, len(like_rows)))
    return tuple(numbers)


def softmax_over_axes(logits: Tensor, shape: tuple[int, ...], groups: Groups) -> Tensor:
    """The softmax over every group of axes: (copies, groups times channels, cells).

    ``logits`` is (copies, channels, cells), and ``shape`` the axes that the cells are made of.
    """
    result: Tensor = _SoftmaxOverAxes.apply(logits, shape, groups)  # type: ignore[no-untyped-call]
    return result


class _SoftmaxOverAxes(Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, shape: tuple[int, ...], groups: Groups) -> Tensor:
        copies, channels, _ = logits.shape
        shaped = logits.view(copies * channels, *shape)
        exponentials = shaped - shaped.amax(groups[-1], keepdim=True)
        exponentials.clamp_(min=LOWEST).exp_()
        results = torch.empty(copies, len(groups), channels, *shape)
        by_copy = exponentials.view(copies, channels, *shape)
        for number, group in enumerate(groups):
            total = exponentials.sum(group, keepdim=True).unflatten(0, (copies, channels))
            torch.mul(by_copy, total.reciprocal(), out=results[:, number])
        ctx.save_for_backward(results)
        ctx.groups = groups
        return results.view(copies, len(groups) * channels, -1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (results,) = ctx.saved_tensors
        copies, _, channels = results.shape[:3]
        weighted = results * gradient.view(results.shape)
        total = weighted.sum(dim=1)
        for number, group in enumerate(ctx.groups):
            # Dimensions are those of (channels, axes...), behind the copies here.
            behind_copies = [dimension + 1 for dimension in group]
            along = weighted[:, number].sum(behind_copies, keepdim=True)
            total.addcmul_(results[:, number], along, value=-1)
        return total.view(copies, channels, -1), None, None
