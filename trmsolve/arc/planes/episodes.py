"""Episodes from many ARC tasks: pairs under random symmetries, in batches of about one size.

Knows tasks and their canvases; nothing of networks, clocks or files.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from trmsolve.arc.content import grid_bytes
from trmsolve.arc.hold_out import known_pairs
from trmsolve.arc.planes.batches import Episode, Row, episode_of
from trmsolve.arc.planes.canvas import SYMBOLS, Canvas, canvas_of, show
from trmsolve.arc.planes.learner import draw_cycles
from trmsolve.arc.symmetry import SYMMETRIES
from trmsolve.arc.task import ArcTask, Pair

NEAR = 40
"""A batch mixes a task with the so many tasks before it, when all are sorted by size."""

GO_ON = 0.55
"""The probability of another cycle in an episode, after each."""


@dataclass(frozen=True, eq=False)
class Material:
    """One task to learn from."""

    canvas: Canvas

    pairs: tuple[Pair, ...]
    """Its pairs that have outputs, tests too."""

    puzzle: int
    """Its row in the network's table of embeddings."""


def material_of(tasks: Sequence[ArcTask], most_cells: int) -> list[Material]:
    """The tasks whose grids have at most ``most_cells`` cells of planes.

    The tests are learned from too, so that the network must be evaluated on other tasks. The i-th
    task has row i of the table, whether it is learned from or not.
    """
    found = []
    for number, task in enumerate(tasks):
        if not task.demonstrations:  # all may have been held out elsewhere
            continue
        canvas = canvas_of(task, answers=True)
        if canvas.cells <= most_cells:
            found.append(Material(canvas, tuple(known_pairs(task)), number))
    return found


def content_hash_of(tasks: Sequence[ArcTask], held_out: Sequence[Pair]) -> str:
    """A digest of the tasks, by content and name, and of the pairs that are held out of them.

    Runs keep it, so that it must not change.
    """
    digest = hashlib.sha256()
    for task in tasks:
        digest.update(_named_pairs(task.name, (*task.demonstrations, *task.tests)))
    digest.update(_named_pairs("", held_out))
    return digest.hexdigest()[:16]


def _named_pairs(name: str, pairs: Sequence[Pair]) -> bytes:
    parts = [f"{name} {len(pairs)} ".encode()]
    for pair in pairs:
        parts.append(grid_bytes(pair.input))
        parts.append(b"-" if pair.output is None else grid_bytes(pair.output))
    return b"".join(parts)


class Episodes:
    """An endless supply of episodes, each determined by ``seed`` and how many came before it.

    A batch has about ``cells`` cells of planes.
    """

    def __init__(
        self, material: Sequence[Material], cells: int, device: torch.device, seed: int = 0
    ) -> None:
        self.material = sorted(material, key=lambda one: one.canvas.cells)
        self.cells = cells
        self.device = device
        self.seed = seed
        self.drawn = 0

    def __call__(self) -> tuple[Episode, int]:
        """The next episode, and how many cycles it lasts.

        One task is drawn from all. The rest of the batch is drawn from it and from tasks that are a
        little smaller.
        """
        rng = np.random.default_rng((self.seed, self.drawn))
        self.drawn += 1
        place = int(rng.integers(len(self.material)))
        first = self.material[place]
        near = [first, *self._fitting(place)]
        number = max(self.cells // first.canvas.cells, 1)
        others = rng.integers(len(near), size=number - 1)
        chosen = [first, *(near[index] for index in others)]
        side = first.canvas.side
        planes = len(first.canvas.palette)
        rows = [_draw_row(one, side, planes, rng) for one in chosen]
        episode = episode_of(rows, self.device)
        return episode, draw_cycles(rng, GO_ON)

    def _fitting(self, place: int) -> list[Material]:
        """The tasks shortly before this place whose grids fit on its canvas."""
        canvas = self.material[place].canvas
        fitting = []
        for other in self.material[max(0, place - NEAR) : place]:
            narrow = other.canvas.side <= canvas.side
            if narrow and len(other.canvas.palette) <= len(canvas.palette):
                fitting.append(other)
        return fitting


def _draw_row(one: Material, side: int, planes: int, rng: np.random.Generator) -> Row:
    """A random pair of the task under a random symmetry.

    Where other rows of the batch have more colours, it gets planes that stay empty.
    """
    own = one.canvas.palette
    unused = [symbol for symbol in range(SYMBOLS) if symbol not in own]
    spare = rng.permutation(unused)[: planes - len(own)]
    palette = (*own, *spare.tolist())
    pair = one.pairs[rng.integers(len(one.pairs))]
    symmetry = int(rng.integers(len(SYMMETRIES)))
    (shown,) = show(pair, Canvas(side, palette), [symmetry])
    return Row(shown, palette, one.puzzle)
