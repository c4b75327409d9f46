"""Copies of a trained network that learn tasks, one after the other, and when each of them answers.

Every step of a copy learns from all demonstrations under every symmetry. None is held out to see
when to stop: that would take most of the steps. Everything is learned by heart in the end, so
copies with other seeds and several moments of each copy answer, and vote.

The embedding of a new task begins as the mean of the trained ones (arXiv 2511.02886).
"""

import copy
import math
from collections.abc import Sequence

import numpy as np
import torch

from trmsolve.arc.planes.canvas import canvas_of
from trmsolve.arc.planes.learner import Learner, compile_blocks
from trmsolve.arc.planes.lessons import lesson_rows, lessons
from trmsolve.arc.symmetry import SYMMETRIES
from trmsolve.arc.task import ArcTask
from trmsolve.model.build import new_puzzles
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.recipes import ARC_ADAPTATION, Recipe

SHORTEST = 30.0
"""Seconds that a copy learns at least, where there is time.

Several short copies are worth more than a long one.
"""

LESSON_SECONDS = 1.3e-3
"""Seconds that a copy learns for each cell of its lessons, all planes and symmetries counted.

A task of 12 x 12 cells in five planes with four demonstrations then has half a minute, in which
every lesson comes about 17 times.
"""

CELLS_CPU, CELLS_GPU = 6_000, 100_000
"""Cells of planes in a batch."""

UPDATE_NOISE = 0.3
"""It brought the loss on tests of tasks apart from training from 0.63 to 0.53; 0.7 did as well."""

WARMUP = 10
"""Steps in which the rates rise."""

LAST_RATE = 0.05
"""The rate at the end, as a share of the highest."""

COPY_SEEDS = 1 << 20
"""Seeds of runs are so far apart in the seeds of copies."""


def copy_seconds(tasks: Sequence[ArcTask], seconds: float) -> list[float]:
    """How long each copy learns these tasks together, if there are so many seconds for all copies.

    The more there is to learn, the longer a copy learns, and the fewer copies there are: at least
    one.
    """
    cells = 0
    for task in tasks:
        grids = len(SYMMETRIES) * len(task.demonstrations)
        cells += grids * canvas_of(task).cells
    wanted = max(LESSON_SECONDS * cells, SHORTEST)
    number = max(round(seconds / wanted), 1)
    return [seconds / number] * number


class LearningCopy:
    """A copy of a trained network while it learns tasks together.

    Args:
        model: The trained network; it is not changed.
        tasks: The tasks, each of which gets an embedding of its own.
        seed: What decides the order of the lessons, and the noise.
        settings: Fields of the recipe.
        update_noise: Noise in the updates of z while it learns.
        compiled: Whether torch compiles the work within cells.
    """

    def __init__(  # noqa: PLR0913
        self,
        model: TinyRecursiveModel,
        tasks: Sequence[ArcTask],
        seed: int,
        *,
        settings: dict[str, float] = ARC_ADAPTATION,
        update_noise: float = UPDATE_NOISE,
        compiled: bool = False,
    ) -> None:
        self.canvases = [canvas_of(task) for task in tasks]
        self.steps = 0
        self.loss = math.nan
        torch.manual_seed(seed)  # of the noise
        fresh = new_puzzles(model, len(tasks), update_noise)
        if compiled:
            compile_blocks(fresh)
        recipe = Recipe(fresh.config, batch_size=1, **settings)  # type: ignore[arg-type]
        self._learner = Learner(fresh, recipe)
        device = fresh.get_buffer("H_init").device
        cells = CELLS_CPU if device.type == "cpu" else CELLS_GPU
        rows = lesson_rows(tasks, self.canvases)
        self._lessons = lessons(rows, cells, np.random.default_rng(seed), device)
        self._cycles_left = 0

    def step(self, part: float) -> None:
        """Learn for one step. ``part`` of the copy's time is over: from 0 to 1.

        Raises:
            TrainingError: If the loss is not finite.
        """
        if self._cycles_left == 0:
            episode, self._cycles_left = next(self._lessons)
            self._learner.begin(episode)
        falling = 0.5 * (1 + math.cos(math.pi * min(part, 1.0)))
        rate = LAST_RATE + (1 - LAST_RATE) * falling
        loss = self._learner.step(min(rate, (self.steps + 1) / WARMUP))
        self._cycles_left -= 1
        self.steps += 1
        self.loss = float(loss.tokens.detach()) / len(self._learner.episode.labels)

    def averaged(self) -> TinyRecursiveModel:
        """The network with its averaged weights, ready to answer; learning goes on without it."""
        learner = self._learner
        model = copy.deepcopy(learner.model)
        model.load_state_dict(learner.ema.state_dict(learner.model))
        return model.eval().requires_grad_(False)
