"""Random tasks of some sizes, to measure how fast tasks are learned."""

from dataclasses import dataclass

import numpy as np

from trmsolve.arc.task import ArcTask, Pair


@dataclass(frozen=True)
class TaskSize:
    """The sizes of a task that decide the cost of a step."""

    # Rows and columns of every grid.
    side: int
    # Colours, black included.
    colours: int
    demonstrations: int
    tests: int = 1


SIZES = (TaskSize(10, 5, 3), TaskSize(15, 6, 4), TaskSize(30, 10, 3))
"""A small task, one of median size, and one of the largest."""


def random_task(size: TaskSize) -> ArcTask:
    """A task of random grids, all of one size: only the size matters for the speed."""
    random = np.random.default_rng(0)
    shape = (size.side, size.side)

    def pair() -> Pair:
        grids = random.integers(0, size.colours, (2, *shape)).astype(np.int8)
        return Pair(grids[0], grids[1])

    return ArcTask(
        name=f"{size.side}x{size.side}",
        demonstrations=tuple(pair() for _ in range(size.demonstrations)),
        tests=tuple(pair() for _ in range(size.tests)),
    )
