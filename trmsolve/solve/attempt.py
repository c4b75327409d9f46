"""One puzzle under way: the question of each view, what a cycle ends in, and the best grid so far.

Knows tasks, and rows as the refine loop takes and gives them. Does not know which puzzle comes
next.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.base import Diagnosis, Task
from trmsolve.puzzles.values import Answer, Cycle, Grid, Puzzle, Symmetry, Verdict
from trmsolve.solve.effort import VIEWS_OF_AMBIGUOUS, Effort
from trmsolve.solve.refine import Question, Step


@dataclass(frozen=True)
class Result:
    """The end of a view. Among unverified ones the one with the highest ``rank`` is shown."""

    rank: tuple[bool, int, float]
    """Whether it is valid, the negative number of broken rules, the confidence."""
    grid: Grid
    verdict: Verdict
    halt: float


@dataclass
class Attempt:
    """A puzzle under way: the view it is in, the best grid so far, the cycles spent."""

    order: int
    """The puzzle's place among all items."""
    puzzle: Puzzle
    views: Iterator[Symmetry]
    view: Symmetry
    number: int = 1
    """The number of the view."""
    cycles: int = 0
    seconds: float = 0.0
    """The puzzle's share of the time that its cycles took."""
    before: Grid | None = None
    """The grid one cycle ago, in the puzzle's frame; None at a view's first cycle."""
    candidates: NDArray[np.bool_] | None = None
    """The candidates one cycle ago, if the model keeps a lattice."""
    grid: Grid = field(init=False)
    """The grid now, in the puzzle's frame."""
    verdict: Verdict = field(init=False)
    """The verdict on ``grid``."""
    best: Result | None = None
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


@dataclass(frozen=True)
class Paused:
    """A puzzle whose view has failed. It can be sent to another process, which tries the next."""

    puzzle: Puzzle
    number: int
    """The number of the view that failed."""
    cycles: int
    seconds: float
    """The puzzle's share of the time that its cycles took, whichever process ran them."""
    best: Result
    diagnosis: Diagnosis | None


def begin(task: Task, seed: int, place: int, puzzle: Puzzle) -> Attempt:
    """The attempt at a puzzle, under its first view.

    The views follow from the seed and the puzzle's own place alone, not from the batch.
    """
    views = task.views(puzzle, np.random.default_rng((seed, place)))
    return Attempt(place, puzzle, views, next(views))


def pause(attempt: Attempt) -> Paused:
    """The attempt after a view that failed."""
    assert attempt.best is not None
    return Paused(
        attempt.puzzle,
        attempt.number,
        attempt.cycles,
        attempt.seconds,
        attempt.best,
        attempt.diagnosis,
    )


def resume(task: Task, seed: int, place: int, paused: Paused) -> Attempt:
    """The attempt under the view after the one that failed, as if it had never been paused."""
    attempt = begin(task, seed, place, paused.puzzle)
    while attempt.number <= paused.number:
        attempt.next_view()
    attempt.cycles = paused.cycles
    attempt.seconds = paused.seconds
    attempt.best = paused.best
    attempt.diagnosis = paused.diagnosis
    return attempt


def question_of(task: Task, effort: Effort, attempt: Attempt) -> Question:
    """The row for the attempt's current view."""
    puzzle = attempt.puzzle
    tokens = attempt.view.apply(task.encode(puzzle.grid, puzzle.extra))
    seeds = np.random.SeedSequence((effort.seed, attempt.order, attempt.number))
    # The first view is the model's own, undisturbed.
    noise = effort.noise if attempt.number > 1 else 0.0
    seed = int(seeds.generate_state(1)[0])
    return Question(attempt, tokens, noise, seed, more_cycles(task, effort, puzzle))


def more_cycles(task: Task, effort: Effort, puzzle: Puzzle) -> int:
    """How many cycles beyond those of the effort a view of this puzzle may take."""
    return task.more_cycles(puzzle) if effort.more_cycles and effort.stop_early else 0


def accept(task: Task, attempt: Attempt, tokens: NDArray[np.int64]) -> bool:
    """Decode what a cycle ended with and let the rules judge it."""
    attempt.cycles += 1
    attempt.grid = task.decode_view(tokens, attempt.view, attempt.puzzle.grid.shape)
    attempt.verdict = task.verify(attempt.puzzle, attempt.grid)
    return attempt.verdict.verified


def cycle_of(task: Task, effort: Effort, step: Step) -> Cycle:
    """The step as a viewer needs it."""
    attempt: Attempt = step.key
    puzzle = attempt.puzzle
    view = attempt.view
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
        limit=effort.cycles + more_cycles(task, effort, puzzle),
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
        task=task.name,
    )


def _clashing(task: Task, attempt: Attempt, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The faulty cells of a lattice: only decided cells can clash, open ones are no answer yet."""
    decided = candidates.sum(-1) == 1
    grid = np.where(decided, attempt.grid, 0).astype(np.int8)
    return task.faults(attempt.puzzle, grid)[0]


def _narrowed(task: Task, attempt: Attempt, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells of a lattice whose candidates changed; at first against those of the clues."""
    before = attempt.candidates
    if before is None:
        tokens = task.encode(attempt.puzzle.grid, attempt.puzzle.extra)
        before = tokens.reshape(candidates.shape) == 1
    changed: NDArray[np.bool_] = (candidates != before).any(-1)
    return changed


def best_result(task: Task, attempt: Attempt, step: Step) -> Result:
    """The better one of the attempt's best result and the end of this view."""
    verdict = attempt.verdict
    broken = task.faults(attempt.puzzle, attempt.grid)[1]
    rank = bool(verdict.valid), -broken, float(step.confidence.mean())
    ended = Result(rank, attempt.grid, verdict, step.halt)
    best = attempt.best
    if best is None or verdict.verified or ended.rank > best.rank:
        return ended
    return best


def has_view_worth_trying(task: Task, effort: Effort, attempt: Attempt) -> bool:
    """Whether another view may find what the views so far have not."""
    if attempt.number >= effort.views:
        return False
    solutions = attempt.diagnosed(task).solutions
    if solutions == 0:
        return False
    return solutions != 2 or attempt.number < VIEWS_OF_AMBIGUOUS


def answer_of(task: Task, attempt: Attempt, best: Result, diagnosis: Diagnosis) -> Answer:
    """Make the answer of an attempt that is over; ``diagnosis`` is what it says of the puzzle."""
    return Answer(
        puzzle=attempt.puzzle,
        grid=best.grid,
        verified=best.verdict.verified,
        reason=best.verdict.reason,
        cycles=attempt.cycles,
        views=attempt.number,
        halt=best.halt,
        seconds=attempt.seconds,
        valid=best.verdict.valid,
        optimal=best.verdict.optimal,
        remark=diagnosis.remark,
        solutions=diagnosis.solutions,
        task=task.name,
    )
