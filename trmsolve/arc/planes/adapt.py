"""Learning an unseen ARC task from its own demonstrations: test-time training of all weights of a network of planes.

Nobody knows the rule but the demonstrations, so the network is taught them, under every symmetry,
until it reproduces what it was not shown: demonstration after demonstration is held out of a copy
of the network that learns the others. What that took says how long the last copy learns them all.
Where held-out demonstrations stay wrong, the last copy gets what is left of the budget. Copies that
proved themselves vote beside the last one.

The embedding of a new task begins as the mean of the trained ones (arXiv 2511.02886). The given
network is not changed. Knows networks, lessons and a clock; nothing of files and terminals.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from trmsolve.arc.adaptation import Budget, new_puzzles
from trmsolve.arc.planes.canvas import Canvas, canvas_of, filled, show
from trmsolve.arc.planes.learner import Learner, compile_blocks, lasting
from trmsolve.arc.planes.predict import predict
from trmsolve.arc.planes.scenes import Lesson, Row, lesson_of
from trmsolve.arc.task import Adapting, ArcTask
from trmsolve.arc.vote import vote
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.recipes import ARC_ADAPTING, Recipe

LEAST_STEPS, SOME_STEPS = 30, 8
"""A demonstration is held out only if there is time for so many steps: nothing is learned in fewer.

Some tell.
"""

FIRST_CHECK, CHECK_AGAIN = 16, 1.3
"""A copy is tried on its held-out demonstration after so many steps, and again whenever it has done so much more."""

LAST_FACTOR = 1.5
"""The last copy learns so many times longer than the slowest of the others needed."""

CELLS_CPU, CELLS_GPU = 6_000, 100_000
"""Cells of planes in a batch."""

UPDATE_NOISE = 0.3
"""On tasks kept apart from training this brought the loss on tests from 0.63 to 0.53, with 0.7 it was the same."""

WARMUP = 10

SHORTEST, GO_ON = 2, 0.6
"""Cycles of a lesson, and the probability of another, and so on."""


@dataclass
class Adapted:
    """Copies of the network that have learned the tasks, the last of them from all demonstrations."""

    models: list[TinyRecursiveModel]
    canvases: list[Canvas]  # of each task
    ended: list[Adapting]  # of each task


@dataclass
class _Clock:
    """What is left of a budget, in seconds or in steps, for all tasks together."""

    budget: Budget
    tasks: int
    begun: float = field(default_factory=time.monotonic)
    steps: int = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun

    @property
    def allowed(self) -> float:
        """All of the budget, in its own unit."""
        return self.budget.seconds * self.tasks if self.budget.steps is None else self.budget.steps

    @property
    def used(self) -> float:
        return self.seconds if self.budget.steps is None else self.steps


class Adapter:
    """Learns tasks together in one network, each with an embedding of its own.

    ``report`` is told of every step, once for each task; ``stop`` says to answer with what there
    is.
    """

    def __init__(
        self,
        model: TinyRecursiveModel,
        tasks: Sequence[ArcTask],
        budget: Budget,
        *,
        cycles: int,
        seed: int = 0,
        compiled: bool = False,
        settings: dict[str, float] = ARC_ADAPTING,
        update_noise: float = UPDATE_NOISE,
        report: Callable[[Adapting], None] = lambda adapting: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.tasks, self.cycles, self.seed, self.report, self.stop = (
            tasks,
            cycles,
            seed,
            report,
            stop,
        )
        self.device = model.get_buffer("H_init").device
        self.cells = CELLS_CPU if self.device.type == "cpu" else CELLS_GPU
        self.fresh = new_puzzles(model, len(tasks), update_noise)
        if compiled:
            compile_blocks(self.fresh)
        self.recipe = Recipe(self.fresh.config, batch_size=1, **settings)  # type: ignore[arg-type]
        self.canvases = [canvas_of(task) for task in tasks]
        self.clock = _Clock(budget, len(tasks))
        self.solved: list[int | None] = [None] * len(tasks)
        self.loss = math.nan
        # A copy that did not prove itself, and its steps: should the last one get fewer, that one
        # knows more.
        self.spare: tuple[TinyRecursiveModel, int] | None = None

    def adapt(self) -> Adapted:
        """Learn within the budget."""
        torch.manual_seed(self.seed)  # of the noise
        models, needed = list[TinyRecursiveModel](), list[int]()
        trials = max(len(task.demonstrations) for task in self.tasks)
        # If each trial needs all of its time, the last copy still can learn longer than any.
        share = self.clock.allowed / (trials + LAST_FACTOR)
        for trial in range(trials if trials > 1 else 0):
            model, steps = self._trial(trial, share * (trial + 1))
            if model is None:
                break  # the last copy needs the time more than the others
            models.append(model)
            needed.append(steps)
        last, steps, why = self._last(
            math.ceil(LAST_FACTOR * max(needed)) if len(models) == trials else None
        )
        if self.spare is not None and self.spare[1] > steps:
            last = self.spare[0]
        ended = [self._adapting(task, why) for task in range(len(self.tasks))]
        for adapting in ended:
            self.report(adapting)
        return Adapted([*models, last], self.canvases, ended)

    def _trial(self, trial: int, until: float) -> tuple[TinyRecursiveModel | None, int]:
        """A copy that learns all but one demonstration of each task until it reproduces those, and how long it took.

        None if it did not before the clock says ``until``.
        """
        clock = self.clock
        if clock.budget.steps is not None and until - clock.used < LEAST_STEPS:
            return None, 0
        held = {
            number: trial
            for number, task in enumerate(self.tasks)
            if 1 < len(task.demonstrations) > trial
        }
        begun = clock.used
        for number in held:
            self.solved[number] = self.solved[number] or 0
        learner, steps, check = Learner(copy.deepcopy(self.fresh), self.recipe), 0, FIRST_CHECK
        for lesson, cycles in self._lessons(held, trial):
            steps += self._learn(learner, lesson, cycles, min(1.0, (steps + 1) / WARMUP))
            if steps >= check:
                check = math.ceil(steps * CHECK_AGAIN)
                model = averaged(learner)
                for number in [
                    number for number in held if self._reproduces(model, number, held[number])
                ]:
                    self.solved[number] = (self.solved[number] or 0) + 1
                    del held[number]
                if not held:
                    return model, steps
            slow = (
                steps >= SOME_STEPS and begun + (clock.used - begun) / steps * LEAST_STEPS > until
            )
            if clock.used >= until or slow or self.stop():
                break
        self.spare = averaged(learner), steps
        return None, steps

    def _last(self, steps: int | None) -> tuple[TinyRecursiveModel, int, str]:
        """A copy that learns all demonstrations, for so many steps or for all that is left; its steps, why it ended."""
        learner, clock, done = Learner(copy.deepcopy(self.fresh), self.recipe), self.clock, 0
        begun, why = clock.used, "budget" if clock.budget.steps is None else "steps"
        for lesson, cycles in self._lessons({}, seed=len(self.tasks[0].demonstrations)):
            if self.stop():
                why = "interrupted"
                break
            part = (clock.used - begun) / max(clock.allowed - begun, 1e-9)
            if steps is not None:
                part = max(part, done / steps)
            if part >= 1 or clock.used >= clock.allowed:
                why = why if steps is None or done < steps else "solved"
                break
            if steps is not None:
                cycles = min(cycles, steps - done)
            if clock.budget.steps is not None:
                cycles = min(cycles, clock.budget.steps - clock.steps)
            annealed = 0.5 * (1 + math.cos(math.pi * part))
            done += self._learn(learner, lesson, cycles, min(annealed, (done + 1) / WARMUP))
        return averaged(learner), done, why

    def _learn(self, learner: Learner, lesson: Lesson, cycles: int, factor: float) -> int:
        """A lesson of so many cycles; how many steps that were."""
        learner.begin(lesson)
        for _ in range(cycles):
            loss = learner.improve(factor)
            self.clock.steps += 1
            self.loss = float(loss.tokens.detach()) / len(lesson.labels)
            for number in range(len(self.tasks)):
                self.report(self._adapting(number))
        return cycles

    def _lessons(self, held: dict[int, int], seed: int) -> Iterator[tuple[Lesson, int]]:
        """All demonstrations but those held out, under all symmetries, for some cycles each; again and again."""
        held = dict(held)
        side, planes = (
            max(c.side for c in self.canvases),
            max(len(c.palette) for c in self.canvases),
        )
        rows = [
            Row(shown, palette, number)
            for number, (task, canvas) in enumerate(zip(self.tasks, self.canvases, strict=True))
            for palette in [filled(canvas.palette, planes)]
            for place, pair in enumerate(task.demonstrations)
            if held.get(number) != place
            for shown in show(pair, Canvas(side, palette))
        ]
        at_once = max(self.cells // (side**2 * planes), 1)
        rng = np.random.default_rng((self.seed, seed))
        while True:
            order = rng.permutation(len(rows))
            for start in range(0, len(rows), at_once):
                lesson = lesson_of([rows[i] for i in order[start : start + at_once]], self.device)
                yield lesson, lasting(rng, GO_ON, SHORTEST)

    def _reproduces(self, model: TinyRecursiveModel, number: int, place: int) -> bool:
        """Whether most views of a demonstration's input agree on its output."""
        pair = self.tasks[number].demonstrations[place]
        frames = predict(model, self.canvases[number], pair, puzzle=number, cycles=self.cycles)
        assert pair.output is not None
        return np.array_equal(
            vote((frame.grid, frame.halt) for frame in frames)[0].grid, pair.output
        )

    def _adapting(self, number: int, ended: str = "") -> Adapting:
        clock, tasks = self.clock, len(self.tasks)
        return Adapting(
            self.tasks[number],
            clock.steps,
            clock.seconds / tasks,
            clock.budget.seconds,
            self.loss,
            self.solved[number],
            ended,
        )


def averaged(learner: Learner) -> TinyRecursiveModel:
    """A copy of the network as it is with its averaged weights, ready to answer."""
    model = copy.deepcopy(learner.model)
    model.load_state_dict(learner.ema.state_dict(learner.model))
    return model.eval().requires_grad_(False)
