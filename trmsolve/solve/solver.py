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

import numpy as np
import torch
from numpy.typing import NDArray

from trmsolve.device import Placement, choose_placement
from trmsolve.errors import PuzzleError, WeightsError
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles import get_task
from trmsolve.puzzles.base import Diagnosis, Task, give_up
from trmsolve.puzzles.values import Answer, Cycle, Grid, Puzzle, Symmetry, Verdict
from trmsolve.solve.effort import VIEWS, VIEWS_OF_AMBIGUOUS, Effort
from trmsolve.solve.refine import Question, Step, refine
from trmsolve.weights.catalog import resolve
from trmsolve.weights.file import fingerprint, load_model

BATCH_SIZE_CPU, BATCH_SIZE_GPU = 64, 512
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
        model: TinyRecursiveModel,
        placement: Placement,
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


@dataclass(frozen=True)
class _Result:
    """The end of a view. Among unverified ones the one with the highest ``rank`` is shown."""

    rank: tuple[bool, int, float]
    """Whether it is valid, the negative number of broken rules, the confidence."""
    grid: Grid
    verdict: Verdict
    halt: float


@dataclass
class _Attempt:
    """A puzzle under way: the view it is in, the best grid so far, the cycles spent."""

    order: int
    """The puzzle's place among all items."""
    puzzle: Puzzle
    views: Iterator[Symmetry]
    view: Symmetry
    started: float
    number: int = 1
    """The number of the view."""
    cycles: int = 0
    before: Grid | None = None
    """The grid one cycle ago, in the puzzle's frame; None at a view's first cycle."""
    candidates: NDArray[np.bool_] | None = None
    """The candidates one cycle ago, if the model keeps a lattice."""
    grid: Grid = field(init=False)
    """The grid now, in the puzzle's frame."""
    verdict: Verdict = field(init=False)
    """The verdict on ``grid``."""
    best: _Result | None = None
    diagnosis: Diagnosis | None = None
    """None until it is asked for."""

    def diagnosed(self, task: Task) -> Diagnosis:
        """The task's diagnosis of the puzzle, which is made at the first call."""
        if self.diagnosis is None:
            self.diagnosis = task.diagnose(self.puzzle)
        return self.diagnosis

    def next_view(self) -> None:
        """Begin anew under the next symmetry."""
        self.view = next(self.views)
        self.number += 1
        self.before = None
        self.candidates = None


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
    again: deque[_Attempt] = field(default_factory=deque)
    """Attempts to be tried under their next view."""
    outcomes: _InOrder = field(default_factory=_InOrder)
    under_way: int = 0
    read: int = 0

    def events(self) -> Iterator[Cycle | Answer | PuzzleError]:
        """Cycles as they happen, answers in the order of the puzzles."""
        task, effort = self.solver.task, self.solver.effort
        steps = refine(
            self.solver.model,
            self.questions(),
            lambda attempt, tokens: _accept(task, attempt, tokens),
            batch_size=effort.batch_size,
            max_cycles=effort.cycles,
            stop_early=effort.stop_early,
        )
        for step in steps:
            if step is not None:
                if self.frames:
                    yield _cycle(task, effort, step)
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
        task, effort = self.solver.task, self.solver.effort
        stream = iter(self.items)
        ended = False
        while self.again or self.under_way or not ended:
            if self.again:
                yield _question(task, effort, self.again.popleft())
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
                yield _question(task, effort, attempt)
            elif item is None:
                yield None

    def _begin(self, item: Item) -> _Attempt | None:
        """An attempt at the item; None if its outcome is known without the model, and kept."""
        task, effort = self.solver.task, self.solver.effort
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
        return _Attempt(order, item, views, next(views), time.monotonic())

    def _conclude(self, step: Step) -> None:
        """Take the result of a view: as the answer if it is verified or no view is left."""
        task, effort = self.solver.task, self.solver.effort
        attempt: _Attempt = step.key
        best = _best_result(task, attempt, step)
        attempt.best = best
        if not attempt.verdict.verified and _has_view_worth_trying(task, effort, attempt):
            attempt.next_view()
            self.again.append(attempt)
            return
        self.under_way -= 1
        remark = attempt.diagnosed(task).remark if effort.remarks else ""
        self._answered(attempt.order, _answer(attempt, best, remark))

    def _answered(self, order: int, answer: Answer) -> None:
        if self.on_answer is not None:
            self.on_answer(answer)
        self.outcomes.put(order, answer)


def _question(task: Task, effort: Effort, attempt: _Attempt) -> Question:
    """The row for the attempt's current view."""
    puzzle = attempt.puzzle
    tokens = attempt.view.apply(task.encode(puzzle.grid, puzzle.extra))
    seeds = np.random.SeedSequence((effort.seed, attempt.order, attempt.number))
    # The first view is the model's own, undisturbed.
    noise = effort.noise if attempt.number > 1 else 0.0
    return Question(attempt, tokens, noise, int(seeds.generate_state(1)[0]))


def _accept(task: Task, attempt: _Attempt, tokens: NDArray[np.int64]) -> bool:
    """Decode what a cycle ended with and let the rules judge it."""
    attempt.cycles += 1
    attempt.grid = task.decode_view(tokens, attempt.view, attempt.puzzle.grid.shape)
    attempt.verdict = task.verify(attempt.puzzle, attempt.grid)
    return attempt.verdict.verified


def _cycle(task: Task, effort: Effort, step: Step) -> Cycle:
    """The step as a viewer needs it."""
    attempt: _Attempt = step.key
    puzzle, view = attempt.puzzle, attempt.view
    shape = puzzle.grid.shape
    before = puzzle.grid if attempt.before is None else attempt.before
    faulty, violations = task.faults(puzzle, attempt.grid)
    changed = attempt.grid != before
    candidates = None
    if step.lattice is not None:
        candidates = view.undo(step.lattice).reshape(*shape, -1) == 1
        faulty = _clashing(task, attempt, candidates)
        changed = _narrowed(task, attempt, candidates)
        attempt.candidates = candidates
    return Cycle(
        puzzle=puzzle,
        number=step.number,
        limit=effort.cycles,
        view=attempt.number,
        views=effort.views,
        grid=attempt.grid,
        confidence=task.cells(view.undo_cells(step.confidence), shape),
        changed=changed,
        faulty=faulty,
        violations=violations,
        halt=step.halt,
        candidates=candidates,
        arrows=task.arrows(view.undo(step.tokens), shape),
    )


def _clashing(task: Task, attempt: _Attempt, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The faulty cells of a lattice: only decided cells can clash, open ones are no answer yet."""
    decided = candidates.sum(-1) == 1
    grid = np.where(decided, attempt.grid, 0).astype(np.int8)
    return task.faults(attempt.puzzle, grid)[0]


def _narrowed(task: Task, attempt: _Attempt, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells of a lattice whose candidates changed; at first against those of the clues."""
    before = attempt.candidates
    if before is None:
        tokens = task.encode(attempt.puzzle.grid, attempt.puzzle.extra)
        before = tokens.reshape(candidates.shape) == 1
    changed: NDArray[np.bool_] = (candidates != before).any(-1)
    return changed


def _best_result(task: Task, attempt: _Attempt, step: Step) -> _Result:
    """The better one of the attempt's best result and the end of this view."""
    verdict = attempt.verdict
    broken = task.faults(attempt.puzzle, attempt.grid)[1]
    rank = bool(verdict.valid), -broken, float(step.confidence.mean())
    ended = _Result(rank, attempt.grid, verdict, step.halt)
    best = attempt.best
    if best is None or verdict.verified or ended.rank > best.rank:
        return ended
    return best


def _has_view_worth_trying(task: Task, effort: Effort, attempt: _Attempt) -> bool:
    """Whether another view may find what the views so far have not."""
    if attempt.number >= effort.views:
        return False
    solutions = attempt.diagnosed(task).solutions
    if solutions == 0:
        return False
    return solutions != 2 or attempt.number < VIEWS_OF_AMBIGUOUS


def _answer(attempt: _Attempt, best: _Result, remark: str) -> Answer:
    return Answer(
        puzzle=attempt.puzzle,
        grid=best.grid,
        verified=best.verdict.verified,
        reason=best.verdict.reason,
        cycles=attempt.cycles,
        views=attempt.number,
        halt=best.halt,
        seconds=time.monotonic() - attempt.started,
        valid=best.verdict.valid,
        optimal=best.verdict.optimal,
        remark=remark,
    )


def default_batch_size(device: torch.device, task: Task) -> int:
    """How many puzzles are refined at a time where nobody says."""
    size = BATCH_SIZE_CPU if device.type == "cpu" else BATCH_SIZE_GPU
    return max(1, int(size * task.batch_share))


@dataclass(frozen=True)
class LoadOptions:
    """All that may be chosen of a solver; see ``load``."""

    weights: str | Path | None = None
    offline: bool = False
    allow_large: bool = False
    note: Callable[[str], None] | None = None
    cycles: int | None = None
    views: int = VIEWS
    batch_size: int | None = None
    seed: int = 0
    noise: float | None = None
    device: str = "auto"
    dtype: str = "auto"
    threads: int | None = None
    compiled: bool = False
    accept_detours: bool = False


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
    placement = choose_placement(options.device, options.dtype, options.threads)
    large = options.allow_large
    path = resolve(
        options.weights, name, offline=options.offline, allow_large=large, note=options.note
    )
    model = load_model(path, name, placement.dtype, placement.device, allow_large=large)
    task = get_task(name, model.config.vocab_size)
    effort = _effort(task, options, placement.device)
    _check_fits(path, model.config, task)
    if options.compiled:
        model.L_level.compile(dynamic=True)  # the batch shrinks and grows
    # Enough of the fingerprint to tell one file from another in a record.
    label = f"{path.name}@{fingerprint(path)[:12]}"
    accepting = task.accepting_any_valid() if options.accept_detours else task
    return Solver(accepting, model, placement, effort, label)


def _effort(task: Task, options: LoadOptions, device: torch.device) -> Effort:
    """The options' effort, with the usual one of the task where nothing is said."""
    cycles, size, noise = options.cycles, options.batch_size, options.noise
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
