"""How good weights are: rates of right answers with intervals, by difficulty, and speed.

There are two protocols. With one view, every puzzle runs all its cycles and is judged by the last,
as the paper does. With several views, puzzles are solved as for a user: halting, checked by the
rules and tried again. Knows the solver; prints nothing.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trmsolve.distributed import ALONE, ProcessGroup
from trmsolve.errors import PuzzleError, TrmsolveError
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.values import BANDS, Answer, Puzzle, band_of
from trmsolve.solve.solver import Solver
from trmsolve.solve.stream import Places
from trmsolve.stats import wilson_interval


def right_cells(answer: Answer) -> NDArray[np.bool_]:
    """Which cells (rows, columns) equal those of the data's answer, which the puzzle must have."""
    assert answer.puzzle.answer is not None
    return np.equal(answer.grid, answer.puzzle.answer)


@dataclass
class Tally:
    """Counts over some of the puzzles."""

    n: int = 0
    exact: int = 0
    verified: int = 0
    valid: int = 0
    """Valid answers, for a task that has better and worse ones."""
    optimal: int = 0
    judged: int = 0
    """How many puzzles were of such a task."""
    cells: float = 0.0
    """The sum of the shares of cells that are right."""
    cycles: int = 0
    views: int = 0

    def add(self, answer: Answer) -> None:
        """Count one answer; its puzzle must carry the data's own."""
        right = right_cells(answer)
        self.n += 1
        self.exact += bool(right.all())
        self.cells += float(right.mean())
        self.verified += answer.verified
        self.judged += answer.valid is not None
        self.valid += bool(answer.valid)
        self.optimal += bool(answer.optimal)
        self.cycles += answer.cycles
        self.views += answer.views

    def merge(self, other: "Tally") -> None:
        """Count what another has counted."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def rates(self) -> dict[str, Any]:
        """Fractions of n."""
        n = max(self.n, 1)
        low, high = wilson_interval(self.exact, self.n)
        graded = {}
        if self.judged:
            graded = {"valid": round(self.valid / n, 4), "optimal": round(self.optimal / n, 4)}
        return {
            "n": self.n,
            "exact": round(self.exact / n, 4),
            "exact_ci95": [round(low, 4), round(high, 4)],
            "cell": round(self.cells / n, 4),
            **graded,
            "verified": round(self.verified / n, 4),
        }


@dataclass
class Count:
    """What one process has measured."""

    overall: Tally = field(default_factory=Tally)
    bands: dict[str, Tally] = field(default_factory=dict)
    """By the name of the band, for puzzles that have a rating."""
    seconds: float = 0.0
    workers: int = 1
    error: TrmsolveError | None = None
    """What ended the measurement."""

    def add(self, answer: Answer) -> None:
        """Count one answer."""
        self.overall.add(answer)
        if answer.puzzle.rating is not None:
            self.bands.setdefault(band_of(answer.puzzle.rating), Tally()).add(answer)

    def merge(self, other: "Count") -> None:
        """Count what another process has counted at the same time."""
        self.overall.merge(other.overall)
        for name, tally in other.bands.items():
            self.bands.setdefault(name, Tally()).merge(tally)
        self.seconds = max(self.seconds, other.seconds)
        self.workers += other.workers


def evaluate(  # noqa: PLR0913 (two of them only for the person who waits)
    solver: Solver,
    puzzles: Iterable[Puzzle | PuzzleError],
    data: str,
    on_answer: Callable[[Answer], None] | None = None,
    on_step: Callable[[], None] | None = None,
    group: ProcessGroup = ALONE,
) -> dict[str, Any]:
    """The measured figures as one flat record, with ``bands`` where the data has ratings.

    ``on_answer`` and ``on_step`` are those of ``Solver.solve_all``. The processes of the ``group``
    share the puzzles, which each of them reads, and all return the same figures. Raises PuzzleError
    for an unreadable row, one without a right answer, and one that the network cannot answer: a
    measurement leaves nothing out.
    """
    solver = judged_by_the_last_cycle(solver)
    counted = Count(workers=solver.workers)
    start = time.monotonic()
    # A puzzle keeps its place among all, from which follows what is random about it.
    own = islice(with_answers(solver.task, puzzles), group.rank, None, group.size)
    places = Places(group.rank, group.size)
    try:
        for answer in solver.solve_all(own, None, on_answer, on_step, places):
            if isinstance(answer, PuzzleError):
                raise answer
            counted.add(answer)
    except TrmsolveError as error:  # told when the others know that it is over
        counted.error = error
    counted.seconds = time.monotonic() - start
    return record_of(solver, _together(group.collect(counted)), data)


def judged_by_the_last_cycle(solver: Solver) -> Solver:
    """The solver; where there is one view, it runs every cycle, as the paper's evaluation does."""
    if solver.effort.views > 1:
        return solver
    return solver.with_effort(replace(solver.effort, stop_early=False))


def record_of(solver: Solver, total: Count, data: str) -> dict[str, Any]:
    """The figures as one record, and how they were measured."""
    effort = solver.effort
    overall = total.overall
    return {
        "task": solver.task.name,
        "data": data,
        **overall.rates(),
        "mean_cycles": round(overall.cycles / max(overall.n, 1), 2),
        "mean_views": round(overall.views / max(overall.n, 1), 2),
        "puzzles_per_second": round(overall.n / max(total.seconds, 1e-9), 2),
        "cycles": effort.cycles,
        "views": effort.views,
        "seed": effort.seed,
        "noise": effort.noise if effort.views > 1 else 0.0,
        "device": str(solver.placement.device),
        "dtype": solver.placement.dtype_name,
        "threads": solver.threads,
        "workers": total.workers,
        "weights": solver.weights,
        "bands": {name: total.bands[name].rates() for name in BANDS if name in total.bands},
    }


def _together(counts: Sequence[Count]) -> Count:
    """What all processes have counted. Raises the error that ended one of them."""
    total = counts[0]
    for counted in counts:
        if counted.error is not None:
            raise counted.error
    for counted in counts[1:]:
        total.merge(counted)
    return total


def with_answers(task: Task, puzzles: Iterable[Puzzle | PuzzleError]) -> Iterator[Puzzle]:
    """The puzzles as they come. Raises PuzzleError for one without a right answer."""
    for puzzle in puzzles:
        if isinstance(puzzle, PuzzleError):
            raise puzzle
        if puzzle.answer is None:
            raise PuzzleError(
                "evaluation needs puzzles with answers: give a CSV file with both", puzzle.source
            )
        verdict = task.verify(puzzle, puzzle.answer)
        if not verdict.verified:
            raise PuzzleError(f"the answer in the data is wrong: {verdict.reason}", puzzle.source)
        yield puzzle
