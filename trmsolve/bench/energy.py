"""Joules for each verified answer, by the counters of the machine.

The counters count for the whole machine: what else runs meanwhile is in the figure.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import cycle
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
    """Solve ``puzzles`` over and over for about ``seconds`` and count joules.

    Before, the idle machine is measured. ``joules_per_verified`` has all energy of the time,
    ``joules_per_verified_above_idle`` what the idle machine would not have used; both are None
    without a verified answer. Raises UsageError if the machine has no counter that can be read.
    """
    counters, reason = find_counters(solver.placement.device, powercap)
    if not counters:
        raise UsageError(f"this machine does not tell its energy: {reason}")
    next(solver.solve_all([puzzles[0]]))  # warms up
    idle_seconds = seconds * IDLE_SHARE
    begun = time.perf_counter()
    idle_start = _joules(counters)
    time.sleep(idle_seconds)
    start = _joules(counters)
    middle = time.perf_counter()
    idle_watts = (start - idle_start) / (middle - begun)
    answers = 0
    verified = 0
    for answer in solver.solve_all(_until(puzzles, middle + seconds - idle_seconds)):
        answers += 1
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
        "answers": answers,
        "verified": verified,
        "joules": joules,
        "watts": joules / spent,
        "idle_watts": idle_watts,
        "joules_per_verified": joules / verified if verified else None,
        "joules_per_verified_above_idle": above_idle / verified if verified else None,
    }


def _joules(counters: Sequence[Counter]) -> float:
    return sum(counter.joules() for counter in counters)


def _until(puzzles: Sequence[Puzzle], end: float) -> Iterator[Puzzle]:
    """The puzzles over and over, at least once, until the clock shows ``end``."""
    for number, puzzle in enumerate(cycle(puzzles)):
        if number >= len(puzzles) and time.perf_counter() >= end:
            return
        yield puzzle
