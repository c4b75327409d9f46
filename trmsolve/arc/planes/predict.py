"""One planes network's predictions for one input of an ARC task, under every symmetry.

Knows the planes network and the task's canvas; nothing of learning, of other networks, or of votes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from trmsolve.arc.planes.batches import Row, planes_batch_of
from trmsolve.arc.planes.canvas import FIRST_COLOUR, Canvas, show
from trmsolve.arc.symmetry import SYMMETRIES, crop, undo_dihedral
from trmsolve.arc.task import Pair
from trmsolve.model.network import Prediction, TinyRecursiveModel
from trmsolve.model.planes import PlanesBatch, PlanesModel
from trmsolve.puzzles.values import Grid


@dataclass(frozen=True, eq=False)
class Question:
    """An input as a network is asked for its output."""

    pair: Pair
    """The pair whose input is asked; its output is never shown to the network."""

    canvas: Canvas
    """The canvas of the pair's task."""

    puzzle: int = 0
    """The task's row in the network's table of embeddings."""


class ViewPrediction(NamedTuple):
    """What the network predicts in one view after one cycle, the view undone."""

    grid: Grid

    confidence: NDArray[np.float32]
    """The probability of each cell of the grid."""

    halt: float
    """The probability that the network would stop here."""


@torch.inference_mode()
def predict(
    model: TinyRecursiveModel,
    question: Question,
    *,
    cycles: int,
    symmetries: Sequence[int] = range(len(SYMMETRIES)),
    on_cycle: Callable[[int, list[ViewPrediction]], None] | None = None,
) -> list[ViewPrediction]:
    """The last prediction of each view of the question's input.

    The network stops when every view would halt, and at the latest after ``cycles``. ``on_cycle``
    is called with the number of each cycle, from 1, and the predictions of all views.
    """
    assert isinstance(model, PlanesModel)
    shown = show(Pair(question.pair.input), question.canvas, symmetries)
    rows = [Row(view, question.canvas.palette, question.puzzle) for view in shown]
    batch = planes_batch_of(rows, model.get_buffer("H_init").device)
    planes = (batch.palette.shape[1], *batch.tokens.shape[1:])
    state = model.initial_state(len(rows), spatial_shape=planes)
    predictions: list[ViewPrediction] = []
    for number in range(1, cycles + 1):
        state, prediction = model.cycle(state, batch)
        halts: list[float] = torch.sigmoid(prediction.halt[:, 0]).tolist()
        over = number == cycles or min(halts) > 0.5
        if over or on_cycle is not None:
            predictions = _read_off(batch, prediction, symmetries, halts)
        if on_cycle is not None:
            on_cycle(number, predictions)
        if over:
            break
    return predictions


def _read_off(
    batch: PlanesBatch, prediction: Prediction, symmetries: Sequence[int], halts: Sequence[float]
) -> list[ViewPrediction]:
    """The grids that the network's output stands for, turned back."""
    probabilities = torch.softmax(prediction.logits.float(), -1)
    highest, planes = probabilities.max(-1)
    symbols = batch.palette.gather(1, planes).view(batch.tokens.shape).cpu().numpy()
    confidence = highest.view(batch.tokens.shape).cpu().numpy()
    found = []
    for view, symmetry in enumerate(symmetries):
        turned = crop(symbols[view], FIRST_COLOUR)
        rows, columns = turned.shape
        grid = undo_dihedral(turned, symmetry)
        certain = undo_dihedral(confidence[view, :rows, :columns], symmetry)
        found.append(ViewPrediction(grid, certain, halts[view]))
    return found
