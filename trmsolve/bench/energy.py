"""Joules for each verified answer, by the counters of the machine.

The counters count for the whole machine: what else runs meanwhile is in the figure.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from trmsolve.bench.counters import Counter, find_counters
from trmsolve.bench.timing import Figures
from trmsolve.errors import UsageError
from trmsolve.puzzles.values import Answer, Puzzle
from trmsolve.solve.solver import Solver

IDLE_SHARE = 1 / 10
"""How long the machine is measured while this process waits, as a share of the measurement."""


def measure_energy(
    solver: Solver, puzzles: Sequence[Puzzle], seconds: float, powercap: Path | None = None
) -> Figures:
    """Solve ``puzzles`` over and over, each at least once, for about ``seconds``; count joules.

    Before, the network is warmed up and the idle machine is measured, both in this time.
    ``joules_per_verified`` has all energy of the rest, ``joules_per_verified_above_idle`` what the
    idle machine would not have used; both are None without a verified answer. Raises UsageError if
    the machine has no counter that can be read.
    """
    counters, reason = find_counters(solver.placement.device, powercap)
    if not counters:
        raise UsageError(f"this machine does not tell its energy: {reason}")
    begun = time.perf_counter()
    next(solver.solve_all([puzzles[0]]))  # warms up
    warm = time.perf_counter()
    idle_start = _joules(counters)
    time.sleep(seconds * IDLE_SHARE)
    start = _joules(counters)
    middle = time.perf_counter()
    idle_watts = (start - idle_start) / (middle - warm)
    supply = _Supply(puzzles, middle, begun + seconds, each=warm - begun)
    verified = 0
    for answer in solver.solve_all(supply.puzzles_in_time()):
        supply.answered += 1
        verified += isinstance(answer, Answer) and answer.verified
        _joules(counters)  # before a counter wraps around twice
    joules = _joules(counters) - start
    spent = time.perf_counter() - middle
    above_idle = joules - idle_watts * spent
    return {
        "task": solver.task.name,
        "weights": solver.weights,
        "device": str(solver.placement.device),
        "dtype": solver.placement.dtype_name,
        "threads": solver.threads,
        "counters": [counter.name for counter in counters],
        "seconds": spent,
        "answers": supply.answered,
        "verified": verified,
        "joules": joules,
        "watts": joules / spent,
        "idle_watts": idle_watts,
        "joules_per_verified": joules / verified if verified else None,
        "joules_per_verified_above_idle": above_idle / verified if verified else None,
    }


def _joules(counters: Sequence[Counter]) -> float:
    return sum(counter.joules() for counter in counters)


@dataclass
class _Supply:
    """Hands out the puzzles over and over, as many as can be answered until a time."""

    puzzles: Sequence[Puzzle]
    begun: float
    """When the first is handed out, by the clock."""
    end: float
    """When all should be answered, by the clock."""
    each: float
    """Seconds that a puzzle takes alone: the estimate until there are answers."""
    given: int = 0
    answered: int = 0
    """How many have been answered, as the caller counts them."""

    def puzzles_in_time(self) -> Iterator[Puzzle | None]:
        """The puzzles, each at least once; None while an answer has to come first."""
        while True:
            if self.given < len(self.puzzles) or self._has_time():
                puzzle = self.puzzles[self.given % len(self.puzzles)]
                self.given += 1
                yield puzzle
            elif self.given == self.answered or time.perf_counter() >= self.end:
                return
            else:
                yield None

    def _has_time(self) -> bool:
        """Whether those under way and one more can be answered in the time that is left."""
        now = time.perf_counter()
        each = (now - self.begun) / self.answered if self.answered else self.each
        under_way = self.given - self.answered
        return (under_way + 1) * each <= self.end - now
