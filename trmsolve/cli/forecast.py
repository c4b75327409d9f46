"""Says before a long wait how long it may be.

The first cycle shows how fast this machine is, and the puzzles say how many cycles are to be
expected. The network hears nothing of this.
"""

import math
import time
from collections.abc import Callable, Sequence

from trmsolve.errors import PuzzleError
from trmsolve.model.config import LARGE_BOARD, TRMConfig
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.values import Puzzle
from trmsolve.solve.attempt import more_cycles
from trmsolve.solve.network import sparing
from trmsolve.solve.solver import Solver

LONG_SECONDS = 10.0
"""From so many seconds on, the wait is told."""

SPARED_SHARE = 0.4
"""What a later cycle of a large board costs of the first, on average, where only changes count."""


class Forecast:
    """Told of every cycle of every puzzle, it estimates the whole time from the first ones.

    ``puzzles`` are all that are to be solved, in their order. The estimate is for one view of each.
    """

    def __init__(
        self,
        solver: Solver,
        puzzles: Sequence[Puzzle],
        note: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.note = note
        self.clock = clock
        self.begun = clock()
        # On small boards the first cycle is mostly what begins only once, and tells nothing.
        self.is_told = all(puzzle.grid.size < LARGE_BOARD for puzzle in puzzles)
        work = sum(self._work(solver, puzzle) for puzzle in puzzles)
        # How much longer all puzzles take than the first cycle of the first batch.
        first = _first_batch(puzzles, solver.effort.batch_size)
        self.times_first = work / (first * solver.workers) if first else 0.0

    def _work(self, solver: Solver, puzzle: Puzzle) -> float:
        """What the puzzle costs, if a whole cycle costs as much as there are cells."""
        needed = expected_cycles(solver.task, solver.model.config, puzzle)
        most = solver.effort.cycles + more_cycles(solver.task, solver.effort, puzzle)
        cycles = min(needed, most)
        cells = puzzle.grid.size
        if cells < LARGE_BOARD or sparing(solver.model) is solver.model:
            return cycles * cells
        return (1 + (cycles - 1) * SPARED_SHARE) * cells if cycles else 0

    def step(self) -> None:
        """A puzzle has had a cycle. At the first one, say how long all may take if that is long."""
        if self.is_told:
            return
        self.is_told = True
        seconds = (self.clock() - self.begun) * self.times_first
        if seconds >= LONG_SECONDS:
            self.note(f"this takes about {_rounded(seconds)} if one view is enough")


def expected_cycles(task: Task, config: TRMConfig, puzzle: Puzzle) -> int:
    """How many cycles the answer takes to come; 0 where that cannot be told."""
    steps = task.steps_to_answer(puzzle)
    if steps is None or config.mixer != "conv":
        return 0
    reach = config.layers * config.recursions * (config.latent_steps + 1)
    return math.ceil(steps / reach) + 1


def forecast_for(
    solver: Solver, items: Sequence[Puzzle | PuzzleError | None], note: Callable[[str], None]
) -> Forecast:
    """The forecast for items of which some are no puzzles."""
    return Forecast(solver, [item for item in items if isinstance(item, Puzzle)], note)


def _first_batch(puzzles: Sequence[Puzzle], batch_size: int) -> int:
    """The cells of the puzzles that are refined together at first: they have one size."""
    cells = 0
    for puzzle in puzzles[:batch_size]:
        if puzzle.grid.shape != puzzles[0].grid.shape:
            break
        cells += puzzle.grid.size
    return cells


def _rounded(seconds: float) -> str:
    """Tens of seconds, or minutes from two on."""
    if seconds < 120:
        return f"{math.ceil(seconds / 10) * 10} seconds"
    return f"{math.ceil(seconds / 60)} minutes"
