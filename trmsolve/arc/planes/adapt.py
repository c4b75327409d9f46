"""Test-time training: learning an unseen ARC task from its own demonstrations, in all weights.

The network is taught the demonstrations under every symmetry. To find out how long that takes, each
demonstration is held out of one copy of the network, which learns the others until it answers the
held-out one. A copy that does is proven. The last copy learns all demonstrations for somewhat
longer than the slowest proven one; if some held-out demonstration stays wrong, it gets the rest of
the budget. Proven copies vote beside the last one.

The embedding of a new task begins as the mean of the trained ones (arXiv 2511.02886). The given
network is not changed. Knows networks, episodes and a clock; nothing of files and terminals.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch

from trmsolve.arc.adaptation import Budget
from trmsolve.arc.planes.batches import Episode
from trmsolve.arc.planes.canvas import Canvas, canvas_of
from trmsolve.arc.planes.clock import make_clock
from trmsolve.arc.planes.learner import Learner, compile_blocks
from trmsolve.arc.planes.lessons import lesson_rows, lessons
from trmsolve.arc.planes.predict import Question, predict
from trmsolve.arc.task import AdaptationProgress, ArcTask, ignore, never
from trmsolve.arc.vote import vote
from trmsolve.model.build import new_puzzles
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.recipes import ARC_ADAPTATION, Recipe

LEAST_STEPS = 30
"""A demonstration is held out only if there is time for so many steps: fewer teach nothing."""

SOME_STEPS = 8
"""After so many steps their speed tells whether there is time for ``LEAST_STEPS``."""

FIRST_CHECK = 16
"""A copy is first tried on its held-out demonstrations after so many steps."""

CHECK_AGAIN = 1.3
"""It is tried again whenever it has made so many times more steps."""

LAST_FACTOR = 1.5
"""The last copy learns so many times longer than the slowest of the others needed."""

CELLS_CPU, CELLS_GPU = 6_000, 100_000
"""Cells of planes in a batch."""

UPDATE_NOISE = 0.3
"""It brought the loss on tests of tasks apart from training from 0.63 to 0.53; 0.7 did as well."""

WARMUP = 10
"""Steps in which the rates rise."""


@dataclass(eq=False)
class Adapted:
    """Copies of the network that have learned the tasks."""

    models: list[TinyRecursiveModel]
    """The proven copies, and last the one that learned from all demonstrations."""

    canvases: list[Canvas]
    """The canvas of each task."""

    ended: list[AdaptationProgress]
    """How the learning of each task ended."""


class Trained(NamedTuple):
    """A copy of the network with its averaged weights, and how many steps it learned."""

    model: TinyRecursiveModel
    steps: int


@dataclass(eq=False)
class Adapter:
    """Learns tasks together in one network, each with an embedding of its own."""

    model: TinyRecursiveModel
    tasks: Sequence[ArcTask]
    budget: Budget

    cycles: int
    """Improvement cycles when a copy is tried on a held-out demonstration, at most."""

    seed: int = 0
    compiled: bool = False

    settings: dict[str, float] = field(default_factory=lambda: ARC_ADAPTATION)
    """Fields of the recipe."""

    update_noise: float = UPDATE_NOISE

    report: Callable[[AdaptationProgress], None] = ignore
    """Told of every step, once for each task."""

    stop: Callable[[], bool] = never
    """Asked after every episode; once true, the learning ends with what there is."""

    def __post_init__(self) -> None:
        """Copy the network, and start the clock."""
        self.device = self.model.get_buffer("H_init").device
        self.cells = CELLS_CPU if self.device.type == "cpu" else CELLS_GPU
        self.fresh = new_puzzles(self.model, len(self.tasks), self.update_noise)
        if self.compiled:
            compile_blocks(self.fresh)
        self.recipe = Recipe(self.fresh.config, batch_size=1, **self.settings)  # type: ignore[arg-type]
        self.canvases = [canvas_of(task) for task in self.tasks]
        self.clock = make_clock(self.budget, len(self.tasks))
        self.loss = math.nan  # of the last step
        # Demonstrations of each task that were answered while held out; None where none was tried.
        self.solved: list[int | None] = [None] * len(self.tasks)
        # A copy that learned but did not prove itself. If the last copy gets fewer steps, this one
        # knows more.
        self.unproven: Trained | None = None

    def adapt(self) -> Adapted:
        """Learn within the budget."""
        torch.manual_seed(self.seed)  # of the noise
        trials = max(len(task.demonstrations) for task in self.tasks)
        proven = self._proven_copies(trials) if trials > 1 else []
        enough = None
        if len(proven) == trials:
            enough = math.ceil(LAST_FACTOR * max(one.steps for one in proven))
        last, why = self._learn_all(enough)
        if self.unproven is not None and self.unproven.steps > last.steps:
            last = self.unproven
        ended = [self._progress(number, why) for number in range(len(self.tasks))]
        for progress in ended:
            self.report(progress)
        models = [one.model for one in (*proven, last)]
        return Adapted(models, self.canvases, ended)

    def _proven_copies(self, trials: int) -> list[Trained]:
        """Copies that answered what was held out of them, up to the first that did not.

        The last copy then needs the time more than the others.
        """
        # If each trial needs all of its time, the last copy still can learn longer than any.
        share = self.clock.allowed / (trials + LAST_FACTOR)
        proven: list[Trained] = []
        for trial in range(trials):
            trained = self._trial(trial, share * (trial + 1))
            if trained is None:
                break
            proven.append(trained)
        return proven

    def _trial(self, trial: int, until: float) -> Trained | None:
        """A copy that learns all demonstrations but one of each task, until it answers those.

        None if it did not before the clock says ``until``.
        """
        if not self.clock.may_fit(LEAST_STEPS, until):
            return None
        held = self._held_out(trial)
        for number in held:
            self.solved[number] = self.solved[number] or 0
        begun = self.clock.used
        learner = Learner(copy.deepcopy(self.fresh), self.recipe)
        steps = 0
        check = FIRST_CHECK
        for episode, cycles in self._episodes(held, trial):
            self._learn(learner, episode, cycles, min(1.0, (steps + 1) / WARMUP))
            steps += cycles
            if steps >= check:
                check = math.ceil(steps * CHECK_AGAIN)
                model = averaged(learner)
                self._try(model, held)
                if not held:
                    return Trained(model, steps)
            if self._is_late(begun, steps, until) or self.stop():
                break
        self.unproven = Trained(averaged(learner), steps)
        return None

    def _held_out(self, trial: int) -> dict[int, int]:
        """For each task that has others, the demonstration that is held out in this trial."""
        held = {}
        for number, task in enumerate(self.tasks):
            if 1 < len(task.demonstrations) > trial:
                held[number] = trial
        return held

    def _try(self, model: TinyRecursiveModel, held: dict[int, int]) -> None:
        """Count the held-out demonstrations that the copy answers, and take them from ``held``."""
        for number, place in list(held.items()):
            if self._reproduces(model, number, place):
                self.solved[number] = (self.solved[number] or 0) + 1
                del held[number]

    def _is_late(self, begun: float, steps: int, until: float) -> bool:
        """Whether a trial's time is over, or will be before ``LEAST_STEPS``."""
        used = self.clock.used
        if used >= until:
            return True
        if steps < SOME_STEPS:
            return False
        each = (used - begun) / steps
        return begun + each * LEAST_STEPS > until

    def _learn_all(self, enough: int | None) -> tuple[Trained, str]:
        """A copy that learns all demonstrations, and why it ended.

        It makes ``enough`` steps, or all that the budget has left.
        """
        clock = self.clock
        learner = Learner(copy.deepcopy(self.fresh), self.recipe)
        steps = 0
        begun = clock.used
        why = clock.ended_by
        for episode, cycles in self._episodes({}, seed=len(self.tasks[0].demonstrations)):
            if self.stop():
                why = "interrupted"
                break
            part = (clock.used - begun) / max(clock.allowed - begun, 1e-9)
            if enough is not None:
                part = max(part, steps / enough)
                cycles = min(cycles, enough - steps)
            if part >= 1 or clock.used >= clock.allowed:
                if enough is not None and steps >= enough:
                    why = "solved"
                break
            cycles = clock.at_most(cycles)
            annealed = 0.5 * (1 + math.cos(math.pi * part))
            self._learn(learner, episode, cycles, min(annealed, (steps + 1) / WARMUP))
            steps += cycles
        return Trained(averaged(learner), steps), why

    def _learn(self, learner: Learner, episode: Episode, cycles: int, factor: float) -> None:
        """Learn from an episode for so many cycles, a step each, at ``factor`` of the rates."""
        learner.begin(episode)
        for _ in range(cycles):
            loss = learner.step(factor)
            self.clock.steps += 1
            self.loss = float(loss.tokens.detach()) / len(episode.labels)
            for number in range(len(self.tasks)):
                self.report(self._progress(number))

    def _episodes(self, held: dict[int, int], seed: int) -> Iterator[tuple[Episode, int]]:
        """Episodes of all demonstrations but those held out, and how many cycles each lasts.

        Without end: every grid comes once before any comes again.
        """
        rows = lesson_rows(self.tasks, self.canvases, held)
        rng = np.random.default_rng((self.seed, seed))
        return lessons(rows, self.cells, rng, self.device)

    def _reproduces(self, model: TinyRecursiveModel, number: int, place: int) -> bool:
        """Whether most views of a demonstration's input agree on its output."""
        pair = self.tasks[number].demonstrations[place]
        assert pair.output is not None
        question = Question(pair, self.canvases[number], number)
        predictions = predict(model, question, cycles=self.cycles)
        best = vote((one.grid, one.halt) for one in predictions)[0]
        return np.array_equal(best.grid, pair.output)

    def _progress(self, number: int, ended: str = "") -> AdaptationProgress:
        return AdaptationProgress(
            task=self.tasks[number],
            step=self.clock.steps,
            seconds=self.clock.seconds / len(self.tasks),
            budget=self.budget.seconds,
            loss=self.loss,
            solved=self.solved[number],
            ended=ended,
        )


def averaged(learner: Learner) -> TinyRecursiveModel:
    """A copy of the network as it is with its averaged weights, ready to answer."""
    model = copy.deepcopy(learner.model)
    model.load_state_dict(learner.ema.state_dict(learner.model))
    return model.eval().requires_grad_(False)
