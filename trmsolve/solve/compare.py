"""Several weights on the same puzzles: their rates at one or more efforts, and how they differ.

Each is measured as ``evaluate`` measures. The differences count puzzles that only one of two got
right, which tells small differences apart that the intervals of two rates cannot. Knows the solver;
prints nothing and opens no file.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.values import BANDS, Answer, Puzzle
from trmsolve.solve.effort import Effort
from trmsolve.solve.evaluate import (
    Count,
    Tally,
    judged_by_the_last_cycle,
    record_of,
    right_cells,
)
from trmsolve.solve.solver import Solver
from trmsolve.stats import mcnemar_p, wilson_interval

PER_RESULT = (
    "weights",
    "cycles",
    "views",
    "mean_cycles",
    "mean_views",
    "puzzles_per_second",
    "noise",
    "workers",
)
"""The figures of ``evaluate`` that a result has besides its rates."""

SHARED = ("task", "data", "n", "seed", "device", "dtype", "threads")
"""The figures of ``evaluate`` that all results have in common."""

GRADES = ("exact", "verified")
"""The rates that are compared puzzle by puzzle."""


@dataclass(frozen=True)
class Setting:
    """How hard all weights try."""

    views: int = 1
    cycles: int | None = None
    """The most cycles of a view; None is the usual number of the task."""

    def of(self, effort: Effort) -> Effort:
        """The effort with these numbers."""
        if self.cycles is None:
            return replace(effort, views=self.views)
        return replace(effort, views=self.views, cycles=self.cycles, more_cycles=False)


@dataclass(frozen=True)
class Trial:
    """What one solver has answered."""

    solver: Solver
    counted: Count
    right: dict[str, NDArray[np.bool_]]
    """For each of ``GRADES``, whether each puzzle (n,) has it."""

    def result(self, record: dict[str, Any]) -> dict[str, Any]:
        """The figures for JSON, out of all that ``evaluate`` has."""
        bands = self.counted.bands
        return {
            **{name: record[name] for name in PER_RESULT},
            "seconds": round(self.counted.seconds, 2),
            **_rates(self.counted.overall),
            "bands": {name: _rates(bands[name]) for name in BANDS if name in bands},
        }


def compare(
    solvers: Sequence[Solver],
    puzzles: Sequence[Puzzle],
    settings: Sequence[Setting],
    data: str,
    on_answer: Callable[[Answer], None] | None = None,
) -> dict[str, Any]:
    """The figures of every solver at every setting, and the differences from the first solver.

    The puzzles must carry their right answers; ``data`` is their name. ``on_answer`` is told every
    answer as soon as it is there. Raises PuzzleError for a puzzle that a network cannot answer.

    The record has ``results`` and ``differences``, setting after setting. A difference counts for
    each of ``GRADES`` the puzzles that ``only_first`` or ``only_second`` of its two weights got
    right, with McNemar's exact two-sided ``p``.
    """
    results = []
    differences = []
    record: dict[str, Any] = {}
    for setting in settings:
        trials = []
        for solver in solvers:
            trial = _try(solver.with_effort(setting.of(solver.effort)), puzzles, on_answer)
            record = record_of(trial.solver, trial.counted, data)
            results.append(trial.result(record))
            trials.append(trial)
        for other in trials[1:]:
            differences.append(_difference(trials[0], other))
    shared = {name: record[name] for name in SHARED}
    return {**shared, "results": results, "differences": differences}


def _try(
    solver: Solver, puzzles: Sequence[Puzzle], on_answer: Callable[[Answer], None] | None
) -> Trial:
    """Have the solver answer all puzzles."""
    solver = judged_by_the_last_cycle(solver)
    counted = Count(workers=solver.workers)
    right = {grade: np.zeros(len(puzzles), np.bool_) for grade in GRADES}
    start = time.monotonic()
    for place, answer in enumerate(_answers(solver, puzzles, on_answer)):
        counted.add(answer)
        right["exact"][place] = right_cells(answer).all()
        right["verified"][place] = answer.verified
    counted.seconds = time.monotonic() - start
    return Trial(solver, counted, right)


def _answers(
    solver: Solver, puzzles: Sequence[Puzzle], on_answer: Callable[[Answer], None] | None
) -> Iterator[Answer]:
    for answer in solver.solve_all(puzzles, None, on_answer):
        if isinstance(answer, PuzzleError):
            raise answer
        yield answer


def _rates(tally: Tally) -> dict[str, Any]:
    """The rates with an interval of both that are compared."""
    low, high = wilson_interval(tally.verified, tally.n)
    return {**tally.rates(), "verified_ci95": [round(low, 4), round(high, 4)]}


def _difference(first: Trial, second: Trial) -> dict[str, Any]:
    """How the second trial differs from the first, puzzle by puzzle."""
    grades = {}
    for grade in GRADES:
        only_first = int((first.right[grade] & ~second.right[grade]).sum())
        only_second = int((second.right[grade] & ~first.right[grade]).sum())
        grades[grade] = {
            "only_first": only_first,
            "only_second": only_second,
            "p": float(f"{mcnemar_p(only_first, only_second):.4g}"),
        }
    return {
        "first": first.solver.weights,
        "second": second.solver.weights,
        "cycles": second.solver.effort.cycles,
        "views": second.solver.effort.views,
        **grades,
    }
