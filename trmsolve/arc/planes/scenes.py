"""Batches for the planes network: canvases of several grids, and episodes drawn from tasks."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from trmsolve.arc.planes.canvas import Shown
from trmsolve.model.planes import Scene


class Lesson(NamedTuple):
    """A scene and what is right: ``labels`` (B, rows * columns), the places of the right symbols in the palettes."""

    scene: Scene
    labels: Tensor


class Row(NamedTuple):
    """A grid for a scene, the symbols of its planes, and the puzzle whose it is."""

    shown: Shown
    palette: Sequence[int]
    puzzle: int


def scene_of(rows: Sequence[Row], device: torch.device) -> Scene:
    """The scene of grids on canvases of one size, with as many planes each."""
    questions = np.stack([row.shown.question for row in rows])
    columns = (
        [list(row.palette) for row in rows],
        [row.shown.symmetry for row in rows],
        [row.puzzle for row in rows],
    )
    return Scene(
        torch.from_numpy(questions).to(device),
        *(torch.tensor(column, device=device) for column in columns),
    )


def lesson_of(rows: Sequence[Row], device: torch.device) -> Lesson:
    """A scene of grids whose answers are known.

    Every symbol of an answer must be in its palette.
    """
    scene = scene_of(rows, device)
    answers = torch.from_numpy(
        np.stack([row.shown.answer for row in rows if row.shown.answer is not None])
    ).to(device)
    places = (answers.flatten(1)[:, :, None] == scene.palette[:, None]).long().argmax(-1)
    return Lesson(scene, places)
