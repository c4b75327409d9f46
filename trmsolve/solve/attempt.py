"""One puzzle under way: the question of each view, what a cycle ends in, and the best grid so far.

Knows tasks, and rows as the refine loop takes and gives them. Does not know which puzzle comes
next.
"""

from collections import deque
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
    """A puzzle under way: the views that were begun, the best grid so far, the cycles spent."""

    order: int
    """The puzzle's place among all items."""
    puzzle: Puzzle
    symmetries: Iterator[Symmetry]
    """Those of the views to come."""
    begun: int = 0
    """How many views were begun."""
    trials: deque["Trial"] = field(default_factory=deque)
    """The views that were begun and whose results were not taken yet, in order."""
    last_needed: int | None = None
    """The number of a view that makes all later ones needless, as soon as one does."""
    tried: int = 0
    """How many views have ended, one after the other."""
    cycles: int = 0
    """Those of the views that have ended."""
    seconds: float = 0.0
    """The puzzle's share of the time that its cycles took."""
    best: Result | None = None
    diagnosis: Diagnosis | None = None
    """None until it is asked for."""

    def diagnosed(self, task: Task) -> Diagnosis:
        """The task's diagnosis of the puzzle, which is made at the first call."""
        if self.diagnosis is None:
            self.diagnosis = task.diagnose(self.puzzle)
        return self.diagnosis

    def next_view(self) -> "Trial":
        """Begin anew under the next symmetry."""
        self.begun += 1
        trial = Trial(self, next(self.symmetries), self.begun)
        self.trials.append(trial)
        return trial


@dataclass
class Trial:
    """A view of a puzzle under way."""

    attempt: Attempt
    view: Symmetry
    number: int
    """The number of the view, from 1."""
    cycles: int = 0
    before: Grid | None = None
    """The grid one cycle ago, in the puzzle's frame; None at the first cycle."""
    candidates: NDArray[np.bool_] | None = None
    """The candidates one cycle ago, if the model keeps a lattice."""
    grid: Grid = field(init=False)
    """The grid now, in the puzzle's frame."""
    verdict: Verdict = field(init=False)
    """The verdict on ``grid``."""
    not_shown: list[Cycle] = field(default_factory=list)
    """Cycles for a viewer, who sees one view after the other."""
    end: Step | None = None
    """The last cycle."""

    @property
    def is_needless(self) -> bool:
        """Whether an earlier view has made this one needless."""
        last = self.attempt.last_needed
        return last is not None and self.number > last


@dataclass(frozen=True)
class Paused:
    """A puzzle whose view has failed. It can be sent to another process, which tries the next."""

    puzzle: Puzzle
    tried: int
    """How many views have failed."""
    cycles: int
    seconds: float
    """The puzzle's share of the time that its cycles took, whichever process ran them."""
    best: Result
    diagnosis: Diagnosis | None


def begin(task: Task, seed: int, place: int, puzzle: Puzzle) -> Attempt:
    """The attempt at a puzzle, before its first view.

    The views follow from the seed and the puzzle's own place alone, not from the batch.
    """
    return Attempt(place, puzzle, task.views(puzzle, np.random.default_rng((seed, place))))


def pause(attempt: Attempt) -> Paused:
    """The attempt after a view that failed, while no other view is under way."""
    assert attempt.best is not None
    return Paused(
        attempt.puzzle,
        attempt.tried,
        attempt.cycles,
        attempt.seconds,
        attempt.best,
        attempt.diagnosis,
    )


def resume(task: Task, seed: int, place: int, paused: Paused) -> Attempt:
    """The attempt after the views that failed, as if it had never been paused."""
    attempt = begin(task, seed, place, paused.puzzle)
    for _ in range(paused.tried):
        next(attempt.symmetries)
    attempt.begun = paused.tried
    attempt.tried = paused.tried
    attempt.cycles = paused.cycles
    attempt.seconds = paused.seconds
    attempt.best = paused.best
    attempt.diagnosis = paused.diagnosis
    return attempt


def question_of(task: Task, effort: Effort, trial: Trial) -> Question:
    """The row for a view."""
    attempt = trial.attempt
    puzzle = attempt.puzzle
    tokens = trial.view.apply(task.encode(puzzle.grid, puzzle.extra))
    seeds = np.random.SeedSequence((effort.seed, attempt.order, trial.number))
    # The first view is the model's own, undisturbed.
    noise = effort.noise if trial.number > 1 else 0.0
    seed = int(seeds.generate_state(1)[0])
    return Question(trial, tokens, noise, seed, more_cycles(task, effort, puzzle))


def more_cycles(task: Task, effort: Effort, puzzle: Puzzle) -> int:
    """How many cycles beyond those of the effort a view of this puzzle may take."""
    return task.more_cycles(puzzle) if effort.more_cycles and effort.stop_early else 0


def accept(task: Task, effort: Effort, trial: Trial, tokens: NDArray[np.int64]) -> bool:
    """Decode what a cycle ended with and let the rules judge it.

    A view that has become needless is accepted whatever it says, so that it ends.
    """
    if trial.is_needless:
        return True
    trial.cycles += 1
    puzzle = trial.attempt.puzzle
    trial.grid = task.decode_view(tokens, trial.view, puzzle.grid.shape)
    trial.verdict = task.verify(puzzle, trial.grid)
    if trial.verdict.verified and effort.stop_early:
        trial.attempt.last_needed = trial.number
    return trial.verdict.verified


def cycle_of(task: Task, effort: Effort, step: Step) -> Cycle:
    """The step as a viewer needs it."""
    trial: Trial = step.key
    puzzle = trial.attempt.puzzle
    view = trial.view
    shape = puzzle.grid.shape
    before = puzzle.grid if trial.before is None else trial.before
    faulty, violations = task.faults(puzzle, trial.grid)
    changed = trial.grid != before
    candidates = None
    if step.lattice is not None:
        candidates = view.undo(step.lattice).reshape(*shape, -1) == 1
        faulty = _clashing(task, trial, candidates)
        changed = _narrowed(task, trial, candidates)
        trial.candidates = candidates
    return Cycle(
        puzzle=puzzle,
        number=step.number,
        limit=effort.cycles + more_cycles(task, effort, puzzle),
        view=trial.number,
        views=effort.views,
        grid=trial.grid,
        confidence=task.cells(view.undo_cells(step.confidence), shape),
        changed=changed,
        faulty=faulty,
        violations=violations,
        halt=step.halt,
        candidates=candidates,
        arrows=task.arrows(view.undo(step.tokens), shape),
        task=task.name,
    )


def _clashing(task: Task, trial: Trial, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The faulty cells of a lattice: only decided cells can clash, open ones are no answer yet."""
    decided = candidates.sum(-1) == 1
    grid = np.where(decided, trial.grid, 0).astype(np.int8)
    return task.faults(trial.attempt.puzzle, grid)[0]


def _narrowed(task: Task, trial: Trial, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells of a lattice whose candidates changed; at first against those of the clues."""
    before = trial.candidates
    if before is None:
        puzzle = trial.attempt.puzzle
        tokens = task.encode(puzzle.grid, puzzle.extra)
        before = tokens.reshape(candidates.shape) == 1
    changed: NDArray[np.bool_] = (candidates != before).any(-1)
    return changed


def take_result(task: Task, trial: Trial) -> Result:
    """Count the end of a view, whose predecessors have all ended; return the best result so far."""
    assert trial.end is not None
    attempt = trial.attempt
    attempt.tried = trial.number
    attempt.cycles += trial.cycles
    verdict = trial.verdict
    broken = task.faults(attempt.puzzle, trial.grid)[1]
    rank = bool(verdict.valid), -broken, float(trial.end.confidence.mean())
    ended = Result(rank, trial.grid, verdict, trial.end.halt)
    best = attempt.best
    if best is None or verdict.verified or ended.rank > best.rank:
        attempt.best = best = ended
    return best


def is_worth_trying(task: Task, effort: Effort, attempt: Attempt, number: int) -> bool:
    """Whether the view of this number may find what those before it have not."""
    if number > effort.views:
        return False
    if number == 1:
        return True
    solutions = attempt.diagnosed(task).solutions
    if solutions == 0:
        return False
    return solutions != 2 or number <= VIEWS_OF_AMBIGUOUS


def answer_of(task: Task, attempt: Attempt, best: Result, diagnosis: Diagnosis) -> Answer:
    """Make the answer of an attempt that is over; ``diagnosis`` is what it says of the puzzle."""
    return Answer(
        puzzle=attempt.puzzle,
        grid=best.grid,
        verified=best.verdict.verified,
        reason=best.verdict.reason,
        cycles=attempt.cycles,
        views=attempt.tried,
        halt=best.halt,
        seconds=attempt.seconds,
        valid=best.verdict.valid,
        optimal=best.verdict.optimal,
        remark=diagnosis.remark,
        solutions=diagnosis.solutions,
        task=task.name,
    )
