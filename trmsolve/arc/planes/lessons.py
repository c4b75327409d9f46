"""Lessons from many ARC tasks: every pair of every task, under every symmetry, in batches of about one size.

Knows tasks and their canvases; nothing of networks, clocks or files.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from trmsolve.arc.planes.canvas import SYMBOLS, Canvas, canvas_of, show
from trmsolve.arc.planes.learner import lasting
from trmsolve.arc.planes.scenes import Lesson, Row, lesson_of
from trmsolve.arc.symmetry import SYMMETRIES
from trmsolve.arc.task import ArcTask, Pair

NEAR = 40
"""Beside a task there are in a batch those of so many that come before it when all are sorted by size."""

GO_ON = 0.55
"""A lesson lasts one cycle, with this probability another, and so on."""


@dataclass(frozen=True, eq=False)
class Material:
    """One task to learn from: its canvas, its pairs that have outputs, and its row of the network's table."""

    canvas: Canvas
    pairs: tuple[Pair, ...]
    puzzle: int


def material_of(tasks: Sequence[ArcTask], most_cells: int) -> list[Material]:
    """Every pair with an output, tests too, of the tasks whose grids have at most so many cells of planes.

    For networks that are measured on other tasks. The i-th task has row i, whether it is learned
    from or not.
    """
    found = [
        Material(
            canvas_of(task, answers=True),
            tuple(pair for pair in (*task.demonstrations, *task.tests) if pair.output is not None),
            number,
        )
        for number, task in enumerate(tasks)
        if task.demonstrations  # all may have been held out elsewhere
    ]
    return [one for one in found if one.canvas.cells <= most_cells]


def mark_of(tasks: Sequence[ArcTask], held: Sequence[Pair]) -> str:
    """The same for the same tasks, by content and name, with the same pairs held out, and for no others."""
    digest = hashlib.sha256()
    for name, pairs in (
        *((task.name, (*task.demonstrations, *task.tests)) for task in tasks),
        ("", held),
    ):
        digest.update(f"{name} {len(pairs)} ".encode())
        for grid in (grid for pair in pairs for grid in (pair.input, pair.output)):
            digest.update(
                b"-" if grid is None else bytes(grid.shape) + grid.astype(np.int8).tobytes()
            )
    return digest.hexdigest()[:16]


class Lessons:
    """An endless supply of lessons of about ``cells`` cells of planes, drawn by ``seed`` and how many came before."""

    def __init__(
        self, material: Sequence[Material], cells: int, device: torch.device, seed: int = 0
    ) -> None:
        self.material = sorted(material, key=lambda one: one.canvas.cells)
        self.cells, self.device, self.seed = cells, device, seed
        self.drawn = 0

    def __call__(self) -> tuple[Lesson, int]:
        """The next lesson, and how many cycles it lasts.

        One task is drawn from all, and as many pairs as there is room for from those that are a
        little smaller.
        """
        rng = np.random.default_rng((self.seed, self.drawn))
        self.drawn += 1
        at = int(rng.integers(len(self.material)))
        first, before = self.material[at], self.material[max(0, at - NEAR) : at]
        side, planes = first.canvas.side, len(first.canvas.palette)
        near = [
            first,
            *(b for b in before if b.canvas.side <= side and len(b.canvas.palette) <= planes),
        ]
        number = max(self.cells // first.canvas.cells, 1)
        chosen = [first, *(near[i] for i in rng.integers(len(near), size=number - 1))]
        lesson = lesson_of([self._row(one, side, planes, rng) for one in chosen], self.device)
        return lesson, lasting(rng, GO_ON)

    @staticmethod
    def _row(one: Material, side: int, planes: int, rng: np.random.Generator) -> Row:
        """A pair of the task under a symmetry; where others have more colours, it gets planes that stay empty."""
        unused = [symbol for symbol in range(SYMBOLS) if symbol not in one.canvas.palette]
        spare = rng.permutation(unused)[: planes - len(one.canvas.palette)]
        palette = (*one.canvas.palette, *spare.tolist())
        pair, symmetry = one.pairs[rng.integers(len(one.pairs))], int(rng.integers(len(SYMMETRIES)))
        (shown,) = show(pair, Canvas(side, palette), [symmetry])
        return Row(shown, palette, one.puzzle)
