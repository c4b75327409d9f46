"""How many copies learn a task at once, so that time and memory suffice."""

import math
import os

from trmsolve.arc.adaptation import Budget
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.compression.ranks import DIRECTIONS
from trmsolve.arc.planes.copies import copy_seconds
from trmsolve.arc.task import ArcTask

MOST_GROUPS = 4
"""More cores than this are not used, however many there are."""

MOST_TOGETHER = 8
"""Copies in a group, at most."""

ENOUGH_STEPS = 1000
"""Steps after which a copy seldom finds another answer: another copy is worth more then."""

LEAST_STEPS = 300
"""Before so many steps the answers of a copy mean little."""

STEP_SECONDS = 0.05
"""Seconds of a step that do not depend on the size of the task."""

CELL_SECONDS = 5e-6
"""Seconds of a step for each number of cells, colours, examples and directions, in each copy.

Both are those of a core with AVX-512. Another core has another speed, and copies make more or fewer
steps.
"""

GROUP_BYTES = 400e6
"""Memory of a process with torch."""

CELL_BYTES = 5000.0
"""Memory of a step for each of the same numbers, in each copy."""

TRUNK_SHARE = 0.4
"""The share of the budget for copies that begin with a trained network."""

LEAST_TRUNK_SECONDS = 5.0
"""In less time such a copy learns nothing."""


def copies_together(task: ArcTask, budget: Budget) -> int:
    """How many copies share a core, so that each makes about ``ENOUGH_STEPS`` in the budget.

    It is one if the steps are given, so that a run does not depend on anything else.
    """
    if budget.steps is not None:
        return 1
    left_for_copies = budget.seconds / ENOUGH_STEPS - STEP_SECONDS
    affordable = int(left_for_copies / (CELL_SECONDS * _size(task)))
    return min(max(affordable, 1), MOST_TOGETHER)


def groups_that_fit(task: ArcTask, together: int, wanted: int, memory: float) -> int:
    """How many groups may learn at once, so that they take up to half of the memory; at least 1.

    ``together`` is the number of copies in each, and ``memory`` what the machine has, in bytes.
    """
    of_copies = CELL_BYTES * _size(task) * together
    affordable = memory / 2 / (GROUP_BYTES + of_copies)
    return int(min(max(affordable, 1.0), wanted))


def has_time_for_trunk(budget: Budget) -> bool:
    """Whether there are copies that begin with a trained network.

    There are none if the steps are given, and none if there is little time.
    """
    return budget.steps is None and TRUNK_SHARE * budget.seconds >= LEAST_TRUNK_SECONDS


def trunk_copies(task: ArcTask, budget: Budget) -> list[float]:
    """The seconds of each copy on one core that begins with a trained network."""
    if not has_time_for_trunk(budget):
        return []
    return copy_seconds([task], TRUNK_SHARE * budget.seconds)


def machine_memory() -> float:
    """The memory of this machine in bytes; infinite where it does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def _size(task: ArcTask) -> int:
    """How many cells the largest tensor has: all cells, colours, examples and directions."""
    puzzle = CompressionPuzzle(task)
    return puzzle.cells.numel() * puzzle.colours * DIRECTIONS
