"""Batches for the planes network: canvases of several grids, and episodes drawn from tasks."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from trmsolve.arc.planes.canvas import Shown
from trmsolve.model.planes import PlanesBatch


class Episode(NamedTuple):
    """A batch whose answers are known."""

    batch: PlanesBatch

    labels: Tensor
    """(B, rows * columns): the number of the right symbol's plane, for each cell."""


class Row(NamedTuple):
    """A grid for a batch."""

    shown: Shown

    palette: Sequence[int]
    """The symbols of its planes."""

    puzzle: int
    """The row of the network's table for the grid's task."""


def planes_batch_of(rows: Sequence[Row], device: torch.device) -> PlanesBatch:
    """The batch of grids on canvases of one size, with equally many planes."""
    questions = np.stack([row.shown.question for row in rows])
    columns = (
        [list(row.palette) for row in rows],
        [row.shown.symmetry for row in rows],
        [row.puzzle for row in rows],
    )
    return PlanesBatch(
        torch.from_numpy(questions).to(device),
        *(torch.tensor(column, device=device) for column in columns),
    )


def episode_of(rows: Sequence[Row], device: torch.device) -> Episode:
    """The episode of grids whose answers are known.

    Every symbol of an answer must be in its palette.
    """
    batch = planes_batch_of(rows, device)
    known = [row.shown.answer for row in rows if row.shown.answer is not None]
    answers = torch.from_numpy(np.stack(known)).to(device)
    symbols = answers.flatten(1)[:, :, None]
    matches = symbols == batch.palette[:, None]
    labels = matches.long().argmax(-1)
    return Episode(batch, labels)
