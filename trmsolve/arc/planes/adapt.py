"""Test-time training: learning unseen ARC tasks from their own demonstrations, in all weights.

Several copies of the trained network learn within a budget, one after the other, and the averaged
weights of some moments of each are kept to answer with. Knows networks, episodes and a clock;
nothing of files and terminals.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trmsolve.arc.adaptation import Budget
from trmsolve.arc.planes.canvas import Canvas, canvas_of
from trmsolve.arc.planes.clock import Clock, make_clock
from trmsolve.arc.planes.copies import COPY_SEEDS, UPDATE_NOISE, LearningCopy, copy_seconds
from trmsolve.arc.task import AdaptationProgress, ArcTask, ignore, never
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.recipes import ARC_ADAPTATION

MOMENTS = (0.5, 0.75, 1.0)
"""The parts of a copy's time after which its averaged weights are kept."""


@dataclass(eq=False)
class Adapted:
    """What has learned the tasks."""

    models: list[TinyRecursiveModel]
    """Copies of the network at some moments; the last is that of the last copy at its end."""

    canvases: list[Canvas]
    """The canvas of each task."""

    ended: list[AdaptationProgress]
    """How the learning of each task ended."""


@dataclass(eq=False)
class Adapter:
    """Learns tasks together in copies of one network, each with an embedding of its own."""

    model: TinyRecursiveModel
    tasks: Sequence[ArcTask]
    budget: Budget

    seed: int = 0
    compiled: bool = False

    settings: dict[str, float] = field(default_factory=lambda: ARC_ADAPTATION)
    """Fields of the recipe."""

    update_noise: float = UPDATE_NOISE

    report: Callable[[AdaptationProgress], None] = ignore
    """Told of every step, once for each task."""

    stop: Callable[[], bool] = never
    """Asked after every step; once true, the learning ends with what there is."""

    def __post_init__(self) -> None:
        """Start the clock."""
        self.clock: Clock = make_clock(self.budget, len(self.tasks))
        self.loss = math.nan  # of the last step
        self.ended = ""
        self.models: list[TinyRecursiveModel] = []

    def adapt(self) -> Adapted:
        """Learn within the budget: for at least one step."""
        copies = 1
        if self.budget.steps is None:
            copies = len(copy_seconds(self.tasks, self.clock.allowed))
        for number in range(copies):
            self._learn_copy(number, self.clock.allowed / copies)
            if self.ended:
                break
        self.ended = self.ended or self.clock.ended_by
        ended = [self._progress(task) for task in self.tasks]
        for progress in ended:
            self.report(progress)
        canvases = [canvas_of(task) for task in self.tasks]
        return Adapted(self.models, canvases, ended)

    def _learn_copy(self, number: int, share: float) -> None:
        """Let one copy learn for its share of the budget, and keep its moments."""
        copy = LearningCopy(
            self.model,
            self.tasks,
            (COPY_SEEDS * self.seed + number) % 2**63,
            settings=self.settings,
            update_noise=self.update_noise,
            compiled=self.compiled,
        )
        moments = list(MOMENTS)
        part = 0.0
        while moments and not self.ended:
            copy.step(part)
            self.clock.steps += 1
            self.loss = copy.loss
            for task in self.tasks:
                self.report(self._progress(task))
            part = (self.clock.used - number * share) / share
            if self.stop():
                self.ended = "interrupted"
            answers_nothing = self.ended and not self.models
            if part >= moments[0] or answers_nothing:
                self.models.append(copy.averaged())
                moments = [moment for moment in moments if moment > part]

    def _progress(self, task: ArcTask) -> AdaptationProgress:
        return AdaptationProgress(
            task=task,
            step=self.clock.steps,
            seconds=self.clock.seconds / len(self.tasks),
            budget=self.budget.seconds,
            loss=self.loss,
            ended=self.ended,
        )
