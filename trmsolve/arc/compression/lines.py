"""Looking along the lines of a grid in the eight directions, with the gradient.

There are four ways to look. Each has ``WIDTH`` channels of its own:

    maximum   the largest value on the line so far: whether something lies ahead or behind
    shift     the value of the neighbour
    mirror    the value of the mirror image in the grid
    settle    the marked cells of the line, moved to its end in their order: how they fall or
              pile up, and how many there are

The first two are those of arXiv 2512.06104. It knows nothing of reflections and of falling, which
many tasks are about.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import Function

from trmsolve.arc.compression import kernels
from trmsolve.arc.compression.kernels import WIDTH
from trmsolve.arc.compression.ranks import DIRECTIONS

MAXIMUM, SHIFT, MIRROR, SETTLE = range(0, 4 * WIDTH, WIDTH)
"""The first channel of each way to look."""

LOOKS = 4 * WIDTH
"""All channels that look along lines."""


class Lines:
    """The lines of a grid of ``rows`` times ``columns`` in every direction, cell after cell.

    ``live`` is (cells, grids), 1 for cells that a grid may have and 0 for others.
    """

    def __init__(self, rows: int, columns: int, live: NDArray[np.float32]) -> None:
        self.rows = rows
        self.columns = columns
        self.live = live
        cells = rows * columns
        self.order = np.empty((DIRECTIONS, cells), np.int64)
        self.begins = np.zeros((DIRECTIONS, cells + 1), np.int64)
        self.counts = np.zeros(DIRECTIONS, np.int64)
        for direction, (down, right) in enumerate(kernels.STEPS.tolist()):
            self._trace(direction, down, right)
        self.images = self._mirror_images()

    def _trace(self, direction: int, down: int, right: int) -> None:
        """Note the lines of one direction: they begin at cells that have none behind them."""
        place = 0
        for cell in range(self.rows * self.columns):
            row, column = divmod(cell, self.columns)
            if self._contains(row - down, column - right):
                continue
            self.begins[direction, self.counts[direction]] = place
            self.counts[direction] += 1
            while self._contains(row, column):
                self.order[direction, place] = row * self.columns + column
                place += 1
                row += down
                column += right
        self.begins[direction, self.counts[direction]] = place

    def _contains(self, row: int, column: int) -> bool:
        return 0 <= row < self.rows and 0 <= column < self.columns

    def _mirror_images(self) -> NDArray[np.int64]:
        """For each direction the cell that a cell of a grid has for its mirror image, or -1.

        A direction along an axis turns that axis round. A diagonal one exchanges rows and columns,
        which only square grids allow. A grid is the rectangle of its live cells.
        """
        grids = self.live.shape[1]
        cells = np.arange(self.rows * self.columns).reshape(self.rows, self.columns)
        live = self.live.reshape(self.rows, self.columns, grids) > 0
        images = np.full((DIRECTIONS, self.rows, self.columns, grids), -1, np.int64)
        for grid in range(grids):
            rectangle = np.ix_(live[..., grid].any(axis=1), live[..., grid].any(axis=0))
            inside = cells[rectangle]
            for direction, (down, right) in enumerate(kernels.STEPS.tolist()):
                image = _reversed_along(inside, down, right)
                if image.shape == inside.shape:
                    images[direction][..., grid][rectangle] = image
        return images.reshape(DIRECTIONS, -1, grids)

    def shaped(self, tensor: Tensor) -> NDArray[np.float32]:
        """The tensor's memory as the kernels take it."""
        cells, grids = self.live.shape
        array: NDArray[np.float32] = tensor.contiguous().numpy()
        return array.reshape(len(tensor), LOOKS, DIRECTIONS, cells, grids)


def _reversed_along(cells: NDArray[np.int64], down: int, right: int) -> NDArray[np.int64]:
    """A rectangle mirrored so that the direction is reversed."""
    if right == 0:
        return cells[::-1]
    if down == 0:
        return cells[:, ::-1]
    if down == right:
        return cells[::-1, ::-1].T
    return cells.T


def look_along(tensor: Tensor, lines: Lines) -> Tensor:
    """What every cell sees along its lines.

    Maxima are from -1 to 1, scaled to the range of their line. The channels ``MAXIMUM`` and
    ``SHIFT`` look along a line in turns in its direction and against it. The first channel of
    ``SETTLE`` says, as logits, which cells are marked; its result is the marks after the move.
    Maxima and what has settled are 0 where no cell is live.

    Args:
        tensor: (copies, LOOKS, cells), where the cells are those of all directions, rows, columns
            and grids, in this order.
        lines: The lines of the grids.

    Returns:
        A tensor of the same shape.
    """
    result: Tensor = _Look.apply(tensor, lines)  # type: ignore[no-untyped-call]
    return result


class _Look(Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, lines: Lines) -> Tensor:
        values = lines.shaped(tensor)
        result = np.empty_like(values)
        longest = int(lines.counts.max())
        of_cells = (len(values), WIDTH, *values.shape[2:])
        of_lines = (len(values), WIDTH, DIRECTIONS, longest, values.shape[4])
        sources = np.empty(of_cells, np.int16)
        lowest = np.empty(of_lines, np.int16)
        highest = np.empty(of_lines, np.int16)
        found = (result, sources, lowest, highest)
        tables = (lines.live, lines.order, lines.begins, lines.counts)
        kernels.maximum_forward(values, MAXIMUM, *tables, *found)
        kernels.shift_cells(values, SHIFT, lines.live, lines.rows, lines.columns, False, result)
        kernels.mirror_cells(values, MIRROR, lines.live, lines.images, False, result)
        kernels.settle_forward(values, SETTLE, *tables, result)
        ctx.lines = lines
        ctx.values = values
        ctx.found = found
        return torch.from_numpy(result).view(tensor.shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        lines: Lines = ctx.lines
        arriving = lines.shaped(gradient)
        into = np.zeros_like(arriving)
        tables = (lines.live, lines.order, lines.begins, lines.counts)
        found: tuple[Any, Any, Any, Any] = ctx.found
        kernels.maximum_backward(arriving, ctx.values, MAXIMUM, *tables, *found, into)
        kernels.shift_cells(arriving, SHIFT, lines.live, lines.rows, lines.columns, True, into)
        kernels.mirror_cells(arriving, MIRROR, lines.live, lines.images, True, into)
        kernels.settle_backward(arriving, ctx.values, SETTLE, *tables, into)
        return torch.from_numpy(into).view(gradient.shape), None
