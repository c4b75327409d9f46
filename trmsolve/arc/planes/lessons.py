"""The demonstrations of tasks as what a network is taught: all of them, under every symmetry."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch

from trmsolve.arc.planes.batches import Episode, Row, episode_of
from trmsolve.arc.planes.canvas import Canvas, filled, show
from trmsolve.arc.planes.learner import draw_cycles
from trmsolve.arc.task import ArcTask

SHORTEST = 2
"""Cycles of an episode, at least."""

GO_ON = 0.6
"""The probability of another cycle in an episode, after each from the ``SHORTEST`` on."""


def lesson_rows(
    tasks: Sequence[ArcTask], canvases: Sequence[Canvas], held: Mapping[int, int] = {}
) -> list[Row]:
    """The demonstrations of the tasks under all symmetries, on canvases of one size.

    ``held`` says which demonstration of a task is left out, by their numbers.
    """
    side = max(canvas.side for canvas in canvases)
    planes = max(len(canvas.palette) for canvas in canvases)
    rows: list[Row] = []
    for number, task in enumerate(tasks):
        palette = filled(canvases[number].palette, planes)
        canvas = Canvas(side, palette)
        for place, pair in enumerate(task.demonstrations):
            if held.get(number) != place:
                rows += [Row(shown, palette, number) for shown in show(pair, canvas)]
    return rows


def lessons(
    rows: Sequence[Row], cells: int, rng: np.random.Generator, device: torch.device
) -> Iterator[tuple[Episode, int]]:
    """Episodes of about so many cells of planes, and how many cycles each lasts.

    Without end: every row comes once before any comes again.
    """
    first = rows[0]
    of_one = first.shown.question.size * len(first.palette)
    at_once = max(cells // of_one, 1)
    while True:
        order = rng.permutation(len(rows))
        for start in range(0, len(rows), at_once):
            chosen = [rows[index] for index in order[start : start + at_once]]
            yield episode_of(chosen, device), draw_cycles(rng, GO_ON, SHORTEST)
