"""One network's predictions for one input of an ARC task: the cycles under every symmetry, read off and turned back.

Knows the network of planes and the task's canvas; nothing of learning, of other networks, or of
votes.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from trmsolve.arc.planes.canvas import FIRST_COLOUR, Canvas, show
from trmsolve.arc.planes.scenes import Row, scene_of
from trmsolve.arc.symmetry import SYMMETRIES, crop, undo_dihedral
from trmsolve.arc.task import Pair
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.model.planes import PlanesModel
from trmsolve.puzzles.values import Grid


class Frame(NamedTuple):
    """What one cycle of one view says: a grid, the probability of each of its cells, and of halting."""

    grid: Grid
    confidence: NDArray[np.float32]
    halt: float


@torch.inference_mode()
def predict(
    model: TinyRecursiveModel,
    canvas: Canvas,
    pair: Pair,
    *,
    puzzle: int = 0,
    cycles: int,
    symmetries: Sequence[int] = range(len(SYMMETRIES)),
    on_cycle: Callable[[int, list[Frame]], None] | None = None,
) -> list[Frame]:
    """The last frame of each view of the pair's input, the views undone.

    The pair's output is not looked at.

    It is over when every view would halt, at the latest after so many ``cycles``. ``on_cycle`` is
    shown the number of each cycle, from 1, and the frames of all views.
    """
    assert isinstance(model, PlanesModel)
    rows = [
        Row(shown, canvas.palette, puzzle) for shown in show(Pair(pair.input), canvas, symmetries)
    ]
    scene = scene_of(rows, model.get_buffer("H_init").device)
    planes = (scene.palette.shape[1], *scene.tokens.shape[1:])
    state, frames = model.initial_state(len(rows), places=planes), list[Frame]()
    for number in range(1, cycles + 1):
        state, prediction = model.improve(state, scene)
        halts = torch.sigmoid(prediction.halt[:, 0]).tolist()
        over = number == cycles or min(halts) > 0.5
        if over or on_cycle is not None:
            certain, best = torch.softmax(prediction.logits.float(), -1).max(-1)
            symbols = scene.palette.gather(1, best).view(scene.tokens.shape).cpu().numpy()
            sure = certain.view(scene.tokens.shape).cpu().numpy()
            views = zip(symbols, sure, symmetries, halts, strict=True)
            frames = [
                _frame(symbols, sure, symmetry, halt) for symbols, sure, symmetry, halt in views
            ]
        if on_cycle is not None:
            on_cycle(number, frames)
        if over:
            break
    return frames


def _frame(
    symbols: NDArray[np.int64], sure: NDArray[np.float32], symmetry: int, halt: float
) -> Frame:
    turned = crop(symbols, FIRST_COLOUR)
    rows, columns = turned.shape
    return Frame(
        undo_dihedral(turned, symmetry), undo_dihedral(sure[:rows, :columns], symmetry), halt
    )
