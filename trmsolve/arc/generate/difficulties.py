"""The difficulties of made ARC tasks. Nothing here imports numpy."""

from dataclasses import dataclass

DEMONSTRATIONS = (2, 3, 3, 3, 4, 4, 5)
"""Numbers of demonstrations, as often as they are drawn."""

MOST_DEMONSTRATIONS = 100
"""A task may be given so many demonstrations."""


@dataclass(frozen=True)
class Difficulty:
    """How large the grids are, and how many rules a task has."""

    largest_side: int

    composed: float
    """The share of tasks with two rules, one after the other."""

    demonstrations: tuple[int, ...] = DEMONSTRATIONS
    """Numbers of demonstrations, as often as they are drawn."""


LARGEST = 30
"""The longest side of a grid, as in ``arc.task``."""

DIFFICULTIES = {
    "easy": Difficulty(10, 0.0),
    "medium": Difficulty(16, 0.0),
    "hard": Difficulty(LARGEST, 1.0),
    "mixed": Difficulty(LARGEST, 0.35),
}
"""The difficulties by their names, as ``trmsolve generate`` has them."""

USUAL_DIFFICULTY = "mixed"
"""The difficulty where nothing else is asked for."""
