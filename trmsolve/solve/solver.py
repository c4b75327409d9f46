"""From puzzles to verified answers: which views to try, when to stop, what to report.

A puzzle is refined as given; if the rules do not accept the result, it is refined again under
another symmetry, until one is accepted or the views are used up. The rules check and choose, they
never fill a cell. Knows tasks and the refine loop; prints nothing and opens no puzzle file.
"""

import io
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from trmsolve.errors import PuzzleError, WeightsError
from trmsolve.model.config import TRMConfig
from trmsolve.puzzles import get_task
from trmsolve.puzzles.base import Task, give_up
from trmsolve.puzzles.values import Answer, Cycle, Puzzle
from trmsolve.solve.attempt import (
    Attempt,
    accept,
    answer_of,
    best_result,
    cycle_of,
    has_view_worth_trying,
    question_of,
)
from trmsolve.solve.effort import VIEWS, Effort
from trmsolve.solve.network import LoadOptions, Network, Place
from trmsolve.solve.onnx_network import chooses_onnx, load_graph
from trmsolve.solve.refine import Question, Step, refine

BATCH_SIZE_CPU = 64
BATCH_SIZE_GPU = 512
LOOK_AHEAD = 128
"""Batches of later puzzles that may be answered while an earlier one is still tried.

It bounds the memory.
"""

Item = Puzzle | PuzzleError


class Solver:
    """A network with the task it was trained for. ``load`` makes one."""

    def __init__(
        self,
        task: Task,
        model: Network,
        placement: Place,
        effort: Effort,
        weights: str = "",
    ) -> None:
        self.task = task
        self.model = model
        self.placement = placement
        self.effort = effort
        self.weights = weights

    def solve(self, text: str) -> Answer:
        """The answer to the first puzzle in ``text``.

        Raises PuzzleError if there is none or it cannot be read.
        """
        answer = next(self.solve_all([self._first(text)]))
        assert isinstance(answer, Answer)
        return answer

    def refine(self, text: str) -> Iterator[Cycle]:
        """Every improvement cycle for the first puzzle in ``text``, view after view."""
        for event in _Run(self, [self._first(text)]).events():
            if isinstance(event, Cycle):
                yield event

    def solve_all(
        self,
        items: Iterable[Item | None],
        on_cycle: Callable[[Cycle], None] | None = None,
        on_answer: Callable[[Answer], None] | None = None,
        on_step: Callable[[], None] | None = None,
    ) -> Iterator[Answer | PuzzleError]:
        """An answer for each puzzle, in order; an item that could not be read passes through.

        An item None says that nothing waits right now.

        ``on_cycle`` is shown every cycle, ``on_answer`` every answer as soon as it is there, which
        may be out of order. ``on_step`` is called after every cycle of every puzzle, and costs no
        drawing; an exception that it raises ends the solving. Memory stays constant however many
        puzzles come.
        """
        for event in _Run(self, items, on_cycle is not None, on_answer, on_step).events():
            if isinstance(event, Cycle):
                if on_cycle is not None:
                    on_cycle(event)
            else:
                yield event

    def _first(self, text: str) -> Puzzle:
        if not isinstance(text, str):
            raise TypeError(f"a puzzle must be a string, not {type(text).__name__}")
        for item in self.task.read(io.BytesIO(text.encode(errors="replace")), "text"):
            if isinstance(item, PuzzleError):
                raise item
            return item
        raise PuzzleError("the text contains no puzzle")


class _InOrder:
    """Outcomes that are reported in any order and given back in the order of their puzzles."""

    def __init__(self) -> None:
        self.waiting: dict[int, Answer | PuzzleError] = {}
        self.emitted = 0

    def put(self, order: int, outcome: Answer | PuzzleError) -> None:
        self.waiting[order] = outcome

    def ready(self) -> Iterator[Answer | PuzzleError]:
        """Every outcome whose predecessors have all been given."""
        while self.emitted in self.waiting:
            yield self.waiting.pop(self.emitted)
            self.emitted += 1


@dataclass
class _Run:
    """One pass over a stream of puzzles: questions for ``refine``, and its steps as events."""

    solver: Solver
    items: Iterable[Item | None]
    frames: bool = True
    """Whether cycles are events too."""
    on_answer: Callable[[Answer], None] | None = None
    on_step: Callable[[], None] | None = None
    again: deque[Attempt] = field(default_factory=deque)
    """Attempts to be tried under their next view."""
    outcomes: _InOrder = field(default_factory=_InOrder)
    under_way: int = 0
    read: int = 0

    def events(self) -> Iterator[Cycle | Answer | PuzzleError]:
        """Cycles as they happen, answers in the order of the puzzles."""
        task = self.solver.task
        effort = self.solver.effort
        steps = refine(
            self.solver.model,
            self.questions(),
            lambda attempt, tokens: accept(task, attempt, tokens),
            batch_size=effort.batch_size,
            max_cycles=effort.cycles,
            stop_early=effort.stop_early,
        )
        for step in steps:
            if step is not None:
                if self.frames:
                    yield cycle_of(task, effort, step)
                step.key.before = step.key.grid
                if step.last:
                    self._conclude(step)
                if self.on_step is not None:
                    self.on_step()
            # Also while nothing is under way: errors wait for no puzzle.
            yield from self.outcomes.ready()
        yield from self.outcomes.ready()

    def questions(self) -> Iterator[Question | None]:
        """The rows to refine; None while only rows under way can bring more."""
        task = self.solver.task
        effort = self.solver.effort
        stream = iter(self.items)
        ended = False
        while self.again or self.under_way or not ended:
            if self.again:
                yield question_of(task, effort, self.again.popleft())
                continue
            if ended or self.read - self.outcomes.emitted >= LOOK_AHEAD * effort.batch_size:
                yield None
                continue
            try:
                item = next(stream)
            except StopIteration:
                ended = True
                continue
            attempt = None if item is None else self._begin(item)
            if attempt is not None:
                yield question_of(task, effort, attempt)
            elif item is None:
                yield None

    def _begin(self, item: Item) -> Attempt | None:
        """An attempt at the item; None if its outcome is known without the model, and kept."""
        task = self.solver.task
        effort = self.solver.effort
        order = self.read
        self.read += 1
        if isinstance(item, PuzzleError):
            self.outcomes.put(order, item)
            return None
        answer = give_up(task, item)
        if answer is not None:
            self._answered(order, answer)
            return None
        problem = task.unsupported(item)
        if problem:
            self.outcomes.put(order, PuzzleError(problem, item.source))
            return None
        self.under_way += 1
        # A puzzle's views depend on the seed and its own place alone, not on the batch.
        views = task.views(item, np.random.default_rng((effort.seed, order)))
        return Attempt(order, item, views, next(views), time.monotonic())

    def _conclude(self, step: Step) -> None:
        """Take the result of a view: as the answer if it is verified or no view is left."""
        task = self.solver.task
        effort = self.solver.effort
        attempt: Attempt = step.key
        best = best_result(task, attempt, step)
        attempt.best = best
        if not attempt.verdict.verified and has_view_worth_trying(task, effort, attempt):
            attempt.next_view()
            self.again.append(attempt)
            return
        self.under_way -= 1
        remark = attempt.diagnosed(task).remark if effort.remarks else ""
        self._answered(attempt.order, answer_of(attempt, best, remark))

    def _answered(self, order: int, answer: Answer) -> None:
        if self.on_answer is not None:
            self.on_answer(answer)
        self.outcomes.put(order, answer)


def default_batch_size(device: Any, task: Task) -> int:
    """How many puzzles are refined at a time on a device of torch where nobody says."""
    size = BATCH_SIZE_CPU if str(device).startswith("cpu") else BATCH_SIZE_GPU
    return max(1, int(size * task.batch_share))


def load(  # noqa: PLR0913 (each may be named alone)
    task: str,
    *,
    weights: str | Path | None = None,
    offline: bool = False,
    allow_large: bool = False,
    note: Callable[[str], None] | None = None,
    cycles: int | None = None,
    views: int = VIEWS,
    batch_size: int | None = None,
    seed: int = 0,
    noise: float | None = None,
    backend: str = "auto",
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    compiled: bool = False,
    accept_detours: bool = False,
) -> Solver:
    """A solver for ``task``, such as "sudoku", with the bundled weights, or those that are named.

    ``weights`` is a file, a run's folder, or ``hf://user/repo[@revision]``, which is fetched if it
    was never before and not ``offline``; ``note`` is told about the download. ``allow_large`` takes
    files over 512 MiB.

    ``backend`` is what runs the network: torch, onnx (onnxruntime and a graph, without torch), or
    auto, which takes onnx where it is installed and there is a graph.

    ``accept_detours`` counts every valid answer as verified where a task has better and worse ones.
    ``compiled`` has torch compile the network at the first cycles: half a minute that hundreds of
    puzzles win back. Raises WeightsError for weights that are missing, damaged or another task's,
    UsageError for impossible options.
    """
    options = LoadOptions(
        weights=weights,
        offline=offline,
        allow_large=allow_large,
        note=note,
        cycles=cycles,
        views=views,
        batch_size=batch_size,
        seed=seed,
        noise=noise,
        backend=backend,
        device=device,
        dtype=dtype,
        threads=threads,
        compiled=compiled,
        accept_detours=accept_detours,
    )
    return load_solver(task, options)


def load_solver(name: str, options: LoadOptions) -> Solver:
    """As ``load``, with the options as one value."""
    get_task(name)  # an unknown name is told before any work
    if chooses_onnx(name, options):
        loaded = load_graph(name, options)
    else:
        from trmsolve.solve.torch_network import load_torch  # imports torch

        loaded = load_torch(name, options)
    config = loaded.network.config
    task = get_task(name, config.vocab_size)
    effort = _effort(task, options, loaded.placement.device)
    _check_fits(loaded.path, config, task)
    accepting = task.accepting_any_valid() if options.accept_detours else task
    return Solver(accepting, loaded.network, loaded.placement, effort, loaded.label)


def _effort(task: Task, options: LoadOptions, device: Any) -> Effort:
    """The options' effort, with the usual one of the task where nothing is said."""
    cycles = options.cycles
    size = options.batch_size
    noise = options.noise
    return Effort(
        cycles=task.default_cycles if cycles is None else cycles,
        views=options.views,
        batch_size=default_batch_size(device, task) if size is None else size,
        seed=options.seed,
        noise=task.default_noise if noise is None else noise,
    )


def _check_fits(path: Path, config: TRMConfig, task: Task) -> None:
    """Raise WeightsError for a network with other tokens or places than the task has."""
    if (config.vocab_size, config.seq_len) != (task.vocab_size, task.seq_len):
        raise WeightsError(
            f"{path} has {config.vocab_size} tokens and {config.seq_len} positions, but "
            f"{task.name} needs {task.vocab_size} and {task.seq_len}"
        )
