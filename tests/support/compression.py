"""Predictions of the compression network as tests make them up."""

from collections.abc import Sequence

import torch

from trmsolve.arc.compression.network import Prediction
from trmsolve.arc.compression.puzzle import OUTPUT, CompressionPuzzle
from trmsolve.puzzles.values import Grid

SURE = 50.0
"""A logit or a score that leaves no doubt."""


def random_prediction(puzzle: CompressionPuzzle, *seeds: int) -> Prediction:
    """Normal numbers, with gradients: a copy for each seed."""
    rows, columns, examples = puzzle.cells.shape
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    parts = []
    for shape in ((puzzle.colours, rows, columns), (rows,), (columns,)):
        drawn = [torch.randn(examples, *shape, 2, generator=one) for one in generators]
        parts.append(torch.stack(drawn).requires_grad_())
    return Prediction(parts[0], parts[1], parts[2], torch.zeros(len(seeds)))


def nothing_said(puzzle: CompressionPuzzle) -> Prediction:
    """All colours, sizes and places are equally likely, says one copy."""
    rows, columns, examples = puzzle.cells.shape
    return Prediction(
        colours=torch.zeros(1, examples, puzzle.colours, rows, columns, 2),
        rows=torch.zeros(1, examples, rows, 2),
        columns=torch.zeros(1, examples, columns, 2),
        cost=torch.zeros(1),
    )


def together(predictions: Sequence[Prediction]) -> Prediction:
    """The predictions of several copies in one."""
    return Prediction(
        colours=torch.cat([one.colours for one in predictions]),
        rows=torch.cat([one.rows for one in predictions]),
        columns=torch.cat([one.columns for one in predictions]),
        cost=torch.cat([one.cost for one in predictions]),
    )


def of_copy(prediction: Prediction, copy: int) -> Prediction:
    """The prediction of one of the copies."""
    one = slice(copy, copy + 1)
    return Prediction(
        colours=prediction.colours[one],
        rows=prediction.rows[one],
        columns=prediction.columns[one],
        cost=prediction.cost[one],
    )


def say_grid(
    prediction: Prediction, puzzle: CompressionPuzzle, example: int, grid: Grid, side: int = OUTPUT
) -> None:
    """Have all copies say this grid, at the first row and column, without a doubt."""
    height, width = grid.shape
    numbers = torch.from_numpy(puzzle.palette.searchsorted(grid))
    for colour in range(puzzle.colours):
        logits = SURE * (2 * (numbers == colour + 1).float() - 1)
        prediction.colours[:, example, colour, :height, :width, side] = logits
    prediction.rows[:, example, :, side] = -SURE
    prediction.rows[:, example, :height, side] = SURE
    prediction.columns[:, example, :, side] = -SURE
    prediction.columns[:, example, :width, side] = SURE


def say_all(prediction: Prediction, puzzle: CompressionPuzzle) -> None:
    """Have the prediction say all grids that are known."""
    for number, example in enumerate(puzzle.examples):
        for side, numbers in enumerate(example.grids):
            if numbers is not None:
                say_grid(prediction, puzzle, number, puzzle.coloured(numbers), side)
