"""How badly a prediction explains the grids of a task, in nats.

The network speaks of a canvas. A grid is a rectangle of it. Where the rectangle lies is not said:
the likelihood of a grid is the sum over all places where it may lie. If sizes are not known, the
likelihood of the size is part of it (arXiv 2512.06104).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from trmsolve.arc.compression.network import Prediction
from trmsolve.arc.compression.puzzle import INPUT, OUTPUT, CompressionPuzzle

SIZE_STEPS = 100
"""Steps in which sizes that must be learned come to count fully."""

FIRST_SIZE_WEIGHT = 0.01
"""Weight of the scores of rows and columns at the first step, if sizes must be learned."""

FIRST_SHARPNESS = 0.1
"""At the first step, places are added up as if their likelihoods were nearer to each other."""

UNKNOWN = -100
"""The label of cells that count for nothing."""


def reconstruction_loss(puzzle: CompressionPuzzle, prediction: Prediction, step: int) -> Tensor:
    """The negative log-likelihood of all known grids, in nats, for each copy.

    ``step`` counts the optimizer's steps from 0.
    """
    logits = with_black(prediction.colours, dim=2)
    log_colours = logits.log_softmax(dim=2)
    still = max(0.0, 1 - step / SIZE_STEPS)
    total = torch.zeros(len(logits))
    fixed = _Fixed(log_colours)
    for number, example in enumerate(puzzle.examples):
        for side in (INPUT, OUTPUT):
            grid = example.grids[side]
            if grid is None:
                continue
            if puzzle.size_known[side] and grid.shape == example.room:
                fixed.add(number, side, grid)
                continue
            rows, columns = example.room
            place = _Place(
                row_scores=prediction.rows[:, number, :rows, side],
                column_scores=prediction.columns[:, number, :columns, side],
                fit=_fit_everywhere(log_colours[:, number, :, :rows, :columns, side], grid),
                shape=grid.shape,
                size_known=puzzle.size_known[side],
            )
            total = total - place.log_likelihood(still)
    return total + fixed.loss()


def with_black(colours: Tensor, dim: int) -> Tensor:
    """Logits of all colours of the palette in dimension ``dim``, from those against black."""
    black = torch.zeros_like(colours.narrow(dim, 0, 1))
    return torch.cat([black, colours], dim=dim)


class _Fixed:
    """Grids that fill their room: they can lie in one place only."""

    def __init__(self, log_colours: Tensor) -> None:
        self.log_colours = log_colours
        _, examples, _, rows, columns, sides = log_colours.shape
        self.labels = np.full((examples, rows, columns, sides), UNKNOWN, np.int64)

    def add(self, number: int, side: int, grid: NDArray[np.int64]) -> None:
        rows, columns = grid.shape
        self.labels[number, :rows, :columns, side] = grid

    def loss(self) -> Tensor:
        copies = len(self.log_colours)
        labels = torch.from_numpy(self.labels).expand(copies, *self.labels.shape)
        of_cells = functional.nll_loss(
            self.log_colours.flatten(0, 1),
            labels.flatten(0, 1),
            ignore_index=UNKNOWN,
            reduction="none",
        )
        return of_cells.view(copies, -1).sum(dim=1)


@dataclass(frozen=True)
class _Place:
    """The scores that decide where a grid lies in its room.

    Attributes:
        row_scores, column_scores: (copies, rows or columns of the room).
        fit: (copies, places down, places right): log-likelihood of the colours for each place.
        shape: Of the grid.
        size_known: Whether the size is known without the scores.
    """

    row_scores: Tensor
    column_scores: Tensor
    fit: Tensor
    shape: tuple[int, ...]
    size_known: bool

    def log_likelihood(self, still: float) -> Tensor:
        """Over all places; ``still`` falls from 1 to 0 while sizes come to count fully."""
        weight = sharpness = 1.0
        if not self.size_known:
            weight = FIRST_SIZE_WEIGHT**still
            sharpness = FIRST_SHARPNESS**still
        rows = self._of_places(weight * self.row_scores, self.shape[0])
        columns = self._of_places(weight * self.column_scores, self.shape[1])
        joint = rows[:, :, None] + columns[:, None, :] + self.fit
        return (sharpness * joint).logsumexp(dim=(1, 2)) / sharpness

    def _of_places(self, scores: Tensor, length: int) -> Tensor:
        """The log-probability of each place of a stretch of so many rows or columns."""
        spans = span_scores(scores)
        places = spans.diagonal(length, dim1=1, dim2=2)
        if self.size_known:
            return places - places.logsumexp(dim=1, keepdim=True)
        return places - spans.logsumexp(dim=(1, 2))[:, None]


def span_scores(scores: Tensor) -> Tensor:
    """(copies, room + 1, room + 1): how well each span, from a row up to another, fits the scores.

    It is the sum of the scores inside less that of those outside; -inf for spans that are empty or
    end before they begin. ``scores`` is (copies, room).
    """
    room = scores.shape[1]
    sums = functional.pad(scores.cumsum(dim=1), (1, 0))
    inside = sums[:, None, :] - sums[:, :, None]
    impossible = torch.ones(room + 1, room + 1, dtype=torch.bool).tril()
    return (2 * inside - sums[:, -1, None, None]).masked_fill(impossible, -math.inf)


def _fit_everywhere(log_colours: Tensor, grid: NDArray[np.int64]) -> Tensor:
    """The log-likelihood of the grid's colours for every place in its room.

    ``log_colours`` is (copies, colours, rows, columns).
    """
    wanted = functional.one_hot(torch.from_numpy(grid), log_colours.shape[1])
    kernel = wanted.permute(2, 0, 1).to(log_colours.dtype)
    return functional.conv2d(log_colours, kernel[None])[:, 0]
