"""From puzzles to verified answers: which views to try, when to stop, what to report.

A puzzle is refined as given; if the rules do not accept the result, it is refined again under
another symmetry, until one is accepted or the views are used up. The rules check and choose, they
never fill a cell. Knows the task's protocol and the refine loop; prints nothing and opens no puzzle
file.
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
from trmsolve.hub.transfer import silent
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles import get_task
from trmsolve.puzzles.base import Diagnosis, Task, give_up
from trmsolve.puzzles.values import Answer, Cycle, Grid, Puzzle, Verdict, View
from trmsolve.solve.effort import VIEWS, VIEWS_OF_AMBIGUOUS, Effort, usual_cycles, usual_noise
from trmsolve.solve.refine import Question, Step, refine
from trmsolve.weights.catalog import locate
from trmsolve.weights.file import fingerprint, load_model

BATCH_SIZE_CPU, BATCH_SIZE_GPU = 64, 512
LOOK_AHEAD = 128
"""How many batches of later puzzles may be answered while an earlier one is still tried: bounds the memory."""


@dataclass(frozen=True)
class _Candidate:
    """What a view ended with; of unverified ones the one with the highest ``rank`` is shown."""

    rank: tuple[bool, int, float]  # valid, rules kept, confidence
    grid: Grid
    verdict: Verdict
    halt: float


@dataclass
class _Attempt:
    """A puzzle under way: the view it is in, the best grid so far, what was spent."""

    order: int
    puzzle: Puzzle
    views: Iterator[View]
    started: float
    view: View
    seen: Grid  # the puzzle as the model sees it
    number: int = 1  # of the view
    cycles: int = 0
    before: Grid | None = None  # the grid one cycle ago, in the puzzle's frame
    candidates: NDArray[np.bool_] | None = None  # one cycle ago, if the model keeps a lattice
    grid: Grid = field(init=False)  # the grid now
    verdict: Verdict = field(init=False)  # on the grid now
    best: _Candidate | None = None
    diagnosis: Diagnosis | None = None  # once the first view is over


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
        self.task, self.model, self.placement, self.effort, self.weights = (
            task,
            model,
            placement,
            effort,
            weights,
        )

    def solve(self, text: str) -> Answer:
        """The answer to the first puzzle in ``text``.

        Raises PuzzleError if there is none or it cannot be read.
        """
        answer = next(self.solve_all([self._first(text)]))
        assert isinstance(answer, Answer)
        return answer

    def refine(self, text: str) -> Iterator[Cycle]:
        """Every improvement cycle for the first puzzle in ``text``, view after view, up to the accepted one."""
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
        """An answer for each puzzle, in order; what could not be read passes through.

        None: nothing waits right now.

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
            raise TypeError(f"a puzzle is given as text, not as {type(text).__name__}")
        for item in self.task.read(io.BytesIO(text.encode(errors="replace")), "text"):
            if isinstance(item, PuzzleError):
                raise item
            return item
        raise PuzzleError("no puzzle in the text")


@dataclass
class _Run:
    """One pass over a stream of puzzles. It is its own source of questions for ``refine``."""

    solver: Solver
    items: Iterable[Item | None]
    frames: bool = True
    on_answer: Callable[[Answer], None] | None = None
    on_step: Callable[[], None] | None = None
    again: deque[_Attempt] = field(default_factory=deque)  # to be tried under their next view
    done: dict[int, Answer | PuzzleError] = field(
        default_factory=dict
    )  # answered, waiting for earlier ones
    under_way: int = 0
    read: int = 0
    emitted: int = 0

    def __post_init__(self) -> None:
        self.effort, self.task = self.solver.effort, self.solver.task
        self.stream = iter(self.items)

    def __iter__(self) -> "_Run":
        return self

    def __next__(self) -> Question | None:
        """The next row to refine; None while only rows under way can bring more; StopIteration at the end."""
        while True:
            if self.again:
                return self._question(self.again.popleft())
            if self.read - self.emitted >= LOOK_AHEAD * self.effort.batch_size:
                return None
            try:
                item = next(self.stream)
            except StopIteration:
                if self.under_way:
                    return None
                raise
            if item is None:
                return None
            self.read += 1
            if isinstance(item, Puzzle):
                if answer := give_up(self.task, item):
                    self._answered(self.read - 1, answer)
                    continue
                if not (problem := self.task.misfit(item.grid)):
                    return self._question(self._begin(item))
                item = PuzzleError(problem, item.source)
            self.done[self.read - 1] = item

    def events(self) -> Iterator[Cycle | Answer | PuzzleError]:
        """Cycles as they happen, answers in the order of the puzzles."""
        steps = refine(
            self.solver.model,
            self,
            self._accept,
            batch_size=self.effort.batch_size,
            max_cycles=self.effort.cycles,
            stop_early=self.effort.stop_early,
        )
        for step in steps:
            if step is not None:
                if self.frames:
                    yield self._cycle(step)
                step.key.before = step.key.grid
                if step.last:
                    self._conclude(step)
                if self.on_step is not None:
                    self.on_step()
            yield from self._in_order()  # also while nothing is under way: errors wait for no puzzle
        yield from self._in_order()

    def _in_order(self) -> Iterator[Answer | PuzzleError]:
        while self.emitted in self.done:
            yield self.done.pop(self.emitted)
            self.emitted += 1

    def _begin(self, puzzle: Puzzle) -> _Attempt:
        self.under_way += 1
        # A puzzle's views depend on the seed and its own place alone, not on what stands beside it
        # in the batch.
        order = self.read - 1
        views = self.task.views(np.random.default_rng((self.effort.seed, order)))
        view = next(views)
        return _Attempt(order, puzzle, views, time.monotonic(), view, view.apply(puzzle.grid))

    def _question(self, attempt: _Attempt) -> Question:
        tokens = self.task.encode(attempt.seen)
        seeds = np.random.SeedSequence((self.effort.seed, attempt.order, attempt.number))
        noise = (
            self.effort.noise if attempt.number > 1 else 0.0
        )  # the first view is the model's own undisturbed one
        return Question(attempt, tokens, noise, int(seeds.generate_state(1)[0]))

    def _accept(self, attempt: _Attempt, tokens: NDArray[np.int64]) -> bool:
        attempt.cycles += 1
        attempt.grid = attempt.view.undo(self.task.decode(tokens, attempt.seen.shape))
        attempt.verdict = self.task.verify(attempt.puzzle.grid, attempt.grid)
        return attempt.verdict.verified

    def _cycle(self, step: Step) -> Cycle:
        attempt: _Attempt = step.key
        puzzle, view = attempt.puzzle, attempt.view
        before = puzzle.grid if attempt.before is None else attempt.before
        faulty, violations = self.task.faults(puzzle.grid, attempt.grid)
        changed, candidates = attempt.grid != before, None
        if step.lattice is not None:
            candidates = view.undo_candidates(step.lattice.reshape(*puzzle.grid.shape, -1) == 1)
            # What is still open is no answer yet: only decided cells can clash, and fewer
            # candidates are a change.
            decided = candidates.sum(-1) == 1
            faulty = self.task.faults(
                puzzle.grid, np.where(decided, attempt.grid, 0).astype(np.int8)
            )[0]
            if (
                attempt.candidates is None
            ):  # the view's first cycle: against what the clues leave open
                attempt.candidates = self.task.encode(puzzle.grid).reshape(candidates.shape) == 1
            changed = (candidates != attempt.candidates).any(-1)
            attempt.candidates = candidates
        return Cycle(
            puzzle=puzzle,
            number=step.number,
            limit=self.effort.cycles,
            view=attempt.number,
            views=self.effort.views,
            grid=attempt.grid,
            confidence=view.undo_cells(self.task.cells(step.confidence, attempt.seen.shape)),
            changed=changed,
            faulty=faulty,
            violations=violations,
            halt=step.halt,
            candidates=candidates,
            arrows=self.task.arrows(step.tokens, attempt.seen.shape, view),
        )

    def _conclude(self, step: Step) -> None:
        """The row has stopped: an answer if the rules accept it or no view is left, else the next view."""
        attempt: _Attempt = step.key
        question, verdict = attempt.puzzle.grid, attempt.verdict
        broken = self.task.faults(question, attempt.grid)[1]
        rank = bool(verdict.valid), -broken, float(step.confidence.mean())
        ended = _Candidate(rank, attempt.grid, verdict, step.halt)
        if attempt.best is None or verdict.verified or ended.rank > attempt.best.rank:
            attempt.best = ended
        if attempt.diagnosis is None:
            attempt.diagnosis = self.task.diagnose(question)
        if not verdict.verified and attempt.number < self._views_worth_trying(attempt.diagnosis):
            attempt.view, attempt.before, attempt.candidates = next(attempt.views), None, None
            attempt.seen = attempt.view.apply(question)
            attempt.number += 1
            self.again.append(attempt)
            return
        self.under_way -= 1
        best = attempt.best
        answer = Answer(
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
            remark=attempt.diagnosis.remark,
        )
        self._answered(attempt.order, answer)

    def _views_worth_trying(self, diagnosis: Diagnosis) -> int:
        if diagnosis.solutions == 0:
            return 1
        if diagnosis.solutions == 2:
            return min(self.effort.views, VIEWS_OF_AMBIGUOUS)
        return self.effort.views

    def _answered(self, order: int, answer: Answer) -> None:
        if self.on_answer is not None:
            self.on_answer(answer)
        self.done[order] = answer


def usual_batch_size(device: torch.device, config: TRMConfig) -> int:
    """How many puzzles are refined at a time where nobody says: fewer boards, which are large, and full ones soon."""
    size = BATCH_SIZE_CPU if device.type == "cpu" else BATCH_SIZE_GPU
    return size // 4 if config.mixer == "conv" else size


def load(
    task: str,
    *,
    weights: str | Path | None = None,
    offline: bool = False,
    allow_large: bool = False,
    note: Callable[[str], None] = silent,
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
    """A solver for ``task`` ("sudoku", "maze") with the bundled weights, or those that are named.

    ``weights`` is a file, a run's folder, or ``hf://user/repo[@revision]``, which is fetched if it
    was never before and not ``offline``; ``note`` is told what is to be fetched. ``allow_large``
    takes what is over 512 MiB.

    ``accept_detours`` counts every valid answer as verified where a task has better and worse ones.
    ``compiled`` has torch compile the network at the first cycles: half a minute that hundreds of
    puzzles win back. Raises WeightsError for weights that are missing, damaged or another task's,
    UsageError for impossible options.
    """
    get_task(task)  # an unknown name is told before any work
    placement = choose_placement(device, dtype, threads)
    path = locate(weights, task, offline=offline, allow_large=allow_large, note=note)
    model = load_model(path, task, placement.dtype, placement.device, allow_large=allow_large)
    cycles = usual_cycles(task) if cycles is None else cycles
    size = usual_batch_size(placement.device, model.config) if batch_size is None else batch_size
    noise = usual_noise(task) if noise is None else noise
    effort = Effort(cycles, views, size, seed, noise=noise)
    room = get_task(task, model.config.vocab_size)
    if (model.config.vocab_size, model.config.seq_len) != (room.vocab_size, room.seq_len):
        raise WeightsError(
            f"{path} has {model.config.vocab_size} tokens on {model.config.seq_len} places: {task} has "
            f"{room.vocab_size} on {room.seq_len}"
        )
    if compiled:
        model.L_level.compile(dynamic=True)  # the batch shrinks and grows
    label = (
        f"{path.name}@{fingerprint(path)[:12]}"  # enough to tell one file from another in a record
    )
    return Solver(room.relaxed() if accept_detours else room, model, placement, effort, label)
