"""Predictions of the compression network as tests make them up."""

import torch

from trmsolve.arc.compression.network import Prediction
from trmsolve.arc.compression.puzzle import OUTPUT, CompressionPuzzle
from trmsolve.puzzles.values import Grid

SURE = 50.0
"""A logit or a score that leaves no doubt."""


def random_prediction(puzzle: CompressionPuzzle, seed: int = 0) -> Prediction:
    """Normal numbers, with gradients."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns, examples = puzzle.cells.shape
    parts = []
    for shape in ((puzzle.colours, rows, columns), (rows,), (columns,)):
        parts.append(torch.randn(examples, *shape, 2, generator=generator).requires_grad_())
    return Prediction(parts[0], parts[1], parts[2], torch.zeros(()))


def nothing_said(puzzle: CompressionPuzzle) -> Prediction:
    """All colours, sizes and places are equally likely."""
    rows, columns, examples = puzzle.cells.shape
    return Prediction(
        colours=torch.zeros(examples, puzzle.colours, rows, columns, 2),
        rows=torch.zeros(examples, rows, 2),
        columns=torch.zeros(examples, columns, 2),
        cost=torch.zeros(()),
    )


def say_grid(
    prediction: Prediction, puzzle: CompressionPuzzle, example: int, grid: Grid, side: int = OUTPUT
) -> None:
    """Have the prediction say this grid, at the first row and column, without a doubt."""
    height, width = grid.shape
    numbers = torch.from_numpy(puzzle.palette.searchsorted(grid))
    for colour in range(puzzle.colours):
        logits = SURE * (2 * (numbers == colour + 1).float() - 1)
        prediction.colours[example, colour, :height, :width, side] = logits
    prediction.rows[example, :, side] = -SURE
    prediction.rows[example, :height, side] = SURE
    prediction.columns[example, :, side] = -SURE
    prediction.columns[example, :width, side] = SURE


def say_all(prediction: Prediction, puzzle: CompressionPuzzle) -> None:
    """Have the prediction say all grids that are known."""
    for number, example in enumerate(puzzle.examples):
        for side, numbers in enumerate(example.grids):
            if numbers is not None:
                say_grid(prediction, puzzle, number, puzzle.coloured(numbers), side)
