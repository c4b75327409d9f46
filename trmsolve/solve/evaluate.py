"""How good weights are: rates of right answers with intervals, by difficulty, and speed.

There are two protocols. With one view, every puzzle runs all its cycles and is judged by the last,
as the paper does. With several views, puzzles are solved as for a user: halting, checked by the
rules and tried again. Knows the solver; prints nothing.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.values import BANDS, Answer, Puzzle, band_of
from trmsolve.solve.solver import Solver
from trmsolve.stats import wilson_interval


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
        assert answer.puzzle.answer is not None
        right = answer.grid == answer.puzzle.answer
        self.n += 1
        self.exact += bool(right.all())
        self.cells += float(right.mean())
        self.verified += answer.verified
        self.judged += answer.valid is not None
        self.valid += bool(answer.valid)
        self.optimal += bool(answer.optimal)
        self.cycles += answer.cycles
        self.views += answer.views

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


def evaluate(
    solver: Solver,
    puzzles: Iterable[Puzzle | PuzzleError],
    data: str,
    on_answer: Callable[[Answer], None] | None = None,
    on_step: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """The measured figures as one flat record, with ``bands`` where the data has ratings.

    ``on_answer`` and ``on_step`` are those of ``Solver.solve_all``. Raises PuzzleError for an
    unreadable row and one without a right answer: a measurement leaves nothing out.
    """
    effort = solver.effort
    if effort.views == 1:
        solver = Solver(
            solver.task,
            solver.model,
            solver.placement,
            replace(effort, stop_early=False),
            solver.weights,
        )
    overall = Tally()
    bands: dict[str, Tally] = {}
    start = time.monotonic()
    answered = _with_answers(solver.task, puzzles)
    for answer in solver.solve_all(answered, on_answer=on_answer, on_step=on_step):
        assert isinstance(answer, Answer)
        overall.add(answer)
        if answer.puzzle.rating is not None:
            bands.setdefault(band_of(answer.puzzle.rating), Tally()).add(answer)
    seconds = time.monotonic() - start
    return {
        "task": solver.task.name,
        "data": data,
        **overall.rates(),
        "mean_cycles": round(overall.cycles / max(overall.n, 1), 2),
        "mean_views": round(overall.views / max(overall.n, 1), 2),
        "puzzles_per_second": round(overall.n / max(seconds, 1e-9), 2),
        "cycles": effort.cycles,
        "views": effort.views,
        "seed": effort.seed,
        "noise": effort.noise if effort.views > 1 else 0.0,
        "device": str(solver.placement.device),
        "dtype": solver.placement.dtype_name,
        "threads": solver.placement.threads,
        "weights": solver.weights,
        "bands": {name: bands[name].rates() for name in BANDS if name in bands},
    }


def _with_answers(task: Task, puzzles: Iterable[Puzzle | PuzzleError]) -> Iterable[Puzzle]:
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
