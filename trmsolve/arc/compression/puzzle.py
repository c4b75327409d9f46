"""An ARC task as the compression network sees it: grids of few colours, and where they may lie."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trmsolve.arc.task import ArcTask
from trmsolve.puzzles.values import Grid

INPUT, OUTPUT = 0, 1
"""The two grids of an example."""

Shape = tuple[int, int]


@dataclass(frozen=True)
class Example:
    """One demonstration or test.

    Attributes:
        grids: Input and output as numbers of the palette; the output of a test is None.
        shapes: The shape of each grid; for a test's output what is expected, or the largest.
    """

    grids: tuple[NDArray[np.int64], NDArray[np.int64] | None]
    shapes: tuple[Shape, Shape]

    @property
    def room(self) -> Shape:
        """The rows and columns within which both grids lie."""
        (rows_in, columns_in), (rows_out, columns_out) = self.shapes
        return max(rows_in, rows_out), max(columns_in, columns_out)


class CompressionPuzzle:
    """A task in the form that the network learns.

    Attributes:
        task: The task.
        palette: The task's colours in order; black, which is 0, is always the first.
        examples: The demonstrations, then the tests.
        size_known: For inputs and outputs, whether their sizes follow from the demonstrations or
            are all the same, so that sizes need not be learned.
    """

    def __init__(self, task: ArcTask) -> None:
        self.task = task
        demonstrations = task.demonstrations
        inputs = [pair.input for pair in (*demonstrations, *task.tests)]
        outputs: list[Grid] = []
        for pair in demonstrations:
            assert pair.output is not None
            outputs.append(pair.output)
        self.palette = _palette((*inputs, *outputs))
        same = all(
            pair.input.shape == out.shape for pair, out in zip(demonstrations, outputs, strict=True)
        )
        outputs_alike = len({grid.shape for grid in outputs}) == 1
        inputs_alike = len({grid.shape for grid in inputs}) == 1
        self.size_known = (same or inputs_alike, same or outputs_alike)
        expected = _largest((*inputs, *outputs))
        if outputs_alike:
            expected = _shape(outputs[0])
        self.examples: list[Example] = []
        for number, grid in enumerate(inputs):
            output = outputs[number] if number < len(outputs) else None
            shape = expected
            if output is not None:
                shape = _shape(output)
            elif same:
                shape = _shape(grid)
            known = None if output is None else self._numbered(output)
            shapes = (_shape(grid), shape)
            self.examples.append(Example((self._numbered(grid), known), shapes))

    @property
    def colours(self) -> int:
        """Colours besides black."""
        return len(self.palette) - 1

    @property
    def cells(self) -> Tensor:
        """(rows, columns, examples): 1 for cells that the input or the output may have."""
        rows = max(example.room[0] for example in self.examples)
        columns = max(example.room[1] for example in self.examples)
        cells = torch.zeros(rows, columns, len(self.examples))
        for number, example in enumerate(self.examples):
            for height, width in example.shapes:
                cells[:height, :width, number] = 1
        return cells

    def coloured(self, numbers: NDArray[np.int64]) -> Grid:
        """The grid whose cells are numbers of the palette."""
        grid: Grid = self.palette[numbers].astype(np.int8)
        return grid

    def _numbered(self, grid: Grid) -> NDArray[np.int64]:
        return np.searchsorted(self.palette, grid)


def _palette(grids: Iterable[Grid]) -> NDArray[np.int64]:
    """The colours in order. At least one besides black: the network has no size for none."""
    colours = {0}
    for grid in grids:
        colours |= set(np.unique(grid).tolist())
    if len(colours) == 1:
        colours.add(1)
    return np.array(sorted(colours), dtype=np.int64)


def _shape(grid: Grid) -> Shape:
    rows, columns = grid.shape
    return rows, columns


def _largest(grids: Sequence[Grid]) -> Shape:
    heights = [grid.shape[0] for grid in grids]
    widths = [grid.shape[1] for grid in grids]
    return max(heights), max(widths)
