"""From ARC tasks to two attempts each: learn the task, let copies of the network vote under every symmetry.

Knows weights, learning and votes; prints nothing and opens no task file.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trmsolve.adapt import Adapted, Adapter, Budget
from trmsolve.attempt import Frame, predict
from trmsolve.device import Placement, choose_compiled, choose_placement
from trmsolve.effort import MAX_CYCLES, Effort
from trmsolve.errors import PuzzleError, UsageError, WeightsError
from trmsolve.hub import silent
from trmsolve.model import TinyRecursiveModel
from trmsolve.puzzles.arc import LARGEST, Adapting, ArcAnswer, ArcCycle, ArcTask, Candidate, Pair
from trmsolve.puzzles.arc_canvas import SYMBOLS, Canvas
from trmsolve.puzzles.arc_official import SYMMETRIES
from trmsolve.shelf import locate
from trmsolve.table_solver import TableSolver
from trmsolve.vote import vote
from trmsolve.weights import WeightsInfo, fingerprint, load_model, read_info, save_weights

BUDGET_CPU, BUDGET_GPU = 300.0, 60.0
"""Seconds for a task where nobody says."""

WORTH_COMPILING, STEP_SECONDS = 40.0, 0.2
"""Seconds a task from which on it pays to compile first, which takes some seconds once; and of a step, about."""

PLANES = (SYMBOLS, len(SYMMETRIES), (LARGEST, LARGEST))
"""What a network has to have been made for: symbols, symmetries, and rows and columns of the largest grid."""

Item = ArcTask | PuzzleError


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
        worthwhile = (budget.seconds if budget.steps is None else STEP_SECONDS * budget.steps) >= WORTH_COMPILING
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

        ``on_adapting`` is told of every step of learning, ``on_cycle`` of the cycles of one view of each test. Once
        ``stop`` says so, the tasks under way are answered with what is learned, and no other is begun.
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
            self.model, tasks, self.how, cycles=self.cycles, seed=self.seed, compiled=self.compiled, stop=stop, **told
        ).adapt()  # fmt: skip
        if self.save_adapted is not None:
            self._save(adapted, tasks)
        for number, task in enumerate(tasks):
            yield self._answer(adapted, number, task, begun, on_cycle)

    def _answer(
        self, adapted: Adapted, number: int, task: ArcTask, begun: float, on_cycle: Callable[[ArcCycle], None] | None
    ) -> ArcAnswer:
        """Every copy votes under every symmetry; the last copy, as it is first asked, is shown."""
        candidates, steps, cycles = list[tuple[Candidate, ...]](), list[ArcCycle](), 0
        for test, pair in enumerate(task.tests):

            def show(at: int, frames: list[Frame], test: int = test) -> None:
                if on_cycle is not None:
                    on_cycle(self._cycle(task, test, at, 0, frames[0]))

            films = [
                self._film(model, adapted.canvases[number], pair, number, show if model is adapted.models[-1] else None)
                for model in adapted.models
            ]
            found = vote((frame.grid, frame.halt) for film in films for frame in film[-1])
            candidates.append(tuple(found))
            cycles += sum(len(film) for film in films) * len(self.symmetries)
            if self.keep_steps:
                film, view = _winner(films, found[0])
                steps += [self._cycle(task, test, at, view, frames[view]) for at, frames in enumerate(film, 1)]
        views, seconds = len(adapted.models) * len(self.symmetries), time.monotonic() - begun
        return ArcAnswer(task, tuple(candidates), adapted.ended[number], cycles, views, seconds, tuple(steps))

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
            model, canvas, pair, puzzle=puzzle, cycles=self.cycles, symmetries=self.symmetries, on_cycle=take
        )  # fmt: skip
        return film

    def _cycle(self, task: ArcTask, test: int, at: int, view: int, frame: Frame) -> ArcCycle:
        return ArcCycle(
            task, test, at, self.cycles, view + 1, len(self.symmetries), frame.grid, frame.confidence, frame.halt
        )  # fmt: skip

    def _save(self, adapted: Adapted, tasks: list[ArcTask]) -> None:
        assert self.save_adapted is not None
        model = adapted.models[-1]
        training = {"adapted_from": self.weights, "tasks": [task.name for task in tasks], "seed": self.seed}
        config = replace(model.config, update_noise=self.model.config.update_noise)
        save_weights(self.save_adapted, model.state_dict(), WeightsInfo(config, "arc", training), torch.float32)


def _winner(films: list[list[list[Frame]]], best: Candidate) -> tuple[list[list[Frame]], int]:
    """The first view that found the best answer: of the last copy, or else of one that voted beside it."""
    return next(
        (film, view)
        for film in reversed(films)
        for view, frame in enumerate(film[-1])
        if np.array_equal(frame.grid, best.grid)
    )


def load_arc(
    *,
    weights: str | Path | None = None,
    offline: bool = False,
    allow_large: bool = False,
    note: Callable[[str], None] = silent,
    budget: float | None = None,
    steps: int | None = None,
    cycles: int = MAX_CYCLES,
    views: int | None = None,
    batch: int = 1,
    seed: int = 0,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    keep_steps: bool = False,
    save_adapted: Path | None = None,
) -> ArcSolver | TableSolver:
    """A solver with the bundled weights, or those that are named as ``load`` has it, which are never changed.

    ``budget`` is in seconds a task, default 60 on a GPU and 300 on a CPU; with ``steps`` a task is learned for exactly
    so many, whatever the clock says, and the same seed gives the same answers. ``views`` symmetries of the square vote;
    of weights in the paper's form, so many variants of the task.
    Raises WeightsError for weights that are missing, damaged or another task's, UsageError for impossible options.
    """
    for name, value in (("budget", budget), ("steps", steps)):
        if value is not None and not 0 < value < float("inf"):
            raise UsageError(f"{name} must be above 0, not {value!r}")
    Effort(cycles, 1 if views is None else views, batch, seed)  # raises UsageError for what cannot be tried
    if save_adapted is not None and batch > 1:
        raise UsageError("save_adapted keeps one network: adapt one task at a time")
    placement = choose_placement(device, dtype, threads)
    path = locate(weights, "arc", offline=offline, allow_large=allow_large, note=note)
    if save_adapted is not None and save_adapted.exists() and path.exists() and save_adapted.samefile(path):
        raise UsageError(f"save_adapted would replace the weights {path}: name another file")
    if budget is None:
        budget = BUDGET_CPU if placement.device.type == "cpu" else BUDGET_GPU
    if read_info(path).config.mixer != "planes":
        if batch > 1 or save_adapted is not None:
            raise UsageError(f"{path} has the paper's form: it takes one task at a time, and none is kept")
        return TableSolver(
            path, placement, Budget(budget, steps), cycles=cycles, views=views, seed=seed, keep_steps=keep_steps,
            weights=f"{path.name}@{fingerprint(path)[:12]}", allow_large=allow_large,
        )  # fmt: skip
    if views is not None and not 1 <= views <= len(SYMMETRIES):
        raise UsageError(f"views must be from 1 to {len(SYMMETRIES)}, the symmetries of the square, not {views}")
    model = load_model(path, "arc", torch.float32, placement.device, allow_large=allow_large)
    if (model.config.vocab_size, model.config.symmetries, model.config.places) != PLANES:
        raise WeightsError(
            f"{path} has other planes than ARC: {PLANES[0]} symbols on up to {LARGEST} x {LARGEST} cells"
        )
    model.dtype = placement.dtype
    return ArcSolver(
        model, placement, Budget(budget, steps), cycles=cycles, views=views or len(SYMMETRIES), batch=batch, seed=seed,
        keep_steps=keep_steps, save_adapted=save_adapted, weights=f"{path.name}@{fingerprint(path)[:12]}",
    )  # fmt: skip
