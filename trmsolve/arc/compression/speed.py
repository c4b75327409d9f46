"""How fast tasks of some sizes are learned here."""

import time
from dataclasses import dataclass

import numpy as np

from trmsolve.arc.compression.learning import CompressionLearner
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.task import ArcTask, Pair

WARM_UP = 2
"""Steps before the clock starts: the first ones compile."""


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


@dataclass(frozen=True)
class StepTime:
    """How long steps took.

    Attributes:
        size: Of the task.
        steps: How many were timed.
        seconds: The median of a step.
    """

    size: TaskSize
    steps: int
    seconds: float


def time_steps(size: TaskSize, seconds: float) -> StepTime:
    """Learn a task of random grids for about so many seconds, on one core."""
    learner = CompressionLearner(CompressionPuzzle(random_task(size)), seeds=[0])
    for _ in range(WARM_UP):
        learner.step()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        begun = time.perf_counter()
        learner.step()
        times.append(time.perf_counter() - begun)
    return StepTime(size, len(times), float(np.median(times)))


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
