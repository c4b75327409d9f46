"""From ARC tasks to two attempts each, by a network with a plane for each colour."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trmsolve.arc.adaptation import Budget
from trmsolve.arc.planes.adapt import Adapted, Adapter
from trmsolve.arc.planes.canvas import Canvas
from trmsolve.arc.planes.predict import Frame, predict
from trmsolve.arc.symmetry import SYMMETRIES
from trmsolve.arc.task import Adapting, ArcAnswer, ArcCycle, ArcTask, Candidate, Item, Pair
from trmsolve.arc.vote import vote
from trmsolve.device import Placement, choose_compiled
from trmsolve.errors import PuzzleError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.solve.effort import MAX_CYCLES
from trmsolve.weights.file import WeightsInfo, save_weights

WORTH_COMPILING, STEP_SECONDS = 40.0, 0.2
"""Seconds a task from which on it pays to compile first, which takes some seconds once; and of a step, about."""


class ArcSolver:
    """A network of planes that learns each task before it answers. ``load_arc`` makes one."""

    def __init__(
        self,
        model: TinyRecursiveModel,
        placement: Placement,
        budget: Budget,
        *,
        cycles: int = MAX_CYCLES,
        views: int = len(SYMMETRIES),
        batch: int = 1,
        seed: int = 0,
        keep_steps: bool = False,
        save_adapted: Path | None = None,
        weights: str = "",
    ) -> None:
        self.model, self.placement, self.how, self.weights = model, placement, budget, weights
        self.cycles, self.batch, self.seed = cycles, batch, seed
        self.symmetries = range(views)
        worthwhile = (
            budget.seconds if budget.steps is None else STEP_SECONDS * budget.steps
        ) >= WORTH_COMPILING
        self.compiled = choose_compiled("auto", placement.device, worthwhile)
        self.keep_steps, self.save_adapted = keep_steps, save_adapted

    @property
    def budget(self) -> float:
        """Seconds a task."""
        return self.how.seconds

    def solve_all(
        self,
        items: Iterable[Item],
        on_adapting: Callable[[Adapting], None] | None = None,
        on_cycle: Callable[[ArcCycle], None] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[ArcAnswer | PuzzleError]:
        """An answer for each task, in order; what could not be read passes through.

        ``on_adapting`` is told of every step of learning, ``on_cycle`` of the cycles of one view of
        each test. Once ``stop`` says so, the tasks under way are answered with what is learned, and
        no other is begun.
        """
        stream = iter(items)
        while not stop() and (group := list(islice(stream, self.batch))):
            tasks = [item for item in group if isinstance(item, ArcTask)]
            answers = iter(self._answers(tasks, on_adapting, on_cycle, stop) if tasks else ())
            yield from (next(answers) if isinstance(item, ArcTask) else item for item in group)

    def _answers(
        self,
        tasks: list[ArcTask],
        on_adapting: Callable[[Adapting], None] | None,
        on_cycle: Callable[[ArcCycle], None] | None,
        stop: Callable[[], bool],
    ) -> Iterator[ArcAnswer]:
        begun = time.monotonic()
        told: dict[str, Any] = {} if on_adapting is None else {"report": on_adapting}
        adapted = Adapter(
            self.model,
            tasks,
            self.how,
            cycles=self.cycles,
            seed=self.seed,
            compiled=self.compiled,
            stop=stop,
            **told,
        ).adapt()
        if self.save_adapted is not None:
            self._save(adapted, tasks)
        for number, task in enumerate(tasks):
            yield self._answer(adapted, number, task, begun, on_cycle)

    def _answer(
        self,
        adapted: Adapted,
        number: int,
        task: ArcTask,
        begun: float,
        on_cycle: Callable[[ArcCycle], None] | None,
    ) -> ArcAnswer:
        """Every copy votes under every symmetry; the last copy, as it is first asked, is shown."""
        candidates, steps, cycles = list[tuple[Candidate, ...]](), list[ArcCycle](), 0
        for test, pair in enumerate(task.tests):

            def show(at: int, frames: list[Frame], test: int = test) -> None:
                if on_cycle is not None:
                    on_cycle(self._cycle(task, test, at, 0, frames[0]))

            films = [
                self._film(
                    model,
                    adapted.canvases[number],
                    pair,
                    number,
                    show if model is adapted.models[-1] else None,
                )
                for model in adapted.models
            ]
            found = vote((frame.grid, frame.halt) for film in films for frame in film[-1])
            candidates.append(tuple(found))
            cycles += sum(len(film) for film in films) * len(self.symmetries)
            if self.keep_steps:
                film, view = _winner(films, found[0])
                steps += [
                    self._cycle(task, test, at, view, frames[view])
                    for at, frames in enumerate(film, 1)
                ]
        views, seconds = len(adapted.models) * len(self.symmetries), time.monotonic() - begun
        return ArcAnswer(
            task, tuple(candidates), adapted.ended[number], cycles, views, seconds, tuple(steps)
        )

    def _film(
        self,
        model: TinyRecursiveModel,
        canvas: Canvas,
        pair: Pair,
        puzzle: int,
        show: Callable[[int, list[Frame]], None] | None,
    ) -> list[list[Frame]]:
        """The frames of all views, cycle after cycle."""
        film: list[list[Frame]] = []

        def take(at: int, frames: list[Frame]) -> None:
            film.append(frames)
            if show is not None:
                show(at, frames)

        predict(
            model,
            canvas,
            pair,
            puzzle=puzzle,
            cycles=self.cycles,
            symmetries=self.symmetries,
            on_cycle=take,
        )
        return film

    def _cycle(self, task: ArcTask, test: int, at: int, view: int, frame: Frame) -> ArcCycle:
        return ArcCycle(
            task,
            test,
            at,
            self.cycles,
            view + 1,
            len(self.symmetries),
            frame.grid,
            frame.confidence,
            frame.halt,
        )

    def _save(self, adapted: Adapted, tasks: list[ArcTask]) -> None:
        assert self.save_adapted is not None
        model = adapted.models[-1]
        training = {
            "adapted_from": self.weights,
            "tasks": [task.name for task in tasks],
            "seed": self.seed,
        }
        config = replace(model.config, update_noise=self.model.config.update_noise)
        save_weights(
            self.save_adapted,
            model.state_dict(),
            WeightsInfo(config, "arc", training),
            torch.float32,
        )


def _winner(films: list[list[list[Frame]]], best: Candidate) -> tuple[list[list[Frame]], int]:
    """The first view that found the best answer: of the last copy, or else of one that voted beside it."""
    return next(
        (film, view)
        for film in reversed(films)
        for view, frame in enumerate(film[-1])
        if np.array_equal(frame.grid, best.grid)
    )
