"""From ARC tasks to two attempts each, by a network with a plane for each colour."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch

from trmsolve.arc.adaptation import Budget
from trmsolve.arc.options import ArcOptions
from trmsolve.arc.planes.adapt import Adapted, Adapter
from trmsolve.arc.planes.predict import Question, ViewPrediction, predict
from trmsolve.arc.symmetry import SYMMETRIES
from trmsolve.arc.task import (
    AdaptationProgress,
    ArcAnswer,
    ArcCycle,
    ArcTask,
    Candidate,
    Item,
    ignore,
    never,
)
from trmsolve.arc.vote import vote
from trmsolve.device import Placement, choose_compiled
from trmsolve.errors import PuzzleError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights.file import save_weights
from trmsolve.weights.info import WeightsInfo

WORTH_COMPILING = 40.0
"""Seconds a task from which on it pays to compile first, which takes some seconds once."""

STEP_SECONDS = 0.2
"""Seconds of a step, about."""

CyclesByView = list[list[ViewPrediction]]
"""Cycle after cycle, the predictions of all views of one test by one copy of the network."""


@dataclass(frozen=True, eq=False)
class _TestAnswer:
    """What all copies of the network predict for one test."""

    candidates: tuple[Candidate, ...]
    cycles: int
    steps: list[ArcCycle]


class PlanesSolver:
    """Learns each task before it answers. ``load_arc`` makes one."""

    def __init__(
        self,
        model: TinyRecursiveModel,
        placement: Placement,
        options: ArcOptions,
        weights: str = "",
    ) -> None:
        self.model = model
        self.placement = placement
        self.options = options
        self.weights = weights
        self.symmetries = range(options.views or len(SYMMETRIES))
        worthwhile = _expected_seconds(options.budget) >= WORTH_COMPILING
        self.compiled = choose_compiled("auto", placement.device, worthwhile)

    @property
    def budget(self) -> float:
        """Seconds a task."""
        return self.options.budget.seconds

    def solve_all(
        self,
        items: Iterable[Item],
        on_adapting: Callable[[AdaptationProgress], None] | None = None,
        on_cycle: Callable[[ArcCycle], None] | None = None,
        stop: Callable[[], bool] = never,
    ) -> Iterator[ArcAnswer | PuzzleError]:
        """An answer for each task, in order; items that could not be read pass through.

        ``on_adapting`` is told of every step of learning, ``on_cycle`` of the cycles of one view of
        each test. Once ``stop`` is true, the tasks under way are answered with what is learned, and
        no other is begun.
        """
        stream = iter(items)
        while not stop():
            group = list(islice(stream, self.options.batch))
            if not group:
                return
            tasks = [item for item in group if isinstance(item, ArcTask)]
            answers = iter(self._answers(tasks, on_adapting or ignore, on_cycle, stop))
            for item in group:
                yield next(answers) if isinstance(item, ArcTask) else item

    def _answers(
        self,
        tasks: list[ArcTask],
        on_adapting: Callable[[AdaptationProgress], None],
        on_cycle: Callable[[ArcCycle], None] | None,
        stop: Callable[[], bool],
    ) -> Iterator[ArcAnswer]:
        """Learn the tasks together, and answer one after the other."""
        if not tasks:
            return
        begun = time.monotonic()
        adapter = Adapter(
            self.model,
            tasks,
            self.options.budget,
            seed=self.options.seed,
            compiled=self.compiled,
            report=on_adapting,
            stop=stop,
        )
        adapted = adapter.adapt()
        if self.options.save_adapted is not None:
            self._save(adapted, tasks)
        for number in range(len(tasks)):
            yield self._answer(adapted, number, begun, on_cycle)

    def _answer(
        self,
        adapted: Adapted,
        number: int,
        begun: float,
        on_cycle: Callable[[ArcCycle], None] | None,
    ) -> ArcAnswer:
        """The vote of every copy under every symmetry on the tests of a task."""
        task = adapted.ended[number].task
        found = []
        for test in range(len(task.tests)):
            found.append(self._answer_test(adapted, number, test, on_cycle))
        steps: list[ArcCycle] = []
        for one in found:
            steps += one.steps
        return ArcAnswer(
            task=task,
            candidates=tuple(one.candidates for one in found),
            adapting=adapted.ended[number],
            cycles=sum(one.cycles for one in found),
            views=len(adapted.models) * len(self.symmetries),
            seconds=time.monotonic() - begun,
            steps=tuple(steps),
        )

    def _answer_test(
        self,
        adapted: Adapted,
        number: int,
        test: int,
        on_cycle: Callable[[ArcCycle], None] | None,
    ) -> _TestAnswer:
        """Ask all copies. The last copy's first view is shown as it is computed."""
        task = adapted.ended[number].task
        question = Question(task.tests[test], adapted.canvases[number], number)

        def show(cycle: int, predictions: list[ViewPrediction]) -> None:
            if on_cycle is not None:
                on_cycle(self._cycle(task, test, cycle, 0, predictions[0]))

        cycles_by_copy = []
        for model in adapted.models:
            shown = show if model is adapted.models[-1] else None
            cycles_by_copy.append(self._predict(model, question, shown))
        votes: list[ViewPrediction] = []
        for cycles in cycles_by_copy:
            votes += cycles[-1]
        candidates = vote((one.grid, one.halt) for one in votes)
        steps = []
        if self.options.keep_steps:
            cycles, view = _first_with(candidates[0], cycles_by_copy)
            for cycle, predictions in enumerate(cycles, 1):
                steps.append(self._cycle(task, test, cycle, view, predictions[view]))
        spent = sum(len(cycles) for cycles in cycles_by_copy) * len(self.symmetries)
        return _TestAnswer(tuple(candidates), spent, steps)

    def _predict(
        self,
        model: TinyRecursiveModel,
        question: Question,
        show: Callable[[int, list[ViewPrediction]], None] | None,
    ) -> CyclesByView:
        """The predictions of one copy; ``show`` is told of each cycle, too."""
        cycles_by_view: CyclesByView = []

        def keep(cycle: int, predictions: list[ViewPrediction]) -> None:
            cycles_by_view.append(predictions)
            if show is not None:
                show(cycle, predictions)

        predict(
            model,
            question,
            cycles=self.options.cycles,
            symmetries=self.symmetries,
            on_cycle=keep,
        )
        return cycles_by_view

    def _cycle(
        self, task: ArcTask, test: int, number: int, view: int, prediction: ViewPrediction
    ) -> ArcCycle:
        return ArcCycle(
            task=task,
            test=test,
            number=number,
            limit=self.options.cycles,
            view=view + 1,
            views=len(self.symmetries),
            grid=prediction.grid,
            confidence=prediction.confidence,
            halt=prediction.halt,
        )

    def _save(self, adapted: Adapted, tasks: list[ArcTask]) -> None:
        """Save the last copy."""
        assert self.options.save_adapted is not None
        model = adapted.models[-1]
        training = {
            "adapted_from": self.weights,
            "tasks": [task.name for task in tasks],
            "seed": self.options.seed,
        }
        config = replace(model.config, update_noise=self.model.config.update_noise)
        info = WeightsInfo(config, "arc", training)
        save_weights(self.options.save_adapted, model.state_dict(), info, torch.float32)


def _expected_seconds(budget: Budget) -> float:
    return budget.seconds if budget.steps is None else STEP_SECONDS * budget.steps


def _first_with(
    best: Candidate, cycles_by_copy: Sequence[CyclesByView]
) -> tuple[CyclesByView, int]:
    """The first view that found the best answer, and the cycles of its copy of the network.

    The last copy goes before the others.
    """
    for cycles in reversed(cycles_by_copy):
        for view, prediction in enumerate(cycles[-1]):
            if np.array_equal(prediction.grid, best.grid):
                return cycles, view
    raise AssertionError("the best answer is one of the predictions")
